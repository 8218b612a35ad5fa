"""Checklists of a card, and their items."""

from typing import Any

from handlers import entity_tags, parse, serialize
from handlers.dependencies import IfMatch
from handlers.preconditions import ensure_current
from handlers.results import Result, new_card_result, new_resource, no_content, page
from kanban import checklist_items, checklists
from kanban.changes import ActionContext, Change
from kanban.store import PartKey
from kanban.values import Checklist, ChecklistItem, NewChecklist, NewChecklistItem
from kanban.views import BoardView
from usecases.board_access import BoardAccess


def list_checklists(access: BoardAccess, board_id: str, card_id: str) -> Result:
    """List all checklists of a card with their items."""
    view, card_checklists = access.read_checklists(board_id, card_id)
    view.get_card(card_id)
    return page((serialize.checklist(checklist, view) for checklist in card_checklists), None)


def create_checklist(
    access: BoardAccess, context: ActionContext, board_id: str, card_id: str, body: dict[str, Any]
) -> Result:
    """Create a checklist as the last one of the card."""
    view, card_checklists = access.read_checklists(board_id, card_id)
    checklist, change = checklists.create(view, card_id, card_checklists, context, NewChecklist(**body))
    location = f"/boards/{board_id}/cards/{card_id}/checklists/{checklist.id}"
    etag = entity_tags.checklist_tag(checklist, view)
    return new_resource(serialize.checklist(checklist, view), etag=etag, location=location, change=change)


def get_checklist(access: BoardAccess, board_id: str, card_id: str, checklist_id: str) -> Result:
    """Return one checklist with its items."""
    view, checklist = _read_checklist(access, board_id, card_id, checklist_id)
    return _checklist_result(checklist, view)


def update_checklist(
    access: BoardAccess,
    context: ActionContext,
    if_match: IfMatch,
    board_id: str,
    card_id: str,
    checklist_id: str,
    body: dict[str, Any],
) -> Result:
    """Rename a checklist."""
    view, checklist = _read_checklist(access, board_id, card_id, checklist_id)
    ensure_current(if_match, access, view, checklist)
    checklist, change = checklists.update(view, checklist, body, context)
    return _checklist_result(checklist, view, change)


def delete_checklist(
    access: BoardAccess, context: ActionContext, if_match: IfMatch, board_id: str, card_id: str, checklist_id: str
) -> Result:
    """Delete a checklist with its items, for good."""
    view, checklist = _read_checklist(access, board_id, card_id, checklist_id)
    ensure_current(if_match, access, view, checklist)
    return no_content(checklists.delete(view, checklist, context))


def move_checklist(
    access: BoardAccess, context: ActionContext, board_id: str, card_id: str, checklist_id: str, body: dict[str, Any]
) -> Result:
    """Move a checklist within its card."""
    view, card_checklists = access.read_checklists(board_id, card_id)
    checklist, change = checklists.move(view, card_id, card_checklists, checklist_id, context, **body)
    return _checklist_result(checklist, view, change)


def create_checklist_item(
    access: BoardAccess, context: ActionContext, board_id: str, card_id: str, checklist_id: str, body: dict[str, Any]
) -> Result:
    """Create an item in a checklist."""
    view, checklist = _read_checklist(access, board_id, card_id, checklist_id)
    item, change = checklist_items.create(view, checklist, context, NewChecklistItem(**parse.checklist_item(body)))
    location = f"/boards/{board_id}/cards/{card_id}/checklists/{checklist_id}/items/{item.id}"
    etag = entity_tags.checklist_item_tag(item, view)
    return new_resource(serialize.checklist_item(item, view), etag=etag, location=location, change=change)


def get_checklist_item(access: BoardAccess, board_id: str, card_id: str, checklist_id: str, item_id: str) -> Result:
    """Return one item."""
    view, checklist = _read_checklist(access, board_id, card_id, checklist_id)
    return _item_result(checklist_items.get_item(checklist, item_id), view)


def update_checklist_item(
    access: BoardAccess,
    context: ActionContext,
    if_match: IfMatch,
    board_id: str,
    card_id: str,
    checklist_id: str,
    item_id: str,
    body: dict[str, Any],
) -> Result:
    """Update an item, and with it the card's progress."""
    view, checklist = _read_checklist(access, board_id, card_id, checklist_id)
    ensure_current(if_match, access, view, checklist_items.get_item(checklist, item_id))
    item, change = checklist_items.update(view, checklist, item_id, parse.checklist_item(body), context)
    return _item_result(item, view, change)


def delete_checklist_item(
    access: BoardAccess,
    context: ActionContext,
    if_match: IfMatch,
    board_id: str,
    card_id: str,
    checklist_id: str,
    item_id: str,
) -> Result:
    """Delete an item, for good."""
    view, checklist = _read_checklist(access, board_id, card_id, checklist_id)
    ensure_current(if_match, access, view, checklist_items.get_item(checklist, item_id))
    return no_content(checklist_items.delete(view, checklist, item_id, context))


def move_checklist_item(
    access: BoardAccess,
    context: ActionContext,
    board_id: str,
    card_id: str,
    checklist_id: str,
    item_id: str,
    body: dict[str, Any],
) -> Result:
    """Move an item within its checklist."""
    view, checklist = _read_checklist(access, board_id, card_id, checklist_id)
    item, change = checklist_items.move(view, checklist, item_id, context, **body)
    return _item_result(item, view, change)


def convert_checklist_item(
    access: BoardAccess,
    context: ActionContext,
    board_id: str,
    card_id: str,
    checklist_id: str,
    item_id: str,
    body: dict[str, Any] | None = None,
) -> Result:
    """Create a card from an item and delete the item."""
    view, checklist = _read_checklist(access, board_id, card_id, checklist_id)
    card, change = checklist_items.convert(view, checklist, item_id, context, **(body or {}))
    return new_card_result(card, view, context.at, change)


def _read_checklist(access: BoardAccess, board_id: str, card_id: str, checklist_id: str) -> tuple[BoardView, Checklist]:
    """Read the board with the card and one of its checklists."""
    view = access.read_board(board_id, card_ids=[card_id], parts=[PartKey(Checklist, card_id, checklist_id)])
    return view, checklists.get_checklist(view, card_id, checklist_id)


def _checklist_result(checklist: Checklist, view: BoardView, change: Change | None = None) -> Result:
    return Result(serialize.checklist(checklist, view), etag=entity_tags.checklist_tag(checklist, view), change=change)


def _item_result(item: ChecklistItem, view: BoardView, change: Change | None = None) -> Result:
    return Result(serialize.checklist_item(item, view), etag=entity_tags.checklist_item_tag(item, view), change=change)
