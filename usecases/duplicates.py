"""Find what in the store has an id or an external id that a change would give to something else, too."""

from kanban.changes import Change
from kanban.errors import ExternalIdTaken, IdTaken
from kanban.store import Store
from kanban.values import Board, Card, User


def ensure_no_duplicates(store: Store, change: Change) -> None:
    """Raise what a commit of the change would: IdTaken or ExternalIdTaken. The rules have looked at all other names."""
    for user in change.creates:
        if isinstance(user, User) and store.read_user(user.id) is not None:
            raise IdTaken("user")
    for board in change.updates if change.restores_board else change.creates:
        if isinstance(board, Board) and board.external_id is not None:
            holder_id = store.find_board_id(board.created_by, board.external_id)
            if holder_id not in (None, board.id):
                raise ExternalIdTaken("board")
    card_id = find_card_with_external_id(store, change)
    if card_id is not None:
        raise ExternalIdTaken("card", card_id)


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
