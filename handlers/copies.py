"""Copy cards, lists and boards."""

from collections.abc import Iterable, Sequence
from typing import Any

from handlers import entity_tags, serialize
from handlers.results import Result, new_card_result, new_resource
from kanban import copies
from kanban.changes import ActionContext
from kanban.store import CardQuery
from kanban.values import Card, Checklist
from usecases.board_access import BoardAccess


def copy_card(access: BoardAccess, context: ActionContext, board_id: str, card_id: str, body: dict[str, Any]) -> Result:
    """Copy a card."""
    view, checklists = access.read_checklists(board_id, card_id)
    card, change = copies.copy_card(view, card_id, checklists, context, **body)
    return new_card_result(card, view, context.at, change)


def copy_list(access: BoardAccess, context: ActionContext, board_id: str, list_id: str, body: dict[str, Any]) -> Result:
    """Copy a list with its cards."""
    view, cards_page = access.page_cards(board_id, CardQuery(list_id), copies.MAX_COPIED_CARDS)
    copies.ensure_list_can_be_copied(view.get_list(list_id))
    cards = cards_page.items
    while cards_page.next_key:
        _, cards_page = access.page_cards(board_id, CardQuery(list_id), copies.MAX_COPIED_CARDS, cards_page.next_key)
        cards += cards_page.items
    copy, change = copies.copy_list(view, list_id, cards, _read_checklists(access, board_id, cards), context, **body)
    location = f"/boards/{board_id}/lists/{copy.id}"
    return new_resource(serialize.list_(copy), etag=entity_tags.list_tag(copy), location=location, change=change)


def copy_board(access: BoardAccess, context: ActionContext, board_id: str, body: dict[str, Any]) -> Result:
    """Copy a board. The caller owns the copy."""
    if body.get("cards", True):
        view, cards, checklists = access.read_consistently(
            board_id, lambda cards: _read_checklists(access, board_id, cards)
        )
    else:
        view, cards, checklists = access.read_board(board_id), [], {}
    copy, change = copies.copy_board(view, cards, checklists, context, name=body.get("name"))
    result_body = serialize.board(copy.board, copy.role)
    return new_resource(
        result_body, etag=entity_tags.board_tag(copy.board), location=f"/boards/{copy.board.id}", change=change
    )


def _read_checklists(access: BoardAccess, board_id: str, cards: Iterable[Card]) -> dict[str, Sequence[Checklist]]:
    """Read the checklists that have items, by card id."""
    checklists_by_card: dict[str, Sequence[Checklist]] = {}
    for card in cards:
        if card.item_count:
            _, checklists = access.read_checklists(board_id, card.id)
            checklists_by_card[card.id] = [checklist for checklist in checklists if checklist.items]
    return checklists_by_card
