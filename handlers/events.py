"""Events: what happened to a board, in order, without a gap."""

from handlers import serialize
from handlers.results import Result
from usecases.board_access import BoardAccess


def list_events(access: BoardAccess, board_id: str, after: int, limit: int) -> Result:
    """The events after a seq, oldest first. The tag of a page fits the next one only while there is nothing on it."""
    view, found = access.page_events(board_id, after, limit)
    last = found.items[-1].seq if found.items else after
    more = last < view.board.seq
    shape = {"items": [serialize.event(each) for each in found.items], "last_seq": last, "has_more": more}
    return Result(shape, etag=f"{last}.more" if more else str(last), next_query={"after": str(last)} if more else None)
