"""Bots of the caller, and the tokens of these bots."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from handlers import serialize
from handlers.dependencies import CursorEncoder, RandomBytes
from handlers.results import Result, new_resource, no_content, page
from handlers.token_creation import issue_token
from kanban import bots, tokens, users
from kanban.access import Caller, ensure_may_manage_users
from kanban.changes import ActionContext
from kanban.errors import NotFound
from kanban.store import Store
from kanban.values import Token, TokenKind
from kanban.views import PageKey
from usecases.board_access import BoardAccess
from usecases.bots import list_bots as read_bots
from usecases.bots import require_bot
from usecases.sign_in import read_calling_token


def list_bots(store: Store, caller: Caller) -> Result:
    """List all bots of the caller, in the order in which they came to them."""
    person = store.read_users([caller.user_id])[caller.user_id]
    return page((serialize.user(bot) for bot in read_bots(store, person)), None)


def create_bot(
    store: Store,
    caller: Caller,
    access: BoardAccess,
    context: ActionContext,
    random_bytes: RandomBytes,
    body: dict[str, Any],
) -> Result:
    """Create a bot of the caller, with its first token. Only this response has the secret."""
    session = _read_calling_session(store, caller, context)
    person = store.read_users([caller.user_id])[caller.user_id]
    bot, change = bots.create(person, context, name=body["name"], id=body.get("id"))
    token, secret, issued = issue_token(
        access, context, random_bytes, {**body, "name": "First token"}, user_id=bot.id, parent=session
    )
    result_body = {"user": serialize.user(bot), "token": serialize.token(token, context.at), "secret": secret}
    return new_resource(result_body, etag=str(bot.version), location=f"/users/{bot.id}", change=change.merge(issued))


def list_bot_tokens(
    store: Store,
    caller: Caller,
    now: datetime,
    encode_cursor: CursorEncoder,
    bot_id: str,
    limit: int,
    cursor: PageKey | None = None,
) -> Result:
    """List the tokens of a bot of the caller that are not revoked, newest first."""
    ensure_may_manage_users(caller)
    bot = require_bot(store, caller.user_id, bot_id)
    tokens_page = store.page_tokens(bot.id, limit, cursor)
    valid = (token for token in tokens_page.items if users.is_valid_since(bot, token.created_at))
    return page((serialize.token(token, now) for token in valid), encode_cursor(tokens_page.next_key))


def create_bot_token(
    store: Store,
    caller: Caller,
    access: BoardAccess,
    context: ActionContext,
    random_bytes: RandomBytes,
    bot_id: str,
    body: dict[str, Any],
) -> Result:
    """Create a token for a bot of the caller. Only this response has its secret."""
    session = _read_calling_session(store, caller, context)
    bot = require_bot(store, caller.user_id, bot_id)
    users.ensure_active(bot)
    token, secret, change = issue_token(access, context, random_bytes, body, user_id=bot.id, parent=session)
    result_body = {"token": serialize.token(token, context.at), "secret": secret}
    location = f"/users/me/bots/{bot.id}/tokens/{token.id}"
    # With its person, a bot is deactivated as well.
    return new_resource(result_body, etag=None, location=location, change=replace(change, active_user_id=bot.id))


def revoke_bot_token(store: Store, caller: Caller, context: ActionContext, bot_id: str, token_id: str) -> Result:
    """Revoke a token of a bot of the caller and all its descendants, with immediate effect."""
    calling_token = read_calling_token(store, caller)
    tokens.ensure_way_in(calling_token, context.at)
    bot = require_bot(store, caller.user_id, bot_id)
    token = store.read_token(bot.id, token_id)
    if token is None or token.revoked_at is not None or token.kind is TokenKind.SESSION:
        raise NotFound("token")
    _, change = tokens.revoke(token, context, caller_token=calling_token)
    return no_content(change)


def _read_calling_session(store: Store, caller: Caller, context: ActionContext) -> Token | None:
    """Return the session of the request, None if it has a token that is no session. Raises FullTokenRequired.

    A token of another user can't be the parent of a bot's.
    """
    token = read_calling_token(store, caller)
    tokens.ensure_way_in(token, context.at)
    return token if token.kind is TokenKind.SESSION else None
