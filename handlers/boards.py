"""Boards: list, create, get, update, delete."""

from datetime import datetime
from typing import Any

from handlers import entity_tags, parse, serialize
from handlers.dependencies import CursorEncoder, IfMatch
from handlers.preconditions import ensure_current
from handlers.results import Result, new_resource, no_content, page
from kanban import archive, boards
from kanban.changes import ActionContext
from kanban.store import CardQuery, Store
from kanban.values import NewBoard
from kanban.views import PageKey
from usecases.board_access import BoardAccess
from usecases.quotas import Quotas

MAX_EMBEDDED_CARDS = 500
"""The most cards in a board with `embed=cards`. The rest follows as pages of `list_cards`."""


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
    """List the caller's boards, newest first: active, archived, or deleted ones that the caller may restore."""
    if deleted:
        boards_page = access.page_deleted_boards(archive.get_restore_cutoff(now), limit, cursor)
    else:
        boards_page = access.page_boards(limit, cursor, archived=archived)
    return page(
        (serialize.board(board, role) for board, role in boards_page.items), encode_cursor(boards_page.next_key)
    )


def create_board(access: BoardAccess, context: ActionContext, quotas: Quotas, body: dict[str, Any]) -> Result:
    """Create a board whose owner is the caller."""
    access.ensure_may_create_boards()
    quotas.ensure_room_for_board(context.actor_id)
    view, change = boards.create(context, NewBoard(**parse.board(body)))
    board = view.board
    result_body = serialize.board(board, access.limit_role(view.role))
    return new_resource(result_body, etag=entity_tags.board_tag(board), location=f"/boards/{board.id}", change=change)


def get_board(
    access: BoardAccess,
    store: Store,
    now: datetime,
    encode_cursor: CursorEncoder,
    board_id: str,
    embed: tuple[str, ...] = (),
) -> Result:
    """Return the board; with `embed` also its lists, cards, labels and members, read consistently."""
    if "cards" in embed:
        view, cards_page = access.page_card_views(board_id, CardQuery(), MAX_EMBEDDED_CARDS)
    else:
        view, cards_page = access.read_board(board_id), None
    body = serialize.board(view.board, view.role)
    tag_parts = [entity_tags.board_tag(view.board)]
    if "lists" in embed:
        body["lists"] = [serialize.list_(list_) for list_ in view.lists if list_.archived_at is None]
    if "labels" in embed:
        body["labels"] = [serialize.label(label) for label in view.labels]
    if cards_page is not None:
        next_cursor = encode_cursor(cards_page.next_key, operation_id="list_cards", board_id=board_id)
        body["cards"] = page([serialize.card(card, now) for card in cards_page.items], next_cursor).body
        if any(card.running for card in cards_page.items):
            tag_parts.append(str(int(now.timestamp())))
    if "members" in embed:
        users = store.read_users([member.user_id for member in view.members])
        body["members"] = [serialize.member(member, users[member.user_id]) for member in view.members]
        # The board's seq in the tag changes with the membership. The sum of versions changes with a member's name.
        tag_parts.append(str(sum(user.version for user in users.values())))
    return Result(body, etag=".".join(tag_parts))


def update_board(
    access: BoardAccess, context: ActionContext, if_match: IfMatch, board_id: str, body: dict[str, Any]
) -> Result:
    """Update the properties of a board."""
    view = access.read_board(board_id)
    ensure_current(if_match, access, view, view.board)
    board, change = boards.update(view, body, context)
    return Result(serialize.board(board, view.role), etag=entity_tags.board_tag(board), change=change)


def delete_board(access: BoardAccess, context: ActionContext, if_match: IfMatch, board_id: str) -> Result:
    """Delete a board with everything on it."""
    view, running = access.read_running_cards(board_id)
    ensure_current(if_match, access, view, view.board)
    return no_content(boards.delete(view, context, running))
