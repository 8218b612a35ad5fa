"""Days, weeks and months in every time zone, and when clocks change."""

import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import pytest

from kanban.errors import DomainError, EndsBeforeStart
from kanban.timekeeping import date_ranges
from kanban.timekeeping.date_ranges import Bucket, DateRange, RangeTooLong, UnknownTimeZone

NOON = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)


def build_range(first: str, last: str, tz: str = "UTC") -> DateRange:
    return DateRange(date.fromisoformat(first), date.fromisoformat(last), date_ranges.load_time_zone(tz))


@pytest.mark.parametrize(
    ("tz", "day", "start", "hours"),
    [
        ("UTC", "2026-03-29", "2026-03-29T00:00:00+00:00", 24),
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00+00:00", 23),
        ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00+00:00", 25),
        ("America/New_York", "2026-03-08", "2026-03-08T05:00:00+00:00", 23),
        ("Asia/Kathmandu", "2026-11-20", "2026-11-19T18:15:00+00:00", 24),
        ("Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00+00:00", 23),  # clocks go forward at midnight
        ("America/Havana", "2026-11-01", "2026-11-01T04:00:00+00:00", 25),  # midnight occurs twice
        ("Australia/Lord_Howe", "2026-10-04", "2026-10-03T13:30:00+00:00", 23.5),
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00+00:00", 0),  # Samoa skipped that day
    ],
)
def test_a_day_has_the_length_that_the_time_zone_gives_it(tz: str, day: str, start: str, hours: float) -> None:
    date_range = build_range(day, day, tz)

    assert date_range.start == datetime.fromisoformat(start)
    assert date_range.end - date_range.start == timedelta(hours=hours)


def test_weeks_and_months_are_clipped_to_the_range() -> None:
    date_range = build_range("2026-01-30", "2026-03-02")

    weeks = [
        (period.first_day.isoformat(), period.last_day.isoformat()) for period in date_range.split(Bucket.WEEK).periods
    ]
    months = [
        (period.first_day.isoformat(), period.last_day.isoformat()) for period in date_range.split(Bucket.MONTH).periods
    ]

    assert weeks[:2] == [("2026-01-30", "2026-02-01"), ("2026-02-02", "2026-02-08")]
    assert weeks[-1] == ("2026-03-02", "2026-03-02")
    assert months == [("2026-01-30", "2026-01-31"), ("2026-02-01", "2026-02-28"), ("2026-03-01", "2026-03-02")]


@pytest.mark.parametrize("bucket", list(Bucket))
def test_periods_have_no_gaps_and_find_the_index_of_an_instant(bucket: Bucket) -> None:
    date_range = build_range("2026-03-20", "2026-11-05", "Europe/Berlin")
    periods = date_range.split(bucket)

    assert periods.periods[0].start == date_range.start
    assert periods.periods[-1].end == date_range.end
    for number, period in enumerate(periods.periods):
        assert periods.find_index(period.start) == number
        assert periods.find_index(period.end) == number + 1
        assert periods.find_index(period.start - timedelta(seconds=1)) == number - 1
        assert {
            date_range.get_local_day(period.start),
            date_range.get_local_day(period.end - timedelta(seconds=1)),
        } == {
            period.first_day,
            period.last_day,
        }


def test_an_empty_range_has_no_periods() -> None:
    periods = build_range("2026-11-21", "2026-11-20").split(Bucket.DAY)

    assert periods.periods == ()
    assert periods.find_index(NOON) == -1


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (None, None, ("2026-10-22", "2026-11-20")),
        ("2026-11-01", None, ("2026-11-01", "2026-11-20")),
        ("2027-01-01", None, ("2027-01-01", "2027-01-01")),
        (None, "2026-03-31", ("2026-03-02", "2026-03-31")),
        ("2025-11-20", "2026-11-20", ("2025-11-20", "2026-11-20")),
    ],
)
def test_the_default_range_is_the_last_thirty_days(
    first: str | None, last: str | None, expected: tuple[str, str]
) -> None:
    first_day, last_day = (date.fromisoformat(day) if day else None for day in (first, last))

    date_range = date_ranges.build_date_range(first_day, last_day, "UTC", NOON)

    assert (date_range.first_day.isoformat(), date_range.last_day.isoformat()) == expected


def test_today_is_the_day_in_the_callers_time_zone() -> None:
    late = NOON.replace(hour=23)

    assert date_ranges.build_date_range(None, None, "Asia/Tokyo", late).last_day == date(2026, 11, 21)
    assert date_ranges.build_date_range(None, None, "America/Lima", late.replace(day=21, hour=2)).last_day == date(
        2026, 11, 20
    )


@pytest.mark.parametrize(
    ("first", "last", "tz", "error", "field"),
    [
        ("2026-11-20", "2026-11-19", "UTC", EndsBeforeStart, "query/to"),
        ("2025-11-19", "2026-11-20", "UTC", RangeTooLong, "query/to"),
        ("2026-11-20", "2026-11-20", "Mars/Olympus", UnknownTimeZone, "query/tz"),
        ("2026-11-20", "2026-11-20", "Europe", UnknownTimeZone, "query/tz"),
        ("2026-11-20", "2026-11-20", "A" * 300, UnknownTimeZone, "query/tz"),
        ("2026-11-20", "2026-11-20", "../../etc/passwd", UnknownTimeZone, "query/tz"),
    ],
)
def test_an_invalid_range_is_refused(first: str, last: str, tz: str, error: type[DomainError], field: str) -> None:
    with pytest.raises(error) as raised:
        date_ranges.build_date_range(date.fromisoformat(first), date.fromisoformat(last), tz, NOON)

    assert getattr(raised.value, "field", None) == field


def test_time_zones_are_found_on_a_machine_without_a_time_zone_database() -> None:
    program = "from kanban.timekeeping.date_ranges import load_time_zone; print(load_time_zone('Europe/Berlin').key)"

    run = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONTZPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (run.stdout, run.stderr) == ("Europe/Berlin\n", "")


@pytest.mark.parametrize(
    ("start", "end"), [(None, None), (NOON, None), (None, NOON), (NOON, NOON), (NOON, NOON + timedelta(seconds=1))]
)
def test_a_range_of_time_may_be_open_or_a_single_instant(start: datetime | None, end: datetime | None) -> None:
    date_ranges.ensure_start_before_end(start, end, parameters=("due_from", "due_until"))


def test_a_range_of_time_does_not_end_before_it_starts() -> None:
    with pytest.raises(EndsBeforeStart) as raised:
        date_ranges.ensure_start_before_end(NOON, NOON - timedelta(seconds=1), parameters=("due_from", "due_until"))

    assert "due_until" in raised.value.message


def test_a_range_is_clipped_to_what_lies_in_it() -> None:
    date_range = build_range("2026-11-10", "2026-11-20")

    def clip(first: str, last: str) -> tuple[str, str]:
        clipped = date_range.clip(date.fromisoformat(first), date.fromisoformat(last))
        return str(clipped.first_day), str(clipped.last_day)

    assert clip("2026-11-01", "2026-11-30") == ("2026-11-10", "2026-11-20")
    assert clip("2026-11-12", "2026-11-13") == ("2026-11-12", "2026-11-13")
