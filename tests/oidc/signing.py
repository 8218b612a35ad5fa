"""Keys and tokens as providers make them, and as attackers do."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from functools import cache
from hmac import digest
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from oidc.providers import BearerTokens, Provider

ISSUER = "https://id.example.test/realms/staff"
CLIENT_ID = "tackboard"
NONCE = "n-0S6_WzA2Mj"
NOW = 1_800_000_000

PROVIDER = Provider(
    "staff", "Staff", ISSUER, CLIENT_ID, "secret", bearer=BearerTokens("https://api.example.test", ("read", "write"))
)

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def encode(data: bytes) -> str:
    """Encode bytes as tokens do."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def encode_number(number: int) -> str:
    """Encode a number as keys do."""
    return encode(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def get_rsa_key(name: str = "a", bits: int = 2048, exponent: int = 65_537) -> rsa.RSAPrivateKey:
    """Return the RSA key with that name."""
    return _generate_rsa_key(name, bits, exponent)


@cache
def _generate_rsa_key(_: str, bits: int, exponent: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(exponent, bits)


@cache
def get_ec_key() -> ec.EllipticCurvePrivateKey:
    """Return a key for ES256."""
    return ec.generate_private_key(ec.SECP256R1())


@cache
def get_ed_key() -> ed25519.Ed25519PrivateKey:
    """Return a key for EdDSA."""
    return ed25519.Ed25519PrivateKey.generate()


def build_public_key(key: Key, key_id: str | None, **members: Any) -> dict[str, Any]:
    """Return a key as a provider publishes it."""
    jwk: dict[str, Any] = {"use": "sig"} if key_id is None else {"kid": key_id, "use": "sig"}
    match key:
        case rsa.RSAPrivateKey():
            numbers = key.public_key().public_numbers()
            jwk |= {"kty": "RSA", "alg": "RS256", "n": encode_number(numbers.n), "e": encode_number(numbers.e)}
        case ec.EllipticCurvePrivateKey():
            point = key.public_key().public_numbers()
            coordinates = {"x": encode(point.x.to_bytes(32, "big")), "y": encode(point.y.to_bytes(32, "big"))}
            jwk |= {"kty": "EC", "crv": "P-256", "alg": "ES256", **coordinates}
        case _:
            raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
            jwk |= {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": encode(raw)}
    return {name: value for name, value in (jwk | members).items() if value is not None}


def encode_as_pem(key: rsa.RSAPrivateKey) -> bytes:
    """Return the public key as text, which naive verifiers take for a shared secret."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def build_key_set() -> dict[str, Any]:
    """Return the keys of the provider."""
    return {
        "keys": [
            build_public_key(get_rsa_key(), "a"),
            build_public_key(get_ec_key(), "b"),
            build_public_key(get_ed_key(), "c"),
        ]
    }


def build_claims(**changes: Any) -> dict[str, Any]:
    """Return the claims of an ID token with changes; `...` leaves a claim out."""
    usual = {"iss": ISSUER, "sub": "248289761001", "aud": CLIENT_ID, "exp": NOW + 300, "iat": NOW, "nonce": NONCE}
    return {name: value for name, value in (usual | changes).items() if value is not ...}


def sign(
    payload: Mapping[str, Any] | bytes | None = None,
    header: Mapping[str, Any] | bytes | None = None,
    *,
    key: Key | bytes | None = None,
    algorithm: str = "RS256",
) -> str:
    """Return a token.

    `payload` and `header` are objects or their bytes; without them, they are those of a good token. `algorithm` is how
    the token is really signed, which its header may contradict.
    """
    usual_header = build_header(alg=algorithm, kid={"ES256": "b", "EdDSA": "c"}.get(algorithm, "a"))
    head, body = (
        encode(part if isinstance(part, bytes) else json.dumps(part).encode())
        for part in (usual_header if header is None else header, build_claims() if payload is None else payload)
    )
    message = f"{head}.{body}".encode()
    return f"{head}.{body}.{encode(compute_signature(message, key, algorithm))}"


def build_header(**changes: Any) -> dict[str, Any]:
    """Return the header of a token with changes; `...` leaves a member out."""
    usual = {"alg": "RS256", "kid": "a", "typ": "JWT"}
    return {name: value for name, value in (usual | changes).items() if value is not ...}


def compute_signature(message: bytes, key: Key | bytes | None, algorithm: str) -> bytes:
    """Sign a message; with the provider's key unless there is another."""
    match algorithm:
        case "none":
            return b""
        case "HS256":
            assert isinstance(key, bytes)
            return digest(key, message, "sha256")
        case "ES256":
            signature = get_ec_key().sign(message, ec.ECDSA(hashes.SHA256()))
            return b"".join(number.to_bytes(32, "big") for number in decode_dss_signature(signature))
        case "EdDSA":
            return get_ed_key().sign(message)
    private = key or get_rsa_key()
    assert isinstance(private, rsa.RSAPrivateKey)
    if algorithm == "PS256":
        return private.sign(message, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    return private.sign(message, padding.PKCS1v15(), hashes.SHA512() if algorithm == "RS512" else hashes.SHA256())
