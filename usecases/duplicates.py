"""Find what in the store has an external id that a change would give to a card, too."""

from kanban.changes import Change
from kanban.store import Store
from kanban.values import Board, Card


def find_card_with_external_id(store: Store, change: Change) -> str | None:
    """Return the id of the live card that has the external id of another card of the change, None if there is none.

    A change that makes a board has no such card, because nothing else is on it.
    """
    if any(isinstance(value, Board) for value in change.creates):
        return None
    for card in (*change.updates, *change.creates):
        if isinstance(card, Card) and card.external_id is not None and card.deleted_at is None:
            holder_id = store.find_card_id(card.board_id, card.external_id)
            if holder_id not in (None, card.id):
                return holder_id
    return None
