"""Lists: the columns of a board, each with a stage."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from handlers import entity_tags, parse, serialize
from handlers.dependencies import CursorEncoder, IfMatch
from handlers.preconditions import ensure_current
from handlers.results import Result, list_result, new_resource, no_content, page
from kanban import archive, lists
from kanban.changes import ActionContext
from kanban.store import CardQuery, CardState
from kanban.values import List, NewList
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
    """List the board's active or archived lists in order, or the deleted ones that can be restored, newest first."""
    if deleted:
        _, lists_page = access.page_deleted_lists(board_id, archive.get_restore_cutoff(now), limit, cursor)
    else:
        all_lists = access.read_board(board_id).lists
        lists_page = _page_of_lists(
            [list_ for list_ in all_lists if (list_.archived_at is not None) == archived], limit, cursor
        )
    return page(map(serialize.list_, lists_page.items), encode_cursor(lists_page.next_key))


def create_list(access: BoardAccess, context: ActionContext, board_id: str, body: dict[str, Any]) -> Result:
    """Create a list on the board."""
    list_, change = lists.create(access.read_board(board_id), context, NewList(**parse.list_(body)))
    location = f"/boards/{board_id}/lists/{list_.id}"
    return new_resource(serialize.list_(list_), etag=entity_tags.list_tag(list_), location=location, change=change)


def get_list(access: BoardAccess, board_id: str, list_id: str) -> Result:
    """Return one list."""
    return list_result(access.read_board(board_id).get_list(list_id))


def update_list(
    access: BoardAccess, context: ActionContext, if_match: IfMatch, board_id: str, list_id: str, body: dict[str, Any]
) -> Result:
    """Update a list. Its stage can change only while it has no cards."""
    if "stage" in body:
        view, cards_page = access.page_cards(board_id, CardQuery(list_id, state=CardState.ARCHIVED), 1)
        has_archived_cards = bool(cards_page.items)
    else:
        view, has_archived_cards = access.read_board(board_id), False
    ensure_current(if_match, access, view, view.get_list(list_id))
    list_, change = lists.update(view, list_id, parse.list_(body), context, has_archived_cards=has_archived_cards)
    return list_result(list_, change)


def delete_list(access: BoardAccess, context: ActionContext, if_match: IfMatch, board_id: str, list_id: str) -> Result:
    """Delete a list with its cards."""
    view, running = access.read_running_cards(board_id, list_id)
    ensure_current(if_match, access, view, view.get_list(list_id))
    return no_content(lists.delete(view, list_id, context, running))


def move_list(access: BoardAccess, context: ActionContext, board_id: str, list_id: str, body: dict[str, Any]) -> Result:
    """Move a list within its board."""
    list_, change = lists.move(access.read_board(board_id), list_id, context, **body)
    return list_result(list_, change)


def _page_of_lists(candidates: Sequence[List], limit: int, after: PageKey | None) -> Page[List]:
    """Return the page of lists whose ranks follow the page key `after`."""
    following = [list_ for list_ in candidates if after is None or list_.rank > str(after[0])]
    return Page(tuple(following[:limit]), (following[limit - 1].rank,) if len(following) > limit else None)
