"""Changes, before any engine writes them."""

from kanban.changes import Change
from kanban.values import Board, Token, User


def validate_change(change: Change) -> None:
    """Refuse, with ValueError, a change that no rule could have meant."""
    values = (*change.creates, *change.updates, *change.deletes)
    event = change.event
    if event is None:
        if not all(isinstance(each, User | Token) for each in values):
            raise ValueError("What belongs to a board is written with an event.")
        return
    made = [(each.id, each.seq) for each in change.creates if isinstance(each, Board)]
    if (made or [(each.id, each.seq) for each in change.updates if isinstance(each, Board)]) != [
        (event.board_id, event.seq)
    ]:
        raise ValueError("A change with an event holds its board, at the event's seq.")
    for each in values:
        board_id = None if isinstance(each, User | Token) else each.id if isinstance(each, Board) else each.board_id
        if board_id != event.board_id:
            raise ValueError("A change with an event writes to one board.")
    if change.departure is not None:
        validate_change(change.departure)
