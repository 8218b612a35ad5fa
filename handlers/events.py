"""Events of a board and of a card, in order, without gaps."""

from collections.abc import Sequence
from typing import Any

from handlers import serialize
from handlers.results import FeedPosition, Result
from kanban import boards
from kanban.changes import ActionContext
from kanban.store import BEYOND_ALL_SEQS, EventQuery
from usecases import event_undo
from usecases.board_access import BoardAccess


def list_events(
    access: BoardAccess,
    board_id: str,
    after: int,
    limit: int,
    before: int | None = None,
    history: str | None = None,
    card_id: str | None = None,
    type: Sequence[str] = (),  # noqa: A002 - the document's name.
    token_id: str | None = None,
    sort: str = "seq",
    wait: int = 0,
    last_event_id: int | None = None,
) -> Result:
    """Return a page of the events after a seq, oldest or newest first.

    The entity tag of the last page also fits the empty page after it until another event happens, so that clients can
    poll with If-None-Match.
    """
    if last_event_id is not None:
        after = last_event_id
    query = EventQuery(after, before or BEYOND_ALL_SEQS, card_id, frozenset(type), sort == "-seq", token_id)
    return _list_events(access, board_id, query, limit, history, wait)


def list_card_events(
    access: BoardAccess,
    board_id: str,
    card_id: str,
    after: int,
    limit: int,
    before: int | None = None,
    history: str | None = None,
    type: Sequence[str] = (),  # noqa: A002 - the document's name.
    token_id: str | None = None,
    sort: str = "seq",
) -> Result:
    """Return a page of the events of a card that is there, oldest or newest first."""
    access.read_card(board_id, card_id)
    query = EventQuery(after, before or BEYOND_ALL_SEQS, card_id, frozenset(type), sort == "-seq", token_id)
    return _list_events(access, board_id, query, limit, history)


def undo_event(access: BoardAccess, context: ActionContext, board_id: str, body: dict[str, Any]) -> Result:
    """Undo what an event did, and return the event of the change back."""
    change = event_undo.undo_event(access, context, board_id, body["seq"])
    return Result({"event": serialize.event(change.event)} if change.event else None, change=change)


def _list_events(
    access: BoardAccess, board_id: str, query: EventQuery, limit: int, history: str | None, wait_seconds: int = 0
) -> Result:
    view, page = access.page_events(board_id, query, limit)
    boards.ensure_history(view.board, history, query.after)
    seqs = [event.seq for event in page.items]
    if page.next_key:
        last_seq = int(page.next_key[0])
    elif query.is_filtered and query.card_id is None and not query.newest_first:
        # All events up to the board's own seq were looked at.
        last_seq = max(query.after, min(view.board.seq, query.before - 1))
    else:
        last_seq = seqs[-1] if seqs else query.after
    has_more = page.next_key is not None
    body = {
        "items": [serialize.event(event) for event in page.items],
        "last_seq": last_seq,
        "has_more": has_more,
        "history": view.board.get_history(),
    }
    tag = f"{last_seq}.more" if has_more else str(last_seq)
    position = None
    # Nothing follows the newest events, or those before a seq.
    if not query.newest_first and query.before == BEYOND_ALL_SEQS:
        has_news = bool(seqs) or has_more
        position = FeedPosition(board_id, view.board.seq, last_seq, has_news, has_more, wait_seconds)
    return Result(
        body,
        # The newest events change while the last of their page stays the same.
        etag=f"{seqs[0]}.{tag}" if query.newest_first and seqs else tag,
        next_query={"before" if query.newest_first else "after": str(last_seq)} if has_more else None,
        feed_position=position,
    )
