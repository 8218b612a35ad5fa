"""Boards: where lists and cards are, and what is consistent with itself."""

from datetime import datetime
from typing import Any

from handlers import show
from handlers.answers import Answer, created, gone, page
from handlers.door import Door
from handlers.given import IfMatch, NextCursor
from kanban import boards, shelves
from kanban.store import CardQuery, Store
from kanban.values import ActionContext, PageKey

MOST_EMBEDDED_CARDS = 500
"""Cards of a board that come with it when it is asked for with `embed=cards`; the rest is paged."""


def list_boards(
    door: Door,
    now: datetime,
    next_cursor: NextCursor,
    limit: int,
    cursor: PageKey | None = None,
    *,
    archived: bool = False,
    deleted: bool = False,
) -> Answer:
    """The caller's boards, newest first: in use, archived, or deleted and the caller's to restore."""
    if deleted:
        found = door.deleted_boards(shelves.get_restore_cutoff(now), limit, cursor)
    else:
        found = door.mine(limit, cursor, archived=archived)
    return page((show.board(board, role) for board, role in found.items), next_cursor(found.next_key))


def create_board(act: ActionContext, body: dict[str, Any]) -> Answer:
    """Make a board; the caller is its owner."""
    view, change = boards.create(act, **body)
    board = view.board
    shape = show.board(board, view.role)
    return created(shape, etag=show.board_tag(board), location=f"/boards/{board.id}", change=change)


def get_board(
    door: Door, store: Store, now: datetime, next_cursor: NextCursor, board_id: str, embed: tuple[str, ...] = ()
) -> Answer:
    """The board; with `embed`, all that a page draws, as of one moment."""
    if "cards" in embed:
        view, found = door.cards(board_id, CardQuery(), MOST_EMBEDDED_CARDS)
    else:
        view, found = door.board(board_id), None
    shape = show.board(view.board, view.role)
    tag = [show.board_tag(view.board)]
    if "lists" in embed:
        shape["lists"] = [show.list_(each) for each in view.lists if each.archived_at is None]
    if "labels" in embed:
        shape["labels"] = [show.label(each) for each in view.labels]
    if found is not None:
        rest = next_cursor(found.next_key, of="list_cards", board_id=board_id)
        shape["cards"] = page((show.card(card, view, now) for card in found.items), rest).body
        if any(card.running for card in found.items):
            tag.append(str(int(now.timestamp())))
    if "members" in embed:
        users = store.read_users([each.user_id for each in view.members])
        shape["members"] = [show.member(each, users[each.user_id]) for each in view.members]
        # Who the members are, the board's seq tells; the sum rises whenever one of them takes another name.
        tag.append(str(sum(each.version for each in users.values())))
    return Answer(shape, etag=".".join(tag))


def update_board(door: Door, act: ActionContext, if_match: IfMatch, board_id: str, body: dict[str, Any]) -> Answer:
    """Change the board itself."""
    view = door.board(board_id)
    if_match.admits(view.board.version)
    board, change = boards.update(view, body, act)
    return Answer(show.board(board, view.role), etag=show.board_tag(board), change=change)


def delete_board(door: Door, act: ActionContext, if_match: IfMatch, board_id: str) -> Answer:
    """Delete the board with all that is on it."""
    view, running = door.running(board_id)
    if_match.admits(view.board.version)
    return gone(boards.delete(view, act, running))
