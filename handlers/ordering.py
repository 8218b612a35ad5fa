"""Reorder, sort and move many lists or cards in one request."""

from dataclasses import replace
from typing import Any

from handlers import serialize
from handlers.results import Result, list_result, page
from kanban import bulk_moves
from kanban.changes import ActionContext
from kanban.ordering import reordering
from kanban.store import CardQuery
from usecases import card_sorting
from usecases.board_access import BoardAccess


def order_lists(access: BoardAccess, context: ActionContext, board_id: str, body: dict[str, Any]) -> Result:
    """Reorder the lists of a board."""
    lists, change = reordering.reorder_lists(access.read_board(board_id), body["list_ids"], context)
    return replace(page(map(serialize.list_, lists), None), change=change)


def order_cards(
    access: BoardAccess, context: ActionContext, board_id: str, list_id: str, body: dict[str, Any]
) -> Result:
    """Reorder the cards of a list."""
    view, card_ranks = access.read_card_ranks(board_id, list_id)
    list_, change = reordering.reorder_cards(view, list_id, card_ranks, body["card_ids"], context)
    return list_result(list_, change)


def sort_cards(
    access: BoardAccess, context: ActionContext, board_id: str, list_id: str, body: dict[str, Any]
) -> Result:
    """Sort the cards of a list once. The client repeats the request until no card remains."""
    moves, change = card_sorting.sort_list(access, context, board_id, list_id, **body)
    return Result({"moved": len(moves.ranks), "remaining": moves.remaining}, change=change)


def move_cards(
    access: BoardAccess, context: ActionContext, board_id: str, list_id: str, body: dict[str, Any]
) -> Result:
    """Move all cards of a list to another one. The client repeats the request until no card remains."""
    view, cards_page = access.page_cards(board_id, CardQuery(list_id), bulk_moves.MAX_MOVED_CARDS)
    moved, remaining, change = bulk_moves.move_cards(
        view, list_id, cards_page.items, context, target_list_id=body["list_id"]
    )
    return Result({"moved": moved, "remaining": remaining}, change=change)
