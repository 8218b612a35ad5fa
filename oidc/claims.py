"""Judge what a token claims, after its signature was checked (OpenID Connect Core, section 3.1.3.7; RFC 9068)."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from oidc.errors import SignInRejected
from oidc.providers import Provider

LEEWAY_SECONDS = 60
"""How far the clocks of a provider and of this server may differ."""

MAX_LIFETIME_SECONDS = 31 * 86_400
"""From the issue of a token to its end. No provider lets tokens of users live longer than 30 days."""

MAX_SUBJECT_CHARACTERS = 255

_BEARER_TYPES = frozenset(("jwt", "at+jwt"))
_NAME_CLAIMS = ("name", "preferred_username", "nickname", "given_name")


@dataclass(frozen=True, slots=True)
class Identity:
    """An account at a provider. Issuer and subject are its key; nothing else of it is unique or lasting.

    Attributes:
        issuer: The provider.
        subject: The account there.
        name: What the provider calls the person, which may be any text; None if it doesn't say.
    """

    issuer: str
    subject: str
    name: str | None = None


def judge_id_token(
    claims: Mapping[str, Any], kind: str, provider: Provider, *, nonce: str, unix_time: float
) -> Identity:
    """Return the identity that an ID token of this sign-in gives. Raises SignInRejected.

    `kind` is the `typ` of its header, `nonce` the one that was sent with the request, `unix_time` the present.
    """
    if kind != "jwt":
        raise SignInRejected("The token is no ID token by its header.")
    _ensure_common_claims(claims, provider, unix_time)
    audiences = _read_audiences(claims)
    if provider.client_id not in audiences:
        raise SignInRejected("The token is for another client: 'aud' doesn't name this one.")
    if len(audiences) > 1 and "azp" not in claims:
        raise SignInRejected("The token is for several clients, and 'azp' is missing.")
    if "azp" in claims and claims["azp"] != provider.client_id:
        raise SignInRejected("The token was issued to another client: 'azp' is not this one.")
    # Keycloak and Cognito say in claims of their own what a token is.
    if claims.get("typ", "ID") != "ID" or claims.get("token_use", "id") != "id":
        raise SignInRejected("The token is no ID token by its claims.")
    sent_nonce = claims.get("nonce")
    if type(sent_nonce) is not str or not hmac.compare_digest(sent_nonce.encode(), nonce.encode()):
        raise SignInRejected("The token belongs to another sign-in: 'nonce' is another one.")
    for name, expected in provider.required_claims.items():
        value = claims.get(name)
        if expected not in (value if type(value) is list else [value]):
            raise SignInRejected("The token lacks a claim that the configuration requires.")
    return Identity(provider.issuer, claims["sub"], _find_name(claims))


def judge_bearer_token(claims: Mapping[str, Any], kind: str, provider: Provider, *, unix_time: float) -> Identity:
    """Return the identity that a token gives which calls the API. Raises SignInRejected.

    Access tokens of Cognito have no `aud`: there the client that they were issued to is compared instead.
    """
    if provider.bearer is None or kind not in _BEARER_TYPES:
        raise SignInRejected("The token is none that may call the API.")
    _ensure_common_claims(claims, provider, unix_time)
    if claims.get("typ", "Bearer") not in ("Bearer", "ID") or claims.get("token_use", "access") not in ("access", "id"):
        raise SignInRejected("The token is none that may call the API, by its claims.")
    if "aud" not in claims and claims.get("token_use") == "access":
        is_for_us = claims.get("client_id") == provider.bearer.audience
    else:
        is_for_us = provider.bearer.audience in _read_audiences(claims)
    if not is_for_us:
        raise SignInRejected("The token is for another API: 'aud' doesn't name the configured audience.")
    for name, expected in provider.required_claims.items():
        value = claims.get(name)
        if expected not in (value if type(value) is list else [value]):
            raise SignInRejected("The token lacks a claim that the configuration requires.")
    return Identity(provider.issuer, claims["sub"], _find_name(claims))


def _ensure_common_claims(claims: Mapping[str, Any], provider: Provider, unix_time: float) -> None:
    """Ensure what holds for every token. Raises SignInRejected."""
    if claims.get("iss") != provider.issuer:
        raise SignInRejected("The token is from another issuer: 'iss' is not the configured one.")
    issued_at, expires_at = _read_time(claims, "iat"), _read_time(claims, "exp")
    if expires_at <= unix_time - LEEWAY_SECONDS:
        raise SignInRejected("The token has expired.")
    if issued_at > unix_time + LEEWAY_SECONDS:
        raise SignInRejected("The token is from the future: compare the clocks.")
    if not 0 < expires_at - issued_at <= MAX_LIFETIME_SECONDS:
        raise SignInRejected("The token lives too long, or not at all.")
    if "nbf" in claims and _read_time(claims, "nbf") > unix_time + LEEWAY_SECONDS:
        raise SignInRejected("The token is not valid yet.")
    if "events" in claims:
        raise SignInRejected("The token is a message about an event.")
    subject = claims.get("sub")
    if type(subject) is not str or not 0 < len(subject) <= MAX_SUBJECT_CHARACTERS or not subject.isprintable():
        raise SignInRejected(f"'sub' is missing, or no text of 1 to {MAX_SUBJECT_CHARACTERS} printable characters.")


def _read_audiences(claims: Mapping[str, Any]) -> list[str]:
    value = claims.get("aud")
    audiences = [value] if type(value) is str else value
    if type(audiences) is not list or not all(type(audience) is str for audience in audiences):
        raise SignInRejected("'aud' is missing, or neither a text nor an array of texts.")
    return audiences


def _read_time(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if type(value) not in (int, float):
        raise SignInRejected(f"'{name}' is missing, or no number.")
    return float(value)  # type: ignore[arg-type] # it is a number.


def _find_name(claims: Mapping[str, Any]) -> str | None:
    return next((value for name in _NAME_CLAIMS if type(value := claims.get(name)) is str and value.strip()), None)
