"""API tokens of the caller."""

from datetime import datetime
from typing import Any

from handlers import serialize
from handlers.dependencies import CursorEncoder, RandomBytes
from handlers.results import Result, new_resource, no_content, page
from handlers.token_creation import issue_token
from kanban import tokens
from kanban.access import Caller, limits_cover
from kanban.changes import ActionContext
from kanban.errors import NotFound
from kanban.store import Store
from kanban.values import Token, TokenKind
from kanban.views import PageKey
from usecases.board_access import BoardAccess
from usecases.sign_in import read_calling_token


def list_tokens(
    store: Store, caller: Caller, now: datetime, encode_cursor: CursorEncoder, limit: int, cursor: PageKey | None = None
) -> Result:
    """List the caller's tokens that are not revoked and no sessions, newest first; a narrowed token gets none wider."""
    tokens_page = store.page_tokens(caller.user_id, limit, cursor)
    covered = (
        token for token in tokens_page.items if caller.may_use(token) and limits_cover(caller.limits, token.limits)
    )
    return page((serialize.token(token, now) for token in covered), encode_cursor(tokens_page.next_key))


def create_token(
    store: Store,
    caller: Caller,
    access: BoardAccess,
    context: ActionContext,
    random_bytes: RandomBytes,
    body: dict[str, Any],
) -> Result:
    """Create a token with no more rights than the calling one. Only this response has its secret."""
    parent = read_calling_token(store, caller)
    token, secret, change = issue_token(access, context, random_bytes, body, user_id=caller.user_id, parent=parent)
    result_body = {"token": serialize.token(token, context.at), "secret": secret}
    return new_resource(result_body, etag=None, location=f"/users/me/tokens/{token.id}", change=change)


def revoke_token(store: Store, caller: Caller, context: ActionContext, token_id: str) -> Result:
    """Revoke one of the caller's tokens and all its descendants, with immediate effect."""
    _, change = tokens.revoke(
        _require_token(store, caller, token_id), context, caller_token=read_calling_token(store, caller)
    )
    return no_content(change)


def rotate_token(
    store: Store, caller: Caller, context: ActionContext, random_bytes: RandomBytes, token_id: str
) -> Result:
    """Give one of the caller's tokens a new secret. The old one is invalid immediately."""
    token, secret, change = tokens.rotate(
        _require_token(store, caller, token_id),
        context,
        random_bytes,
        caller_token=read_calling_token(store, caller),
    )
    return Result({"token": serialize.token(token, context.at), "secret": secret}, change=change)


def _require_token(store: Store, caller: Caller, token_id: str) -> Token:
    token = store.read_token(caller.user_id, token_id)
    # A session is none of the tokens that are listed here: it is never rotated, and ended in another way.
    if token is None or token.revoked_at is not None or token.kind is TokenKind.SESSION:
        raise NotFound("token")
    return token
