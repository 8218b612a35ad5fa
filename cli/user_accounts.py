"""List the users of a store, add some, and change what they may do in the installation, without a server."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from kanban import audit_log, bots, installation, users
from kanban.changes import ActionContext, Change
from kanban.errors import DomainError
from kanban.store import AlreadyExists, Store
from kanban.timekeeping.timestamps import format_utc
from kanban.values import AuditEntry, InstallationRole, TokenKind, User
from kanban.views import PageKey
from usecases import user_boards
from usecases.audit_log import page_entries

_PER_READ = 100


class UserUnchanged(Exception):
    """Raised when a user can't be changed; the message is one sentence that says why."""


def describe_users(store: Store) -> Iterator[str]:
    """Yield a line for each user, by id: the id, the state, the role, when a token was last used, and the name.

    In place of the role, a bot has its kind.

    Of a user with more than 100 sessions, or other tokens, the newest count.
    """
    owner_ids = store.read_installation_owner_ids()
    for user in read_users(store):
        last_use = _find_last_use(store, user.id)
        state = "deleted" if user.deleted_at else "deactivated" if user.deactivated_at else "active"
        role = "bot" if user.owner_id else installation.get_role(user.id, owner_ids)
        used = format_utc(last_use) if last_use else "never used"
        yield "  ".join((f"{user.id:30}", f"{state:11}", f"{role:6}", f"{used:20}", user.name))


def change_user(store: Store, user: User, action: str, context: ActionContext) -> str:
    """Do one of ACTIONS to a user; return a sentence that says what was done. Raises UserUnchanged."""
    try:
        change, sentence = ACTIONS[action](store, user, context)
    except DomainError as error:
        raise UserUnchanged(error.message) from None
    if change is not None:
        store.commit(record(replace(change, steps=()), context))
        for step in change.steps:
            user_boards.commit_step(store, step)
    return sentence


def add_user(store: Store, user_id: str, name: str, context: ActionContext) -> str:
    """Create a user; return a sentence that says so. Raises UserUnchanged if the id is taken or is none."""
    _ensure_valid(user_id, name)
    is_first = not store.read_installation_owner_ids()
    _, change = users.create(context, name=name, id=user_id)
    try:
        store.commit(record(change, context))
    except AlreadyExists:
        raise UserUnchanged(f"There is a user with the id '{user_id}' already.") from None
    role = ", as the owner of the installation" if is_first else ""
    return f"The user '{user_id}' is created{role}. `sign-in {user_id}` prints a link that signs them in."


def _ensure_valid(user_id: str, name: str) -> None:
    """Raise UserUnchanged unless the API would take these."""
    from app.document import DOCUMENT_PATH  # noqa: PLC0415 - the other commands need none of it.
    from contract.schemas import Schemas  # noqa: PLC0415

    if any("\ud800" <= character <= "\udfff" for character in user_id + name):
        raise UserUnchanged("The id and the name must be valid text.")
    schemas = Schemas(json.loads(DOCUMENT_PATH.read_bytes()))
    check = schemas.get_check({"$ref": "#/components/schemas/UserCreate"}, "request")
    violations = check.find_violations({"id": user_id, "name": name})
    if violations:
        raise UserUnchanged(f"The {violations[0].pointer[1:]} {violations[0].message}.")


def record(change: Change, context: ActionContext) -> Change:
    """Return the change with its entries in the audit log, which say that no user did it."""
    return audit_log.record(change, replace(context, actor_id=""))


def describe_audit_log(store: Store, now: datetime, user_id: str | None) -> Iterator[str]:
    """Yield a line for each entry of the audit log, newest first: when, what, whom it concerns, who did it, and data.

    With a `user_id`, only of what concerns that user.
    """
    after: PageKey | None = None
    while True:
        page = page_entries(store, now, user_id=user_id, limit=_PER_READ, after=after)
        for entry in page.items:
            data = " ".join(f"{name}={text}" for name, text in entry.data.items())
            columns = format_utc(entry.created_at), f"{entry.type:20}", f"{entry.user_id or '-':30}", _name_actor(entry)
            yield "  ".join((*columns, data)).rstrip()
        after = page.next_key
        if after is None:
            return


def _name_actor(entry: AuditEntry) -> str:
    if entry.actor_id is not None:
        return f"by {entry.actor_id}"
    return "without a token" if entry.request_id else "by a command"


def _make_owner(store: Store, user: User, context: ActionContext) -> tuple[Change | None, str]:
    users.ensure_active(user)
    bots.ensure_may_own_installation(user)
    _, change = installation.set_role(user, InstallationRole.OWNER, store.read_installation_owner_ids(), context)
    return change, f"The user '{user.id}' is an owner of the installation."


def _make_member(store: Store, user: User, context: ActionContext) -> tuple[Change | None, str]:
    _, change = installation.set_role(user, InstallationRole.MEMBER, store.read_installation_owner_ids(), context)
    return change, f"The user '{user.id}' is no owner of the installation."


def _deactivate(store: Store, user: User, context: ActionContext) -> tuple[Change | None, str]:
    _, change = user_boards.deactivate(store, user, store.read_installation_owner_ids(), context)
    sentence = f"The user '{user.id}' is deactivated."
    boards = user_boards.list_boards_without_owner(store, user.id)
    if boards:
        names = ", ".join(f"{view.board.id} ({view.board.name})" for view in boards)
        sentence += f" These boards have no other owner: {names}."
    return change, sentence


def _reactivate(store: Store, user: User, context: ActionContext) -> tuple[Change | None, str]:
    _, change = user_boards.reactivate(store, user, context)
    return change, f"The user '{user.id}' is active. What they signed in with before stays void."


ACTIONS: Mapping[str, Callable[[Store, User, ActionContext], tuple[Change | None, str]]] = {
    "owner": _make_owner,
    "member": _make_member,
    "disable": _deactivate,
    "enable": _reactivate,
}
"""What can be done to a user."""


def read_users(store: Store) -> Iterator[User]:
    """Yield all users, by id."""
    after: PageKey | None = None
    while True:
        page = store.page_users(_PER_READ, after)
        yield from page.items
        after = page.next_key
        if after is None:
            return


def _find_last_use(store: Store, user_id: str) -> datetime | None:
    tokens = (token for kind in TokenKind for token in store.page_tokens(user_id, _PER_READ, None, kind).items)
    return max((token.last_used_at for token in tokens if token.last_used_at), default=None)
