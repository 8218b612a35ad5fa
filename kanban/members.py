"""Members: who has access to a board, and in which role."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from kanban.access import RoleTooLow
from kanban.changes import ActionContext, Change, build_change
from kanban.errors import Conflict, LimitReached
from kanban.limits import MAX_MEMBERS_PER_BOARD
from kanban.timekeeping import card_clock
from kanban.values import Card, EventData, Member, Role, TimeEntry
from kanban.views import BoardView


class LastOwner(Conflict):
    """Raised when a change would leave the board without an owner."""

    code = "last_owner"

    def __init__(self) -> None:
        super().__init__("This is the board's last owner: make somebody else an owner first, or delete the board.")


class TooManyMembersPerUser(Conflict):
    """Raised when the boards that one user has created have as many members as the installation lets them have."""

    code = "too_many_members_per_user"

    def __init__(self, maximum: int) -> None:
        super().__init__(
            f"The boards that the creator of this board has created have {maximum} other members together, the most "
            "that the boards of a user may have here: remove one first."
        )


def put(view: BoardView, user_id: str, role: Role, context: ActionContext) -> tuple[Member, Change | None]:
    """Add the user to the board, or change the member's role. Raises LimitReached, LastOwner."""
    member = _find_member(view, user_id)
    if member is None:
        return _add(view, user_id, role, context)
    if member.role == role:
        return member, None
    _ensure_other_owner(view, member)
    updated = replace(member, role=role, version=member.version + 1, updated_at=context.at)
    data = {"user_id": user_id, "role": str(role)}
    return updated, build_change(
        view, context, "member.updated", updates=(updated,), subject=(member, updated), data=data
    )


def join(view: BoardView, role: Role, context: ActionContext, invitation_id: str) -> Change:
    """Make the actor a member in that role, or raise their role to it. Raises LimitReached."""
    data: EventData = {"user_id": context.actor_id, "role": str(role), "invitation_id": invitation_id}
    member = _find_member(view, context.actor_id)
    if member is None:
        ensure_room(view)
        member = build_member(view.board.id, context.actor_id, role, context)
        return build_change(view, context, "member.added", creates=(member,), data=data)
    updated = replace(member, role=role, version=member.version + 1, updated_at=context.at)
    return build_change(view, context, "member.updated", updates=(updated,), subject=(member, updated), data=data)


def remove(view: BoardView, user_id: str, context: ActionContext, running_cards: Sequence[Card]) -> Change | None:
    """Remove the user from the board with all assignments; return None if there is nothing to do.

    `running_cards` are cards whose clocks run in the user's name, at most as many as can stop in one commit: they stop.
    If more are running, the user still leaves at once, and the next removal stops the rest. Everybody may leave;
    removing someone else takes an owner. Raises RoleTooLow, LastOwner.
    """
    if user_id != context.actor_id and not view.role.covers(Role.OWNER):
        raise RoleTooLow(view.role, Role.OWNER)
    member = _find_member(view, user_id)
    if member is None and not running_cards:
        return None
    if member is not None:
        _ensure_other_owner(view, member)
    return build_change(
        view,
        context,
        "member.removed",
        updates=card_clock.stop_clocks(running_cards, context.at),
        deletes=(member,) if member else (),
        data={"user_id": user_id},
    )


def deactivate(view: BoardView, user_id: str, context: ActionContext, running_cards: Sequence[Card]) -> Change | None:
    """Let the member do nothing on the board until reactivated; return None if there is nothing to do.

    `running_cards` are cards whose clocks run in the user's name, at most as many as can stop in one commit: they stop.
    An owner of the installation does it, also to the last owner of the board.
    """
    member = _find_member(view, user_id)
    if member is None or (member.deactivated_at is not None and not running_cards):
        return None
    updated = _set_deactivated(member, member.deactivated_at or context.at, context)
    return _build_change_of_member(view, context, member, updated, card_clock.stop_clocks(running_cards, context.at))


def reactivate(view: BoardView, user_id: str, context: ActionContext) -> Change | None:
    """Let the member do again what the role allows; return None if there is nothing to do."""
    member = _find_member(view, user_id)
    if member is None or member.deactivated_at is None:
        return None
    return _build_change_of_member(view, context, member, _set_deactivated(member, None, context))


def remove_by_installation(
    view: BoardView, user_id: str, context: ActionContext, running_cards: Sequence[Card]
) -> Change | None:
    """Remove a user, like somebody who leaves, from a live or deleted board; return None if they left.

    `running_cards` are all cards whose clocks run in the user's name. It is done to users who are being deleted, and to
    bots whose person leaves the board, also if the actor is no member of it.
    """
    member = _find_member(view, user_id)
    if member is None:
        return None
    change = build_change(
        view,
        context,
        "member.removed",
        updates=card_clock.stop_clocks(running_cards, context.at),
        deletes=(member,),
        data={"user_id": user_id},
    )
    return replace(change, is_by_installation=True)


def has_active_owner(view: BoardView) -> bool:
    """Return whether any owner of the board is not deactivated."""
    return any(member.role == Role.OWNER and member.deactivated_at is None for member in view.members)


def needs_owner(view: BoardView, user_id: str) -> bool:
    """Return whether this user owns the board, and no other active user does."""
    owners = [member for member in view.members if member.role == Role.OWNER]
    is_owner = any(member.user_id == user_id for member in owners)
    return is_owner and all(member.user_id == user_id or member.deactivated_at for member in owners)


def appoint_owner(view: BoardView, user_id: str, context: ActionContext) -> Change | None:
    """Make the user an owner of a board that has no active one; return None if it has, or if there is no room.

    An owner of the installation does it.
    """
    member = _find_member(view, user_id)
    if has_active_owner(view) or (member is None and len(view.members) >= MAX_MEMBERS_PER_BOARD):
        return None
    if member is None:
        _, change = _add(view, user_id, Role.OWNER, context)
        return replace(change, is_by_installation=True)
    updated = replace(member, role=Role.OWNER, version=member.version + 1, updated_at=context.at)
    return _build_change_of_member(view, context, member, updated)


def build_member(board_id: str, user_id: str, role: Role, context: ActionContext) -> Member:
    """Build the membership of a user who has just come to the board."""
    return Member(
        id=context.new_id("member"),
        board_id=board_id,
        user_id=user_id,
        role=role,
        version=1,
        created_at=context.at,
        updated_at=context.at,
    )


def ensure_room(view: BoardView, invited: int = 0) -> None:
    """Raise LimitReached if the board has as many members as it may, with users who are invited to become one."""
    if len(view.members) + invited >= MAX_MEMBERS_PER_BOARD:
        raise LimitReached("members", MAX_MEMBERS_PER_BOARD)


def _add(view: BoardView, user_id: str, role: Role, context: ActionContext) -> tuple[Member, Change]:
    ensure_room(view)
    member = build_member(view.board.id, user_id, role, context)
    data = {"user_id": user_id, "role": str(role)}
    return member, build_change(view, context, "member.added", creates=(member,), data=data)


def _set_deactivated(member: Member, deactivated_at: datetime | None, context: ActionContext) -> Member:
    return replace(member, deactivated_at=deactivated_at, version=member.version + 1, updated_at=context.at)


def _build_change_of_member(
    view: BoardView,
    context: ActionContext,
    member: Member,
    updated: Member,
    others: tuple[Card | TimeEntry, ...] = (),
) -> Change:
    """Return the change of a membership by an owner of the installation."""
    data: EventData = {"user_id": member.user_id, "role": str(updated.role)}
    change = build_change(
        view, context, "member.updated", updates=(updated, *others), subject=(member, updated), data=data
    )
    return replace(change, is_by_installation=True)


def _find_member(view: BoardView, user_id: str) -> Member | None:
    return next((member for member in view.members if member.user_id == user_id), None)


def _ensure_other_owner(view: BoardView, member: Member) -> None:
    """Raise LastOwner if nobody but this member owns the board."""
    owners = (owner for owner in view.members if owner.role == Role.OWNER and owner.deactivated_at is None)
    if member.deactivated_at is None and all(owner.id == member.id for owner in owners):
        raise LastOwner
