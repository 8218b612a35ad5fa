"""Flow segments: what reports need of every 500 events of a board, and the state of the flow after them.

A segment is derived from events that never change, so it is written once, and whoever writes it writes the same. A
report of a past range reads the segments of the range, whatever happened later; only what came after the newest segment
is read from the events themselves.

The first segment to be written is the newest: its state comes from the present board. From there, segments are added at
both ends. So a board of before has segments of its last weeks at once, and all of them some steps later.
"""

import json
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from kanban.flow.flow_state import FlowState
from kanban.values import Event, EventData, Stage

EVENTS_PER_SEGMENT = 500

MAX_CLOCK_SKEW = timedelta(hours=1)
"""How much earlier than the event before it an event may be, because the clocks of two machines differ."""

_RESTORE_WINDOW = timedelta(days=31)
"""How long it is remembered whether a deleted list is archived: longer than it can be restored."""

_FLOW_EVENTS = frozenset(
    (
        *("card.created", "card.copied", "card.moved", "card.archived", "card.unarchived", "card.deleted"),
        *("card.restored", "card.arrived", "card.departed", "checklist_item.converted"),
        *("list.archived", "list.unarchived", "list.deleted", "list.restored", "list.copied", "list.cards_moved"),
    )
)
"""The events that a report is derived from."""

_DATA_OF_CARD_EVENTS = frozenset(
    (
        *("stage", "from_stage", "to_stage", "from_list_id", "new_card_id", "archived_at"),
        *("created_at", "started_at", "card_ids", "card_count"),
    )
)
_DATA_OF_LIST_EVENTS = _DATA_OF_CARD_EVENTS | {"name"}
"""What a report needs of the data of an event. It has no text that was written on a card."""


@dataclass(frozen=True, slots=True)
class FlowSegment:
    """A segment as it is stored.

    Attributes:
        board_id: The board.
        seq: The seq of its last event, a multiple of `EVENTS_PER_SEGMENT`.
        at: When its last event happened. No later segment has an earlier time, so clocks of several machines are
            levelled out: an earlier event may be later by `MAX_CLOCK_SKEW`, and a later one earlier by as much.
        content: `SegmentContent`, compressed.
    """

    board_id: str
    seq: int
    at: datetime
    content: bytes

    @property
    def after_seq(self) -> int:
        """The seq of the event before its first one."""
        return self.seq - EVENTS_PER_SEGMENT


@dataclass(frozen=True, slots=True)
class SegmentContent:
    """What a segment says: when its first event happened, its events that are part of the flow, the state after it."""

    began_at: datetime
    events: Sequence[Event]
    state: FlowState


def get_segment_end(seq: int) -> int:
    """Return the seq of the last event of the newest segment that a board with that seq can have; 0 for none."""
    return seq - seq % EVENTS_PER_SEGMENT


def build_segment(
    board_id: str, events: Sequence[Event], state: FlowState, *, earliest: datetime | None, latest: datetime
) -> FlowSegment:
    """Return the segment of these events. `state` is that after the last one.

    `earliest` is the time of the segment before, if there is one, and `latest` that of the next one, or the present. A
    clock that was far ahead must not hold up all that follows.
    """
    last = events[-1]
    at = min(last.at, latest)
    if earliest is not None:
        at = max(at, earliest)
    state = state.copy()
    state.forget_lists_deleted_before(last.at - _RESTORE_WINDOW)
    flow = [_pack_event(event) for event in events if event.type in _FLOW_EVENTS]
    content = {"began_at": _to_seconds(events[0].at), "events": flow, "state": _pack_state(state)}
    packed = zlib.compress(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode())
    return FlowSegment(board_id, last.seq, at, packed)


def read_segment(segment: FlowSegment) -> SegmentContent:
    """Return what a segment says."""
    content = json.loads(zlib.decompress(segment.content))
    return SegmentContent(
        _from_seconds(content["began_at"]),
        [_unpack_event(segment.board_id, packed) for packed in content["events"]],
        _unpack_state(content["state"]),
    )


def _pack_event(event: Event) -> list[object]:
    names = _DATA_OF_LIST_EVENTS if event.card_id is None else _DATA_OF_CARD_EVENTS
    data = {name: value for name, value in event.data.items() if name in names}
    return [event.seq, event.type, _to_seconds(event.at), event.list_id, event.card_id, data]


def _unpack_event(board_id: str, packed: Sequence[Any]) -> Event:
    seq, event_type, at, list_id, card_id, data = packed
    event_data: EventData = data
    return Event(board_id, seq, event_type, _from_seconds(at), "", list_id, card_id, event_data)


def _pack_state(state: FlowState) -> dict[str, object]:
    return {
        "card_counts": [[list_id, stage, count] for (list_id, stage), count in state.card_counts.items() if count],
        "archived": sorted(state.archived_list_ids),
        "names": state.names,
        "deleted_at": {list_id: _to_seconds(at) for list_id, at in state.deleted_at.items()},
    }


def _unpack_state(packed: Mapping[str, Any]) -> FlowState:
    return FlowState(
        Counter({(list_id, Stage(stage)): count for list_id, stage, count in packed["card_counts"]}),
        set(packed["archived"]),
        dict(packed["names"]),
        {list_id: _from_seconds(at) for list_id, at in packed["deleted_at"].items()},
    )


def _to_seconds(at: datetime) -> int:
    return int(at.timestamp())


def _from_seconds(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
