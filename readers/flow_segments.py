"""Build flow segments: a reader of the feed whose cursor is the newest segment.

Segments are derived from events alone and are added once, so there is no lease: two workers at the same board do the
same. A step reads the events of one segment, and may be interrupted anywhere.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from kanban.flow.flow_segments import (
    EVENTS_PER_SEGMENT,
    MAX_CLOCK_SKEW,
    FlowSegment,
    build_segment,
    get_segment_end,
    read_segment,
)
from kanban.flow.flow_state import build_present_state, get_stages
from kanban.store import Busy, Store
from kanban.values import Event
from kanban.views import BoardView, PageKey

log = logging.getLogger("tackboard")

BOARDS_PER_PAGE = 200

SEARCH_INTERVAL = timedelta(minutes=1)
"""How often boards are searched for those that can have more segments."""

RecordSize = Callable[[FlowSegment, int], None]
"""Called with a segment that was added, and how many gigabytes its board takes at most."""


class FlowSegmentBuilder:
    """Adds the segments that boards can have. Threads, and other processes with the same data, may do the same."""

    def __init__(self, store: Store, now: Callable[[], datetime], record_size: RecordSize = lambda _, __: None) -> None:
        self._store = store
        self._segments = store.flow_segments
        self._now = now
        self._record_size = record_size
        self._searched_at: datetime | None = None

    def search_due(self) -> Sequence[str]:
        """Return what `list_due` returns, but nothing if it was asked less than `SEARCH_INTERVAL` ago."""
        now = self._now()
        if self._searched_at is not None and self._searched_at <= now < self._searched_at + SEARCH_INTERVAL:
            return ()
        board_ids = self.list_due()
        self._searched_at = now
        return board_ids

    def list_due(self) -> Sequence[str]:
        """Return the ids of boards that can have more segments."""
        board_ids: list[str] = []
        after: PageKey | None = None
        while True:
            page = self._segments.page_incomplete_boards(BOARDS_PER_PAGE, after)
            board_ids += page.items
            after = page.next_key
            if after is None:
                return board_ids

    def run_all(self, board_ids: Sequence[str], should_go_on: Callable[[], bool]) -> None:
        """Add the segments of boards, one board after the other. One that fails holds up no other. Raises Busy."""
        for board_id in board_ids:
            try:
                self.run(board_id, should_go_on)
            except Busy:
                raise
            except Exception:
                log.exception("A builder of flow segments failed")

    def run(self, board_id: str, should_go_on: Callable[[], bool]) -> bool:
        """Add segments of a board until it has all, or `should_go_on` says no. Return whether it has all."""
        while should_go_on():
            segment = self._build_next(board_id)
            if segment is None:
                self._segments.end_request(board_id)
                return True
            gigabytes = self._segments.add_segment(segment)
            if gigabytes is not None:
                self._record_size(segment, gigabytes)
        return False

    def _build_next(self, board_id: str) -> FlowSegment | None:
        """Return a segment that the board lacks: the first one, the next one, or one before the oldest."""
        ends = self._segments.read_ends(board_id)
        if ends is None:
            return self._build_first(board_id)
        oldest, newest = ends
        return self._build_later(newest) or self._build_earlier(oldest)

    def _build_first(self, board_id: str) -> FlowSegment | None:
        """Return the newest segment, whose state is the present one without the events after it."""
        view = self._read_view(board_id)
        end = get_segment_end(view.board.seq) if view else 0
        if view is None or end == 0:
            return None
        later_events = self._read_feed(board_id, end, view.board.seq - end)
        events = self._read_feed(board_id, end - EVENTS_PER_SEGMENT, EVENTS_PER_SEGMENT)
        if later_events is None or events is None:
            return None
        state, stages = build_present_state(view), get_stages(view)
        for event in reversed(later_events):
            state.undo(event, stages)
        return build_segment(board_id, events, state, earliest=None, latest=self._now() + MAX_CLOCK_SKEW)

    def _build_later(self, newest: FlowSegment) -> FlowSegment | None:
        events = self._read_feed(newest.board_id, newest.seq, EVENTS_PER_SEGMENT)
        if events is None:
            return None
        state = read_segment(newest).state
        stages = dict(state.card_counts.keys())
        for event in events:
            state.apply(event, stages)
        latest = self._now() + MAX_CLOCK_SKEW
        return build_segment(newest.board_id, events, state, earliest=newest.at, latest=latest)

    def _build_earlier(self, oldest: FlowSegment) -> FlowSegment | None:
        if oldest.after_seq == 0:
            return None
        board_id = oldest.board_id
        view = self._read_view(board_id)
        events = self._read_feed(board_id, oldest.after_seq - EVENTS_PER_SEGMENT, EVENTS_PER_SEGMENT)
        if view is None or events is None:
            return None
        content, stages = read_segment(oldest), get_stages(view)
        state = content.state
        for event in reversed(content.events):
            state.undo(event, stages)
        return build_segment(board_id, events, state, earliest=None, latest=oldest.at)

    def _read_view(self, board_id: str) -> BoardView | None:
        """Return the board as one of its owners sees it, also if it is deleted; None if nobody owns it."""
        owner_ids = self._store.webhooks.list_owner_ids(board_id)
        return self._store.read_deleted(board_id, owner_ids[0]) if owner_ids else None

    def _read_feed(self, board_id: str, after_seq: int, count: int) -> Sequence[Event] | None:
        """Return so many events after that one, None if they are not all there yet."""
        events: list[Event] = []
        while len(events) < count:
            batch = self._store.feed_readers.read_feed(board_id, after_seq + len(events), count - len(events))
            if not batch:
                return None
            events += batch
        return events
