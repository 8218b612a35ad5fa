"""Pages of the events of a board."""

from collections.abc import Sequence
from itertools import islice

from kanban.values import Event
from kanban.views import BoardView
from stores.dynamodb import keys
from stores.dynamodb.board_items import BoardHead, head_from_item
from stores.dynamodb.event_items import event_from_item
from stores.dynamodb.reads import MAX_BATCH_KEYS, TableReader

_HEAD_SORT_KEY = "E$"


def read_events(
    reader: TableReader, board_id: str, user_id: str, after_seq: int, count: int
) -> tuple[BoardView, list[Event]] | None:
    """Return the first events with a greater seq, and the board as that member sees it.

    For a user who is not a member only the head is read.
    """
    known_head = None
    if not reader.get_cached_head(board_id, user_id):
        known_head = reader.get_head(board_id, user_id)
        if known_head is None:
            return None
    # The head follows the last event: a query for the newest events returns both at once.
    query = reader.board_query(board_id)
    items = [*islice(query(keys.event_sort_key(after_seq + 1), _HEAD_SORT_KEY, page_size=count + 1), count + 1)]
    head: BoardHead | None
    if items and items[-1]["sk"]["S"] == _HEAD_SORT_KEY:
        head = head_from_item(items.pop())
    else:
        head = known_head or reader.get_head(board_id, user_id)
    view = head.live_view_for(user_id) if head else None
    if head is None or view is None:
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


def get_events_by_seq(reader: TableReader, board_id: str, seqs: Sequence[int]) -> list[Event]:
    """Return those events, as far as they are there."""
    item_keys = [keys.event_key(board_id, seq) for seq in seqs]
    items = [
        item
        for start in range(0, len(item_keys), MAX_BATCH_KEYS)
        for item in reader.transact_get(*item_keys[start : start + MAX_BATCH_KEYS])
    ]
    return [event_from_item(item) for item in items if item]
