"""Signing in: a code, which a user gets on one device and types on another, becomes a session there, once.

A code of ten digits is typed within minutes. A longer one is part of a link, and may take longer.
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from kanban import crockford, tokens
from kanban.changes import ActionContext, Change
from kanban.errors import Unauthenticated
from kanban.values import SignInCode, Token

CODE_LIFETIME = timedelta(minutes=10)
"""How long a code that is typed is valid."""

LINK_LIFETIME = timedelta(hours=1)
"""How long a code for a link is valid, which the owner of the installation gives to a user."""

MAX_CODES_PER_USER = 5
"""Codes of one user that are valid at once: another one ends the oldest."""

CODE_DIGITS = 10
"""50 bits: enough for minutes, as wrong codes are limited."""

LINK_DIGITS = 25

_GROUP_DIGITS = 5


class SignInFailed(Unauthenticated):
    """Raised for a code that is wrong, used, expired or withdrawn, or by a provider. It doesn't say why."""

    code = "sign_in_failed"

    def __init__(self, message: str = "This code is not valid: get another one.") -> None:
        """Take what to do, in one sentence."""
        super().__init__(message)


def create_code(
    context: ActionContext,
    random_bytes: Callable[[int], bytes],
    *,
    user_id: str,
    present_codes: Sequence[SignInCode],
    is_for_link: bool,
) -> tuple[SignInCode, str, Change]:
    """Create a code for a user, who has `present_codes`; return it, its text, and the change that stores it.

    If too many of the present codes are live, the change erases the oldest. Stores erase expired ones by themselves.
    """
    text = crockford.generate_text(random_bytes, LINK_DIGITS if is_for_link else CODE_DIGITS)
    code = SignInCode(
        digest=_hash_text(text),
        user_id=user_id,
        created_at=context.at,
        expires_at=context.at + (LINK_LIFETIME if is_for_link else CODE_LIFETIME),
        created_by=context.actor_id if context.token_id else None,
        token_id=context.token_id,
    )
    live = [code for code in present_codes if is_live(code, context.at)]
    ended = sorted(live, key=lambda code: code.created_at)[: -(MAX_CODES_PER_USER - 1)]
    groups = (text[start : start + _GROUP_DIGITS] for start in range(0, len(text), _GROUP_DIGITS))
    return code, "-".join(groups), Change(creates=(code,), deletes=tuple(ended))


def sign_in(
    code: SignInCode, context: ActionContext, random_bytes: Callable[[int], bytes], *, name: str
) -> tuple[Token, str, Change]:
    """Use a code; return the session, its text, and the change that stores it and erases the code.

    The store lets one of several such changes through.
    """
    session, text, change = tokens.open_session(context, random_bytes, user_id=code.user_id, name=name)
    return session, text, change.merge(Change(deletes=(code,), active_user_id=code.user_id))


def parse_to_digest(text: str) -> str:
    """Return the digest that a code is looked up by."""
    return _hash_text(crockford.normalize(text))


def is_live(code: SignInCode, now: datetime) -> bool:
    """Return whether the code has not expired."""
    return now < code.expires_at


def _hash_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
