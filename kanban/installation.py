"""The installation: its owners, who let users in and put them out."""

from dataclasses import replace

from kanban.changes import ActionContext, Change
from kanban.errors import Conflict, Forbidden
from kanban.values import InstallationOwners, InstallationRole, User

MAX_INSTALLATION_OWNERS = 100
"""Owners of one installation: they are stored together."""


class InstallationOwnerOnly(Forbidden):
    """Raised when a user who does not own the installation would do what only its owners may."""

    code = "installation_owner_only"


class LastInstallationOwner(Conflict):
    """Raised when a change would leave the installation without an owner."""

    code = "last_installation_owner"

    def __init__(self) -> None:
        super().__init__("This is the last owner of the installation: make another user an owner first.")


class TooManyInstallationOwners(Conflict):
    """Raised when the installation has as many owners as it may have."""

    code = "too_many_installation_owners"

    def __init__(self) -> None:
        super().__init__(f"The installation has {MAX_INSTALLATION_OWNERS} owners, the most that it may have.")


def get_role(user_id: str, owner_ids: tuple[str, ...]) -> InstallationRole:
    """Return the role of a user in the installation."""
    return InstallationRole.OWNER if user_id in owner_ids else InstallationRole.MEMBER


def ensure_owner(caller_id: str, owner_ids: tuple[str, ...], action: str) -> None:
    """Raise InstallationOwnerOnly unless the caller owns the installation. `action` says what only owners can do.

    This is a right of users and not a scope of tokens, because every user's first token has all scopes.
    """
    if caller_id not in owner_ids:
        raise InstallationOwnerOnly(f"Only an owner of this installation can {action}.")


def set_role(
    user: User, role: InstallationRole, owner_ids: tuple[str, ...], context: ActionContext
) -> tuple[User, Change | None]:
    """Give the user a role in the installation; no change if they have it already.

    Raises LastInstallationOwner, TooManyInstallationOwners.
    """
    if get_role(user.id, owner_ids) is role:
        return user, None
    if role is InstallationRole.OWNER:
        if len(owner_ids) >= MAX_INSTALLATION_OWNERS:
            raise TooManyInstallationOwners
        new_ids = (*owner_ids, user.id)
    else:
        new_ids = tuple(owner_id for owner_id in owner_ids if owner_id != user.id)
        if not new_ids:
            raise LastInstallationOwner
    # The user's version is raised, because the role is shown with the user.
    updated = replace(user, version=user.version + 1, updated_at=context.at)
    return updated, Change(updates=(updated, InstallationOwners(new_ids, owner_ids)))
