"""Checklists: the steps of a card, and their items."""

from typing import Any

from handlers import parse, serialize
from handlers.dependencies import IfMatch
from handlers.results import Result, created, no_content, page
from kanban import checklist_items, checklists
from kanban.store import PartKey
from kanban.values import ActionContext, BoardView, Change, Checklist, ChecklistItem
from usecases.board_access import BoardAccess


def list_checklists(door: BoardAccess, board_id: str, card_id: str) -> Result:
    """The card's checklists with their items, all of them."""
    view, found = door.read_checklists(board_id, card_id)
    view.get_card(card_id)
    return page((serialize.checklist(each, view) for each in found), None)


def create_checklist(
    door: BoardAccess, act: ActionContext, board_id: str, card_id: str, body: dict[str, Any]
) -> Result:
    """Make a checklist below those of the card."""
    view, there = door.read_checklists(board_id, card_id)
    made, change = checklists.create(view, card_id, there, act, **body)
    location = f"/boards/{board_id}/cards/{card_id}/checklists/{made.id}"
    etag = serialize.checklist_tag(made, view)
    return created(serialize.checklist(made, view), etag=etag, location=location, change=change)


def get_checklist(door: BoardAccess, board_id: str, card_id: str, checklist_id: str) -> Result:
    """One checklist with its items."""
    view, checklist = _read_checklist(door, board_id, card_id, checklist_id)
    return _checklist_result(checklist, view)


def update_checklist(
    door: BoardAccess,
    act: ActionContext,
    if_match: IfMatch,
    board_id: str,
    card_id: str,
    checklist_id: str,
    body: dict[str, Any],
) -> Result:
    """Rename a checklist."""
    view, checklist = _read_checklist(door, board_id, card_id, checklist_id)
    if_match.ensure_matches(checklist.version)
    revised, change = checklists.update(view, checklist, body, act)
    return _checklist_result(revised, view, change)


def delete_checklist(
    door: BoardAccess, act: ActionContext, if_match: IfMatch, board_id: str, card_id: str, checklist_id: str
) -> Result:
    """Erase a checklist with its items."""
    view, checklist = _read_checklist(door, board_id, card_id, checklist_id)
    if_match.ensure_matches(checklist.version)
    return no_content(checklists.delete(view, checklist, act))


def move_checklist(
    door: BoardAccess, act: ActionContext, board_id: str, card_id: str, checklist_id: str, body: dict[str, Any]
) -> Result:
    """Put a checklist somewhere else on its card."""
    view, there = door.read_checklists(board_id, card_id)
    moved, change = checklists.move(view, card_id, there, checklist_id, act, **body)
    return _checklist_result(moved, view, change)


def create_checklist_item(
    door: BoardAccess, act: ActionContext, board_id: str, card_id: str, checklist_id: str, body: dict[str, Any]
) -> Result:
    """Add an item to a checklist."""
    view, checklist = _read_checklist(door, board_id, card_id, checklist_id)
    made, change = checklist_items.create(view, checklist, act, **parse.checklist_item(body))
    location = f"/boards/{board_id}/cards/{card_id}/checklists/{checklist_id}/items/{made.id}"
    etag = serialize.checklist_item_tag(made, view)
    return created(serialize.checklist_item(made, view), etag=etag, location=location, change=change)


def get_checklist_item(door: BoardAccess, board_id: str, card_id: str, checklist_id: str, item_id: str) -> Result:
    """One item."""
    view, checklist = _read_checklist(door, board_id, card_id, checklist_id)
    return _item_result(checklist_items.get_item(checklist, item_id), view)


def update_checklist_item(
    door: BoardAccess,
    act: ActionContext,
    if_match: IfMatch,
    board_id: str,
    card_id: str,
    checklist_id: str,
    item_id: str,
    body: dict[str, Any],
) -> Result:
    """Change an item; the card's progress follows."""
    view, checklist = _read_checklist(door, board_id, card_id, checklist_id)
    if_match.ensure_matches(checklist_items.get_item(checklist, item_id).version)
    revised, change = checklist_items.update(view, checklist, item_id, parse.checklist_item(body), act)
    return _item_result(revised, view, change)


def delete_checklist_item(
    door: BoardAccess,
    act: ActionContext,
    if_match: IfMatch,
    board_id: str,
    card_id: str,
    checklist_id: str,
    item_id: str,
) -> Result:
    """Erase an item."""
    view, checklist = _read_checklist(door, board_id, card_id, checklist_id)
    if_match.ensure_matches(checklist_items.get_item(checklist, item_id).version)
    return no_content(checklist_items.delete(view, checklist, item_id, act))


def move_checklist_item(
    door: BoardAccess,
    act: ActionContext,
    board_id: str,
    card_id: str,
    checklist_id: str,
    item_id: str,
    body: dict[str, Any],
) -> Result:
    """Put an item somewhere else in its checklist."""
    view, checklist = _read_checklist(door, board_id, card_id, checklist_id)
    moved, change = checklist_items.move(view, checklist, item_id, act, **body)
    return _item_result(moved, view, change)


def convert_checklist_item(
    door: BoardAccess,
    act: ActionContext,
    board_id: str,
    card_id: str,
    checklist_id: str,
    item_id: str,
    body: dict[str, Any] | None = None,
) -> Result:
    """Make a card of an item, which leaves its checklist."""
    view, checklist = _read_checklist(door, board_id, card_id, checklist_id)
    card, change = checklist_items.convert(view, checklist, item_id, act, **(body or {}))
    location = f"/boards/{board_id}/cards/{card.id}"
    etag = serialize.card_tag(card, view, act.at)
    return created(serialize.card(card, view, act.at), etag=etag, location=location, change=change)


def _read_checklist(door: BoardAccess, board_id: str, card_id: str, checklist_id: str) -> tuple[BoardView, Checklist]:
    """The board with the card and that checklist of it."""
    view = door.read_board(board_id, card_ids=[card_id], parts=[PartKey(Checklist, card_id, checklist_id)])
    return view, checklists.get_checklist(view, card_id, checklist_id)


def _checklist_result(value: Checklist, view: BoardView, change: Change | None = None) -> Result:
    return Result(serialize.checklist(value, view), etag=serialize.checklist_tag(value, view), change=change)


def _item_result(value: ChecklistItem, view: BoardView, change: Change | None = None) -> Result:
    return Result(serialize.checklist_item(value, view), etag=serialize.checklist_item_tag(value, view), change=change)
