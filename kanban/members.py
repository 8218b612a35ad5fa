"""Members: who may enter a board, and in which role."""

from collections.abc import Sequence
from dataclasses import replace

from kanban import timeclock
from kanban.errors import LastOwner, RoleTooLow, TooManyMembers
from kanban.record import record
from kanban.values import MOST_MEMBERS, Act, BoardView, Card, Change, Member, Role


def put(view: BoardView, user_id: str, role: Role, act: Act) -> tuple[Member, Change | None]:
    """The user's place on the board, new or with another role. Raises TooManyMembers, LastOwner."""
    old = _place(view, user_id)
    if old is None:
        return _added(view, user_id, role, act)
    if old.role == role:
        return old, None
    _refuse_last_owner(view, old)
    new = replace(old, role=role, version=old.version + 1, updated_at=act.at)
    data = {"user_id": user_id, "role": str(role)}
    return new, record(view, act, "member.updated", updates=(new,), data=data)


def remove(view: BoardView, user_id: str, act: Act, running: Sequence[Card]) -> Change | None:
    """Take the user's place away, and with it all that the user was assigned to; None if there is nothing to do.

    `running` are cards whose clocks run in the user's name, as many as can stop in one commit: these clocks stop. If
    more of them run, nobody is kept on the board for that: the next removal stops the rest. Anyone may leave; to remove
    somebody else takes an owner. Raises RoleTooLow, LastOwner.
    """
    if user_id != act.by and not view.role.covers(Role.OWNER):
        raise RoleTooLow(view.role, Role.OWNER)
    place = _place(view, user_id)
    if place is None and not running:
        return None
    if place is not None:
        _refuse_last_owner(view, place)
    return record(
        view,
        act,
        "member.removed",
        updates=timeclock.stopped_all(running, act.at),
        deletes=(place,) if place else (),
        data={"user_id": user_id},
    )


def _added(view: BoardView, user_id: str, role: Role, act: Act) -> tuple[Member, Change]:
    if len(view.members) >= MOST_MEMBERS:
        raise TooManyMembers(MOST_MEMBERS)
    new = Member(
        id=act.new_id("member"),
        board_id=view.board.id,
        user_id=user_id,
        role=role,
        version=1,
        created_at=act.at,
        updated_at=act.at,
    )
    data = {"user_id": user_id, "role": str(role)}
    return new, record(view, act, "member.added", creates=(new,), data=data)


def _place(view: BoardView, user_id: str) -> Member | None:
    return next((each for each in view.members if each.user_id == user_id), None)


def _refuse_last_owner(view: BoardView, place: Member) -> None:
    """Raise LastOwner if nobody but this member owns the board."""
    if all(each.id == place.id for each in view.members if each.role == Role.OWNER):
        raise LastOwner
