"""Boards: create, update, delete."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from kanban.changes import ActionContext, Change, build_change, build_event
from kanban.errors import Conflict
from kanban.fields import editable_fields
from kanban.lists import build_list
from kanban.members import build_member
from kanban.ordering import ranks
from kanban.patches import apply_patch, replace_nulls
from kanban.timekeeping import card_clock
from kanban.values import Board, Card, NewBoard, Role
from kanban.views import BoardView


class OtherHistory(Conflict):
    """Raised when a client names a history that the board doesn't have, or a seq that it has not got to."""

    code = "other_history"

    def __init__(self) -> None:
        super().__init__("The board has another history: read it again, and follow its events from its seq.")


def ensure_history(board: Board, history: str | None, after: int) -> None:
    """Raise OtherHistory unless the board has this history and has got to that seq. None is any history."""
    if history is not None and (history != board.get_history() or after > board.seq):
        raise OtherHistory


class TooManyBoards(Conflict):
    """Raised when a user has created as many boards as the installation lets a user have."""

    code = "too_many_boards"

    def __init__(self, maximum: int) -> None:
        super().__init__(f"You have created {maximum} boards, the most a user may have here: delete one first.")


class TooManyBytes(Conflict):
    """Raised when text is added although the boards of a user hold as much as the installation lets them hold."""

    code = "too_many_bytes"

    def __init__(self, counted: int, maximum: int) -> None:
        super().__init__(
            f"The cards on the boards that one user has created take {counted:,} bytes of text, and {maximum:,} are "
            "the most that a user may have here: delete cards or boards first, and try again in a minute."
        )


def create(context: ActionContext, new: NewBoard) -> tuple[BoardView, Change]:
    """Create a board owned by the actor; return its view and the change."""
    board = build_board(new, context.new_id("board"), context.actor_id, context.at)
    lists = tuple(
        build_list(new_list, context.new_id("list"), board.id, rank, context.at)
        for new_list, rank in zip(new.lists, ranks.sequence_after("", len(new.lists)), strict=True)
    )
    owner = build_member(board.id, context.actor_id, Role.OWNER, context)
    event = build_event(context, board.id, 1, "board.created", data={"name": board.name})
    view = BoardView(board, Role.OWNER, lists, members=(owner,))
    return view, Change(creates=(board, owner, *lists), event=event)


def build_board(new: NewBoard, board_id: str, created_by: str, at: datetime) -> Board:
    """Build a board that nothing has happened to yet."""
    content = {name: getattr(new, name) for name in editable_fields(Board)}
    return Board(
        id=board_id,
        **content,
        currency=new.currency,
        external_id=None,
        created_by=created_by,
        seq=1,
        version=1,
        created_at=at,
        updated_at=at,
    )


def update(view: BoardView, patch: Mapping[str, Any], context: ActionContext) -> tuple[Board, Change | None]:
    """Apply a patch of name, description (None: empty) and hourly_rate_minor (None: 0) to the board.

    A new rate applies to time entries that open from now on.
    """
    board, changed_fields = apply_patch(view.board, replace_nulls(patch, Board), context)
    if not changed_fields:
        return board, None
    change = build_change(view, context, "board.updated", board=board, data={"changed": changed_fields})
    return replace(board, seq=board.seq + 1), change


def delete(view: BoardView, context: ActionContext, running_cards: Sequence[Card] | None = ()) -> Change:
    """Mark the board as deleted: it and everything on it disappear at once.

    `running_cards` are as in `kanban.lists.delete`.
    """
    board = replace(view.board, deleted_at=context.at, updated_at=context.at, version=view.board.version + 1)
    return build_change(
        view, context, "board.deleted", board=board, updates=card_clock.stop_clocks(running_cards or (), context.at)
    )
