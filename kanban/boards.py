"""Boards: create, update, delete."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from kanban.changes import ActionContext, Change, build_change
from kanban.ordering import ranks
from kanban.patches import apply_patch, replace_nulls
from kanban.timekeeping import card_clock
from kanban.values import Board, Card, Enforcement, Event, List, Member, Role, Stage
from kanban.views import BoardView

_EDITABLE_FIELDS = frozenset({"name", "description", "hourly_rate_minor"})
_NULL_REPLACEMENTS = {"description": "", "hourly_rate_minor": 0}
_DEFAULT_LISTS: Sequence[Mapping[str, Any]] = (
    {"name": "To do", "stage": Stage.TODO},
    {"name": "Doing", "stage": Stage.IN_PROGRESS},
    {"name": "Done", "stage": Stage.DONE},
)


def create(
    context: ActionContext,
    *,
    name: str,
    description: str = "",
    currency: str = "USD",
    hourly_rate_minor: int = 0,
    lists: Sequence[Mapping[str, Any]] | None = None,
) -> tuple[BoardView, Change]:
    """Create a board owned by the actor; return its view and the change.

    Each of `lists` has a name and a stage, and may have a wip_limit and a wip_enforcement. The default is 'To do',
    'Doing' and 'Done'.
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
    definitions = _DEFAULT_LISTS if lists is None else lists
    list_values = tuple(
        _build_list(board.id, context, rank, definition)
        for definition, rank in zip(definitions, ranks.sequence_after("", len(definitions)), strict=True)
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
    board, changed_fields = apply_patch(view.board, replace_nulls(patch, _NULL_REPLACEMENTS), _EDITABLE_FIELDS, context)
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


def _build_list(board_id: str, context: ActionContext, rank: str, definition: Mapping[str, Any]) -> List:
    return List(
        id=context.new_id("list"),
        board_id=board_id,
        name=definition["name"],
        stage=Stage(definition["stage"]),
        rank=rank,
        wip_limit=definition.get("wip_limit"),
        wip_enforcement=Enforcement(definition.get("wip_enforcement") or Enforcement.WARN),
        external_id=definition.get("external_id"),
        card_count=0,
        first_rank="",
        last_rank="",
        version=1,
        created_at=context.at,
        updated_at=context.at,
    )
