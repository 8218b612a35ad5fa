"""What is refused about time: entries of work, and ranges of days.

Conflict: TimeEntryOverlaps, TimeEntryRunning, TooManyTimeEntries
Unprocessable: InFuture, TimeEntryTooLong, UnknownTimeZone, RangeTooLong, TooMuchInRange.
"""

from datetime import datetime

from kanban.errors import Conflict, Unprocessable, quote_name
from kanban.timekeeping import timestamps


class TimeEntryOverlaps(Conflict):
    """The same person cannot work twice at the same time on one card."""

    code = "time_entry_overlaps"

    def __init__(self, started_at: datetime, ended_at: datetime | None) -> None:
        """Tell from when until when the entry lies that is there; without an end it runs."""
        until = f"ends at {timestamps.format_utc(ended_at)}" if ended_at else "still runs"
        super().__init__(
            f"This user has a time entry on this card that began at {timestamps.format_utc(started_at)} and {until}: "
            "the two would overlap."
        )


class TimeEntryRunning(Conflict):
    """An open entry ends when its card leaves its stage, not by being edited."""

    code = "time_entry_running"

    def __init__(self, card_title: str) -> None:
        """Name the card whose clock runs."""
        super().__init__(f"The clock of card {quote_name(card_title)} runs: move the card to end this time entry.")


class TooManyTimeEntries(Conflict):
    """The card has so many time entries that none is added or moved by hand."""

    code = "too_many_time_entries"

    def __init__(self, card_title: str, maximum: int) -> None:
        """Name the card and the number allowed."""
        super().__init__(
            f"Card {quote_name(card_title)} has {maximum} time entries, the most that can be kept by hand."
        )


class InFuture(Unprocessable):
    """Nobody has worked tomorrow."""

    code = "in_future"

    def __init__(self, field: str) -> None:
        """Field is the member of the body."""
        super().__init__(f"'{field}' lies in the future.")
        self.field = field


class TimeEntryTooLong(Unprocessable):
    """A stretch of work that is longer than anyone works is a slip of the pen."""

    code = "time_entry_too_long"

    def __init__(self, max_days: int) -> None:
        """Days is the longest that an entry may be."""
        super().__init__(f"A time entry may be at most {max_days} days long.")
        self.field = "started_at"


class UnknownTimeZone(Unprocessable):
    """A name that is not in the time zone database."""

    code = "unknown_time_zone"

    def __init__(self) -> None:
        """Say what such names look like."""
        super().__init__("'tz' names no time zone of the IANA database, such as Europe/Berlin or UTC.")
        self.field = "query/tz"


class RangeTooLong(Unprocessable):
    """A report covers a limited number of days."""

    code = "range_too_long"

    def __init__(self, max_days: int) -> None:
        """Days is the longest that a range may be."""
        super().__init__(f"From 'from' to 'to' may be at most {max_days} days.")
        self.field = "query/to"


class TooMuchInRange(Unprocessable):
    """A report reads a limited number of things."""

    code = "too_much_in_range"

    def __init__(self, things: str, maximum: int) -> None:
        """What is in the range ('events', 'time entries'), and the most of them that one report reads."""
        super().__init__(f"There are more than {maximum} {things} since 'from': choose a later day.")
        self.field = "query/from"
