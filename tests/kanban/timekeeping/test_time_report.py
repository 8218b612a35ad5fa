"""What was worked, and what it cost, summed up from every side."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanban import cards, labels
from kanban.timekeeping import date_ranges, time_report
from kanban.timekeeping.date_ranges import Bucket, DateRange
from kanban.timekeeping.time_report import TimeReport
from kanban.values import Card, Color, TimeEntry
from tests.kanban.fake_store import FakeStore

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def entry_of(card: Card, start: datetime, end: datetime | None, *, by: str = "usr_ann", rate: int = 1000) -> TimeEntry:
    return TimeEntry("ten_1", card.board_id, card.id, by, start, end, rate, "", 1)


def card_on(desk: FakeStore, list_name: str = "To do", **wishes: Any) -> Card:
    card, change = cards.create(desk.view(), desk.context, title="Copy", list_id=desk.get_list(list_name).id, **wishes)
    desk.apply(change)
    return card


def reported(
    desk: FakeStore, *worked: tuple[TimeEntry, Card], of: DateRange, bucket: Bucket = Bucket.DAY, now: datetime = NOW
) -> TimeReport:
    view = desk.view()
    return time_report.build_time_report([(view, entry, card) for entry, card in worked], of, bucket, now)


def range_of(first: str, last: str, tz: str = "UTC") -> DateRange:
    return DateRange(date.fromisoformat(first), date.fromisoformat(last), date_ranges.load_time_zone(tz))


def test_a_board_without_work_has_periods_and_nothing_else(desk: FakeStore) -> None:
    found = reported(desk, of=range_of("2026-11-19", "2026-11-20"))

    assert (found.total.seconds, found.total.cost_minor) == (0, 0)
    assert (found.lists, found.labels, found.members) == ((), (), ())
    assert [each.seconds for _, each in found.periods] == [0, 0]


def test_work_over_midnight_is_cut_there_and_at_the_ends_of_the_range(desk: FakeStore) -> None:
    card = card_on(desk)
    night = entry_of(card, NOW - 50 * HOUR, NOW - 11 * HOUR)

    found = reported(desk, (night, card), of=range_of("2026-11-19", "2026-11-20"))

    assert found.total.seconds == 25 * 3600
    assert [each.seconds for _, each in found.periods] == [24 * 3600, 3600]


def test_a_day_on_which_clocks_change_has_twenty_three_hours_of_work(desk: FakeStore) -> None:
    card = card_on(desk)
    long = entry_of(card, datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))

    found = reported(desk, (long, card), of=range_of("2026-03-28", "2026-03-30", "Europe/Berlin"))

    assert [each.seconds // 3600 for _, each in found.periods] == [24, 23, 24]


def test_a_clock_that_runs_counts_up_to_now(desk: FakeStore) -> None:
    card = card_on(desk)

    found = reported(desk, (entry_of(card, NOW - HOUR, None), card), of=range_of("2026-11-20", "2026-12-20"))

    assert (found.total.seconds, found.total.cost_minor) == (3600, 1000)


def test_costs_are_rounded_once_for_each_total(desk: FakeStore) -> None:
    first, second = card_on(desk), card_on(desk, "Doing")
    cheap = [(entry_of(card, NOW - HOUR, NOW - HOUR / 2, rate=1), card) for card in (first, second)]

    found = reported(desk, *cheap, of=range_of("2026-11-20", "2026-11-20"))

    assert found.total.cost_minor == 1
    assert [(each.name, total.cost_minor) for each, total in found.lists] == [("To do", 1), ("Doing", 1)]


def test_a_card_counts_for_each_of_its_labels_and_for_none_without(desk: FakeStore) -> None:
    made = []
    for name in ("Urgent", "bug"):
        label, change = labels.create(desk.view(), desk.context, name=name, color=Color.RED)
        desk.apply(change)
        made.append(label.id)
    both, none = card_on(desk, label_ids=made), card_on(desk)

    worked = [(entry_of(both, NOW - HOUR, NOW), both), (entry_of(none, NOW - 2 * HOUR, NOW), none)]
    found = reported(desk, *worked, of=range_of("2026-11-20", "2026-11-20"))

    assert [(each and each.name, total.seconds) for each, total in found.labels] == [
        ("bug", 3600),
        ("Urgent", 3600),
        (None, 7200),
    ]


MINUTES = st.integers(-5 * 24 * 60, 0)
WORK = st.lists(
    st.tuples(st.integers(0, 2), MINUTES, MINUTES, st.sampled_from(["usr_ann", "usr_bob"]), st.integers(0, 9999))
)


@given(WORK, st.sampled_from(["UTC", "America/New_York", "Pacific/Apia"]), st.sampled_from(list(Bucket)))
@settings(max_examples=100, deadline=None)
def test_the_parts_add_up_to_the_total_minute_by_minute(
    work: list[tuple[int, int, int, str, int]], tz: str, bucket: Bucket
) -> None:
    desk = FakeStore()
    on = [card_on(desk, name) for name in ("To do", "Doing", "Done")]
    wished = range_of("2026-11-17", "2026-11-19", tz)
    worked = [
        (
            entry_of(
                on[which], *sorted((NOW + timedelta(minutes=one), NOW + timedelta(minutes=other))), by=by, rate=rate
            ),
            on[which],
        )
        for which, one, other, by, rate in work
    ]

    found = reported(desk, *worked, of=wished, bucket=bucket)

    seconds: defaultdict[object, int] = defaultdict(int)
    costs: defaultdict[object, int] = defaultdict(int)
    for entry, card in worked:
        minute = entry.started_at
        while entry.ended_at and minute < entry.ended_at:
            day = wished.get_local_day(minute)
            if wished.first_day <= day <= wished.last_day:
                for key in ("total", card.list_id, entry.user_id, day):
                    seconds[key] += 60
                    costs[key] += 60 * entry.rate_minor
            minute += timedelta(minutes=1)
    assert (found.total.seconds, found.total.rate_seconds) == (seconds["total"], costs["total"])
    assert all((each.seconds, each.rate_seconds) == (seconds[lst.id], costs[lst.id]) for lst, each in found.lists)
    assert all((each.seconds, each.rate_seconds) == (seconds[who], costs[who]) for who, each in found.members)
    for piece, each in found.periods:
        within = [piece.first_day + timedelta(days=n) for n in range((piece.last_day - piece.first_day).days + 1)]
        assert each.rate_seconds == sum(costs[day] for day in within)
    for parts in (found.lists, found.members, found.periods, found.labels):
        assert sum(each.rate_seconds for _, each in parts) == found.total.rate_seconds


@pytest.mark.parametrize("bucket", list(Bucket))
def test_every_period_of_the_range_is_there(desk: FakeStore, bucket: Bucket) -> None:
    found = reported(desk, of=range_of("2026-01-01", "2026-12-31"), bucket=bucket)

    assert len(found.periods) == {Bucket.DAY: 365, Bucket.WEEK: 53, Bucket.MONTH: 12}[bucket]
