"""The events of a board."""

from collections.abc import Sequence
from itertools import islice

from kanban.values import Event
from kanban.views import BoardView
from stores.dynamodb import board_items, keys
from stores.dynamodb.board_items import BoardHead
from stores.dynamodb.keys import Item
from stores.dynamodb.reads import TableReader
from stores.dynamodb.user_items import event_from_item

_HEAD_SORT_KEY = "E$"
_MAX_TRANSACTION_ITEMS = 100


def read_events(
    reader: TableReader, board_id: str, user_id: str, after_seq: int, count: int
) -> tuple[BoardView, list[Event]] | None:
    """The first events with a greater seq, seen by that member.

    For somebody who is no member nothing but the head is read.
    """
    seen = reader.snapshots.get(board_id)
    looked_at = None
    if not (seen and seen.head.is_visible_to(user_id)):
        looked_at = reader.get_head(board_id, user_id)
        if looked_at is None:
            return None
    # The head follows the last event: whoever asks for what is new gets both at once.
    found = [
        *islice(
            reader.board_query(board_id)(keys.event_sort_key(after_seq + 1), _HEAD_SORT_KEY, wanted=count + 1),
            count + 1,
        )
    ]
    head: BoardHead | None
    if found and found[-1]["sk"]["S"] == _HEAD_SORT_KEY:
        head = board_items.head_from_item(found.pop())
    else:
        head = looked_at or reader.get_head(board_id, user_id)
    view = head.live_view_for(user_id) if head else None
    if head is None or view is None:
        return None
    last = min(head.board.seq, after_seq + count)
    events = {event.seq: event for event in map(event_from_item, found) if event.seq <= last}
    missing = [seq for seq in range(after_seq + 1, last + 1) if seq not in events]
    late = _get_by_seq(reader, board_id, missing)
    if len(late) < len(missing):
        # A purge has erased the board.
        return None
    events |= {event.seq: event for event in map(event_from_item, late)}
    return view, [events[seq] for seq in sorted(events)]


def _get_by_seq(reader: TableReader, board_id: str, seqs: Sequence[int]) -> list[Item]:
    """The events of those numbers, also where the query before came between the parts of the last write."""
    wanted = [keys.item_key(f"B#{board_id}", keys.event_sort_key(seq)) for seq in seqs]
    found = [
        item
        for start in range(0, len(wanted), _MAX_TRANSACTION_ITEMS)
        for item in reader.transact_get(*wanted[start : start + _MAX_TRANSACTION_ITEMS])
    ]
    return [item for item in found if item]
