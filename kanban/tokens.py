"""Tokens: 'tkb_', 30 random base-62 characters, and 6 that check them. Shown once; only a digest is kept."""

import hashlib
import re
import zlib
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta

from kanban.errors import ExpiresInPast, ScopeTooBroad
from kanban.values import Act, Change, Scope, Token

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM_LENGTH = 30
_CHECK_LENGTH = 6
_SHAPE = re.compile(r"tkb_([0-9A-Za-z]{30})([0-9A-Za-z]{6})", re.ASCII)
_BETWEEN_TOUCHES = timedelta(hours=1)


def issue(
    act: Act,
    random_bytes: Callable[[int], bytes],
    *,
    user_id: str,
    name: str,
    scopes: Collection[Scope],
    expires_at: datetime | None = None,
    within: Collection[Scope] = tuple(Scope),
) -> tuple[Token, str, Change]:
    """A new token, its text, and the change that keeps it.

    `within` are the scopes of the token that asks for it; without one, as at sign-up, all. Raises ScopeTooBroad for
    a scope that is not among them, and ExpiresInPast.
    """
    for scope in scopes:
        if scope not in within:
            raise ScopeTooBroad(scope)
    if expires_at is not None and expires_at <= act.at:
        raise ExpiresInPast
    text = _text(random_bytes)
    token = Token(
        id=act.new_id("token"),
        user_id=user_id,
        name=name,
        digest=_digest(text),
        scopes=tuple(scope for scope in Scope if scope in scopes),
        version=1,
        created_at=act.at,
        expires_at=expires_at,
    )
    return token, text, Change(creates=(token,))


def parse(text: str) -> str | None:
    """The digest to look a token up by, None if the text is not shaped like one or its check is wrong."""
    match = _SHAPE.fullmatch(text)
    if match is None or _check(match[1]) != match[2]:
        return None
    return _digest(text)


def is_live(token: Token, now: datetime) -> bool:
    """Whether the token opens anything: not revoked, and not expired. It expires at its very second."""
    return token.revoked_at is None and (token.expires_at is None or now < token.expires_at)


def is_due(token: Token, now: datetime) -> bool:
    """Whether its last use should be noted: at most once an hour, for the sake of reads that only read."""
    return token.last_used_at is None or now - token.last_used_at >= _BETWEEN_TOUCHES


def revoke(token: Token, act: Act) -> tuple[Token, Change | None]:
    """The token, revoked from now on. Once revoked, nothing changes any more."""
    if token.revoked_at is not None:
        return token, None
    revoked = replace(token, revoked_at=act.at, version=token.version + 1)
    return revoked, Change(updates=(revoked,))


def _text(random_bytes: Callable[[int], bytes]) -> str:
    # 32 bytes hold 77 bits more than 30 digits do: what the remainder favours is less than chance.
    body = _in_digits(int.from_bytes(random_bytes(32), "big"), _RANDOM_LENGTH)
    return f"tkb_{body}{_check(body)}"


def _check(body: str) -> str:
    return _in_digits(zlib.crc32(body.encode()), _CHECK_LENGTH)


def _in_digits(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
