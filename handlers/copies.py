"""Copy cards, lists and boards."""

from typing import Any

from handlers import entity_tags, serialize
from handlers.results import Result, new_card_result, new_resource
from kanban import copies
from kanban.changes import ActionContext
from kanban.store import CardsWithChecklists
from usecases.board_access import BoardAccess
from usecases.quotas import Quotas


def copy_card(access: BoardAccess, context: ActionContext, board_id: str, card_id: str, body: dict[str, Any]) -> Result:
    """Copy a card."""
    view, checklists = access.read_checklists(board_id, card_id)
    card, change = copies.copy_card(view, card_id, checklists, context, **body)
    return new_card_result(card, view, context.at, change)


def copy_list(access: BoardAccess, context: ActionContext, board_id: str, list_id: str, body: dict[str, Any]) -> Result:
    """Copy a list with its cards."""
    # A list that is too large to be copied is not read.
    copies.ensure_list_can_be_copied(access.read_board(board_id).get_list(list_id))
    view, content = access.read_cards_with_checklists(board_id, list_id)
    copy, change = copies.copy_list(view, list_id, content.cards, content.checklists, context, **body)
    location = f"/boards/{board_id}/lists/{copy.id}"
    return new_resource(serialize.list_(copy), etag=entity_tags.list_tag(copy), location=location, change=change)


def copy_board(
    access: BoardAccess, context: ActionContext, quotas: Quotas, board_id: str, body: dict[str, Any]
) -> Result:
    """Copy a board. The caller owns the copy."""
    access.ensure_may_create_boards()
    quotas.ensure_room_for_board(context.actor_id)
    content = CardsWithChecklists([], {})
    if body.get("cards", True):
        view, content = access.read_cards_with_checklists(board_id)
    else:
        view = access.read_board(board_id)
    copy, change = copies.copy_board(view, content.cards, content.checklists, context, name=body.get("name"))
    result_body = serialize.board(copy.board, access.limit_role(copy.role))
    return new_resource(
        result_body, etag=entity_tags.board_tag(copy.board), location=f"/boards/{copy.board.id}", change=change
    )
