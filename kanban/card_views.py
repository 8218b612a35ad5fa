"""Card views: cards as responses show them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from kanban.fields import Field, compile_constructor, describe
from kanban.timekeeping.timestamps import format_utc
from kanban.values import Card, Link, Stage, TimeEntry
from kanban.views import BoardView


@dataclass(frozen=True, slots=True)
class CardView:
    """A card as a member sees it at one moment. Nothing is decided from it, so its timestamps stay text.

    Its fields are those of a `Card`, but `status` is the stage of its list, `label_ids` has no deleted labels,
    `assignee_ids` are the sorted user ids of members, and `currency` is the board's.
    """

    id: str
    board_id: str
    list_id: str
    title: str
    description: str
    status: Stage
    external_id: str | None
    rank: str
    start_at: str | None
    due_at: str | None
    due_complete: bool
    hourly_rate_minor: int | None
    label_ids: tuple[str, ...]
    assignee_ids: tuple[str, ...]
    links: tuple[Link, ...]
    comment_count: int
    item_count: int
    done_count: int
    started_at: str | None
    resolved_at: str | None
    tracked_seconds: int
    tracked_cost: int
    running: TimeEntry | None
    currency: str
    version: int
    created_at: str
    updated_at: str
    archived_at: str | None
    deleted_at: str | None


_FIELDS_OF_BOARD = {
    "status": "board_view.get_list_of(card).stage",
    "label_ids": "tuple(board_view.get_label_ids(card))",
    "assignee_ids": "tuple(board_view.get_assignee_ids(card))",
    "currency": "board_view.board.currency",
}
_TIMES = {field.name for field in describe(Card) if field.type is datetime}


def _view_field(field: Field) -> str:
    if field.name in _FIELDS_OF_BOARD:
        return _FIELDS_OF_BOARD[field.name]
    value = f"card.{field.name}"
    if field.name not in _TIMES:
        return value
    return f"format_utc({value}) if {value} is not None else None" if field.is_optional else f"format_utc({value})"


view_card: Callable[[Card, BoardView], CardView] = compile_constructor(
    "view_card", CardView, ("card", "board_view"), _view_field, {"format_utc": format_utc}
)
"""Return a card as the member sees it who has that view of the board."""
