"""The time report: totals of time and cost by list, label, member and period."""

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
from kanban.values import Card, Color, NewCard, NewLabel, TimeEntry
from kanban.views import WorkedTime
from tests.kanban.fake_store import FakeStore

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def build_entry(
    card: Card, start: datetime, end: datetime | None, *, user_id: str = "usr_ann", rate: int = 1000
) -> TimeEntry:
    return TimeEntry("ten_1", card.board_id, card.id, user_id, start, end, rate, "", 1)


def create_card(store: FakeStore, list_name: str = "To do", **fields: Any) -> Card:
    card, change = cards.create(
        store.view(), store.context, NewCard(title="Copy", list_id=store.get_list(list_name).id, **fields)
    )
    store.apply(change)
    return card


def build_report(
    store: FakeStore,
    *entries: tuple[TimeEntry, Card],
    date_range: DateRange,
    bucket: Bucket = Bucket.DAY,
    now: datetime = NOW,
) -> TimeReport:
    return time_report.build_time_report(
        [(store.view(), [build_work(entry, card)]) for entry, card in entries], date_range, bucket, now
    )


def build_work(entry: TimeEntry, card: Card) -> WorkedTime:
    return WorkedTime(entry.user_id, card.list_id, card.label_ids, entry.started_at, entry.ended_at, entry.rate_minor)


def build_range(first: str, last: str, tz: str = "UTC") -> DateRange:
    return DateRange(date.fromisoformat(first), date.fromisoformat(last), date_ranges.load_time_zone(tz))


def test_a_report_without_work_has_only_periods(store: FakeStore) -> None:
    report = build_report(store, date_range=build_range("2026-11-19", "2026-11-20"))

    assert (report.total.seconds, report.total.cost_minor) == (0, 0)
    assert (report.lists, report.labels, report.members) == ((), (), ())
    assert [total.seconds for _, total in report.periods] == [0, 0]


def test_work_is_cut_at_midnight_and_at_the_ends_of_the_range(store: FakeStore) -> None:
    card = create_card(store)
    night = build_entry(card, NOW - 50 * HOUR, NOW - 11 * HOUR)

    report = build_report(store, (night, card), date_range=build_range("2026-11-19", "2026-11-20"))

    assert report.total.seconds == 25 * 3600
    assert [total.seconds for _, total in report.periods] == [24 * 3600, 3600]


def test_a_day_on_which_clocks_go_forward_has_twenty_three_hours(store: FakeStore) -> None:
    card = create_card(store)
    long = build_entry(card, datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))

    report = build_report(store, (long, card), date_range=build_range("2026-03-28", "2026-03-30", "Europe/Berlin"))

    assert [total.seconds // 3600 for _, total in report.periods] == [24, 23, 24]


def test_a_running_clock_counts_up_to_now(store: FakeStore) -> None:
    card = create_card(store)

    report = build_report(
        store, (build_entry(card, NOW - HOUR, None), card), date_range=build_range("2026-11-20", "2026-12-20")
    )

    assert (report.total.seconds, report.total.cost_minor) == (3600, 1000)


def test_costs_are_rounded_once_for_each_total(store: FakeStore) -> None:
    first, second = create_card(store), create_card(store, "Doing")
    cheap = [(build_entry(card, NOW - HOUR, NOW - HOUR / 2, rate=1), card) for card in (first, second)]

    report = build_report(store, *cheap, date_range=build_range("2026-11-20", "2026-11-20"))

    assert report.total.cost_minor == 1
    assert [(list_.name, total.cost_minor) for list_, total in report.lists] == [("To do", 1), ("Doing", 1)]


def test_a_card_counts_for_each_of_its_labels_or_for_no_label(store: FakeStore) -> None:
    label_ids = []
    for name in ("Urgent", "bug"):
        label, change = labels.create(store.view(), store.context, NewLabel(name, Color.RED))
        store.apply(change)
        label_ids.append(label.id)
    both, none = create_card(store, label_ids=label_ids), create_card(store)

    worked = [(build_entry(both, NOW - HOUR, NOW), both), (build_entry(none, NOW - 2 * HOUR, NOW), none)]
    report = build_report(store, *worked, date_range=build_range("2026-11-20", "2026-11-20"))

    assert [(label and label.name, total.seconds) for label, total in report.labels] == [
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
    store = FakeStore()
    cards_by_index = [create_card(store, name) for name in ("To do", "Doing", "Done")]
    date_range = build_range("2026-11-17", "2026-11-19", tz)
    worked = [
        (
            build_entry(
                cards_by_index[index],
                *sorted((NOW + timedelta(minutes=one), NOW + timedelta(minutes=other))),
                user_id=user_id,
                rate=rate,
            ),
            cards_by_index[index],
        )
        for index, one, other, user_id, rate in work
    ]

    report = build_report(store, *worked, date_range=date_range, bucket=bucket)

    seconds: defaultdict[object, int] = defaultdict(int)
    costs: defaultdict[object, int] = defaultdict(int)
    for entry, card in worked:
        minute = entry.started_at
        while entry.ended_at and minute < entry.ended_at:
            day = date_range.get_local_day(minute)
            if date_range.first_day <= day <= date_range.last_day:
                for key in ("total", card.list_id, entry.user_id, day):
                    seconds[key] += 60
                    costs[key] += 60 * entry.rate_minor
            minute += timedelta(minutes=1)
    assert (report.total.seconds, report.total.rate_seconds) == (seconds["total"], costs["total"])
    assert all(
        (total.seconds, total.rate_seconds) == (seconds[list_.id], costs[list_.id]) for list_, total in report.lists
    )
    assert all(
        (total.seconds, total.rate_seconds) == (seconds[user_id], costs[user_id]) for user_id, total in report.members
    )
    for period, total in report.periods:
        days = [period.first_day + timedelta(days=n) for n in range((period.last_day - period.first_day).days + 1)]
        assert total.rate_seconds == sum(costs[day] for day in days)
    for parts in (report.lists, report.members, report.periods, report.labels):
        assert sum(part.rate_seconds for _, part in parts) == report.total.rate_seconds


@pytest.mark.parametrize("bucket", list(Bucket))
def test_every_period_of_the_range_is_there(store: FakeStore, bucket: Bucket) -> None:
    report = build_report(store, date_range=build_range("2026-01-01", "2026-12-31"), bucket=bucket)

    assert len(report.periods) == {Bucket.DAY: 365, Bucket.WEEK: 53, Bucket.MONTH: 12}[bucket]


def test_an_entry_without_a_length_is_in_no_list_and_no_members_work(store: FakeStore) -> None:
    card = create_card(store)

    report = build_report(
        store, (build_entry(card, NOW, NOW), card), date_range=build_range("2026-11-19", "2026-11-20")
    )

    assert (report.lists, report.labels, report.members, report.total.seconds) == ((), (), (), 0)
