"""Convert cards to card views."""

from collections.abc import Callable
from datetime import datetime

from kanban.fields import Field, compile_constructor, describe
from kanban.timekeeping.timestamps import format_utc
from kanban.values import Card, CardView
from kanban.views import BoardView

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
