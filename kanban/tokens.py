"""Tokens: 'tkb_', 30 random base-62 characters and a checksum of 6. Shown once; only a digest is stored.

A token that is created with another token is its child: it never expires later, has no scope that its parent lacks, and
is revoked with it. The descendants of a token are its children, their children, and so on.
"""

import hashlib
import re
import zlib
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta

from kanban.changes import ActionContext, Change
from kanban.errors import Conflict, Forbidden, Unauthenticated, Unprocessable
from kanban.timekeeping import timestamps
from kanban.values import Scope, Token

MAX_ANCESTORS = 10
"""Ancestors of one token: all of them are checked whenever it is used."""

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM_LENGTH = 30
_CHECK_LENGTH = 6
_TOKEN_PATTERN = re.compile(r"tkb_([0-9A-Za-z]{30})([0-9A-Za-z]{6})", re.ASCII)
_USE_RECORD_INTERVAL = timedelta(hours=1)


class ScopeTooBroad(Unprocessable):
    """Raised when a token would create a token with a scope that it lacks itself."""

    code = "scope_too_broad"

    def __init__(self, scope: str) -> None:
        """Take the first scope that the calling token does not have."""
        super().__init__(f"A token cannot give the scope {scope}, which it does not have itself.")
        self.field = "scopes"


class ExpiresInPast(Unprocessable):
    """Raised when a new token would already have expired."""

    code = "expires_in_past"

    def __init__(self) -> None:
        super().__init__("A token cannot expire before it is created: 'expires_at' lies in the past.")
        self.field = "expires_at"


class ExpiresAfterParent(Unprocessable):
    """Raised when a new token would outlive the one that creates it."""

    code = "expires_after_parent"

    def __init__(self, expires_at: datetime) -> None:
        """Take the time at which the parent expires."""
        super().__init__(
            f"A token cannot outlive the one that creates it, which expires at {timestamps.format_utc(expires_at)}."
        )
        self.field = "expires_at"


class TooManyGenerations(Conflict):
    """Raised when a token has as many ancestors as a token may have."""

    code = "too_many_generations"

    def __init__(self, maximum: int) -> None:
        """Take the number of ancestors allowed."""
        super().__init__(
            f"Your token has {maximum} ancestors already: "
            "create the new one with one of those, or rotate yours instead."
        )


class TokenExpired(Conflict):
    """Raised when an expired token should be rotated: its new secret would be useless."""

    code = "token_expired"

    def __init__(self) -> None:
        super().__init__("This token has expired: create another one.")


class TokenOutOfReach(Forbidden):
    """Raised when the caller's token may not revoke or rotate that token."""

    code = "token_out_of_reach"


class TokenChanged(Unauthenticated):
    """Raised when the caller's token was revoked or rotated while its request was running."""

    def __init__(self) -> None:
        super().__init__("The token is not valid.")


def issue(
    context: ActionContext,
    random_bytes: Callable[[int], bytes],
    *,
    user_id: str,
    name: str,
    scopes: Collection[Scope],
    expires_at: datetime | None = None,
    parent: Token | None = None,
) -> tuple[Token, str, Change]:
    """Create a token; return it, its text, and the change that stores it.

    `parent` is the token that creates it; there is none at sign-up and on the command line. `expires_at` defaults to
    the parent's.

    Raises ScopeTooBroad, ExpiresInPast, ExpiresAfterParent, TooManyGenerations.
    """
    if expires_at is not None and expires_at <= context.at:
        raise ExpiresInPast
    if parent is not None:
        expires_at = _limit_expiry(parent, expires_at)
        _ensure_may_issue(parent, scopes)
    text = _generate_text(random_bytes)
    token = Token(
        id=context.new_id("token"),
        user_id=user_id,
        name=name,
        digest=_hash_text(text),
        scopes=tuple(scope for scope in Scope if scope in scopes),
        version=1,
        created_at=context.at,
        expires_at=expires_at,
        ancestor_ids=(*parent.ancestor_ids, parent.id) if parent else (),
    )
    return token, text, Change(creates=(token,))


def _limit_expiry(parent: Token, expires_at: datetime | None) -> datetime | None:
    if parent.expires_at is None or expires_at is None:
        return expires_at or parent.expires_at
    if expires_at > parent.expires_at:
        raise ExpiresAfterParent(parent.expires_at)
    return expires_at


def _ensure_may_issue(parent: Token, scopes: Collection[Scope]) -> None:
    for scope in scopes:
        if scope not in parent.scopes:
            raise ScopeTooBroad(scope)
    if len(parent.ancestor_ids) >= MAX_ANCESTORS:
        raise TooManyGenerations(MAX_ANCESTORS)


def parse_to_digest(text: str) -> str | None:
    """Return the digest that a token's text is looked up by; None if the text is malformed or its checksum is wrong."""
    match = _TOKEN_PATTERN.fullmatch(text)
    if match is None or _compute_checksum(match[1]) != match[2]:
        return None
    return _hash_text(text)


def is_live(token: Token, now: datetime) -> bool:
    """Return whether the token is neither revoked nor expired. It expires exactly at `expires_at`."""
    return token.revoked_at is None and (token.expires_at is None or now < token.expires_at)


def is_use_record_due(token: Token, now: datetime) -> bool:
    """Return whether the token's last use should be recorded: once an hour, so that most reads write nothing."""
    return token.last_used_at is None or now - token.last_used_at >= _USE_RECORD_INTERVAL


def revoke(token: Token, context: ActionContext, *, caller_token: Token) -> tuple[Token, Change | None]:
    """Revoke the token with all its descendants; no change if it was revoked before.

    `caller_token` is the token that asks for it. Raises TokenOutOfReach if the token has a scope that the caller's
    lacks, or is its ancestor.
    """
    if token.revoked_at is not None:
        return token, None
    if token.id in caller_token.ancestor_ids:
        raise TokenOutOfReach("Your token comes from that token, so it cannot revoke it.")
    for scope in token.scopes:
        if scope not in caller_token.scopes:
            raise TokenOutOfReach(
                f"That token has the scope {scope}, which yours does not have: revoke it with a token that has it."
            )
    revoked = replace(token, revoked_at=context.at, version=token.version + 1)
    return revoked, Change(updates=(revoked,))


def rotate(
    token: Token, context: ActionContext, random_bytes: Callable[[int], bytes], *, caller_token: Token
) -> tuple[Token, str, Change]:
    """Replace the token's secret; return the token, the text of the new secret, and the change.

    `caller_token` is the token that asks for it: the token itself or an ancestor. Any other token could get a secret
    that outlives it. Raises TokenOutOfReach, TokenExpired.
    """
    if caller_token.id not in (token.id, *token.ancestor_ids):
        raise TokenOutOfReach(
            "That token does not come from yours: rotate it with itself, or with a token that it comes from."
        )
    if not is_live(token, context.at):
        raise TokenExpired
    text = _generate_text(random_bytes)
    rotated = replace(token, digest=_hash_text(text), version=token.version + 1)
    return rotated, text, Change(updates=(rotated,))


def _generate_text(random_bytes: Callable[[int], bytes]) -> str:
    # 32 bytes hold 77 bits more than 30 digits do, so the bias of the remainder is negligible.
    body = _encode_base62(int.from_bytes(random_bytes(32), "big"), _RANDOM_LENGTH)
    return f"tkb_{body}{_compute_checksum(body)}"


def _compute_checksum(body: str) -> str:
    return _encode_base62(zlib.crc32(body.encode()), _CHECK_LENGTH)


def _encode_base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))


def _hash_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
