"""Read the past of a board's flow: flow segments, and the events that no segment covers yet."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from kanban.flow.flow_report import MAX_EVENTS
from kanban.flow.flow_segment_store import FlowSegmentStore
from kanban.flow.flow_segments import EVENTS_PER_SEGMENT, MAX_CLOCK_SKEW, FlowSegment, SegmentContent, read_segment
from kanban.flow.flow_state import FlowState
from kanban.store import EventQuery
from kanban.timekeeping.date_ranges import DateRange, TooMuchInRange
from kanban.values import Event
from kanban.views import BoardView
from usecases.board_access import BoardAccess

_EVENTS_PER_READ = 1_000

_MAX_LAG = 2 * EVENTS_PER_SEGMENT
"""How many events a board usually lacks segments of at most."""


@dataclass(frozen=True, slots=True)
class FlowHistory:
    """The past of a range of days, of those in which the board existed.

    Attributes:
        days: These days.
        events: The events of the days and some around them, in order, up to `end_state`.
        end_state: The state after the last of the events, None if it is that of the present board.
    """

    days: DateRange
    events: Sequence[Event]
    end_state: FlowState | None


class FlowHistoryReader:
    """Reads the past of one board."""

    def __init__(self, access: BoardAccess, segments: FlowSegmentStore, view: BoardView) -> None:
        """Take the board as it was read just now."""
        self._access = access
        self._segments = segments
        self._board_id = view.board.id
        self._last_seq = view.board.seq

    def read(self, days: DateRange, now: datetime) -> FlowHistory:
        """Return the past of these days.

        Raises:
            TooMuchInRange: There are more events in the range than a report may read, or the board has no segments of
                too many since then.
        """
        today = days.get_local_day(now)
        if days.first_day > today:
            return FlowHistory(days.clip(days.first_day, today), (), None)
        start, end = days.start - MAX_CLOCK_SKEW, days.end + MAX_CLOCK_SKEW
        before = self._segments.find_last_before(self._board_id, start)
        chain = self._read_chain(start, end)
        contents = [*map(read_segment, chain)]
        days = days.clip(days.first_day if before else self._get_first_day(days, chain, contents), today)
        if days.last_day < days.first_day:
            return FlowHistory(days, (), None)
        covered_from = chain[0].after_seq if chain else self._last_seq
        covered_to = chain[-1].seq if chain else self._last_seq
        is_past = bool(chain) and chain[-1].at >= end
        last_seq = covered_to if is_past else self._last_seq
        gap = self._find_seq_before(before.seq if before else 0, covered_from, start), covered_from
        tail = covered_to, last_seq
        self._ensure_readable(len(chain), gap, tail)
        events = [
            *self._read_events(*gap),
            *(event for content in contents for event in content.events),
            *self._read_events(*tail),
        ]
        return FlowHistory(days, events, contents[-1].state if is_past else None)

    def _read_chain(self, start: datetime, end: datetime) -> list[FlowSegment]:
        """Return the segments from one moment to another, and the first one that ended after that."""
        chain: list[FlowSegment] = []
        for segment in self._segments.list_since(self._board_id, start):
            if chain and segment.seq <= chain[-1].seq:
                continue
            chain.append(segment)
            if segment.at >= end:
                break
            # The first and the last one may have most of their events outside of the range.
            if (len(chain) - 2) * EVENTS_PER_SEGMENT > MAX_EVENTS:
                raise TooMuchInRange("events", MAX_EVENTS)
        return chain

    def _get_first_day(self, days: DateRange, chain: Sequence[FlowSegment], contents: Sequence[SegmentContent]) -> date:
        """Return the day of the board's first event."""
        if chain and chain[0].after_seq == 0:
            return days.get_local_day(contents[0].began_at)
        return days.get_local_day(self._read_event(0).at)

    def _ensure_readable(self, segment_count: int, *unread: tuple[int, int]) -> None:
        """Raise TooMuchInRange if too many events must be read; ask for segments if there are some to be had."""
        missing = sum(max(to - after, 0) for after, to in unread)
        if missing <= _MAX_LAG:
            return
        self._segments.request_segments(self._board_id)
        if missing + segment_count * EVENTS_PER_SEGMENT > MAX_EVENTS:
            raise TooMuchInRange("events", MAX_EVENTS, are_prepared=False)

    def _read_events(self, after: int, to: int) -> Iterator[Event]:
        while after < to:
            limit = min(_EVENTS_PER_READ, to - after)
            events = self._access.page_events(self._board_id, EventQuery(after), limit)[1].items
            yield from events
            after = events[-1].seq

    def _find_seq_before(self, low: int, high: int, instant: datetime) -> int:
        """Return a seq that is at most a page of events before the first event since that instant, by bisection."""
        while high - low > _EVENTS_PER_READ:
            middle = (low + high) // 2
            if self._read_event(middle).at < instant:
                low = middle + 1
            else:
                high = middle
        return low

    def _read_event(self, after: int) -> Event:
        return self._access.page_events(self._board_id, EventQuery(after), 1)[1].items[0]
