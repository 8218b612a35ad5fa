"""Boards: where lists and cards are, and what is consistent with itself."""

from datetime import datetime
from typing import Any

from handlers import serialize
from handlers.dependencies import CursorEncoder, IfMatch
from handlers.results import Result, created, no_content, page
from kanban import archive, boards
from kanban.changes import ActionContext
from kanban.store import CardQuery, Store
from kanban.views import PageKey
from usecases.board_access import BoardAccess

MAX_EMBEDDED_CARDS = 500
"""Cards of a board that come with it when it is asked for with `embed=cards`; the rest is paged."""


def list_boards(
    access: BoardAccess,
    now: datetime,
    encode_cursor: CursorEncoder,
    limit: int,
    cursor: PageKey | None = None,
    *,
    archived: bool = False,
    deleted: bool = False,
) -> Result:
    """The caller's boards, newest first: in use, archived, or deleted and the caller's to restore."""
    if deleted:
        found = access.page_deleted_boards(archive.get_restore_cutoff(now), limit, cursor)
    else:
        found = access.page_boards(limit, cursor, archived=archived)
    return page((serialize.board(board, role) for board, role in found.items), encode_cursor(found.next_key))


def create_board(context: ActionContext, body: dict[str, Any]) -> Result:
    """Make a board; the caller is its owner."""
    view, change = boards.create(context, **body)
    board = view.board
    shape = serialize.board(board, view.role)
    return created(shape, etag=serialize.board_tag(board), location=f"/boards/{board.id}", change=change)


def get_board(
    access: BoardAccess,
    store: Store,
    now: datetime,
    encode_cursor: CursorEncoder,
    board_id: str,
    embed: tuple[str, ...] = (),
) -> Result:
    """The board; with `embed`, all that a page draws, as of one moment."""
    if "cards" in embed:
        view, found = access.page_cards(board_id, CardQuery(), MAX_EMBEDDED_CARDS)
    else:
        view, found = access.read_board(board_id), None
    shape = serialize.board(view.board, view.role)
    tag = [serialize.board_tag(view.board)]
    if "lists" in embed:
        shape["lists"] = [serialize.list_(each) for each in view.lists if each.archived_at is None]
    if "labels" in embed:
        shape["labels"] = [serialize.label(each) for each in view.labels]
    if found is not None:
        rest = encode_cursor(found.next_key, operation_id="list_cards", board_id=board_id)
        shape["cards"] = page((serialize.card(card, view, now) for card in found.items), rest).body
        if any(card.running for card in found.items):
            tag.append(str(int(now.timestamp())))
    if "members" in embed:
        users = store.read_users([each.user_id for each in view.members])
        shape["members"] = [serialize.member(each, users[each.user_id]) for each in view.members]
        # Who the members are, the board's seq tells; the sum rises whenever one of them takes another name.
        tag.append(str(sum(each.version for each in users.values())))
    return Result(shape, etag=".".join(tag))


def update_board(
    access: BoardAccess, context: ActionContext, if_match: IfMatch, board_id: str, body: dict[str, Any]
) -> Result:
    """Change the board itself."""
    view = access.read_board(board_id)
    if_match.ensure_matches(view.board.version)
    board, change = boards.update(view, body, context)
    return Result(serialize.board(board, view.role), etag=serialize.board_tag(board), change=change)


def delete_board(access: BoardAccess, context: ActionContext, if_match: IfMatch, board_id: str) -> Result:
    """Delete the board with all that is on it."""
    view, running = access.read_running_cards(board_id)
    if_match.ensure_matches(view.board.version)
    return no_content(boards.delete(view, context, running))
