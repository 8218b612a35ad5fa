"""Labels of a board, and labels on cards."""

from typing import Any

from handlers import parse, serialize
from handlers.dependencies import IfMatch
from handlers.preconditions import ensure_current
from handlers.results import Result, card_result, new_resource, no_content, page
from kanban import labels, labels_and_assignees
from kanban.changes import ActionContext
from kanban.values import NewLabel
from usecases.board_access import BoardAccess


def list_labels(access: BoardAccess, board_id: str) -> Result:
    """List all labels of a board, oldest first."""
    return page(map(serialize.label, access.read_board(board_id).labels), None)


def create_label(access: BoardAccess, context: ActionContext, board_id: str, body: dict[str, Any]) -> Result:
    """Create a label on the board."""
    label, change = labels.create(access.read_board(board_id), context, NewLabel(**parse.label(body)))
    location = f"/boards/{board_id}/labels/{label.id}"
    return new_resource(serialize.label(label), etag=str(label.version), location=location, change=change)


def get_label(access: BoardAccess, board_id: str, label_id: str) -> Result:
    """Return one label."""
    label = access.read_board(board_id).get_label(label_id)
    return Result(serialize.label(label), etag=str(label.version))


def update_label(
    access: BoardAccess, context: ActionContext, if_match: IfMatch, board_id: str, label_id: str, body: dict[str, Any]
) -> Result:
    """Update the name or colour of a label. All cards with the label show the change."""
    view = access.read_board(board_id)
    ensure_current(if_match, access, view, view.get_label(label_id))
    label, change = labels.update(view, label_id, parse.label(body), context)
    return Result(serialize.label(label), etag=str(label.version), change=change)


def delete_label(
    access: BoardAccess, context: ActionContext, if_match: IfMatch, board_id: str, label_id: str
) -> Result:
    """Delete a label and remove it from all cards."""
    view = access.read_board(board_id)
    ensure_current(if_match, access, view, view.get_label(label_id))
    return no_content(labels.delete(view, label_id, context))


def label_card(access: BoardAccess, context: ActionContext, board_id: str, card_id: str, label_id: str) -> Result:
    """Add a label to a card."""
    view = access.read_board(board_id, card_ids=[card_id])
    card, change = labels_and_assignees.add_label(view, card_id, label_id, context)
    return card_result(card, view, context.at, change)


def unlabel_card(access: BoardAccess, context: ActionContext, board_id: str, card_id: str, label_id: str) -> Result:
    """Remove a label from a card."""
    view = access.read_board(board_id, card_ids=[card_id])
    card, change = labels_and_assignees.remove_label(view, card_id, label_id, context)
    return card_result(card, view, context.at, change)
