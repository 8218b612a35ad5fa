"""Archive, unarchive and restore cards, lists and boards."""

from handlers import entity_tags, serialize
from handlers.results import Result, card_result, list_result
from kanban import archive
from kanban.changes import ActionContext, Change
from kanban.values import Board
from kanban.views import BoardView
from usecases.board_access import BoardAccess


def archive_card(access: BoardAccess, context: ActionContext, board_id: str, card_id: str) -> Result:
    """Archive a card and stop its clock."""
    view = access.read_board(board_id, card_ids=[card_id])
    card, change = archive.archive_card(view, card_id, context)
    return card_result(card, view, context.at, change)


def unarchive_card(access: BoardAccess, context: ActionContext, board_id: str, card_id: str) -> Result:
    """Unarchive a card at its old position."""
    view = access.read_board(board_id, card_ids=[card_id])
    card, change = archive.unarchive_card(view, card_id, context)
    return card_result(card, view, context.at, change)


def restore_card(access: BoardAccess, context: ActionContext, board_id: str, card_id: str) -> Result:
    """Restore a deleted card at its old position."""
    view = access.read_board_with_deleted(board_id, card_ids=[card_id])
    card, change = archive.restore_card(view, card_id, context)
    return card_result(card, view, context.at, change)


def archive_list(access: BoardAccess, context: ActionContext, board_id: str, list_id: str) -> Result:
    """Archive a list with its cards and stop their clocks."""
    view, running = access.read_running_cards(board_id, list_id)
    return list_result(*archive.archive_list(view, list_id, context, running))


def unarchive_list(access: BoardAccess, context: ActionContext, board_id: str, list_id: str) -> Result:
    """Unarchive a list with its cards."""
    return list_result(*archive.unarchive_list(access.read_board(board_id), list_id, context))


def restore_list(access: BoardAccess, context: ActionContext, board_id: str, list_id: str) -> Result:
    """Restore a deleted list with its cards, as the last list."""
    return list_result(
        *archive.restore_list(access.read_board_with_deleted(board_id, list_ids=[list_id]), list_id, context)
    )


def archive_board(access: BoardAccess, context: ActionContext, board_id: str) -> Result:
    """Archive a board and stop the clocks of its cards."""
    view, running = access.read_running_cards(board_id)
    board, change = archive.archive_board(view, context, running)
    return _board_result(board, view, change)


def unarchive_board(access: BoardAccess, context: ActionContext, board_id: str) -> Result:
    """Unarchive a board."""
    view = access.read_board(board_id)
    board, change = archive.unarchive_board(view, context)
    return _board_result(board, view, change)


def restore_board(access: BoardAccess, context: ActionContext, board_id: str) -> Result:
    """Restore a deleted board with everything on it."""
    view = access.read_deleted_board(board_id)
    board, change = archive.restore_board(view, context)
    return _board_result(board, view, change)


def _board_result(board: Board, view: BoardView, change: Change | None) -> Result:
    return Result(serialize.board(board, view.role), etag=entity_tags.board_tag(board), change=change)
