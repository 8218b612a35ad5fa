"""Events: what happened to a board, in order, without a gap."""

from handlers import show
from handlers.answers import Answer
from handlers.door import Door


def list_events(door: Door, board_id: str, after: int, limit: int) -> Answer:
    """The events after a seq, oldest first; an unchanged board answers 304 to the tag it gave."""
    view, found = door.events(board_id, after, limit)
    last = found.items[-1].seq if found.items else after
    more = last < view.board.seq
    shape = {"items": [show.event(each) for each in found.items], "last_seq": last, "has_more": more}
    return Answer(shape, etag=str(view.board.seq), next_query={"after": str(last)} if more else None)
