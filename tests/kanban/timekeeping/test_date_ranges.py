"""Days as calendars have them, in every time zone and when clocks change."""

import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import pytest

from kanban.errors import DomainError, EndsBeforeStart
from kanban.timekeeping import date_ranges
from kanban.timekeeping.date_ranges import Bucket, DateRange, RangeTooLong, UnknownTimeZone

NOON = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)


def of(first: str, last: str, tz: str = "UTC") -> DateRange:
    return DateRange(date.fromisoformat(first), date.fromisoformat(last), date_ranges.load_time_zone(tz))


@pytest.mark.parametrize(
    ("tz", "day", "start", "hours"),
    [
        ("UTC", "2026-03-29", "2026-03-29T00:00:00+00:00", 24),
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00+00:00", 23),
        ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00+00:00", 25),
        ("America/New_York", "2026-03-08", "2026-03-08T05:00:00+00:00", 23),
        ("Asia/Kathmandu", "2026-11-20", "2026-11-19T18:15:00+00:00", 24),
        ("Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00+00:00", 23),  # Its clocks go forward at midnight.
        ("America/Havana", "2026-11-01", "2026-11-01T04:00:00+00:00", 25),  # There it is midnight twice.
        ("Australia/Lord_Howe", "2026-10-04", "2026-10-03T13:30:00+00:00", 23.5),
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00+00:00", 0),  # Samoa never had that day.
    ],
)
def test_a_day_begins_at_its_first_moment_and_is_as_long_as_it_was(tz: str, day: str, start: str, hours: float) -> None:
    found = of(day, day, tz)

    assert found.start == datetime.fromisoformat(start)
    assert found.end - found.start == timedelta(hours=hours)


def test_weeks_begin_on_monday_and_months_on_the_first_and_none_leaves_the_range() -> None:
    found = of("2026-01-30", "2026-03-02")

    weeks = [(each.first_day.isoformat(), each.last_day.isoformat()) for each in found.split(Bucket.WEEK).periods]
    months = [(each.first_day.isoformat(), each.last_day.isoformat()) for each in found.split(Bucket.MONTH).periods]

    assert weeks[:2] == [("2026-01-30", "2026-02-01"), ("2026-02-02", "2026-02-08")]
    assert weeks[-1] == ("2026-03-02", "2026-03-02")
    assert months == [("2026-01-30", "2026-01-31"), ("2026-02-01", "2026-02-28"), ("2026-03-01", "2026-03-02")]


@pytest.mark.parametrize("bucket", list(Bucket))
def test_pieces_have_no_gap_and_know_their_moments(bucket: Bucket) -> None:
    found = of("2026-03-20", "2026-11-05", "Europe/Berlin")
    cut = found.split(bucket)

    assert cut.periods[0].start == found.start
    assert cut.periods[-1].end == found.end
    for number, piece in enumerate(cut.periods):
        assert cut.find_index(piece.start) == number
        assert cut.find_index(piece.end) == number + 1
        assert cut.find_index(piece.start - timedelta(seconds=1)) == number - 1
        assert {found.get_local_day(piece.start), found.get_local_day(piece.end - timedelta(seconds=1))} == {
            piece.first_day,
            piece.last_day,
        }


def test_an_empty_range_has_no_pieces() -> None:
    cut = of("2026-11-21", "2026-11-20").split(Bucket.DAY)

    assert cut.periods == ()
    assert cut.find_index(NOON) == -1


@pytest.mark.parametrize(
    ("first", "last", "found"),
    [
        (None, None, ("2026-10-22", "2026-11-20")),
        ("2026-11-01", None, ("2026-11-01", "2026-11-20")),
        ("2027-01-01", None, ("2027-01-01", "2027-01-01")),
        (None, "2026-03-31", ("2026-03-02", "2026-03-31")),
        ("2025-11-20", "2026-11-20", ("2025-11-20", "2026-11-20")),
    ],
)
def test_what_is_not_said_is_the_last_thirty_days(first: str | None, last: str | None, found: tuple[str, str]) -> None:
    first_day, last_day = (date.fromisoformat(day) if day else None for day in (first, last))

    wished = date_ranges.build_date_range(first_day, last_day, "UTC", NOON)

    assert (wished.first_day.isoformat(), wished.last_day.isoformat()) == found


def test_today_is_today_where_the_caller_is() -> None:
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
def test_a_range_that_cannot_be_is_refused(
    first: str, last: str, tz: str, error: type[DomainError], field: str
) -> None:
    with pytest.raises(error) as refused:
        date_ranges.build_date_range(date.fromisoformat(first), date.fromisoformat(last), tz, NOON)

    assert getattr(refused.value, "field", None) == field


def test_time_zones_are_known_on_a_machine_that_has_none() -> None:
    asked = "from kanban.timekeeping.date_ranges import load_time_zone; print(load_time_zone('Europe/Berlin').key)"

    run = subprocess.run(
        [sys.executable, "-c", asked],
        env={**os.environ, "PYTHONTZPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (run.stdout, run.stderr) == ("Europe/Berlin\n", "")
