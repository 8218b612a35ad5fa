"""Copies of cards, lists and boards."""

from collections.abc import Iterable, Sequence
from typing import Any

from handlers import serialize
from handlers.results import Result, created
from kanban import copies
from kanban.changes import ActionContext
from kanban.store import CardQuery
from kanban.values import Card, Checklist
from usecases.board_access import BoardAccess


def copy_card(access: BoardAccess, context: ActionContext, board_id: str, card_id: str, body: dict[str, Any]) -> Result:
    """Make a card like this one."""
    view, checklists = access.read_checklists(board_id, card_id)
    card, change = copies.copy_card(view, card_id, checklists, context, **body)
    location = f"/boards/{board_id}/cards/{card.id}"
    return created(
        serialize.card(card, view, context.at),
        etag=serialize.card_tag(card, view, context.at),
        location=location,
        change=change,
    )


def copy_list(access: BoardAccess, context: ActionContext, board_id: str, list_id: str, body: dict[str, Any]) -> Result:
    """Make a list like this one, with copies of its cards."""
    view, found = access.page_cards(board_id, CardQuery(list_id), copies.MAX_COPIED_CARDS)
    copies.ensure_list_can_be_copied(view.get_list(list_id))
    there = found.items
    while found.next_key:
        _, found = access.page_cards(board_id, CardQuery(list_id), copies.MAX_COPIED_CARDS, found.next_key)
        there += found.items
    copy, change = copies.copy_list(view, list_id, there, _read_checklists(access, board_id, there), context, **body)
    location = f"/boards/{board_id}/lists/{copy.id}"
    return created(serialize.list_(copy), etag=serialize.list_tag(copy), location=location, change=change)


def copy_board(access: BoardAccess, context: ActionContext, board_id: str, body: dict[str, Any]) -> Result:
    """Make a board like this one, which belongs to the caller."""
    if body.get("cards", True):
        view, there, checklists = access.read_consistently(
            board_id, lambda cards: _read_checklists(access, board_id, cards)
        )
    else:
        view, there, checklists = access.read_board(board_id), [], {}
    copy, change = copies.copy_board(view, there, checklists, context, name=body.get("name"))
    shape = serialize.board(copy.board, copy.role)
    return created(shape, etag=serialize.board_tag(copy.board), location=f"/boards/{copy.board.id}", change=change)


def _read_checklists(access: BoardAccess, board_id: str, cards: Iterable[Card]) -> dict[str, Sequence[Checklist]]:
    """The checklists with items of these cards, by the card's id."""
    found: dict[str, Sequence[Checklist]] = {}
    for card in cards:
        if card.item_count:
            _, checklists = access.read_checklists(board_id, card.id)
            found[card.id] = [each for each in checklists if each.items]
    return found
