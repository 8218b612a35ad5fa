"""Reports by flow segments: equal to those by all events, whatever happened, and whenever the segments were built."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanban.errors import DomainError
from kanban.flow import flow_report
from kanban.flow.flow_report import FlowReport
from kanban.flow.flow_segments import FlowSegment
from kanban.store import Busy, EventQuery
from kanban.timekeeping import date_ranges
from kanban.timekeeping.date_ranges import Bucket, DateRange, TooMuchInRange
from kanban.values import Event, NewList, Stage
from kanban.views import BoardView, Page
from readers.flow_segments import SEARCH_INTERVAL, FlowSegmentBuilder
from tests.flow_segment_size import patch_segment_size
from tests.kanban.fake_store import NOON, FakeStore
from tests.kanban.flow.test_flow_report import STEPS, act_at_random
from usecases import flow_history
from usecases.flow_history import FlowHistoryReader


@pytest.fixture(autouse=True, scope="module")
def small_segments() -> Iterator[None]:
    """Let segments have four events."""
    with pytest.MonkeyPatch.context() as patch:
        patch_segment_size(patch, 4)
        yield


class FakeSegments:
    """Segments in a dictionary."""

    def __init__(self) -> None:
        self.by_seq: dict[int, FlowSegment] = {}
        self.requests: list[str] = []
        self.looks = 0

    def _list(self) -> list[FlowSegment]:
        return sorted(self.by_seq.values(), key=lambda segment: (segment.at, segment.seq))

    def find_last_before(self, board_id: str, at: datetime) -> FlowSegment | None:
        """Return the last one before a moment."""
        del board_id
        return next((segment for segment in reversed(self._list()) if segment.at < at), None)

    def list_since(self, board_id: str, at: datetime) -> Iterator[FlowSegment]:
        """Yield those since a moment."""
        del board_id
        yield from (segment for segment in self._list() if segment.at >= at)

    def read_ends(self, board_id: str) -> tuple[FlowSegment, FlowSegment] | None:
        """Return the first and the last one."""
        del board_id
        segments = self._list()
        return (segments[0], segments[-1]) if segments else None

    def add_segment(self, segment: FlowSegment) -> int | None:
        """Add one."""
        self.by_seq.setdefault(segment.seq, segment)
        return 3

    def page_incomplete_boards(self, limit: int, after: Any = None) -> Page[str]:
        """Return two boards, one after the other."""
        del limit
        self.looks += 1
        return Page(("brd_2",)) if after else Page(("brd_1",), ("brd_1",))

    def request_segments(self, board_id: str) -> None:
        """Record the request."""
        self.requests.append(board_id)

    def end_request(self, board_id: str) -> None:
        """Forget the request."""
        self.requests = [requested for requested in self.requests if requested != board_id]


class FlowWorld:
    """A board, its segments, and what reads and builds them: the parts of a store that these need."""

    def __init__(self, store: FakeStore) -> None:
        self.store = store
        self.flow_segments = FakeSegments()
        self.feed_readers = self.webhooks = self
        self.sizes: list[tuple[int, int]] = []
        self.builder = FlowSegmentBuilder(
            self,  # type: ignore[arg-type]  # it has what a builder needs
            lambda: store.now,
            lambda segment, gigabytes: self.sizes.append((segment.seq, gigabytes)),
        )
        self.event_reads = 0

    def list_owner_ids(self, board_id: str) -> Sequence[str]:
        """Return the owner."""
        return ["usr_ann"] if board_id == self.store.board.id else []

    def read_deleted(self, board_id: str, user_id: str) -> BoardView | None:
        """Return the board."""
        del board_id, user_id
        return self.store.view()

    def read_feed(self, board_id: str, after_seq: int, limit: int) -> Sequence[Event]:
        """Return events, three at most."""
        del board_id
        return self.store.events[after_seq : after_seq + min(limit, 3)]

    def page_events(self, board_id: str, query: EventQuery, limit: int) -> tuple[BoardView, Page[Event]]:
        """Return events, as a `BoardAccess` does."""
        del board_id
        events = self.store.events[query.after : query.after + limit]
        self.event_reads += len(events)
        return self.store.view(), Page(tuple(events))

    def build_segments(self, steps: int | None = None) -> None:
        """Build all segments, or take so many steps."""
        remaining = count() if steps is None else iter(range(steps))
        self.builder.run(self.store.board.id, lambda: next(remaining, None) is not None)

    def build_report(self, days: DateRange) -> FlowReport:
        """Return a report as the API builds it."""
        view = self.store.view()
        reader = FlowHistoryReader(self, self.flow_segments, view)  # type: ignore[arg-type]  # it has what a reader needs
        history = reader.read(days, self.store.now)
        return flow_report.build_flow_report(history.events, view, history.days.split(Bucket.DAY), history.end_state)

    def build_report_of_all_events(self, days: DateRange) -> FlowReport:
        """Return the same report by all events."""
        first_day = days.get_local_day(self.store.events[0].at)
        known_days = days.clip(first_day, days.get_local_day(self.store.now))
        return flow_report.build_flow_report(self.store.events, self.store.view(), known_days.split(Bucket.DAY))


def transfer(store: FakeStore, action: str, card_index: int, list_index: int) -> None:
    """Let a card leave the board, or another one arrive."""
    cards = [card for card in store.view(*store.cards).cards.values() if card.archived_at is None]
    lists = store.view().lists
    if not lists or (action == "depart" and not cards):
        return
    card = cards[card_index % len(cards)] if action == "depart" else None
    list_ = next(list_ for list_ in lists if list_.id == card.list_id) if card else lists[list_index % len(lists)]
    if card:
        del store.cards[card.id]
    store.lists[list_.id] = replace(list_, card_count=list_.card_count + (-1 if card else 1))
    store.board = replace(store.board, seq=store.board.seq + 1)
    event_type, card_id = ("card.departed", card.id) if card else ("card.arrived", f"crd_other{store.board.seq}")
    data = {"stage": str(list_.stage)}
    if card is None and list_.stage == Stage.DONE and card_index % 2:
        data |= {"created_at": "2026-10-20T10:00:00Z", "started_at": "2026-10-21T10:00:00Z"}
    store.events.append(
        Event(store.board.id, store.board.seq, event_type, store.now, "usr_ann", list_.id, card_id, data)
    )


def build_world() -> FlowWorld:
    """Return a board with lists in all stages. Clocks in Berlin go back on 2026-10-25."""
    store = FakeStore(
        lists=[
            NewList(name, Stage(stage))
            for name, stage in (("A", "todo"), ("B", "in_progress"), ("C", "in_progress"), ("D", "done"), ("E", "done"))
        ]
    )
    store.events = [replace(store.events[0], at=datetime(2026, 10, 24, 6, 0, tzinfo=UTC))]
    store.now = store.events[0].at
    return FlowWorld(store)


BUILDS = st.dictionaries(st.integers(0, 79), st.integers(1, 4), max_size=6)
TRANSFERS = st.dictionaries(st.integers(0, 79), st.sampled_from(["depart", "arrive"]), max_size=8)
SKEWS = st.dictionaries(st.integers(0, 79), st.integers(-50, 50), max_size=8)


@given(
    STEPS,
    *(BUILDS, TRANSFERS, SKEWS),
    st.sampled_from(["UTC", "Europe/Berlin", "America/Lima"]),
    *(st.integers(-1, 8), st.integers(0, 9), st.booleans()),
)
@settings(max_examples=300, deadline=None)
def test_a_report_by_segments_equals_that_by_all_events(
    steps: list[tuple[str, int, int, int]],
    builds: dict[int, int],
    transfers: dict[int, str],
    skews: dict[int, int],
    tz: str,
    skipped: int,
    length: int,
    is_complete: bool,
) -> None:
    world = build_world()
    for number, (action, card_index, list_index, hours) in enumerate(steps):
        world.store.advance_clock(hours=hours)
        old_count = len(world.store.events)
        with suppress(DomainError):
            act_at_random(world.store, action, card_index, list_index)
        if number in transfers:
            transfer(world.store, transfers[number], card_index, list_index)
        if number in skews and len(world.store.events) > old_count:
            # Another machine wrote the last event, and its clock differs.
            last = world.store.events[-1]
            at = max(last.at + timedelta(minutes=skews[number]), world.store.events[0].at)
            world.store.events[-1] = replace(last, at=at)
        if number in builds:
            world.build_segments(builds[number])
    if is_complete:
        world.build_segments()
    first = date(2026, 10, 24) + timedelta(days=skipped)
    days = DateRange(first, first + timedelta(days=length), date_ranges.load_time_zone(tz))

    report = world.build_report(days)

    assert report == world.build_report_of_all_events(days)


def add_events(world: FlowWorld, seq: int, **later: float) -> None:
    """Add cards until the board has that seq."""
    while len(world.store.events) < seq:
        world.store.advance_clock(**later)
        act_at_random(world.store, "add", 0, 0)


def list_seqs(world: FlowWorld) -> list[int]:
    """Return the seqs of the segments."""
    return sorted(world.flow_segments.by_seq)


def test_the_newest_segment_is_built_first_and_then_the_later_and_the_earlier_ones() -> None:
    world = build_world()
    add_events(world, 3)
    world.build_segments()
    assert list_seqs(world) == []
    add_events(world, 18)
    for seqs in ([16], [12, 16], [8, 12, 16]):
        world.build_segments(1)
        assert list_seqs(world) == seqs
    add_events(world, 24)
    world.build_segments(2)
    assert list_seqs(world) == [8, 12, 16, 20, 24]
    world.build_segments()
    assert list_seqs(world) == [4, 8, 12, 16, 20, 24]
    assert world.sizes[0] == (16, 3)


def test_a_board_that_nobody_owns_gets_no_segment() -> None:
    world = build_world()
    add_events(world, 8)

    assert world.builder.run("brd_other", lambda: True)
    assert list_seqs(world) == []


def test_what_came_later_is_not_read() -> None:
    world = build_world()
    add_events(world, 8, hours=1)
    days = DateRange(date(2026, 10, 24), date(2026, 10, 24), date_ranges.load_time_zone("UTC"))
    world.store.advance_clock(days=1)
    report = world.build_report(days)
    add_events(world, 200, hours=5)
    world.build_segments()
    world.event_reads = 0

    assert world.build_report(days) == report
    assert world.event_reads == 0


def test_events_without_segments_are_read_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    world = build_world()
    add_events(world, 40, hours=1)
    days = DateRange(date(2026, 10, 24), date(2026, 10, 24), date_ranges.load_time_zone("UTC"))
    monkeypatch.setattr(flow_history, "MAX_EVENTS", 20)

    with pytest.raises(TooMuchInRange, match="There are more than 20 events since 'from', which are not prepared"):
        world.build_report(days)
    assert world.flow_segments.requests == [world.store.board.id]
    world.build_segments()
    assert world.flow_segments.requests == []
    world.build_report(days)
    with pytest.raises(TooMuchInRange, match="There are more than 20 events from 'from' to 'to': choose fewer days"):
        world.build_report(replace(days, last_day=date(2026, 10, 26)))


def test_a_clock_that_was_far_ahead_does_not_hide_later_events() -> None:
    world = build_world()
    add_events(world, 4, hours=1)
    world.store.events[-1] = replace(world.store.events[-1], at=world.store.now + timedelta(days=400))
    world.build_segments()
    add_events(world, 40, hours=5)
    world.build_segments()
    days = DateRange(date(2026, 10, 26), date(2026, 10, 27), date_ranges.load_time_zone("UTC"))

    assert world.build_report(days).completions == ()
    assert sum(world.build_report(days).stages[Stage.TODO]) > 0


def test_boards_are_searched_once_in_a_while() -> None:
    world = build_world()

    assert world.builder.search_due() == ["brd_1", "brd_2"]
    assert world.builder.search_due() == ()
    world.store.now += SEARCH_INTERVAL
    assert world.builder.search_due() == ["brd_1", "brd_2"]
    # A clock that is set back must not stop the search.
    world.store.now = NOON - timedelta(days=300)
    assert world.builder.search_due() == ["brd_1", "brd_2"]
    assert world.flow_segments.looks == 6


def test_a_deleted_list_keeps_the_name_that_it_had() -> None:
    world = build_world()
    add_events(world, 8, hours=1)
    days = DateRange(date(2026, 10, 24), date(2026, 10, 24), date_ranges.load_time_zone("UTC"))
    world.build_segments()
    world.store.advance_clock(days=2)
    act_at_random(world.store, "delete_list", 0, 0)
    add_events(world, 20, hours=10)
    world.build_segments()

    live_ids = {list_.id for list_ in world.store.view().lists}
    (deleted,) = [list_ for list_ in world.build_report(days).lists if list_.list_id not in live_ids]
    assert deleted.name == "A"


def test_a_board_that_fails_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    world = build_world()
    add_events(world, 8)
    failures: list[Exception] = [RuntimeError("A bug."), Busy("The store is away.")]

    def fail(board_id: str) -> None:
        if board_id == "brd_broken":
            raise failures.pop(0)

    monkeypatch.setattr(world.flow_segments, "read_ends", fail)
    world.builder.run_all(["brd_broken", world.store.board.id], iter([True, True, False]).__next__)
    assert list_seqs(world) == [8]
    with pytest.raises(Busy):
        world.builder.run_all(["brd_broken", world.store.board.id], lambda: True)
