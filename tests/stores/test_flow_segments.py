"""Flow segments are kept in the order of their times, once each, on every engine."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import islice

import pytest

from kanban import boards, cards, lists
from kanban.access import Caller
from kanban.flow import flow_report
from kanban.flow.flow_report import FlowReport
from kanban.flow.flow_segment_store import FlowSegmentStore
from kanban.flow.flow_segments import EVENTS_PER_SEGMENT, FlowSegment
from kanban.timekeeping.date_ranges import Bucket, DateRange, load_time_zone
from kanban.values import Role, Scope
from readers.flow_segments import FlowSegmentBuilder
from tests.flow_segment_size import patch_segment_size
from tests.stores.test_purge import purge_all, read_raw
from tests.stores.world import NOON, World
from usecases.board_access import BoardAccess
from usecases.flow_history import FlowHistoryReader
from usecases.report_reads import read_cards_in_progress


@pytest.fixture
def segments(world: World) -> FlowSegmentStore:
    return world.store.flow_segments


def add_segment(world: World, number: int, at: datetime | None = None) -> FlowSegment:
    """Add the segment of that number, each of which ends an hour after the one before."""
    at = at or NOON + timedelta(hours=number)
    segment = FlowSegment(world.board_id, number * EVENTS_PER_SEGMENT, at, bytes([number, 0, 255]) * number)
    world.store.flow_segments.add_segment(segment)
    return segment


def test_segments_are_found_by_time(world: World, segments: FlowSegmentStore) -> None:
    first, second, third = (add_segment(world, number) for number in (1, 2, 3))

    assert segments.find_last_before("brd_none", NOON + timedelta(days=1)) is None
    assert segments.find_last_before(world.board_id, first.at) is None
    assert segments.find_last_before(world.board_id, first.at + timedelta(seconds=1)) == first
    assert segments.find_last_before(world.board_id, NOON + timedelta(days=1)) == third
    assert [*segments.list_since("brd_none", NOON)] == []
    assert [*segments.list_since(world.board_id, NOON)] == [first, second, third]
    assert [*segments.list_since(world.board_id, second.at)] == [second, third]
    assert [*segments.list_since(world.board_id, third.at + timedelta(seconds=1))] == []


def test_segments_of_one_second_are_in_the_order_of_their_seqs(world: World, segments: FlowSegmentStore) -> None:
    added = [add_segment(world, number, NOON) for number in (10, 2, 9)]

    assert [*segments.list_since(world.board_id, NOON)] == sorted(added, key=lambda segment: segment.seq)
    assert segments.find_last_before(world.board_id, NOON + timedelta(seconds=1)) == added[0]


def test_any_number_of_segments_is_read_some_at_a_time(world: World, segments: FlowSegmentStore) -> None:
    # Two of them end at the same time wherever a page may end.
    added = [add_segment(world, number, NOON + timedelta(hours=number // 2)) for number in range(1, 51)]

    assert [*segments.list_since(world.board_id, NOON)] == added
    assert [*islice(segments.list_since(world.board_id, added[7].at), 3)] == added[7:10]


def test_a_segment_is_added_once(world: World, segments: FlowSegmentStore) -> None:
    segment = add_segment(world, 1)

    segments.add_segment(replace(segment, content=b"another"))

    assert [*segments.list_since(world.board_id, NOON)] == [segment]


def test_the_ends_are_the_oldest_and_the_newest_segment(world: World, segments: FlowSegmentStore) -> None:
    assert segments.read_ends(world.board_id) is None
    middle = add_segment(world, 2)
    assert segments.read_ends(world.board_id) == (middle, middle)
    oldest, newest = add_segment(world, 1), add_segment(world, 3)
    assert segments.read_ends(world.board_id) == (oldest, newest)


def test_a_board_that_does_not_exist_gets_no_segment(segments: FlowSegmentStore) -> None:
    segments.add_segment(FlowSegment("brd_none", EVENTS_PER_SEGMENT, NOON, b""))

    assert segments.read_ends("brd_none") is None


def test_a_purge_erases_the_segments_of_a_board(world: World, segments: FlowSegmentStore) -> None:
    add_segment(world, 1)
    world.store.commit(boards.delete(world.read_board(), world.context()))
    world.advance(days=32)

    purge_all(world)

    assert segments.read_ends(world.board_id) is None
    assert world.board_id not in read_raw(world)


def test_a_board_without_enough_events_lacks_no_segment(world: World, segments: FlowSegmentStore) -> None:
    assert segments.page_incomplete_boards(10).items == ()
    segments.request_segments(world.board_id)
    segments.request_segments(world.board_id)
    segments.end_request(world.board_id)
    segments.end_request(world.board_id)
    assert segments.page_incomplete_boards(10).items == ()


def build_report(world: World, first_day: date, last_day: date) -> FlowReport:
    """Return the flow report of these days as the API builds it."""
    access = BoardAccess(world.store, Caller(world.ann.id, "tok_1", tuple(Scope)), Scope.READ, Role.VIEWER)
    view, _ = read_cards_in_progress(access, world.board_id)
    reader = FlowHistoryReader(access, world.store.flow_segments, view)
    history = reader.read(DateRange(first_day, last_day, load_time_zone("UTC")), world.now)
    return flow_report.build_flow_report(history.events, view, history.days.split(Bucket.DAY), history.end_state)


def test_a_report_by_segments_equals_that_without_any(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    patch_segment_size(monkeypatch, 5)
    done = world.find_list("Done")
    for number in range(6):
        card = world.add_card(f"Card {number}")
        world.apply(cards.start, card.id)
        world.advance(days=1)
        if number != 3:
            world.move_card(card, done.id)
    world.delete_list("Doing")
    world.apply(lists.update, list_id=done.id, patch={"name": "Finished"})
    today, day = world.now.date(), timedelta(days=1)
    ranges = [(today - first * day, today - last * day) for first in range(7) for last in range(first + 1)]
    reports = [build_report(world, *days) for days in ranges]
    segments = world.store.flow_segments
    segments.request_segments(world.board_id)
    builder = FlowSegmentBuilder(world.store, lambda: world.now)

    assert builder.list_due() == [world.board_id]
    assert builder.run(world.board_id, lambda: True)

    assert builder.list_due() == []
    assert [segment.seq for segment in segments.list_since(world.board_id, NOON)] == [5, 10, 15, 20]
    assert [build_report(world, *days) for days in ranges] == reports
