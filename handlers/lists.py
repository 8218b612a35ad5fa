"""Lists: the columns of a board, each with a stage."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from handlers import show
from handlers.answers import Answer, created, gone, page
from handlers.door import Door
from handlers.given import IfMatch, NextCursor
from kanban import lists, shelves
from kanban.store import CardQuery, CardState
from kanban.values import ActionContext, List, Page, PageKey


def list_lists(
    door: Door,
    now: datetime,
    next_cursor: NextCursor,
    board_id: str,
    limit: int,
    cursor: PageKey | None = None,
    *,
    archived: bool = False,
    deleted: bool = False,
) -> Answer:
    """The board's lists from left to right, in use or archived; or those that can be restored, newest first."""
    if deleted:
        _, found = door.page_deleted_lists(board_id, shelves.get_restore_cutoff(now), limit, cursor)
    else:
        there = door.board(board_id).lists
        found = _page([each for each in there if (each.archived_at is not None) == archived], limit, cursor)
    return page(map(show.list_, found.items), next_cursor(found.next_key))


def create_list(door: Door, act: ActionContext, board_id: str, body: dict[str, Any]) -> Answer:
    """Add a list to the board."""
    made, change = lists.create(door.board(board_id), act, **body)
    location = f"/boards/{board_id}/lists/{made.id}"
    return created(show.list_(made), etag=show.list_tag(made), location=location, change=change)


def get_list(door: Door, board_id: str, list_id: str) -> Answer:
    """One list."""
    return _shown(door.board(board_id).get_list(list_id))


def update_list(
    door: Door, act: ActionContext, if_match: IfMatch, board_id: str, list_id: str, body: dict[str, Any]
) -> Answer:
    """Change a list; its stage only while it holds no card."""
    if "stage" in body:
        view, found = door.cards(board_id, CardQuery(list_id, state=CardState.ARCHIVED), 1)
        archived = bool(found.items)
    else:
        view, archived = door.board(board_id), False
    if_match.admits(view.get_list(list_id).version)
    revised, change = lists.update(view, list_id, body, act, has_archived_cards=archived)
    return Answer(show.list_(revised), etag=show.list_tag(revised), change=change)


def delete_list(door: Door, act: ActionContext, if_match: IfMatch, board_id: str, list_id: str) -> Answer:
    """Delete a list with its cards."""
    view, running = door.running(board_id, list_id)
    if_match.admits(view.get_list(list_id).version)
    return gone(lists.delete(view, list_id, act, running))


def move_list(door: Door, act: ActionContext, board_id: str, list_id: str, body: dict[str, Any]) -> Answer:
    """Put a list somewhere else on its board."""
    moved, change = lists.move(door.board(board_id), list_id, act, **body)
    return Answer(show.list_(moved), etag=show.list_tag(moved), change=change)


def _page(there: Sequence[List], limit: int, after: PageKey | None) -> Page[List]:
    """So many of the lists, in their order, that follow the rank where the page before ended."""
    rest = [each for each in there if after is None or each.rank > str(after[0])]
    return Page(tuple(rest[:limit]), (rest[limit - 1].rank,) if len(rest) > limit else None)


def _shown(value: List) -> Answer:
    return Answer(show.list_(value), etag=show.list_tag(value))
