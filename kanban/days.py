"""Days, weeks and months as people see them on their calendars, and the moments where these begin and end."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kanban.errors import EndsBeforeStart
from kanban.time_errors import RangeTooLong, UnknownTimeZone

LONGEST_RANGE = 366
"""Days that one report can cover."""

USUAL_RANGE = 30
"""Days that a report covers where nothing else is said."""

_DAY = timedelta(days=1)


class Bucket(StrEnum):
    """How a range of days is cut into pieces. A week begins on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Period:
    """A piece of a range: its first and last day, the moment where it begins, and the one where the next begins."""

    first: date
    last: date
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Days:
    """A range of days in a time zone, both ends included. It is empty where the last day lies before the first."""

    first: date
    last: date
    zone: ZoneInfo

    @property
    def start(self) -> datetime:
        """The moment where the first day begins."""
        return _start_of(self.first, self.zone)

    @property
    def end(self) -> datetime:
        """The moment where the day after the last one begins."""
        return _start_of(self.last + _DAY, self.zone)

    def within(self, first: date, last: date) -> "Days":
        """What of these days lies from that day to that day."""
        return Days(max(self.first, first), min(self.last, last), self.zone)

    def day_of(self, moment: datetime) -> date:
        """The day on which the moment is."""
        return moment.astimezone(self.zone).date()

    def cut(self, bucket: Bucket) -> "Periods":
        """The range in pieces, without a gap; the first and the last may be shorter than the others."""
        return Periods(tuple(self._cut(bucket)))

    def _cut(self, bucket: Bucket) -> Iterator[Period]:
        first = self.first
        while first <= self.last:
            following = min(_following(first, bucket), self.last + _DAY)
            yield Period(first, following - _DAY, _start_of(first, self.zone), _start_of(following, self.zone))
            first = following


@dataclass(frozen=True)
class Periods:
    """Pieces of a range, in order and without a gap."""

    pieces: tuple[Period, ...]

    @cached_property
    def _starts(self) -> list[datetime]:
        return [each.start for each in self.pieces]

    def place(self, moment: datetime) -> int:
        """Which piece the moment is in, from 0; -1 before the first, and as many as there are after the last."""
        if self.pieces and moment >= self.pieces[-1].end:
            return len(self.pieces)
        return bisect_right(self._starts, moment) - 1


def zone_named(name: str) -> ZoneInfo:
    """The time zone of that name in the IANA database. Raises UnknownTimeZone."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # What the file system says of a name that is a folder, or too long, differs from one machine to the next.
        raise UnknownTimeZone from None


def wished(first: date | None, last: date | None, tz: str, now: datetime) -> Days:
    """The days from the first to the last; until today, and thirty of them, where nothing else is said.

    Raises UnknownTimeZone, EndsBeforeStart, RangeTooLong.
    """
    zone = zone_named(tz)
    today = now.astimezone(zone).date()
    last = last or max(first or today, today)
    first = first or last - (USUAL_RANGE - 1) * _DAY
    if last < first:
        raise EndsBeforeStart("from", "to", in_query=True)
    if (last - first).days >= LONGEST_RANGE:
        raise RangeTooLong(LONGEST_RANGE)
    return Days(first, last, zone)


def _start_of(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of the day, in UTC. Where clocks go forward at midnight, that is when they do."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def _following(day: date, bucket: Bucket) -> date:
    """The first day of the next bucket."""
    match bucket:
        case Bucket.DAY:
            return day + _DAY
        case Bucket.WEEK:
            return day + (7 - day.weekday()) * _DAY
        case Bucket.MONTH:
            return (day.replace(day=1) + 31 * _DAY).replace(day=1)
