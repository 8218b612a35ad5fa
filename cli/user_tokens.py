"""List the tokens and sessions of users, and end them, without a server."""

from collections.abc import Iterator
from datetime import datetime
from itertools import chain

from cli.user_accounts import read_users, record
from kanban import tokens
from kanban.changes import ActionContext
from kanban.store import Store
from kanban.timekeeping.timestamps import format_utc
from kanban.values import Token, TokenKind
from kanban.views import PageKey

_PER_READ = 100
_NAMES = {TokenKind.API: "token", TokenKind.SESSION: "session"}


def describe_tokens(store: Store, user_id: str | None, now: datetime) -> Iterator[str]:
    """Yield a line for each live token and session of a user, or of all users, newest first for each.

    A line has the id, the user, whether it is a token or a session, when it was last used, when it expires, its scopes,
    and its name.
    """
    user_ids = [user_id] if user_id is not None else (user.id for user in read_users(store))
    for token in chain.from_iterable(_read_tokens(store, one) for one in user_ids):
        if tokens.is_live(token, now):
            yield "  ".join((*_format_columns(token), token.name))


def revoke(store: Store, token_id: str, context: ActionContext) -> str | None:
    """Revoke a token with all that it created, or end a session; return a sentence that says so.

    None if there is no such token. Raises StaleRead.
    """
    holder_id = store.find_token_holder(token_id)
    token = store.read_token(holder_id, token_id) if holder_id is not None else None
    if token is None:
        return None
    _, change = tokens.revoke_for_operator(token, context)
    if change is None:
        return f"The {_NAMES[token.kind]} '{token_id}' of the user '{token.user_id}' was ended before."
    store.commit(record(change, context))
    if token.kind is TokenKind.SESSION:
        return f"The session '{token_id}' of the user '{token.user_id}' is ended."
    return f"The token '{token_id}' of the user '{token.user_id}' is revoked, and so are all that it created."


def _read_tokens(store: Store, user_id: str) -> Iterator[Token]:
    for kind in TokenKind:
        after: PageKey | None = None
        while True:
            page = store.page_tokens(user_id, _PER_READ, after, kind)
            yield from page.items
            after = page.next_key
            if after is None:
                break


def _format_columns(token: Token) -> Iterator[str]:
    yield token.id
    yield f"{token.user_id:30}"
    yield f"{_NAMES[token.kind]:7}"
    yield f"{format_utc(token.last_used_at) if token.last_used_at else 'never used':20}"
    expires_at = tokens.get_expiry(token)
    yield f"{format_utc(expires_at) if expires_at else 'never expires':20}"
    yield ",".join(token.scopes)
