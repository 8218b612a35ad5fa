"""What a change holds, as the writers of DynamoDB ask for it."""

from collections.abc import Iterable
from typing import TypeVar

from kanban.changes import Change
from kanban.values import Board, Card

Kind = TypeVar("Kind")


def of_type(kind: type[Kind], values: Iterable[object]) -> list[Kind]:
    """Return those of the values that are of that type."""
    return [value for value in values if isinstance(value, kind)]


def creates_board(change: Change) -> bool:
    """Tell whether the change creates its board."""
    return any(isinstance(value, Board) for value in change.creates)


def get_arriving_card(change: Change) -> Card | None:
    """Return the card that comes from another board, if there is one."""
    if change.departure is None or change.departure.event is None:
        return None
    card_id = change.departure.event.card_id
    return next((card for card in of_type(Card, change.updates) if card_id in (None, card.id)), None)
