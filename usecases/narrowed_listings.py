"""Listings over boards for a token that reaches certain boards only: each of them is read, and no other.

A page of all the user's boards without the others would tell by its length, or by being empty, that there are others.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

from kanban.access import Caller
from kanban.store import PAGE_BYTES, CardQuery, CardSort, Store
from kanban.text_size import count_text_bytes
from kanban.values import Board, Card, Role
from kanban.views import BoardView, Page, PageKey


def page_boards(
    store: Store, caller: Caller, limit: int, after: PageKey | None, *, archived: bool
) -> Page[tuple[Board, Role]]:
    """Return a page of the active or archived boards that the token reaches, newest first."""

    def read(board_id: str) -> BoardView | None:
        view = store.read_board(board_id, caller.user_id)
        return view if view is not None and (view.board.archived_at is not None) == archived else None

    return _page_boards(caller, limit, after, read)


def page_deleted_boards(
    store: Store, caller: Caller, since: datetime, limit: int, after: PageKey | None
) -> Page[tuple[Board, Role]]:
    """Return a page of the boards that the token reaches, that its user owns, and that were deleted since then."""

    def read(board_id: str) -> BoardView | None:
        view = store.read_deleted(board_id, caller.user_id)
        deleted_at = view.board.deleted_at if view is not None and view.role == Role.OWNER else None
        return view if deleted_at is not None and deleted_at >= since else None

    return _page_boards(caller, limit, after, read)


def _page_boards(
    caller: Caller, limit: int, after: PageKey | None, read: Callable[[str], BoardView | None]
) -> Page[tuple[Board, Role]]:
    views = filter(None, map(read, _list_board_ids(caller, str(after[0]) if after else None)))
    items: list[tuple[Board, Role]] = []
    for view in views:
        if len(items) == limit:
            return Page(tuple(items), (items[-1][0].id,))
        items.append((view.board, caller.limit_role(view.role)))
    return Page(tuple(items))


def page_assigned_cards(
    store: Store, caller: Caller, query: CardQuery, limit: int, after: PageKey | None
) -> Page[tuple[BoardView, Card]]:
    """Return a page of the cards that the user is assigned to on boards that the token reaches.

    As in `Store.page_assigned_cards`: those of the newest board come first, and on each board the oldest card. The key
    of the next page is a board whose cards are done, or one and the key that its cards continue from.
    """
    of_user = replace(query, assignee_id=caller.user_id, sort=CardSort.OLDEST)
    cards: list[tuple[BoardView, Card]] = []
    free_bytes = PAGE_BYTES
    for board_id, card_key in _list_rest(caller, after):
        if len(cards) == limit or free_bytes <= 0:
            return Page(tuple(cards), (cards[-1][1].board_id,))
        result = store.page_cards(board_id, caller.user_id, of_user, limit - len(cards), card_key)
        if result is None or result[0].board.archived_at is not None:
            continue
        view, page = result
        limited_view = replace(view, role=caller.limit_role(view.role))
        cards += [(limited_view, card) for card in page.items]
        free_bytes -= sum(map(count_text_bytes, page.items))
        if page.next_key is not None:
            return Page(tuple(cards), (board_id, *page.next_key))
    return Page(tuple(cards))


def _list_rest(caller: Caller, after: PageKey | None) -> Iterator[tuple[str, PageKey | None]]:
    """Yield the boards that a listing has yet to look at, each with the key that its cards continue from."""
    board_id, *card_key = after or (None,)
    if card_key:
        yield str(board_id), tuple(card_key)
    for other_id in _list_board_ids(caller, None if board_id is None else str(board_id)):
        yield other_id, None


def _list_board_ids(caller: Caller, below: str | None = None) -> Iterator[str]:
    """Yield the ids of the boards that the token reaches, the newest first; those below an id."""
    board_ids = caller.limits.board_ids or ()
    return (board_id for board_id in sorted(board_ids, reverse=True) if below is None or board_id < below)
