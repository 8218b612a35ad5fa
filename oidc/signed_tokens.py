"""Parse signed tokens (JSON Web Tokens) and check their signatures.

PyJWT checks the signature. It lets through what libraries understand differently, so the form is checked here: three
parts in unpadded base64url, one meaning of each name, and no header that changes what the payload is.
"""

import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from oidc.errors import SignInRejected
from oidc.json_objects import parse_object
from oidc.key_sets import ALGORITHMS, VerificationKey

MAX_TOKEN_CHARACTERS = 16_384
"""Tokens with a hundred groups have some 6,000 characters."""

_FORM = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+")
_HEADERS_WITH_A_MEANING = frozenset(("b64", "crit", "cty", "enc", "zip"))
"""Headers that change what the payload is. Those that offer a key are ignored."""
MAX_KEY_ID_CHARACTERS = 255


@dataclass(frozen=True, slots=True)
class SignedToken:
    """A token whose signature has not been checked.

    Attributes:
        text: What was sent.
        algorithm: One of those that are accepted.
        key_id: Which key has signed it, None if the token doesn't say.
        type: Its `typ` in lower case, `jwt` if it has none.
        unverified_claims: What anyone may have written.
    """

    text: str
    algorithm: str
    key_id: str | None
    type: str
    unverified_claims: Mapping[str, Any]


def parse_token(text: str) -> SignedToken:
    """Return the parts of a token. Raises SignInRejected."""
    if len(text) > MAX_TOKEN_CHARACTERS:
        raise SignInRejected(f"The token has over {MAX_TOKEN_CHARACTERS:,} characters.")
    match = _FORM.fullmatch(text)
    if match is None:
        raise SignInRejected("The token has not the form of one.")
    header, claims = _parse_part(match[1], "header"), _parse_part(match[2], "payload")
    algorithm, key_id, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    if type(algorithm) is not str or algorithm not in ALGORITHMS:
        raise SignInRejected("The token is signed in a way that is not accepted.")
    if not header.keys().isdisjoint(_HEADERS_WITH_A_MEANING):
        raise SignInRejected("The token has a header that changes its meaning.")
    if "kid" in header and not (type(key_id) is str and len(key_id) <= MAX_KEY_ID_CHARACTERS):
        raise SignInRejected("The token has a key id that is none.")
    if type(kind) is not str:
        raise SignInRejected("The token has a type that is none.")
    return SignedToken(text, algorithm, key_id, kind.lower().removeprefix("application/"), claims)


def verify_token(token: SignedToken, key: VerificationKey) -> Mapping[str, Any]:
    """Return the claims of a token that was signed with the key. Raises SignInRejected."""
    from jwt import PyJWS, PyJWTError  # noqa: PLC0415 - loaded by the first sign-in.

    try:
        PyJWS([key.algorithm]).decode(token.text, key.key, algorithms=[key.algorithm])
    except PyJWTError:
        raise SignInRejected("The signature of the token is not valid.") from None
    return token.unverified_claims


def _parse_part(part: str, title: str) -> dict[str, Any]:
    try:
        return parse_object(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError:
        raise SignInRejected(f"The {title} of the token is not a JSON object of one meaning.") from None
