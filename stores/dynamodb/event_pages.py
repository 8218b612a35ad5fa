"""Pages of the events of a board."""

from collections.abc import Sequence
from itertools import islice

from kanban.values import Event
from kanban.views import BoardView
from stores.dynamodb import keys
from stores.dynamodb.board_items import BoardHead, head_from_items
from stores.dynamodb.event_items import event_from_item
from stores.dynamodb.keys import Item
from stores.dynamodb.reads import MAX_BATCH_KEYS, TableReader


def read_events(
    reader: TableReader, board_id: str, user_id: str, after_seq: int, count: int
) -> tuple[BoardView, list[Event]] | None:
    """Return the first events with a greater seq, and the board as that member sees it.

    For a user who is not a member only the board is read.
    """
    cached = reader.get_cached_head(board_id, user_id)
    known = cached or reader.get_head(board_id, user_id)
    if known is None:
        return None
    # The tip follows the last event, so a query for the newest events returns it too: a head that this process has seen
    # is the present one if the tip says so. Of a board without a tip, the head is next.
    last = keys.TIP_SORT_KEY if known.head_seq is not None else keys.HEAD_SORT_KEY
    query = reader.board_query(board_id)
    items = [*islice(query(keys.event_sort_key(after_seq + 1), last, page_size=count + 1), count + 1)]
    own = {}
    while items and items[-1]["sk"]["S"] in (keys.TIP_SORT_KEY, keys.HEAD_SORT_KEY):
        item = items.pop()
        own[item["sk"]["S"]] = item
    head = _compose_head(known, own.get(keys.HEAD_SORT_KEY), own.get(keys.TIP_SORT_KEY))
    if head is None:
        head = known if cached is None and not own else reader.get_head(board_id, user_id)
    view = head.live_view_for(user_id) if head else None
    if head is None or view is None:
        reader.forget_board(board_id)
        reader.forget_member(board_id, user_id)
        return None
    last_seq = min(head.board.seq, after_seq + count)
    events = {event.seq: event for event in map(event_from_item, items) if event.seq <= last_seq}
    # The query may have come between the writes of the last transaction, which the head shows already.
    missing = [seq for seq in range(after_seq + 1, last_seq + 1) if seq not in events]
    late = get_events_by_seq(reader, board_id, missing)
    if len(late) < len(missing):
        # A purge has erased the board.
        return None
    events |= {event.seq: event for event in late}
    return view, [events[seq] for seq in sorted(events)]


def _compose_head(known: BoardHead, item: Item | None, tip: Item | None) -> BoardHead | None:
    """Return the board from what a query has returned of it, and from what was known; None if that is not enough."""
    if item is not None:
        return head_from_items(item, tip)
    return known.with_tip(tip) if tip is not None else None


def get_events_by_seq(reader: TableReader, board_id: str, seqs: Sequence[int]) -> list[Event]:
    """Return those events, as far as they are there."""
    item_keys = [keys.event_key(board_id, seq) for seq in seqs]
    items = [
        item
        for start in range(0, len(item_keys), MAX_BATCH_KEYS)
        for item in reader.transact_get(*item_keys[start : start + MAX_BATCH_KEYS])
    ]
    return [event_from_item(item) for item in items if item]
