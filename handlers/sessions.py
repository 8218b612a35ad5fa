"""Sessions of the caller, and the codes by which they begin."""

from typing import Any

from handlers import serialize
from handlers.dependencies import Attempts, CursorEncoder, Providers, RandomBytes
from handlers.results import Result, new_resource, no_content, page
from kanban import bots, installation, sign_in, tokens
from kanban.access import Caller, limits_cover
from kanban.changes import ActionContext
from kanban.errors import NotFound
from kanban.sign_in import SignInFailed
from kanban.store import Store
from kanban.tokens import LastWayIn
from kanban.values import TokenKind
from kanban.views import PageKey
from usecases.sign_in import find_usable_code, has_other_way_in, read_calling_token


def list_sessions(
    store: Store,
    caller: Caller,
    context: ActionContext,
    encode_cursor: CursorEncoder,
    limit: int,
    cursor: PageKey | None = None,
) -> Result:
    """List the caller's live sessions, newest first; a narrowed token gets none, because they are wider."""
    sessions = store.page_tokens(caller.user_id, limit, cursor, TokenKind.SESSION)
    items = (
        serialize.session(session, caller.token_id, context.at)
        for session in sessions.items
        if tokens.is_live(session, context.at)
        and caller.may_use(session)
        and limits_cover(caller.limits, session.limits)
    )
    return page(items, encode_cursor(sessions.next_key))


def create_session(
    store: Store, context: ActionContext, random_bytes: RandomBytes, attempts: Attempts, body: dict[str, str]
) -> Result:
    """Sign in with a code. Only this response has the session's token."""
    attempts.ensure_allowed()
    code = find_usable_code(store, body["code"], context.at)
    user = store.read_user(code.user_id) if code else None
    if code is None or user is None:
        attempts.count_failure()
        raise SignInFailed
    session, token, change = sign_in.sign_in(code, context, random_bytes, name=body["name"])
    result_body = {
        "user": serialize.user(user, installation.get_role(user.id, store.read_installation_owner_ids())),
        "session": serialize.session(session, session.id, context.at),
        "token": token,
    }
    return new_resource(result_body, etag=None, location=f"/users/me/sessions/{session.id}", change=change)


def end_session(
    store: Store,
    caller: Caller,
    context: ActionContext,
    providers: Providers,
    session_id: str,
    allow_last: bool | None = None,
) -> Result:
    """Sign out on one of the caller's devices, with immediate effect."""
    session = store.read_token(caller.user_id, caller.token_id if session_id == "current" else session_id)
    if session is None or session.kind is not TokenKind.SESSION or session.revoked_at is not None:
        raise NotFound("session")
    _, change = tokens.revoke(session, context, caller_token=read_calling_token(store, caller))
    remaining = store.sign_in.list_identities(caller.user_id)
    issuers = providers.list_issuers()
    if not allow_last and not has_other_way_in(store, session, caller, remaining, issuers, now=context.at):
        raise LastWayIn
    return no_content(change)


def create_sign_in_code(store: Store, caller: Caller, context: ActionContext, random_bytes: RandomBytes) -> Result:
    """Create a code by which the caller signs in on another device."""
    tokens.ensure_way_in(read_calling_token(store, caller), context.at)
    return _create_code(store, context, random_bytes, caller.user_id, is_for_link=False)


def create_sign_in_code_of_user(
    store: Store, caller: Caller, context: ActionContext, random_bytes: RandomBytes, user_id: str
) -> Result:
    """Create a code by which another user signs in again."""
    installation.ensure_owner(caller.user_id, store.read_installation_owner_ids(), "let other users sign in")
    tokens.ensure_way_in(read_calling_token(store, caller), context.at)
    user = store.read_user(user_id)
    if user is None:
        raise NotFound("user")
    bots.ensure_may_sign_in(user)
    return _create_code(store, context, random_bytes, user_id, is_for_link=True)


def _create_code(
    store: Store, context: ActionContext, random_bytes: RandomBytes, user_id: str, *, is_for_link: bool
) -> Result:
    code, text, change = sign_in.create_code(
        context,
        random_bytes,
        user_id=user_id,
        present_codes=store.sign_in.list_codes(user_id),
        is_for_link=is_for_link,
    )
    result_body: dict[str, Any] = serialize.sign_in_code(code, text)
    return Result(result_body, change=change)
