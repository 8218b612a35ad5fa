"""Archive, unarchive and restore cards, lists and boards."""

from handlers import entity_tags, serialize
from handlers.results import Result
from kanban import archive
from kanban.changes import ActionContext, Change
from kanban.values import Board, Card, List
from kanban.views import BoardView
from usecases.board_access import BoardAccess


def archive_card(access: BoardAccess, context: ActionContext, board_id: str, card_id: str) -> Result:
    """Archive a card and stop its clock."""
    view = access.read_board(board_id, card_ids=[card_id])
    return _card_result(*archive.archive_card(view, card_id, context), view, context)


def unarchive_card(access: BoardAccess, context: ActionContext, board_id: str, card_id: str) -> Result:
    """Unarchive a card at its old position."""
    view = access.read_board(board_id, card_ids=[card_id])
    return _card_result(*archive.unarchive_card(view, card_id, context), view, context)


def restore_card(access: BoardAccess, context: ActionContext, board_id: str, card_id: str) -> Result:
    """Restore a deleted card at its old position."""
    view = access.read_board_with_deleted(board_id, card_ids=[card_id])
    return _card_result(*archive.restore_card(view, card_id, context), view, context)


def archive_list(access: BoardAccess, context: ActionContext, board_id: str, list_id: str) -> Result:
    """Archive a list with its cards and stop their clocks."""
    view, running = access.read_running_cards(board_id, list_id)
    return _list_result(*archive.archive_list(view, list_id, context, running))


def unarchive_list(access: BoardAccess, context: ActionContext, board_id: str, list_id: str) -> Result:
    """Unarchive a list with its cards."""
    return _list_result(*archive.unarchive_list(access.read_board(board_id), list_id, context))


def restore_list(access: BoardAccess, context: ActionContext, board_id: str, list_id: str) -> Result:
    """Restore a deleted list with its cards, as the last list."""
    return _list_result(
        *archive.restore_list(access.read_board_with_deleted(board_id, list_ids=[list_id]), list_id, context)
    )


def archive_board(access: BoardAccess, context: ActionContext, board_id: str) -> Result:
    """Archive a board and stop the clocks of its cards."""
    view, running = access.read_running_cards(board_id)
    return _board_result(*archive.archive_board(view, context, running), view)


def unarchive_board(access: BoardAccess, context: ActionContext, board_id: str) -> Result:
    """Unarchive a board."""
    view = access.read_board(board_id)
    return _board_result(*archive.unarchive_board(view, context), view)


def restore_board(access: BoardAccess, context: ActionContext, board_id: str) -> Result:
    """Restore a deleted board with everything on it."""
    view = access.read_deleted_board(board_id)
    return _board_result(*archive.restore_board(view, context), view)


def _card_result(card: Card, change: Change | None, view: BoardView, context: ActionContext) -> Result:
    return Result(
        serialize.card(card, view, context.at), etag=entity_tags.card_tag(card, view, context.at), change=change
    )


def _list_result(list_: List, change: Change | None) -> Result:
    return Result(serialize.list_(list_), etag=entity_tags.list_tag(list_), change=change)


def _board_result(board: Board, change: Change | None, view: BoardView) -> Result:
    return Result(serialize.board(board, view.role), etag=entity_tags.board_tag(board), change=change)
