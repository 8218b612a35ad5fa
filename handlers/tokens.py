"""Tokens: the keys that a user calls with."""

from typing import Any

from handlers import read, show
from handlers.answers import Answer, created, gone, page
from handlers.given import NextCursor, RandomBytes
from kanban import tokens
from kanban.access import Caller
from kanban.errors import NotFound
from kanban.store import Store
from kanban.values import Act, Position, Scope


def list_tokens(
    store: Store, caller: Caller, next_cursor: NextCursor, limit: int, cursor: Position | None = None
) -> Answer:
    """The caller's tokens that are not revoked, newest first."""
    found = store.page_tokens(caller.user_id, limit, cursor)
    return page(map(show.token, found.items), next_cursor(found.next))


def create_token(caller: Caller, act: Act, random_bytes: RandomBytes, body: dict[str, Any]) -> Answer:
    """Make a token that can do no more than the one it is made with; the answer shows its text, once."""
    token, secret, change = tokens.issue(
        act,
        random_bytes,
        user_id=caller.user_id,
        name=body["name"],
        scopes=[Scope(scope) for scope in body["scopes"]],
        expires_at=read.moment_or_none(body.get("expires_at")),
        within=caller.scopes,
    )
    shape = {"token": show.token(token), "secret": secret}
    return created(shape, etag=None, location=f"/users/me/tokens/{token.id}", change=change)


def revoke_token(store: Store, caller: Caller, act: Act, token_id: str) -> Answer:
    """Revoke one of the caller's tokens; the next request with it is refused."""
    token = store.token(caller.user_id, token_id)
    if token is None or token.revoked_at is not None:
        raise NotFound("token")
    _, change = tokens.revoke(token, act)
    return gone(change)
