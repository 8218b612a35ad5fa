"""Users: create, update, deactivate, reactivate, delete."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from kanban import bots, installation
from kanban.changes import ActionContext, Change
from kanban.errors import Conflict, Unauthenticated
from kanban.installation import InstallationOwnerOnly
from kanban.patches import apply_patch
from kanban.tokens import TokenChanged
from kanban.values import InstallationOwners, InstallationRole, User

SIGN_UP_IS_CLOSED = "Sign-up is closed: only the owner of this installation can create users."


FORMER_MEMBER = "Former member"
"""The name of a deleted user."""


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


class UserDeactivated(Conflict):
    """Raised when a deactivated user should become a member or an owner."""

    code = "user_deactivated"

    def __init__(
        self, message: str = "This user is deactivated: an owner of the installation can reactivate them."
    ) -> None:
        """Take the sentence that says who is deactivated."""
        super().__init__(message)


class UserActive(Conflict):
    """Raised when the boards of a user should be transferred who can still use them."""

    code = "user_active"

    def __init__(self) -> None:
        super().__init__("This user is active, and can make other users owners of their boards: deactivate them first.")


class UserDeleted(Conflict):
    """Raised when a deleted user should come back."""

    code = "user_deleted"

    def __init__(self) -> None:
        super().__init__("This user is deleted, and can't come back.")


class BoardsWithoutOwner(Conflict):
    """Raised when a user should be deleted who is the only active owner of boards."""

    code = "boards_without_owner"

    def __init__(self, board_ids: Sequence[str]) -> None:
        """Take the ids of the boards, as many as the problem names."""
        boards = "1 board" if len(board_ids) == 1 else f"{len(board_ids)} boards"
        super().__init__(f"{boards} would be left without an active owner: transfer the boards of this user first.")
        self.board_ids = list(board_ids)


def ensure_deactivated(user: User) -> None:
    """Raise UserActive unless the user is deactivated."""
    if user.deactivated_at is None:
        raise UserActive


def is_valid_since(user: User, created_at: datetime) -> bool:
    """Return whether the user may use a token, a session or a sign-in code that was created at that moment."""
    return user.deactivated_at is None and (user.signed_out_at is None or created_at > user.signed_out_at)


def ensure_not_deleted(user: User) -> None:
    """Raise UserDeleted if nothing is left of the user."""
    if user.deleted_at is not None:
        raise UserDeleted


def ensure_active(user: User) -> None:
    """Raise UserDeactivated if the user is deactivated, UserDeleted if nothing is left of them."""
    ensure_not_deleted(user)
    if user.deactivated_at is not None:
        raise (
            UserDeactivated("This bot is deactivated: its person can reactivate it.")
            if user.owner_id
            else UserDeactivated
        )


def deactivate(
    user: User, owner_ids: tuple[str, ...], context: ActionContext, own_bots: Sequence[User] = ()
) -> tuple[User, Change | None]:
    """Sign the user out for good, and let them in no more; no change if that was done before.

    The same happens to their bots. An owner of the installation loses that role. Raises LastInstallationOwner.
    """
    if user.deactivated_at is not None:
        return user, None
    _, change = installation.set_role(user, InstallationRole.MEMBER, owner_ids, context)
    updated = _sign_out(user, context)
    others = [_sign_out(bot, context) for bot in own_bots if bot.deactivated_at is None]
    owners = [value for value in change.updates if isinstance(value, InstallationOwners)] if change else []
    return updated, Change(updates=(updated, *others, *owners))


def _sign_out(user: User, context: ActionContext) -> User:
    return replace(
        user,
        version=user.version + 1,
        updated_at=context.at,
        deactivated_at=context.at,
        signed_out_at=context.at,
    )


def reactivate(user: User, context: ActionContext, owner: User | None = None) -> tuple[User, Change | None]:
    """Let the user sign in again; no change if they may already. What was valid before stays void.

    `owner` is the person of a bot. Raises UserDeleted, UserDeactivated if the person of the bot is deactivated.
    """
    ensure_not_deleted(user)
    if user.deactivated_at is None:
        return user, None
    updated = replace(user, version=user.version + 1, updated_at=context.at, deactivated_at=None)
    if owner is None:
        return updated, Change(updates=(updated,))
    if owner.deactivated_at is not None:
        raise UserDeactivated("The person of this bot is deactivated: hand the bot over to somebody else first.")
    return updated, Change(updates=(updated, bots.set_bots(owner, owner.bot_ids, context)))


def delete(user: User, context: ActionContext, owner: User | None = None) -> tuple[User, Change | None]:
    """Leave nothing of a deactivated user but the id; no change if that was done before. Raises UserActive.

    `owner` is the person of a bot, who doesn't have it any more.
    """
    ensure_deactivated(user)
    if user.deleted_at is not None:
        return user, None
    updated = replace(user, name=FORMER_MEMBER, version=user.version + 1, updated_at=context.at, deleted_at=context.at)
    owners = (bots.remove_bot(owner, user.id, context),) if owner else ()
    return updated, Change(updates=(updated, *owners))


def update(user: User, patch: Mapping[str, Any], context: ActionContext) -> tuple[User, Change | None]:
    """Apply a patch of name to the user, by themself. Raises TokenChanged if they were deactivated just now."""
    if user.deactivated_at is not None:
        raise TokenChanged
    updated, changed_fields = apply_patch(user, patch, context)
    return updated, Change(updates=(updated,)) if changed_fields else None
