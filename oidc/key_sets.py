"""The keys that a provider signs with (JSON Web Key Sets, RFC 7517)."""

from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from oidc.errors import ProviderUnreachable
from oidc.fetching import Fetcher

if TYPE_CHECKING:
    from jwt import PyJWK

ALGORITHMS = ("RS256", "ES256", "EdDSA")
"""The signatures that are accepted. None is keyed with something that anyone else knows."""

MAX_KEYS = 100

MIN_RSA_BITS = 2048
MAX_RSA_BITS = 8192
MAX_RSA_EXPONENT_BITS = 32
"""Larger numbers make a check of a signature take up to a thousand times as long."""

_TITLE = "The provider's set of keys"
_MEMBERS = {"RS256": ("kty", "n", "e"), "ES256": ("kty", "crv", "x", "y"), "EdDSA": ("kty", "crv", "x")}
"""What is taken over from a key: nothing that is private, and nothing that leads elsewhere."""


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A public key, for one algorithm."""

    id: str | None
    algorithm: str
    key: "PyJWK"


def fetch_key_set(url: str, fetcher: Fetcher) -> tuple[VerificationKey, ...]:
    """Return the usable keys at a URL. Raises ProviderUnreachable if there are none."""
    keys = parse_key_set(fetcher.get_object(url, _TITLE))
    if not keys:
        raise ProviderUnreachable(f"{_TITLE} has no key for {', '.join(ALGORITHMS)}.")
    return keys


def parse_key_set(document: Mapping[str, Any]) -> tuple[VerificationKey, ...]:
    """Return the usable keys of a set, without any for another purpose or algorithm. Raises ProviderUnreachable."""
    entries = document.get("keys")
    if type(entries) is not list:
        raise ProviderUnreachable(f"{_TITLE} has no 'keys'.")
    if len(entries) > MAX_KEYS:
        raise ProviderUnreachable(f"{_TITLE} has over {MAX_KEYS} keys.")
    return tuple(key for entry in entries if type(entry) is dict and (key := _parse_key(entry)) is not None)


def find_key(keys: Sequence[VerificationKey], algorithm: str, key_id: str | None) -> VerificationKey | None:
    """Return the key with that id, or without an id the only one of its algorithm; None if there isn't exactly one."""
    candidates = [key for key in keys if key.algorithm == algorithm and key_id in (None, key.id)]
    return candidates[0] if len(candidates) == 1 else None


def _parse_key(entry: Mapping[str, Any]) -> VerificationKey | None:
    from jwt import PyJWK, PyJWTError  # noqa: PLC0415 - loaded by the first sign-in.

    algorithm, key_id = _choose_algorithm(entry), entry.get("kid")
    if algorithm is None or not (key_id is None or type(key_id) is str):
        return None
    members = {name: entry.get(name) for name in _MEMBERS[algorithm]}
    try:
        if algorithm == "RS256" and not _is_usable_rsa_key(members):
            return None
        return VerificationKey(key_id, algorithm, PyJWK(members, algorithm))
    except (PyJWTError, TypeError, ValueError):
        return None


def _choose_algorithm(entry: Mapping[str, Any]) -> str | None:
    """Return the algorithm that a key verifies with; None if it has another purpose, or one that is not accepted."""
    match entry.get("kty"), entry.get("crv"), entry.get("alg"):
        case "RSA", _, "RS256" | None:
            algorithm = "RS256"
        case "EC", "P-256", "ES256" | None:
            algorithm = "ES256"
        case "OKP", "Ed25519", "EdDSA" | "Ed25519" | None:
            algorithm = "EdDSA"
        case _:
            return None
    operations = entry.get("key_ops", ["verify"])
    verifies = entry.get("use", "sig") == "sig" and type(operations) is list and "verify" in operations
    return algorithm if verifies else None


def _is_usable_rsa_key(members: Mapping[str, Any]) -> bool:
    """Return whether the numbers have a usual size. Raises TypeError or ValueError if they are none."""
    modulus, exponent = (int.from_bytes(urlsafe_b64decode(members[name] + "==="), "big") for name in "ne")
    return (
        MIN_RSA_BITS <= modulus.bit_length() <= MAX_RSA_BITS
        and modulus % 2 == 1
        and exponent.bit_length() <= MAX_RSA_EXPONENT_BITS
        and exponent % 2 == 1
        and exponent > 1
    )
