"""Events of a board, in order, without gaps."""

from handlers import serialize
from handlers.results import Result
from usecases.board_access import BoardAccess


def list_events(access: BoardAccess, board_id: str, after: int, limit: int) -> Result:
    """Return a page of the events after a seq, oldest first.

    The entity tag of the last page also fits the empty page after it until another event happens, so that clients can
    poll with If-None-Match.
    """
    view, events_page = access.page_events(board_id, after, limit)
    last_seq = events_page.items[-1].seq if events_page.items else after
    has_more = last_seq < view.board.seq
    body = {
        "items": [serialize.event(event) for event in events_page.items],
        "last_seq": last_seq,
        "has_more": has_more,
    }
    return Result(
        body,
        etag=f"{last_seq}.more" if has_more else str(last_seq),
        next_query={"after": str(last_seq)} if has_more else None,
    )
