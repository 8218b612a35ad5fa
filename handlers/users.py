"""Users: search, sign up, get, update, deactivate, delete; their roles in the installation."""

from datetime import datetime

from handlers import serialize
from handlers.dependencies import CursorEncoder, IfMatch, Providers, RandomBytes
from handlers.results import Result, new_resource, page
from kanban import bots, installation, tokens, users
from kanban.access import Caller, ensure_may_export_user, ensure_may_manage_users, ensure_not_narrowed
from kanban.bots import UserIsPerson
from kanban.changes import ActionContext, Change
from kanban.errors import NotFound, UnknownReference
from kanban.store import Store
from kanban.users import SignupClosed
from kanban.values import InstallationRole, Scope, User
from kanban.views import PageKey
from usecases import personal_export, user_boards, user_deletion, user_search
from usecases.bots import require_owner
from usecases.invitations import shares_board


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
    store: Store,
    caller: Caller,
    context: ActionContext,
    if_match: IfMatch,
    joining_takes_consent: bool,
    user_id: str,
    body: dict[str, str],
) -> Result:
    """Give a user another role in the installation, or a bot another name or another person."""
    owner_ids, user = _require_managed_user_or_bot(store, caller, user_id, "change other users")
    if_match.ensure_matches(user.version)
    if user.owner_id is not None:
        new_owner_id = body.get("owner_id")
        may_ask = not joining_takes_consent or caller.user_id in owner_ids
        if new_owner_id and not may_ask and not shares_board(store, caller.user_id, new_owner_id):
            raise UnknownReference("owner_id")
        user, change = _update_bot(store, user, context, body)
        role = _get_visible_role(user, caller, owner_ids)
        return Result(
            serialize.user(user, role), etag=f"{user.version}.1" if role else str(user.version), change=change
        )
    if body.keys() - {"installation_role"}:
        raise UserIsPerson
    role, change = installation.get_role(user.id, owner_ids), None
    if "installation_role" in body:
        role = InstallationRole(body["installation_role"])
        if role is InstallationRole.OWNER:
            users.ensure_active(user)
        user, change = installation.set_role(user, role, owner_ids, context)
    tag = str(user.version) if user.id == caller.user_id else f"{user.version}.1"
    return Result(serialize.user(user, role), etag=tag, change=change)


def _update_bot(store: Store, bot: User, context: ActionContext, body: dict[str, str]) -> tuple[User, Change | None]:
    """Rename a bot, and hand it over."""
    users.ensure_not_deleted(bot)
    if body.get("installation_role") == InstallationRole.OWNER:
        bots.ensure_may_own_installation(bot)
    new_owner = None
    if "owner_id" in body:
        new_owner = store.read_user(body["owner_id"])
        if new_owner is None or new_owner.deactivated_at is not None or new_owner.owner_id is not None:
            raise UnknownReference("owner_id")
    return bots.update(bot, context, owner=require_owner(store, bot), name=body.get("name"), new_owner=new_owner)


def deactivate_user(store: Store, caller: Caller, context: ActionContext, user_id: str) -> Result:
    """Sign a user out for good, and let them do nothing until reactivated."""
    owner_ids, user = _require_managed_user_or_bot(store, caller, user_id, "deactivate users")
    user, change = user_boards.deactivate(store, user, owner_ids, context)
    boards = user_boards.list_boards_without_owner(store, user_id)
    role = InstallationRole.MEMBER if caller.user_id in owner_ids else None
    return Result(serialize.user_and_boards(user, role, boards), change=change)


def reactivate_user(store: Store, caller: Caller, context: ActionContext, user_id: str) -> Result:
    """Let a deactivated user sign in again."""
    owner_ids, user = _require_managed_user_or_bot(store, caller, user_id, "reactivate users")
    user, change = user_boards.reactivate(store, user, context)
    return Result(serialize.user(user, _get_visible_role(user, caller, owner_ids)), change=change)


def delete_user(store: Store, caller: Caller, context: ActionContext, user_id: str) -> Result:
    """Start the job that deletes a deactivated user, or a bot."""
    _, user = _require_managed_user_or_bot(store, caller, user_id, "delete users")
    job = user_deletion.start(store, user, context)
    return Result(serialize.job(job), 202, location=f"/jobs/{job.id}", change=Change(creates=(job,)))


def transfer_boards(store: Store, caller: Caller, context: ActionContext, user_id: str, body: dict[str, str]) -> Result:
    """Give the boards of a deactivated user that have no other owner to another user."""
    owner_ids, user = _require_managed_user(store, caller, user_id, "transfer boards")
    users.ensure_deactivated(user)
    new_owner = store.read_user(body["to_user_id"])
    if new_owner is None or new_owner.deactivated_at is not None:
        raise UnknownReference("to_user_id")
    bots.ensure_may_own(new_owner)
    boards = user_boards.list_boards_without_owner(store, user_id)
    steps = user_boards.build_transfer_steps(store, boards, user_id, new_owner.id, context)
    return Result(
        serialize.user_and_boards(user, installation.get_role(user.id, owner_ids), boards), change=Change(steps=steps)
    )


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


def export_me(
    store: Store,
    caller: Caller,
    now: datetime,
    providers: Providers,
    encode_cursor: CursorEncoder,
    cursor: PageKey | None = None,
) -> Result:
    """Return a page of what is stored about the caller."""
    ensure_may_export_user(caller)
    part, next_key = personal_export.read_page(store, caller.user_id, cursor)
    user = None if cursor else _require_user(store, caller.user_id)
    provider_ids = {provider.issuer: provider.id for provider in providers.list_providers()}
    next_cursor = encode_cursor(next_key)
    sessions = (session for session in part.sessions if tokens.is_live(session, now))
    body = {
        "user": serialize.user(user, _read_role(store, user)) if user else None,
        "identities": [serialize.identity(identity, provider_ids.get(identity.issuer)) for identity in part.identities],
        "sessions": [serialize.session(session, caller.token_id, now) for session in sessions],
        "tokens": [serialize.token(token, now) for token in part.tokens],
        "memberships": [{"board_id": board.id, "board_name": board.name, "role": role} for board, role in part.boards],
        "assigned_cards": [
            {"board_id": card.board_id, "card_id": card.id, "title": card.title} for _, card in part.assigned_cards
        ],
        "comments": [serialize.comment(comment) for comment in part.comments],
        "time_entries": [serialize.time_entry(entry, now) for entry in part.time_entries],
        "bots": [serialize.user(bot) for bot in part.bots],
        "next_cursor": next_cursor,
    }
    return Result(body, next_query={"cursor": next_cursor} if next_cursor else None)


def _require_managed_user(store: Store, caller: Caller, user_id: str, action: str) -> tuple[tuple[str, ...], User]:
    """Return the owners of the installation, of whom the caller is one, and the user to whom the action is done."""
    owner_ids = store.read_installation_owner_ids()
    ensure_may_manage_users(caller)
    installation.ensure_owner(caller.user_id, owner_ids, action)
    return owner_ids, _require_user(store, user_id)


def _require_managed_user_or_bot(
    store: Store, caller: Caller, user_id: str, action: str
) -> tuple[tuple[str, ...], User]:
    """Return the owners of the installation, and the user: any for one of the owners, otherwise a bot of the caller."""
    owner_ids = store.read_installation_owner_ids()
    ensure_may_manage_users(caller)
    user = store.read_user(user_id)
    if user is None or user.owner_id != caller.user_id:
        installation.ensure_owner(caller.user_id, owner_ids, action)
    if user is None:
        raise NotFound("user")
    return owner_ids, user


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
