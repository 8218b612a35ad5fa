"""The archive and the trash: cards, lists and boards that are put away, and how they come back."""

from handlers import show
from handlers.answers import Answer
from handlers.door import Door
from kanban import shelves
from kanban.values import ActionContext, Board, BoardView, Card, Change, List


def archive_card(door: Door, act: ActionContext, board_id: str, card_id: str) -> Answer:
    """Put a card away; its clock stops."""
    view = door.board(board_id, card_ids=[card_id])
    return _card_shown(*shelves.archive_card(view, card_id, act), view, act)


def unarchive_card(door: Door, act: ActionContext, board_id: str, card_id: str) -> Answer:
    """Take a card out of the archive, to the place where it was."""
    view = door.board(board_id, card_ids=[card_id])
    return _card_shown(*shelves.unarchive_card(view, card_id, act), view, act)


def restore_card(door: Door, act: ActionContext, board_id: str, card_id: str) -> Answer:
    """Bring a deleted card back, to the place where it was."""
    view = door.deleted(board_id, card_ids=[card_id])
    return _card_shown(*shelves.restore_card(view, card_id, act), view, act)


def archive_list(door: Door, act: ActionContext, board_id: str, list_id: str) -> Answer:
    """Put a list away with its cards; their clocks stop."""
    view, running = door.running(board_id, list_id)
    return _list_shown(*shelves.archive_list(view, list_id, act, running))


def unarchive_list(door: Door, act: ActionContext, board_id: str, list_id: str) -> Answer:
    """Take a list out of the archive, with its cards."""
    return _list_shown(*shelves.unarchive_list(door.board(board_id), list_id, act))


def restore_list(door: Door, act: ActionContext, board_id: str, list_id: str) -> Answer:
    """Bring a deleted list back with its cards, as the last one."""
    return _list_shown(*shelves.restore_list(door.deleted(board_id, list_ids=[list_id]), list_id, act))


def archive_board(door: Door, act: ActionContext, board_id: str) -> Answer:
    """Take a board out of sight; the clocks of its cards stop."""
    view, running = door.running(board_id)
    return _board_shown(*shelves.archive_board(view, act, running), view)


def unarchive_board(door: Door, act: ActionContext, board_id: str) -> Answer:
    """Take a board out of the archive."""
    view = door.board(board_id)
    return _board_shown(*shelves.unarchive_board(view, act), view)


def restore_board(door: Door, act: ActionContext, board_id: str) -> Answer:
    """Bring a deleted board back with all that was on it."""
    view = door.deleted_board(board_id)
    return _board_shown(*shelves.restore_board(view, act), view)


def _card_shown(card: Card, change: Change | None, view: BoardView, act: ActionContext) -> Answer:
    return Answer(show.card(card, view, act.at), etag=show.card_tag(card, view, act.at), change=change)


def _list_shown(value: List, change: Change | None) -> Answer:
    return Answer(show.list_(value), etag=show.list_tag(value), change=change)


def _board_shown(board: Board, change: Change | None, view: BoardView) -> Answer:
    return Answer(show.board(board, view.role), etag=show.board_tag(board), change=change)
