"""Hostile tokens, of which none gives an identity, beside good ones that all do."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from oidc.claims import Identity, judge_id_token
from oidc.errors import SignInRejected
from oidc.key_sets import find_key, parse_key_set
from oidc.signed_tokens import parse_token, verify_token
from tests.oidc.hostile_tokens import HOSTILE_TOKENS
from tests.oidc.signing import (
    CLIENT_ID,
    ISSUER,
    NONCE,
    NOW,
    PROVIDER,
    build_claims,
    build_header,
    build_key_set,
    sign,
)

IDENTITY = Identity(ISSUER, "248289761001")

LAWFUL_CLAIMS: dict[str, dict[str, Any]] = {
    "usual": {},
    "audience in an array": {"aud": [CLIENT_ID]},
    "two audiences with this party": {"aud": [CLIENT_ID, "other"], "azp": CLIENT_ID},
    "end with a fraction": {"exp": NOW + 300.5},
    "expired within the leeway": {"exp": NOW - 59, "iat": NOW - 300},
    "issued within the leeway": {"iat": NOW + 60, "nbf": NOW + 60},
    "lives for 30 days": {"exp": NOW + 30 * 86_400},
    "an ID token of Keycloak": {"typ": "ID", "azp": CLIENT_ID, "acr": "1"},
    "an ID token of Cognito": {"token_use": "id", "cognito:username": "mina"},
    "groups": {"groups": [f"group-{number:04}" for number in range(500)]},
}


def judge(text: str) -> Identity:
    """Return the identity that an ID token gives. Raises SignInRejected."""
    token = parse_token(text)
    key = find_key(parse_key_set(build_key_set()), token.algorithm, token.key_id)
    if key is None:
        raise SignInRejected("There is no such key.")
    return judge_id_token(verify_token(token, key), token.type, PROVIDER, nonce=NONCE, unix_time=NOW)


@pytest.mark.parametrize("changes", LAWFUL_CLAIMS.values(), ids=LAWFUL_CLAIMS)
def test_a_lawful_token_gives_an_identity(changes: Mapping[str, Any]) -> None:
    assert judge(sign(build_claims(**changes))) == IDENTITY


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_each_accepted_algorithm_gives_an_identity(algorithm: str) -> None:
    assert judge(sign(algorithm=algorithm)) == IDENTITY


@pytest.mark.parametrize(
    "header",
    [
        build_header(typ=...),
        build_header(typ="jwt"),
        build_header(kid=...),
        build_header(x5t="dGVzdA"),
        build_header(jku="https://id.example.test/keys"),
    ],
)
def test_headers_that_change_nothing_are_accepted(header: Mapping[str, Any]) -> None:
    assert judge(sign(header=header)) == IDENTITY


@pytest.mark.parametrize("name", HOSTILE_TOKENS)
def test_a_hostile_token_gives_no_identity(name: str) -> None:
    token = HOSTILE_TOKENS[name]()

    with pytest.raises(SignInRejected) as rejection:
        judge(token)

    # The reason goes into the log, so it must be a sentence of ours.
    sentence = str(rejection.value)
    assert sentence.endswith(".")
    assert len(sentence) < 120
    for part in filter(None, token.split(".")):
        assert part not in sentence or len(part) < 10


def test_there_are_enough_hostile_tokens_and_no_two_are_alike() -> None:
    assert len(HOSTILE_TOKENS) >= 86
    tokens = [build() for build in HOSTILE_TOKENS.values()]
    # PSS and ECDSA are random, so only what is before the signature counts for those.
    assert len(set(tokens)) == len(tokens)


def test_a_subject_may_be_in_any_script_and_is_never_changed() -> None:
    for subject in ("мина", "ミナ", "Mına", "é", "e\u0301", "A" * 255, "a b", "{}", "x'--"):  # noqa: RUF001 - that is the point.
        assert judge(sign(build_claims(sub=subject))).subject == subject
        assert judge(sign(json.dumps(build_claims(sub=subject), ensure_ascii=False).encode())).subject == subject


def test_homoglyphs_are_different_identities() -> None:
    subjects = ["mina", "mіna", "ｍｉｎａ", "MINA", "mina ", "é", "e\u0301"]  # noqa: RUF001 - that is the point.

    assert len({judge(sign(build_claims(sub=subject))) for subject in subjects}) == len(subjects)
