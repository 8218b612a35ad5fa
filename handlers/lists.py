"""Lists: the columns of a board, each with a stage."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from handlers import serialize
from handlers.dependencies import CursorEncoder, IfMatch
from handlers.results import Result, created, no_content, page
from kanban import archive, lists
from kanban.changes import ActionContext
from kanban.store import CardQuery, CardState
from kanban.values import List
from kanban.views import Page, PageKey
from usecases.board_access import BoardAccess


def list_lists(
    access: BoardAccess,
    now: datetime,
    encode_cursor: CursorEncoder,
    board_id: str,
    limit: int,
    cursor: PageKey | None = None,
    *,
    archived: bool = False,
    deleted: bool = False,
) -> Result:
    """The board's lists from left to right, in use or archived; or those that can be restored, newest first."""
    if deleted:
        _, found = access.page_deleted_lists(board_id, archive.get_restore_cutoff(now), limit, cursor)
    else:
        there = access.read_board(board_id).lists
        found = _page_of_lists([each for each in there if (each.archived_at is not None) == archived], limit, cursor)
    return page(map(serialize.list_, found.items), encode_cursor(found.next_key))


def create_list(access: BoardAccess, context: ActionContext, board_id: str, body: dict[str, Any]) -> Result:
    """Add a list to the board."""
    made, change = lists.create(access.read_board(board_id), context, **body)
    location = f"/boards/{board_id}/lists/{made.id}"
    return created(serialize.list_(made), etag=serialize.list_tag(made), location=location, change=change)


def get_list(access: BoardAccess, board_id: str, list_id: str) -> Result:
    """One list."""
    return _list_result(access.read_board(board_id).get_list(list_id))


def update_list(
    access: BoardAccess, context: ActionContext, if_match: IfMatch, board_id: str, list_id: str, body: dict[str, Any]
) -> Result:
    """Change a list; its stage only while it holds no card."""
    if "stage" in body:
        view, found = access.page_cards(board_id, CardQuery(list_id, state=CardState.ARCHIVED), 1)
        archived = bool(found.items)
    else:
        view, archived = access.read_board(board_id), False
    if_match.ensure_matches(view.get_list(list_id).version)
    revised, change = lists.update(view, list_id, body, context, has_archived_cards=archived)
    return Result(serialize.list_(revised), etag=serialize.list_tag(revised), change=change)


def delete_list(access: BoardAccess, context: ActionContext, if_match: IfMatch, board_id: str, list_id: str) -> Result:
    """Delete a list with its cards."""
    view, running = access.read_running_cards(board_id, list_id)
    if_match.ensure_matches(view.get_list(list_id).version)
    return no_content(lists.delete(view, list_id, context, running))


def move_list(access: BoardAccess, context: ActionContext, board_id: str, list_id: str, body: dict[str, Any]) -> Result:
    """Put a list somewhere else on its board."""
    moved, change = lists.move(access.read_board(board_id), list_id, context, **body)
    return Result(serialize.list_(moved), etag=serialize.list_tag(moved), change=change)


def _page_of_lists(candidates: Sequence[List], limit: int, after: PageKey | None) -> Page[List]:
    """So many of the lists, in their order, that follow the rank where the page before ended."""
    rest = [each for each in candidates if after is None or each.rank > str(after[0])]
    return Page(tuple(rest[:limit]), (rest[limit - 1].rank,) if len(rest) > limit else None)


def _list_result(value: List) -> Result:
    return Result(serialize.list_(value), etag=serialize.list_tag(value))
