"""Labels: words with a colour, and the cards that bear them."""

from typing import Any

from handlers import serialize
from handlers.dependencies import IfMatch
from handlers.results import Result, created, no_content, page
from kanban import labels, labels_and_assignees
from kanban.changes import ActionContext
from usecases.board_access import BoardAccess


def list_labels(access: BoardAccess, board_id: str) -> Result:
    """The board's labels, the oldest first, all of them."""
    return page(map(serialize.label, access.read_board(board_id).labels), None)


def create_label(access: BoardAccess, context: ActionContext, board_id: str, body: dict[str, Any]) -> Result:
    """Add a label to the board."""
    label, change = labels.create(access.read_board(board_id), context, **body)
    location = f"/boards/{board_id}/labels/{label.id}"
    return created(serialize.label(label), etag=str(label.version), location=location, change=change)


def get_label(access: BoardAccess, board_id: str, label_id: str) -> Result:
    """One label."""
    label = access.read_board(board_id).get_label(label_id)
    return Result(serialize.label(label), etag=str(label.version))


def update_label(
    access: BoardAccess, context: ActionContext, if_match: IfMatch, board_id: str, label_id: str, body: dict[str, Any]
) -> Result:
    """Give a label another name or colour, on all cards that bear it."""
    view = access.read_board(board_id)
    if_match.ensure_matches(view.get_label(label_id).version)
    label, change = labels.update(view, label_id, body, context)
    return Result(serialize.label(label), etag=str(label.version), change=change)


def delete_label(
    access: BoardAccess, context: ActionContext, if_match: IfMatch, board_id: str, label_id: str
) -> Result:
    """Delete a label; no card bears it any more."""
    view = access.read_board(board_id)
    if_match.ensure_matches(view.get_label(label_id).version)
    return no_content(labels.delete(view, label_id, context))


def label_card(access: BoardAccess, context: ActionContext, board_id: str, card_id: str, label_id: str) -> Result:
    """Put a label on a card."""
    view = access.read_board(board_id, card_ids=[card_id])
    card, change = labels_and_assignees.add_label(view, card_id, label_id, context)
    return Result(
        serialize.card(card, view, context.at), etag=serialize.card_tag(card, view, context.at), change=change
    )


def unlabel_card(access: BoardAccess, context: ActionContext, board_id: str, card_id: str, label_id: str) -> Result:
    """Take a label off a card."""
    view = access.read_board(board_id, card_ids=[card_id])
    card, change = labels_and_assignees.remove_label(view, card_id, label_id, context)
    return Result(
        serialize.card(card, view, context.at), etag=serialize.card_tag(card, view, context.at), change=change
    )
