"""Users: create, update."""

from collections.abc import Mapping
from typing import Any

from kanban.changes import ActionContext, Change
from kanban.errors import Unauthenticated
from kanban.installation import InstallationOwnerOnly
from kanban.patches import apply_patch
from kanban.values import User

SIGN_UP_IS_CLOSED = "Sign-up is closed: only the owner of this installation can create users."


class SignupClosed(Unauthenticated):
    """Raised when someone signs up while sign-up is closed."""

    def __init__(self) -> None:
        super().__init__(SIGN_UP_IS_CLOSED)


def create(context: ActionContext, *, name: str, id: str | None = None) -> tuple[User, Change]:  # noqa: A002  (it is the id)
    """Create a user, with the id of their choice or a generated one. The store checks whether the id is taken."""
    user = User(id=id or context.new_id("user"), name=name, version=1, created_at=context.at, updated_at=context.at)
    return user, Change(creates=(user,))


def ensure_may_create_users(caller_id: str, owner_ids: tuple[str, ...]) -> None:
    """Raise InstallationOwnerOnly unless the caller owns the installation."""
    if caller_id not in owner_ids:
        raise InstallationOwnerOnly(SIGN_UP_IS_CLOSED)


def update(user: User, patch: Mapping[str, Any], context: ActionContext) -> tuple[User, Change | None]:
    """Apply a patch of name to the user."""
    updated, changed_fields = apply_patch(user, patch, context)
    return updated, Change(updates=(updated,)) if changed_fields else None
