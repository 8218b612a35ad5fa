"""The events of a board."""

from collections.abc import Sequence
from itertools import islice

from kanban.values import BoardView, Event
from stores import dynamodb_heads
from stores import dynamodb_keys as keys
from stores.dynamodb_heads import Head
from stores.dynamodb_items import event_of
from stores.dynamodb_keys import Item
from stores.dynamodb_reading import Reading

_HEAD = "E$"
_MOST_AT_ONCE = 100


def events_of(
    reading: Reading, board_id: str, user_id: str, after_seq: int, count: int
) -> tuple[BoardView, list[Event]] | None:
    """The first events with a greater seq, seen by that member.

    For somebody who is no member nothing but the head is read.
    """
    seen = reading.seen.get(board_id)
    looked_at = None
    if not (seen and seen.head.is_open_to(user_id)):
        looked_at = reading.head(board_id, user_id)
        if looked_at is None:
            return None
    # The head follows the last event: whoever asks for what is new gets both at once.
    found = [*islice(reading.on_board(board_id)(keys.event_sk(after_seq + 1), _HEAD, wanted=count + 1), count + 1)]
    head: Head | None
    if found and found[-1]["sk"]["S"] == _HEAD:
        head = dynamodb_heads.head_of(found.pop())
    else:
        head = looked_at or reading.head(board_id, user_id)
    view = head.seen_by(user_id) if head else None
    if head is None or view is None:
        return None
    last = min(head.board.seq, after_seq + count)
    events = {event.seq: event for event in map(event_of, found) if event.seq <= last}
    missing = [seq for seq in range(after_seq + 1, last + 1) if seq not in events]
    late = _by_key(reading, board_id, missing)
    if len(late) < len(missing):
        # A purge has erased the board.
        return None
    events |= {event.seq: event for event in map(event_of, late)}
    return view, [events[seq] for seq in sorted(events)]


def _by_key(reading: Reading, board_id: str, seqs: Sequence[int]) -> list[Item]:
    """The events of those numbers, also where the query before came between the parts of the last write."""
    wanted = [keys.key(f"B#{board_id}", keys.event_sk(seq)) for seq in seqs]
    found = [
        item
        for start in range(0, len(wanted), _MOST_AT_ONCE)
        for item in reading.together(*wanted[start : start + _MOST_AT_ONCE])
    ]
    return [item for item in found if item]
