"""Which keys of a provider are used, and which are not."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from oidc.errors import ProviderUnreachable
from oidc.key_sets import MAX_KEYS, find_key, parse_key_set
from tests.oidc.signing import (
    build_key_set,
    build_public_key,
    encode_number,
    get_ec_key,
    get_ed_key,
    get_rsa_key,
)

RSA = build_public_key(get_rsa_key(), "a")
EC = build_public_key(get_ec_key(), "b")
ED = build_public_key(get_ed_key(), "c")


def test_a_set_may_have_keys_of_each_kind() -> None:
    keys = parse_key_set(build_key_set())

    assert [(key.id, key.algorithm) for key in keys] == [("a", "RS256"), ("b", "ES256"), ("c", "EdDSA")]


@pytest.mark.parametrize(
    "members", [{}, {"alg": ...}, {"use": ...}, {"key_ops": ["verify"]}, {"kid": ...}, {"x5t": "x"}]
)
@pytest.mark.parametrize("key", [RSA, EC, ED], ids=["RSA", "EC", "OKP"])
def test_what_a_key_need_not_say_may_be_missing(key: dict[str, Any], members: dict[str, Any]) -> None:
    entry = {name: value for name, value in (key | members).items() if value is not ...}

    assert len(parse_key_set({"keys": [entry]})) == 1


def test_a_key_may_be_named_by_its_curve() -> None:
    assert parse_key_set({"keys": [ED | {"alg": "Ed25519"}]})[0].algorithm == "EdDSA"


UNUSABLE: dict[str, object] = {
    "for encryption": RSA | {"use": "enc"},
    "for signing only": RSA | {"key_ops": ["sign"]},
    "operations that are no array": RSA | {"key_ops": "verify"},
    "for another algorithm": RSA | {"alg": "PS256"},
    "for another algorithm of its kind": RSA | {"alg": "RS512"},
    "algorithm is a list": RSA | {"alg": ["RS256"]},
    "shared": {"kty": "oct", "kid": "a", "k": "c2VjcmV0", "alg": "HS256"},
    "of an unknown kind": {"kty": "XYZ", "kid": "a"},
    "kind is a list": RSA | {"kty": ["RSA"]},
    "id is a number": RSA | {"kid": 1},
    "without a modulus": {name: value for name, value in RSA.items() if name != "n"},
    "modulus is a number": RSA | {"n": 5},
    "modulus is no number": RSA | {"n": "%%%"},
    "modulus of 1,024 bits": RSA | {"n": encode_number((1 << 1023) | 1)},
    "modulus of 16,384 bits": RSA | {"n": encode_number((1 << 16_383) | 1)},
    "modulus is even": RSA | {"n": encode_number(1 << 2047)},
    "exponent of 2,048 bits": RSA | {"e": encode_number((1 << 2047) | 1)},
    "exponent is one": RSA | {"e": encode_number(1)},
    "exponent is zero": RSA | {"e": "AA"},
    "exponent is even": RSA | {"e": encode_number(65_536)},
    "curve is another": build_public_key(get_ec_key(), "b", crv="P-384", alg=None),
    "curve is unknown": EC | {"crv": "secp256k1"},
    "point is not on the curve": EC | {"x": EC["y"], "y": EC["x"]},
    "point is cut": EC | {"x": EC["x"][:-4]},
    "point is missing": {name: value for name, value in EC.items() if name != "y"},
    "Ed448": ED | {"crv": "Ed448"},
    "Ed25519 that is cut": ED | {"x": ED["x"][:-4]},
    "X25519": ED | {"crv": "X25519"},
    "a text": "key",
    "null": None,
    "empty": {},
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_key_that_is_not_usable_is_left_out_and_the_others_stay(name: str) -> None:
    keys = parse_key_set({"keys": [UNUSABLE[name], build_public_key(get_rsa_key("other"), "z")]})

    assert [key.id for key in keys] == ["z"]


@pytest.mark.parametrize("document", [{}, {"keys": None}, {"keys": {}}, {"keys": "x"}, {"keys": [{}] * (MAX_KEYS + 1)}])
def test_what_is_no_set_of_keys_is_rejected(document: dict[str, Any]) -> None:
    with pytest.raises(ProviderUnreachable, match="The provider's set of keys has"):
        parse_key_set(document)


def test_private_parts_of_a_key_are_not_taken_over() -> None:
    (key,) = parse_key_set({"keys": [EC | {"d": "AQAB"}]})

    assert isinstance(key.key.key, ec.EllipticCurvePublicKey)


def test_a_key_is_found_by_its_id_and_its_algorithm() -> None:
    keys = parse_key_set(build_key_set())

    assert find_key(keys, "RS256", "a") is keys[0]
    assert find_key(keys, "ES256", "a") is find_key(keys, "RS256", "b") is None
    assert find_key(keys, "RS256", None) is keys[0]


def test_of_two_keys_with_one_id_neither_is_used() -> None:
    keys = parse_key_set({"keys": [RSA, build_public_key(get_rsa_key("other"), "a"), ED | {"kid": "a"}]})

    assert find_key(keys, "RS256", "a") is None
    assert find_key(keys, "RS256", None) is None
    assert find_key(keys, "EdDSA", "a") is keys[2]


def test_an_id_is_needed_where_there_are_several_keys() -> None:
    keys = parse_key_set({"keys": [RSA, build_public_key(get_rsa_key("other"), "z")]})

    assert find_key(keys, "RS256", None) is None
