"""Days, weeks and months as people see them on their calendars, and the moments where these begin and end."""

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
"""Days that a report covers where nothing else is said."""

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

    def __init__(self, things: str, maximum: int) -> None:
        """Take what the range contains ('events', 'time entries'), and how many of them one report reads."""
        super().__init__(f"There are more than {maximum} {things} since 'from': choose a later day.")
        self.field = "query/from"


class Bucket(StrEnum):
    """How a range of days is cut into pieces. A week begins on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Period:
    """A piece of a range: its first and last day, the moment where it begins, and the one where the next begins."""

    first_day: date
    last_day: date
    start: datetime
    end: datetime


@dataclass(frozen=True)
class DateRange:
    """A range of days in a time zone, both ends included. It is empty where the last day lies before the first."""

    first_day: date
    last_day: date
    zone: ZoneInfo

    @property
    def start(self) -> datetime:
        """The moment where the first day begins."""
        return _get_start_of_day(self.first_day, self.zone)

    @property
    def end(self) -> datetime:
        """The moment where the day after the last one begins."""
        return _get_start_of_day(self.last_day + _DAY, self.zone)

    def clip(self, first_day: date, last_day: date) -> "DateRange":
        """What of these days lies from that day to that day."""
        return DateRange(max(self.first_day, first_day), min(self.last_day, last_day), self.zone)

    def get_local_day(self, instant: datetime) -> date:
        """The day on which the moment is."""
        return instant.astimezone(self.zone).date()

    def split(self, bucket: Bucket) -> "Periods":
        """The range in pieces, without a gap; the first and the last may be shorter than the others."""
        return Periods(tuple(self._iterate_periods(bucket)))

    def _iterate_periods(self, bucket: Bucket) -> Iterator[Period]:
        first = self.first_day
        while first <= self.last_day:
            following = min(_get_next_bucket_start(first, bucket), self.last_day + _DAY)
            yield Period(
                first, following - _DAY, _get_start_of_day(first, self.zone), _get_start_of_day(following, self.zone)
            )
            first = following


@dataclass(frozen=True)
class Periods:
    """Pieces of a range, in order and without a gap."""

    periods: tuple[Period, ...]

    @cached_property
    def _starts(self) -> list[datetime]:
        return [each.start for each in self.periods]

    def find_index(self, instant: datetime) -> int:
        """Which piece the moment is in, from 0; -1 before the first, and as many as there are after the last."""
        if self.periods and instant >= self.periods[-1].end:
            return len(self.periods)
        return bisect_right(self._starts, instant) - 1


def load_time_zone(name: str) -> ZoneInfo:
    """The time zone of that name in the IANA database. Raises UnknownTimeZone."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # What the file system says of a name that is a folder, or too long, differs from one machine to the next.
        raise UnknownTimeZone from None


def build_date_range(first_day: date | None, last_day: date | None, tz: str, now: datetime) -> DateRange:
    """The days from the first to the last; until today, and thirty of them, where nothing else is said.

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
    """Raise EndsBeforeStart where both are given and the end lies before the start. `named` are the query's names."""
    if start and end and end < start:
        raise EndsBeforeStart(*parameters, in_query=True)


def _get_start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of the day, in UTC. Where clocks go forward at midnight, that is when they do."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def _get_next_bucket_start(day: date, bucket: Bucket) -> date:
    """The first day of the next bucket."""
    match bucket:
        case Bucket.DAY:
            return day + _DAY
        case Bucket.WEEK:
            return day + (7 - day.weekday()) * _DAY
        case Bucket.MONTH:
            return (day.replace(day=1) + 31 * _DAY).replace(day=1)
