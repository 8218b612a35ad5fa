"""Ranges of days in a time zone, and the instants at which days, weeks and months begin and end."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kanban.errors import EndsBeforeStart, Unprocessable

MAX_RANGE_DAYS = 366
"""Days that one report can cover."""

DEFAULT_RANGE_DAYS = 30
"""Days that a report covers by default."""

_DAY = timedelta(days=1)


class UnknownTimeZone(Unprocessable):
    """Raised when a name is not in the IANA time zone database."""

    code = "unknown_time_zone"

    def __init__(self) -> None:
        super().__init__("'tz' names no time zone of the IANA database, such as Europe/Berlin or UTC.")
        self.field = "query/tz"


class RangeTooLong(Unprocessable):
    """Raised when a report should cover too many days."""

    code = "range_too_long"

    def __init__(self, max_days: int) -> None:
        """Take the maximum number of days."""
        super().__init__(f"From 'from' to 'to' may be at most {max_days} days.")
        self.field = "query/to"


class TooMuchInRange(Unprocessable):
    """Raised when a report would have to read too many things."""

    code = "too_much_in_range"

    def __init__(self, things: str, maximum: int, *, are_prepared: bool = True) -> None:
        """Take what the range contains ('events', 'time entries'), and how many of them one report reads.

        Those that are not prepared for reports yet are read from the start of the range up to now.
        """
        if are_prepared:
            message = f"There are more than {maximum} {things} from 'from' to 'to': choose fewer days."
        else:
            message = (
                f"There are more than {maximum} {things} since 'from', which are not prepared for reports yet: "
                "choose a later day, or try again in some minutes."
            )
        super().__init__(message)
        self.field = "query/from"


class Bucket(StrEnum):
    """The length of the periods that a range is split into. A week begins on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Period:
    """A part of a range: its first and last day, the instant at which it begins, and that at which the next begins."""

    first_day: date
    last_day: date
    start: datetime
    end: datetime


@dataclass(frozen=True)
class DateRange:
    """A range of days in a time zone, both ends included. It is empty if the last day lies before the first."""

    first_day: date
    last_day: date
    zone: ZoneInfo

    @property
    def start(self) -> datetime:
        """The instant at which the first day begins."""
        return _get_start_of_day(self.first_day, self.zone)

    @property
    def end(self) -> datetime:
        """The instant at which the day after the last one begins."""
        return _get_start_of_day(self.last_day + _DAY, self.zone)

    def clip(self, first_day: date, last_day: date) -> "DateRange":
        """Return the part of this range that lies between the two days, both included."""
        return DateRange(max(self.first_day, first_day), min(self.last_day, last_day), self.zone)

    def get_local_day(self, instant: datetime) -> date:
        """Return the day of an instant in the range's time zone."""
        return instant.astimezone(self.zone).date()

    def split(self, bucket: Bucket) -> "Periods":
        """Split the range into periods without gaps; the first and the last may be shorter than the others."""
        return Periods(tuple(self._iterate_periods(bucket)))

    def _iterate_periods(self, bucket: Bucket) -> Iterator[Period]:
        first_day = self.first_day
        while first_day <= self.last_day:
            next_first_day = min(_get_next_bucket_start(first_day, bucket), self.last_day + _DAY)
            yield Period(
                first_day,
                next_first_day - _DAY,
                _get_start_of_day(first_day, self.zone),
                _get_start_of_day(next_first_day, self.zone),
            )
            first_day = next_first_day


@dataclass(frozen=True)
class Periods:
    """Consecutive periods of a range, without gaps."""

    periods: tuple[Period, ...]

    @cached_property
    def _starts(self) -> list[datetime]:
        return [period.start for period in self.periods]

    def find_index(self, instant: datetime) -> int:
        """Return the index of the instant's period; -1 before the first one, the number of periods after the last."""
        if self.periods and instant >= self.periods[-1].end:
            return len(self.periods)
        return bisect_right(self._starts, instant) - 1


def load_time_zone(name: str) -> ZoneInfo:
    """Return the time zone of that name in the IANA database. Raises UnknownTimeZone."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # For a name that is a folder, or is too long, the error depends on the machine's file system.
        raise UnknownTimeZone from None


def build_date_range(first_day: date | None, last_day: date | None, tz: str, now: datetime) -> DateRange:
    """Return the range from the first to the last day; by default it ends today and covers 30 days.

    Raises UnknownTimeZone, EndsBeforeStart, RangeTooLong.
    """
    zone = load_time_zone(tz)
    today = now.astimezone(zone).date()
    last_day = last_day or max(first_day or today, today)
    first_day = first_day or last_day - (DEFAULT_RANGE_DAYS - 1) * _DAY
    if last_day < first_day:
        raise EndsBeforeStart("from", "to", in_query=True)
    if (last_day - first_day).days >= MAX_RANGE_DAYS:
        raise RangeTooLong(MAX_RANGE_DAYS)
    return DateRange(first_day, last_day, zone)


def ensure_start_before_end(start: datetime | None, end: datetime | None, *, parameters: tuple[str, str]) -> None:
    """Raise EndsBeforeStart if both instants are given and the end lies before the start.

    `parameters` are the names of the two query parameters.
    """
    if start and end and end < start:
        raise EndsBeforeStart(*parameters, in_query=True)


def _get_start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Return the instant, in UTC, at which the day begins.

    If clocks go forward at midnight, the day begins when they do.
    """
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def _get_next_bucket_start(day: date, bucket: Bucket) -> date:
    """Return the first day of the next bucket."""
    match bucket:
        case Bucket.DAY:
            return day + _DAY
        case Bucket.WEEK:
            return day + (7 - day.weekday()) * _DAY
        case Bucket.MONTH:
            return (day.replace(day=1) + 31 * _DAY).replace(day=1)
