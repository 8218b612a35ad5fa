"""Users: sign up, get, update."""

from handlers import serialize
from handlers.dependencies import IfMatch, RandomBytes
from handlers.results import Result, new_resource
from kanban import tokens, users
from kanban.access import Caller, ensure_not_narrowed
from kanban.changes import ActionContext
from kanban.errors import NotFound
from kanban.store import Store
from kanban.users import SignupClosed
from kanban.values import Scope, User


def create_user(
    store: Store,
    caller: Caller | None,
    open_signup: bool,
    context: ActionContext,
    random_bytes: RandomBytes,
    body: dict[str, str],
) -> Result:
    """Sign up, or create a user as the installation's owner. Only this response has the user's first token."""
    if caller is not None:
        ensure_not_narrowed(caller)
    if not open_signup:
        if caller is None:
            raise SignupClosed
        users.ensure_may_create_users(caller.user_id, store.read_installation_owner())
    user, change = users.create(context, **body)
    _, secret, token_change = tokens.issue(
        context, random_bytes, user_id=user.id, name="First token", scopes=tuple(Scope)
    )
    result_body = {"user": serialize.user(user), "token": secret}
    return new_resource(
        result_body, etag=str(user.version), location=f"/users/{user.id}", change=change.merge(token_change)
    )


def get_user(store: Store, user_id: str) -> Result:
    """Return a user. Every caller may read every user."""
    return _user_result(_require_user(store, user_id))


def get_me(store: Store, caller: Caller) -> Result:
    """Return the caller's user."""
    return _user_result(_require_user(store, caller.user_id))


def update_me(store: Store, caller: Caller, context: ActionContext, if_match: IfMatch, body: dict[str, str]) -> Result:
    """Update the caller's user."""
    user = _require_user(store, caller.user_id)
    if_match.ensure_matches(user.version)
    user, change = users.update(user, body, context)
    return Result(serialize.user(user), etag=str(user.version), change=change)


def _require_user(store: Store, user_id: str) -> User:
    user = store.read_user(user_id)
    if user is None:
        raise NotFound("user")
    return user


def _user_result(user: User) -> Result:
    return Result(serialize.user(user), etag=str(user.version))
