"""Users: made, renamed."""

from collections.abc import Mapping
from typing import Any

from kanban.errors import InstallationOwnerOnly
from kanban.patches import revised
from kanban.values import Act, Change, User

_FIELDS = frozenset({"name"})


def create(act: Act, *, name: str, id: str | None = None) -> tuple[User, Change]:  # noqa: A002  (it is the id)
    """A new user, with the id of their choice or a made one. The store tells whether it is taken."""
    user = User(id=id or act.new_id("user"), name=name, version=1, created_at=act.at, updated_at=act.at)
    return user, Change(creates=(user,))


def ensure_may_make_users(caller_id: str, owner: User | None) -> None:
    """Raise InstallationOwnerOnly for anybody but the owner of the installation.

    It is a right of that user and no scope of tokens: every user's first token has all scopes.
    """
    if owner is None or owner.id != caller_id:
        raise InstallationOwnerOnly


def revise(user: User, patch: Mapping[str, Any], act: Act) -> tuple[User, Change | None]:
    """The user with the fields of the patch (name)."""
    new, changed = revised(user, patch, _FIELDS, act)
    return new, Change(updates=(new,)) if changed else None
