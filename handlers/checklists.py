"""Checklists: the steps of a card, and their items."""

from typing import Any

from handlers import parse, serialize
from handlers.dependencies import IfMatch
from handlers.results import Result, created, no_content, page
from kanban import checklist_items, checklists
from kanban.changes import ActionContext, Change
from kanban.store import PartKey
from kanban.values import Checklist, ChecklistItem
from kanban.views import BoardView
from usecases.board_access import BoardAccess


def list_checklists(access: BoardAccess, board_id: str, card_id: str) -> Result:
    """The card's checklists with their items, all of them."""
    view, found = access.read_checklists(board_id, card_id)
    view.get_card(card_id)
    return page((serialize.checklist(each, view) for each in found), None)


def create_checklist(
    access: BoardAccess, context: ActionContext, board_id: str, card_id: str, body: dict[str, Any]
) -> Result:
    """Make a checklist below those of the card."""
    view, there = access.read_checklists(board_id, card_id)
    made, change = checklists.create(view, card_id, there, context, **body)
    location = f"/boards/{board_id}/cards/{card_id}/checklists/{made.id}"
    etag = serialize.checklist_tag(made, view)
    return created(serialize.checklist(made, view), etag=etag, location=location, change=change)


def get_checklist(access: BoardAccess, board_id: str, card_id: str, checklist_id: str) -> Result:
    """One checklist with its items."""
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
    if_match.ensure_matches(checklist.version)
    revised, change = checklists.update(view, checklist, body, context)
    return _checklist_result(revised, view, change)


def delete_checklist(
    access: BoardAccess, context: ActionContext, if_match: IfMatch, board_id: str, card_id: str, checklist_id: str
) -> Result:
    """Erase a checklist with its items."""
    view, checklist = _read_checklist(access, board_id, card_id, checklist_id)
    if_match.ensure_matches(checklist.version)
    return no_content(checklists.delete(view, checklist, context))


def move_checklist(
    access: BoardAccess, context: ActionContext, board_id: str, card_id: str, checklist_id: str, body: dict[str, Any]
) -> Result:
    """Put a checklist somewhere else on its card."""
    view, there = access.read_checklists(board_id, card_id)
    moved, change = checklists.move(view, card_id, there, checklist_id, context, **body)
    return _checklist_result(moved, view, change)


def create_checklist_item(
    access: BoardAccess, context: ActionContext, board_id: str, card_id: str, checklist_id: str, body: dict[str, Any]
) -> Result:
    """Add an item to a checklist."""
    view, checklist = _read_checklist(access, board_id, card_id, checklist_id)
    made, change = checklist_items.create(view, checklist, context, **parse.checklist_item(body))
    location = f"/boards/{board_id}/cards/{card_id}/checklists/{checklist_id}/items/{made.id}"
    etag = serialize.checklist_item_tag(made, view)
    return created(serialize.checklist_item(made, view), etag=etag, location=location, change=change)


def get_checklist_item(access: BoardAccess, board_id: str, card_id: str, checklist_id: str, item_id: str) -> Result:
    """One item."""
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
    """Change an item; the card's progress follows."""
    view, checklist = _read_checklist(access, board_id, card_id, checklist_id)
    if_match.ensure_matches(checklist_items.get_item(checklist, item_id).version)
    revised, change = checklist_items.update(view, checklist, item_id, parse.checklist_item(body), context)
    return _item_result(revised, view, change)


def delete_checklist_item(
    access: BoardAccess,
    context: ActionContext,
    if_match: IfMatch,
    board_id: str,
    card_id: str,
    checklist_id: str,
    item_id: str,
) -> Result:
    """Erase an item."""
    view, checklist = _read_checklist(access, board_id, card_id, checklist_id)
    if_match.ensure_matches(checklist_items.get_item(checklist, item_id).version)
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
    """Put an item somewhere else in its checklist."""
    view, checklist = _read_checklist(access, board_id, card_id, checklist_id)
    moved, change = checklist_items.move(view, checklist, item_id, context, **body)
    return _item_result(moved, view, change)


def convert_checklist_item(
    access: BoardAccess,
    context: ActionContext,
    board_id: str,
    card_id: str,
    checklist_id: str,
    item_id: str,
    body: dict[str, Any] | None = None,
) -> Result:
    """Make a card of an item, which leaves its checklist."""
    view, checklist = _read_checklist(access, board_id, card_id, checklist_id)
    card, change = checklist_items.convert(view, checklist, item_id, context, **(body or {}))
    location = f"/boards/{board_id}/cards/{card.id}"
    etag = serialize.card_tag(card, view, context.at)
    return created(serialize.card(card, view, context.at), etag=etag, location=location, change=change)


def _read_checklist(access: BoardAccess, board_id: str, card_id: str, checklist_id: str) -> tuple[BoardView, Checklist]:
    """The board with the card and that checklist of it."""
    view = access.read_board(board_id, card_ids=[card_id], parts=[PartKey(Checklist, card_id, checklist_id)])
    return view, checklists.get_checklist(view, card_id, checklist_id)


def _checklist_result(value: Checklist, view: BoardView, change: Change | None = None) -> Result:
    return Result(serialize.checklist(value, view), etag=serialize.checklist_tag(value, view), change=change)


def _item_result(value: ChecklistItem, view: BoardView, change: Change | None = None) -> Result:
    return Result(serialize.checklist_item(value, view), etag=serialize.checklist_item_tag(value, view), change=change)
