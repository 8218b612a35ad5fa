"""Users: search, sign up, get, update; their roles in the installation."""

from handlers import serialize
from handlers.dependencies import CursorEncoder, IfMatch, RandomBytes
from handlers.results import Result, new_resource, page
from kanban import installation, tokens, users
from kanban.access import Caller, ensure_may_manage_users, ensure_not_narrowed
from kanban.changes import ActionContext
from kanban.errors import NotFound
from kanban.store import Store
from kanban.users import SignupClosed
from kanban.values import InstallationRole, Scope, User
from kanban.views import PageKey
from usecases import user_search


def list_users(
    store: Store,
    caller: Caller,
    encode_cursor: CursorEncoder,
    limit: int,
    cursor: PageKey | None = None,
    q: str | None = None,
) -> Result:
    """Search the users of the caller's boards, or all of them for an owner of the installation."""
    owner_ids = store.read_installation_owner_ids()
    sees_all = user_search.sees_all_users(caller, owner_ids)
    users_page = user_search.page_users(store, caller, sees_all=sees_all, q=q, limit=limit, after=cursor)
    return page(
        (serialize.user(user, _get_visible_role(user, caller, owner_ids)) for user in users_page.items),
        encode_cursor(users_page.next_key),
    )


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
    owner_ids = store.read_installation_owner_ids()
    if not open_signup:
        if caller is None:
            raise SignupClosed
        users.ensure_may_create_users(caller.user_id, owner_ids)
    user, change = users.create(context, **body)
    _, secret, token_change = tokens.issue(
        context, random_bytes, user_id=user.id, name="First token", scopes=tuple(Scope)
    )
    # The store makes its first user an owner.
    role = InstallationRole.MEMBER if owner_ids else InstallationRole.OWNER
    result_body = {"user": serialize.user(user, role), "token": secret}
    return new_resource(
        result_body, etag=str(user.version), location=f"/users/{user.id}", change=change.merge(token_change)
    )


def get_user(store: Store, caller: Caller, user_id: str) -> Result:
    """Return a user. Every caller may read every user."""
    user = _require_user(store, user_id)
    role = _get_visible_role(user, caller, store.read_installation_owner_ids())
    # A caller who becomes an owner of the installation sees more of the same version.
    tag = f"{user.version}.1" if role and user.id != caller.user_id else str(user.version)
    return Result(serialize.user(user, role), etag=tag)


def update_user(
    store: Store, caller: Caller, context: ActionContext, if_match: IfMatch, user_id: str, body: dict[str, str]
) -> Result:
    """Give a user another role in the installation."""
    owner_ids = store.read_installation_owner_ids()
    ensure_may_manage_users(caller)
    installation.ensure_owner(caller.user_id, owner_ids, "change the roles of users")
    user = _require_user(store, user_id)
    if_match.ensure_matches(user.version)
    role = installation.get_role(user.id, owner_ids)
    change = None
    if "installation_role" in body:
        role = InstallationRole(body["installation_role"])
        user, change = installation.set_role(user, role, owner_ids, context)
    tag = str(user.version) if user.id == caller.user_id else f"{user.version}.1"
    return Result(serialize.user(user, role), etag=tag, change=change)


def get_me(store: Store, caller: Caller) -> Result:
    """Return the caller's user."""
    user = _require_user(store, caller.user_id)
    return Result(serialize.user(user, _read_role(store, user)), etag=str(user.version))


def update_me(store: Store, caller: Caller, context: ActionContext, if_match: IfMatch, body: dict[str, str]) -> Result:
    """Update the caller's user."""
    user = _require_user(store, caller.user_id)
    if_match.ensure_matches(user.version)
    user, change = users.update(user, body, context)
    return Result(serialize.user(user, _read_role(store, user)), etag=str(user.version), change=change)


def _require_user(store: Store, user_id: str) -> User:
    user = store.read_user(user_id)
    if user is None:
        raise NotFound("user")
    return user


def _read_role(store: Store, user: User) -> InstallationRole:
    return installation.get_role(user.id, store.read_installation_owner_ids())


def _get_visible_role(user: User, caller: Caller, owner_ids: tuple[str, ...]) -> InstallationRole | None:
    """Return the user's role in the installation if the caller may know it: their own, or as one of its owners."""
    if user.id == caller.user_id or user_search.sees_all_users(caller, owner_ids):
        return installation.get_role(user.id, owner_ids)
    return None
