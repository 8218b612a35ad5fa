"""Boards: create, update, delete."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from kanban.changes import ActionContext, Change, build_change
from kanban.lists import build_list
from kanban.ordering import ranks
from kanban.patches import apply_patch, replace_nulls
from kanban.timekeeping import card_clock
from kanban.values import Board, Card, Event, Member, NewList, Role, Stage
from kanban.views import BoardView

_DEFAULT_LISTS = (
    NewList("To do", Stage.TODO),
    NewList("Doing", Stage.IN_PROGRESS),
    NewList("Done", Stage.DONE),
)


def create(
    context: ActionContext,
    *,
    name: str,
    description: str = "",
    currency: str = "USD",
    hourly_rate_minor: int = 0,
    lists: Sequence[NewList] = _DEFAULT_LISTS,
) -> tuple[BoardView, Change]:
    """Create a board owned by the actor; return its view and the change.

    Its lists are the given ones in their order, by default 'To do', 'Doing' and 'Done'.
    """
    board = Board(
        id=context.new_id("board"),
        name=name,
        description=description,
        currency=currency,
        hourly_rate_minor=hourly_rate_minor,
        external_id=None,
        created_by=context.actor_id,
        seq=1,
        version=1,
        created_at=context.at,
        updated_at=context.at,
    )
    list_values = tuple(
        build_list(new, context.new_id("list"), board.id, rank, context.at)
        for new, rank in zip(lists, ranks.sequence_after("", len(lists)), strict=True)
    )
    owner = Member(
        id=context.new_id("member"),
        board_id=board.id,
        user_id=context.actor_id,
        role=Role.OWNER,
        version=1,
        created_at=context.at,
        updated_at=context.at,
    )
    event = Event(
        board_id=board.id, seq=1, type="board.created", at=context.at, actor_id=context.actor_id, data={"name": name}
    )
    return BoardView(board, Role.OWNER, list_values, members=(owner,)), Change(
        creates=(board, owner, *list_values), event=event
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
