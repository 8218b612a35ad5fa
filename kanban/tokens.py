"""Tokens: 'tkb_', 30 random base-62 characters and a checksum of 6. Shown once; only a digest is stored.

A token that is created with another token is its child: it never expires later, has no scope that its parent lacks, is
never wider, and is revoked with it. The descendants of a token are its children, their children, and so on.

A session is a token, too: that of a device on which the user has signed in. It has all scopes and no parent, and ends
some time after its last use. A token that is created in a session is the user's, so it has no parent either.
"""

import hashlib
import json
import re
import zlib
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from kanban.access import limits_cover
from kanban.changes import ActionContext, Change
from kanban.errors import Conflict, Forbidden, Unauthenticated, UnknownReference, Unprocessable
from kanban.timekeeping import timestamps
from kanban.values import UNLIMITED, Role, Scope, Token, TokenKind, TokenLimits

MAX_ANCESTORS = 10
"""Ancestors of one token: all of them are checked whenever it is used."""

SESSION_LIFETIME = timedelta(days=90)
"""How long after its last use a session ends. A use is recorded once an hour, so it may be an hour less."""

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM_LENGTH = 30
_CHECK_LENGTH = 6
_TOKEN_PATTERN = re.compile(r"tkb_([0-9A-Za-z]{30})([0-9A-Za-z]{6})", re.ASCII)
_USE_RECORD_INTERVAL = timedelta(hours=1)
_ORIGIN_RECORD_INTERVAL = timedelta(minutes=1)

ORIGIN_LIFETIME = timedelta(days=30)
"""How long it is kept from where a token was last used."""

MAX_CLIENT_CHARACTERS = 100
"""How much is kept of what a client says of itself."""

_CONTROL_CHARACTERS = re.compile("[\x00-\x1f\x7f-\x9f]+")


class TokenOrigin(NamedTuple):
    """From where a token was used: the client's address, and what it says of itself. None where that is unknown."""

    address: str | None
    client: str | None


class ScopeTooBroad(Unprocessable):
    """Raised when a token would create a token with a scope that it lacks itself."""

    code = "scope_too_broad"

    def __init__(self, scope: str) -> None:
        """Take the first scope that the calling token does not have."""
        super().__init__(f"A token cannot give the scope {scope}, which it does not have itself.")
        self.field = "scopes"


class RoleTooHigh(Unprocessable):
    """Raised when a token would create a token with a higher role than it may have itself."""

    code = "role_too_high"

    def __init__(self, role: str, max_role: str) -> None:
        """Take the new token's highest role, and the one of the calling token."""
        super().__init__(f"A token cannot give the role {role}: its own max_role is {max_role}.")
        self.field = "max_role"


class ResourceTooBroad(Unprocessable):
    """Raised when a token would create a token with a resource that it lacks itself."""

    code = "resource_too_broad"

    def __init__(self, resource: str) -> None:
        """Take the first resource that the calling token does not have."""
        super().__init__(f"A token cannot give the resource {resource}, which it does not have itself.")
        self.field = "resources"


class ExpiresInPast(Unprocessable):
    """Raised when a new token or invitation would already have expired."""

    code = "expires_in_past"

    def __init__(self, subject: str = "A token") -> None:
        """Take what would have expired, as the beginning of a sentence."""
        super().__init__(f"{subject} cannot expire before it is created: 'expires_at' lies in the past.")
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


class FullTokenRequired(Forbidden):
    """Raised when a token that is limited in some way would let its holder sign in."""

    code = "full_token_required"

    def __init__(self) -> None:
        super().__init__(
            "This needs a session, or a token with all scopes that has no parent, doesn't expire and is not narrowed."
        )


class LastWayIn(Conflict):
    """Raised when a user would end the session, or remove the identity, without which they could not sign in again."""

    code = "last_way_in"

    def __init__(self) -> None:
        super().__init__(
            "After this you could not sign in again: you have no other session, no other account to sign in with, and"
            " no other token with all scopes that has no parent, doesn't expire and is not narrowed. Create one first,"
            " or repeat it with allow_last=true."
        )


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
    limits: TokenLimits = UNLIMITED,
    parent: Token | None = None,
) -> tuple[Token, str, Change]:
    """Create a token; return it, its text, and the change that stores it.

    `parent` is the token that creates it; there is none at sign-up and on the command line. `expires_at` and each of
    the `limits` default to the parent's. A session creates it without becoming its parent.

    Raises ScopeTooBroad, ExpiresInPast, ExpiresAfterParent, TooManyGenerations; UnknownReference for a board that the
    parent does not reach, RoleTooHigh, ResourceTooBroad.
    """
    if expires_at is not None and expires_at <= context.at:
        raise ExpiresInPast
    session_id = parent.id if parent and parent.kind is TokenKind.SESSION else None
    if session_id:
        parent = None
    if parent is not None:
        expires_at = _limit_expiry(parent, expires_at)
        limits = _inherit_limits(parent.limits, limits)
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
        limits=_sort_limits(limits),
        session_id=session_id,
    )
    return token, text, Change(creates=(token,))


def open_session(
    context: ActionContext, random_bytes: Callable[[int], bytes], *, user_id: str, name: str
) -> tuple[Token, str, Change]:
    """Create a session; return it, its text, and the change that stores it. `name` says on which device."""
    text = _generate_text(random_bytes)
    session = Token(
        id=context.new_id("token"),
        user_id=user_id,
        name=name,
        digest=_hash_text(text),
        scopes=tuple(Scope),
        version=1,
        created_at=context.at,
        kind=TokenKind.SESSION,
    )
    return session, text, Change(creates=(session,))


def _limit_expiry(parent: Token, expires_at: datetime | None) -> datetime | None:
    if parent.expires_at is None or expires_at is None:
        return expires_at or parent.expires_at
    if expires_at > parent.expires_at:
        raise ExpiresAfterParent(parent.expires_at)
    return expires_at


def _inherit_limits(own: TokenLimits, limits: TokenLimits) -> TokenLimits:
    """Return the limits of a child whose parent has its own."""
    board_ids, max_role, resources = limits
    if own.board_ids is not None and not set(board_ids or ()) <= set(own.board_ids):
        raise UnknownReference("board_ids")
    if own.max_role is not None and max_role is not None and not own.max_role.covers(max_role):
        raise RoleTooHigh(max_role, own.max_role)
    for resource in resources or ():
        if own.resources is not None and resource not in own.resources:
            raise ResourceTooBroad(resource)
    return TokenLimits(
        own.board_ids if board_ids is None else board_ids,
        own.max_role if max_role is None else max_role,
        own.resources if resources is None else resources,
    )


def _sort_limits(limits: TokenLimits) -> TokenLimits:
    board_ids, max_role, resources = limits
    if limits == UNLIMITED:
        return UNLIMITED
    return TokenLimits(
        None if board_ids is None else tuple(sorted(board_ids)),
        max_role,
        None if resources is None else tuple(sorted(resources)),
    )


def format_limits(limits: TokenLimits) -> str | None:
    """Return limits as stores keep them, a JSON object; None if they limit nothing."""
    members = {name: value for name, value in limits._asdict().items() if value is not None}
    return json.dumps(members) if members else None


def parse_limits(text: str) -> TokenLimits:
    """Return the limits that `format_limits` has written."""
    members = json.loads(text)
    board_ids, max_role, resources = (members.get(name) for name in TokenLimits._fields)
    return TokenLimits(board_ids and tuple(board_ids), max_role and Role(max_role), resources and tuple(resources))


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


def get_expiry(token: Token) -> datetime | None:
    """Return when the token expires unless it is used before, which only prolongs a session; None if it never does."""
    if token.kind is TokenKind.SESSION:
        return (token.last_used_at or token.created_at) + SESSION_LIFETIME
    return token.expires_at


def is_live(token: Token, now: datetime) -> bool:
    """Return whether the token is neither revoked nor expired. It expires exactly at its expiry."""
    expires_at = get_expiry(token)
    return token.revoked_at is None and (expires_at is None or now < expires_at)


def is_way_in(token: Token, now: datetime) -> bool:
    """Return whether the token is live and as good as the user: a session, or a token that is limited in no way.

    Everything that limits a token must count here: with such a token, its holder may sign in elsewhere.
    """
    if not is_live(token, now):
        return False
    is_full = set(token.scopes) == set(Scope) and not token.ancestor_ids and token.expires_at is None
    return token.kind is TokenKind.SESSION or (is_full and token.limits == UNLIMITED)


def ensure_way_in(token: Token, now: datetime) -> None:
    """Raise FullTokenRequired unless the token is as good as the user."""
    if not is_way_in(token, now):
        raise FullTokenRequired


def is_use_record_due(token: Token, now: datetime, address: str | None = None) -> bool:
    """Return whether the token's use should be recorded: once an hour, so that most reads write nothing.

    A use from another `address`, if that is known, is recorded once a minute.
    """
    if token.last_used_at is None:
        return True
    passed = now - token.last_used_at
    if passed < _ORIGIN_RECORD_INTERVAL:
        return False
    return passed >= _USE_RECORD_INTERVAL or (bool(address) and parse_origin(token.last_used_from).address != address)


def format_origin(address: str | None, user_agent: str | None) -> str | None:
    """Return what is stored of an address and of what a client says of itself; None if that is nothing.

    What it says is any text. One that contains a token is not stored at all.
    """
    client = ""
    if user_agent and "tkb_" not in user_agent:
        client = _CONTROL_CHARACTERS.sub("", user_agent)[:MAX_CLIENT_CHARACTERS]
    return f"{address or ''} {client}" if address or client else None


def parse_origin(text: str | None) -> TokenOrigin:
    """Return the origin that `format_origin` has written."""
    address, _, client = (text or "").partition(" ")
    return TokenOrigin(address or None, client or None)


def get_origin(token: Token, now: datetime) -> TokenOrigin:
    """Return from where the token was last used, as long as that is kept."""
    return parse_origin(_get_kept_origin(token, now))


def _get_kept_origin(token: Token, now: datetime) -> str | None:
    is_kept = token.last_used_at is not None and now - token.last_used_at < ORIGIN_LIFETIME
    return token.last_used_from if is_kept else None


def revoke(token: Token, context: ActionContext, *, caller_token: Token) -> tuple[Token, Change | None]:
    """Revoke the token with all its descendants; no change if it was revoked before.

    `caller_token` is the token that asks for it. Raises TokenOutOfReach if the token has a scope that the caller's
    lacks, is wider, or is its ancestor.
    """
    if token.revoked_at is None:
        _ensure_may_revoke(token, caller_token)
    return revoke_for_operator(token, context)


def revoke_for_operator(token: Token, context: ActionContext) -> tuple[Token, Change | None]:
    """Revoke the token with all its descendants, for who can write to the store itself; no change if it was before."""
    if token.revoked_at is not None:
        return token, None
    revoked = replace(token, revoked_at=context.at, version=token.version + 1, last_used_from=None)
    return revoked, Change(updates=(revoked,))


def _ensure_may_revoke(token: Token, caller_token: Token) -> None:
    if token.id in caller_token.ancestor_ids:
        raise TokenOutOfReach("Your token comes from that token, so it cannot revoke it.")
    for scope in token.scopes:
        if scope not in caller_token.scopes:
            raise TokenOutOfReach(
                f"That token has the scope {scope}, which yours does not have: revoke it with a token that has it."
            )
    if not limits_cover(caller_token.limits, token.limits):
        raise TokenOutOfReach(
            "That token may do more than yours, which is narrowed: revoke it with a token that is not narrower."
        )


def rotate(
    token: Token, context: ActionContext, random_bytes: Callable[[int], bytes], *, caller_token: Token
) -> tuple[Token, str, Change]:
    """Replace the token's secret; return the token, the text of the new secret, and the change.

    `caller_token` is the token that asks for it: the token itself, an ancestor or a session, which could create such a
    token as well. Any other token could get a secret that outlives it. Raises TokenOutOfReach, TokenExpired.
    """
    is_session = caller_token.kind is TokenKind.SESSION
    if not is_session and caller_token.id not in (token.id, *token.ancestor_ids):
        raise TokenOutOfReach(
            "That token does not come from yours: rotate it with itself, or with a token that it comes from."
        )
    if not is_live(token, context.at):
        raise TokenExpired
    text = _generate_text(random_bytes)
    rotated = replace(
        token,
        digest=_hash_text(text),
        version=token.version + 1,
        # A purge may erase an older one meanwhile, which must not be written back.
        last_used_from=_get_kept_origin(token, context.at),
    )
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
