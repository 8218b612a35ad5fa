"""Cards: list, create, get, update, delete, move, and their clocks."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from handlers import parse, serialize
from handlers.dependencies import CursorEncoder, IfMatch
from handlers.preconditions import ensure_current
from handlers.results import Result, card_result, card_view_result, new_card_result, no_content, page
from kanban import archive, cards, transfers
from kanban.access import Caller
from kanban.card_views import view_card
from kanban.changes import ActionContext
from kanban.interchange import card_csv
from kanban.store import CardQuery, CardSort, CardState, NeighbourOf
from kanban.values import NewCard
from kanban.views import PageKey
from usecases.board_access import BoardAccess


def list_cards(
    access: BoardAccess,
    caller: Caller,
    now: datetime,
    encode_cursor: CursorEncoder,
    media_type: str | None,
    board_id: str,
    limit: int,
    sort: str = CardSort.POSITION,
    list_id: str | None = None,
    status: str | None = None,
    label_id: str | None = None,
    assignee_id: str | None = None,
    due_from: str | None = None,
    due_until: str | None = None,
    updated_since: str | None = None,
    q: str | None = None,
    cursor: PageKey | None = None,
    *,
    archived: bool = False,
    deleted: bool = False,
    overdue: bool = False,
) -> Result:
    """Return a page of the board's cards that match the filters, as JSON or CSV."""
    query = CardQuery(
        list_id=list_id,
        q=q,
        sort=CardSort(sort),
        state=CardState.DELETED if deleted else CardState.ARCHIVED if archived else CardState.ACTIVE,
        label_id=label_id,
        assignee_id=caller.user_id if assignee_id == "me" else assignee_id,
        updated_since=parse.timestamp_or_none(updated_since),
        deleted_since=archive.get_restore_cutoff(now) if deleted else None,
        **parse.due_filters(status, due_from, due_until, now if overdue else None),
    )
    view, cards_page = access.page_card_views(board_id, query, limit, cursor)
    result = page([serialize.card(card, now) for card in cards_page.items], encode_cursor(cards_page.next_key))
    if media_type != "text/csv":
        return result
    return replace(result, body=card_csv.format_cards(cards_page.items, view, now, has_header=cursor is None))


def list_assigned_cards(
    access: BoardAccess,
    now: datetime,
    encode_cursor: CursorEncoder,
    limit: int,
    status: str | None = None,
    due_from: str | None = None,
    due_until: str | None = None,
    cursor: PageKey | None = None,
    *,
    overdue: bool = False,
) -> Result:
    """Return a page of the cards that the caller is assigned to, on all boards."""
    query = CardQuery(**parse.due_filters(status, due_from, due_until, now if overdue else None))
    cards_page = access.page_assigned_cards(query, limit, cursor)
    items = (
        serialize.card(view_card(card, view), now) | {"board_name": view.board.name} for view, card in cards_page.items
    )
    return page(items, encode_cursor(cards_page.next_key))


def create_card(access: BoardAccess, context: ActionContext, board_id: str, body: dict[str, Any]) -> Result:
    """Create a card on the board."""
    view = access.read_board(board_id)
    card, change = cards.create(view, context, NewCard(**parse.card(body)))
    return new_card_result(card, view, context.at, change)


def get_card(access: BoardAccess, now: datetime, board_id: str, card_id: str) -> Result:
    """Return one card."""
    return card_view_result(access.read_card(board_id, card_id), now)


def update_card(
    access: BoardAccess, context: ActionContext, if_match: IfMatch, board_id: str, card_id: str, body: dict[str, Any]
) -> Result:
    """Update the properties of a card."""
    view = access.read_board(board_id, card_ids=[card_id])
    ensure_current(if_match, access, view, view.get_card(card_id))
    card, change = cards.update(view, card_id, parse.card(body), context)
    return card_result(card, view, context.at, change)


def delete_card(access: BoardAccess, context: ActionContext, if_match: IfMatch, board_id: str, card_id: str) -> Result:
    """Delete a card and stop its clock."""
    view = access.read_board(board_id, card_ids=[card_id])
    ensure_current(if_match, access, view, view.get_card(card_id))
    return no_content(cards.delete(view, card_id, context))


def move_card(access: BoardAccess, context: ActionContext, board_id: str, card_id: str, body: dict[str, Any]) -> Result:
    """Move a card within its board. Its status is the stage of the new list."""
    view = access.read_board(board_id, card_ids=[card_id], neighbour_of=_parse_neighbour(body))
    card, change = cards.move(view, card_id, context, **body)
    return card_result(card, view, context.at, change)


def transfer_card(
    access: BoardAccess, context: ActionContext, board_id: str, card_id: str, body: dict[str, Any]
) -> Result:
    """Move a card with its comments, checklists and time entries to another board."""
    source, arguments = access.read_board(board_id, card_ids=[card_id]), dict(body)
    target = access.read_referenced_board(arguments.pop("board_id"))
    card, change = transfers.transfer(source, target, card_id, context, **arguments)
    return card_result(card, target, context.at, change)


def start_card(access: BoardAccess, context: ActionContext, board_id: str, card_id: str) -> Result:
    """Move a card to the first list in progress and start its clock."""
    view = access.read_board(board_id, card_ids=[card_id])
    card, change = cards.start(view, card_id, context)
    return card_result(card, view, context.at, change)


def resolve_card(access: BoardAccess, context: ActionContext, board_id: str, card_id: str) -> Result:
    """Move a card to the first done list and stop its clock."""
    view = access.read_board(board_id, card_ids=[card_id])
    card, change = cards.resolve(view, card_id, context)
    return card_result(card, view, context.at, change)


def reopen_card(access: BoardAccess, context: ActionContext, board_id: str, card_id: str) -> Result:
    """Move a done card back to the first to-do list."""
    view = access.read_board(board_id, card_ids=[card_id])
    card, change = cards.reopen(view, card_id, context)
    return card_result(card, view, context.at, change)


def get_card_time(
    access: BoardAccess,
    now: datetime,
    encode_cursor: CursorEncoder,
    board_id: str,
    card_id: str,
    limit: int,
    cursor: PageKey | None = None,
) -> Result:
    """Return a page of a card's time entries, with the total time and cost of the card."""
    view, entries_page = access.page_time_entries(board_id, card_id, limit, cursor)
    result = page(
        (serialize.time_entry(entry, now) for entry in entries_page.items), encode_cursor(entries_page.next_key)
    )
    return replace(
        result,
        body=(result.body or {}) | serialize.elapsed_and_cost(view.get_card(card_id), view.board.currency, now),
    )


def _parse_neighbour(body: dict[str, str]) -> NeighbourOf | None:
    """Return the card that a move names as neighbour, so that the board is read with the rank next to it."""
    if "before" in body:
        return NeighbourOf(body["before"], "before")
    if "after" in body:
        return NeighbourOf(body["after"], "after")
    return None
