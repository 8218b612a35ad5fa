"""Checklists: the steps of a card, and their items."""

from typing import Any

from handlers import read, show
from handlers.answers import Answer, created, gone, page
from handlers.door import Door
from handlers.given import IfMatch
from kanban import checklist_items, checklists
from kanban.store import PartKey
from kanban.values import ActionContext, BoardView, Change, Checklist, ChecklistItem


def list_checklists(door: Door, board_id: str, card_id: str) -> Answer:
    """The card's checklists with their items, all of them."""
    view, found = door.checklists(board_id, card_id)
    view.get_card(card_id)
    return page((show.checklist(each, view) for each in found), None)


def create_checklist(door: Door, act: ActionContext, board_id: str, card_id: str, body: dict[str, Any]) -> Answer:
    """Make a checklist below those of the card."""
    view, there = door.checklists(board_id, card_id)
    made, change = checklists.create(view, card_id, there, act, **body)
    location = f"/boards/{board_id}/cards/{card_id}/checklists/{made.id}"
    etag = show.checklist_tag(made, view)
    return created(show.checklist(made, view), etag=etag, location=location, change=change)


def get_checklist(door: Door, board_id: str, card_id: str, checklist_id: str) -> Answer:
    """One checklist with its items."""
    view, checklist = _read(door, board_id, card_id, checklist_id)
    return _shown(checklist, view)


def update_checklist(
    door: Door,
    act: ActionContext,
    if_match: IfMatch,
    board_id: str,
    card_id: str,
    checklist_id: str,
    body: dict[str, Any],
) -> Answer:
    """Rename a checklist."""
    view, checklist = _read(door, board_id, card_id, checklist_id)
    if_match.admits(checklist.version)
    revised, change = checklists.update(view, checklist, body, act)
    return _shown(revised, view, change)


def delete_checklist(
    door: Door, act: ActionContext, if_match: IfMatch, board_id: str, card_id: str, checklist_id: str
) -> Answer:
    """Erase a checklist with its items."""
    view, checklist = _read(door, board_id, card_id, checklist_id)
    if_match.admits(checklist.version)
    return gone(checklists.delete(view, checklist, act))


def move_checklist(
    door: Door, act: ActionContext, board_id: str, card_id: str, checklist_id: str, body: dict[str, Any]
) -> Answer:
    """Put a checklist somewhere else on its card."""
    view, there = door.checklists(board_id, card_id)
    moved, change = checklists.move(view, card_id, there, checklist_id, act, **body)
    return _shown(moved, view, change)


def create_checklist_item(
    door: Door, act: ActionContext, board_id: str, card_id: str, checklist_id: str, body: dict[str, Any]
) -> Answer:
    """Add an item to a checklist."""
    view, checklist = _read(door, board_id, card_id, checklist_id)
    made, change = checklist_items.create(view, checklist, act, **read.checklist_item(body))
    location = f"/boards/{board_id}/cards/{card_id}/checklists/{checklist_id}/items/{made.id}"
    etag = show.checklist_item_tag(made, view)
    return created(show.checklist_item(made, view), etag=etag, location=location, change=change)


def get_checklist_item(door: Door, board_id: str, card_id: str, checklist_id: str, item_id: str) -> Answer:
    """One item."""
    view, checklist = _read(door, board_id, card_id, checklist_id)
    return _item_shown(checklist_items.get_item(checklist, item_id), view)


def update_checklist_item(
    door: Door,
    act: ActionContext,
    if_match: IfMatch,
    board_id: str,
    card_id: str,
    checklist_id: str,
    item_id: str,
    body: dict[str, Any],
) -> Answer:
    """Change an item; the card's progress follows."""
    view, checklist = _read(door, board_id, card_id, checklist_id)
    if_match.admits(checklist_items.get_item(checklist, item_id).version)
    revised, change = checklist_items.update(view, checklist, item_id, read.checklist_item(body), act)
    return _item_shown(revised, view, change)


def delete_checklist_item(
    door: Door, act: ActionContext, if_match: IfMatch, board_id: str, card_id: str, checklist_id: str, item_id: str
) -> Answer:
    """Erase an item."""
    view, checklist = _read(door, board_id, card_id, checklist_id)
    if_match.admits(checklist_items.get_item(checklist, item_id).version)
    return gone(checklist_items.delete(view, checklist, item_id, act))


def move_checklist_item(
    door: Door, act: ActionContext, board_id: str, card_id: str, checklist_id: str, item_id: str, body: dict[str, Any]
) -> Answer:
    """Put an item somewhere else in its checklist."""
    view, checklist = _read(door, board_id, card_id, checklist_id)
    moved, change = checklist_items.move(view, checklist, item_id, act, **body)
    return _item_shown(moved, view, change)


def convert_checklist_item(
    door: Door,
    act: ActionContext,
    board_id: str,
    card_id: str,
    checklist_id: str,
    item_id: str,
    body: dict[str, Any] | None = None,
) -> Answer:
    """Make a card of an item, which leaves its checklist."""
    view, checklist = _read(door, board_id, card_id, checklist_id)
    card, change = checklist_items.convert(view, checklist, item_id, act, **(body or {}))
    location = f"/boards/{board_id}/cards/{card.id}"
    etag = show.card_tag(card, view, act.at)
    return created(show.card(card, view, act.at), etag=etag, location=location, change=change)


def _read(door: Door, board_id: str, card_id: str, checklist_id: str) -> tuple[BoardView, Checklist]:
    """The board with the card and that checklist of it."""
    view = door.board(board_id, card_ids=[card_id], parts=[PartKey(Checklist, card_id, checklist_id)])
    return view, checklists.get_checklist(view, card_id, checklist_id)


def _shown(value: Checklist, view: BoardView, change: Change | None = None) -> Answer:
    return Answer(show.checklist(value, view), etag=show.checklist_tag(value, view), change=change)


def _item_shown(value: ChecklistItem, view: BoardView, change: Change | None = None) -> Answer:
    return Answer(show.checklist_item(value, view), etag=show.checklist_item_tag(value, view), change=change)
