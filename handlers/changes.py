"""What changed on a board since a seq."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from zlib import crc32

from handlers import serialize
from handlers.dependencies import CursorEncoder
from handlers.results import FeedPosition, Result
from kanban.card_views import view_card
from kanban.store import Store
from kanban.timekeeping import card_clock
from kanban.values import User
from kanban.views import PageKey
from usecases.board_access import BoardAccess
from usecases.board_changes import BoardChanges, read_changes


def list_changes(
    access: BoardAccess,
    store: Store,
    now: datetime,
    encode_cursor: CursorEncoder,
    board_id: str,
    after: int,
    history: str | None = None,
    cursor: PageKey | None = None,
    wait: int = 0,
) -> Result:
    """Return what changed after a seq, or the next part of it."""
    changes = read_changes(access, board_id, after, history, cursor)
    users = store.read_users([member.user_id for member in changes.members]) if changes.members else {}
    view = changes.view
    # The next request has this answer's `to_seq` as its `after`.
    next_cursor = encode_cursor(changes.page_key, "list_changes", board_id=board_id, after=changes.to_seq)
    body = {
        "history": view.board.get_history(),
        "seq": view.board.seq,
        "to_seq": changes.to_seq,
        "has_more": changes.has_more,
        "next_cursor": next_cursor,
        "reset": changes.is_reset,
        "board": serialize.board(view.board, view.role),
        "lists": [*map(serialize.list_, changes.lists)],
        "labels": [*map(serialize.label, changes.labels)],
        "members": [serialize.member(member, users[member.user_id]) for member in changes.members],
        "cards": [serialize.card(view_card(card, view), now) for card in changes.cards],
        "checklists": [serialize.checklist(checklist, view) for checklist in changes.checklists],
        "comments": [*map(serialize.comment, changes.comments)],
        "gone": changes.gone,
    }
    has_news = changes.is_reset or changes.to_seq > after or cursor is not None
    position = FeedPosition(board_id, view.board.seq, changes.to_seq, has_news, changes.has_more, wait)
    return Result(body, etag=_build_tag(changes, users, now), feed_position=position)


def _build_tag(changes: BoardChanges, users: Mapping[str, User], now: datetime) -> str:
    """Return the entity tag of an answer: where it ends, and what in it is not of the board's seq.

    That of an answer which got to the board's seq fits the empty one after it, until something changes.
    """
    tag = f"{changes.to_seq}.{changes.view.board.seq}" if changes.has_more else str(changes.to_seq)
    others = " ".join(_list_other_versions(changes, users, now))
    return f"{tag}.{crc32(others.encode())}" if others else tag


def _list_other_versions(changes: BoardChanges, users: Mapping[str, User], now: datetime) -> Iterator[str]:
    """Yield what changes without a new seq: running clocks and the names of members."""
    for card in changes.cards:
        if card.running:
            yield f"{card.id}.{card_clock.count_worked_seconds(card, now)}"
    for user in users.values():
        yield f"{user.id}.{user.version}"
