"""Format and parse timestamps: RFC 3339 in UTC and whole seconds, as events, exports and messages have them."""

from datetime import UTC, datetime

from kanban.errors import Unprocessable

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""Clients can send timestamps from EARLIEST to LATEST, both included."""

TWO_DIGITS = tuple(f"{number:02d}" for number in range(100))
"""The numbers below 100 with two digits. A lookup is several times faster than formatting, and pages hold many."""


class TimestampOutOfRange(Unprocessable):
    """Raised when a timestamp lies in the years 2000 to 2999 in its own offset, but not in UTC."""

    code = "moment_out_of_range"

    def __init__(self, field: str) -> None:
        """Take the member of the body."""
        super().__init__(f"'{field}' lies outside the years 2000 to 2999 in UTC.")
        self.field = field


def truncate_to_seconds(at: datetime) -> datetime:
    """Return a time without its fraction of a second. `datetime.replace` takes twice as long."""
    return datetime(at.year, at.month, at.day, at.hour, at.minute, at.second, 0, at.tzinfo)


def format_utc(at: datetime) -> str:
    """Format a timestamp as RFC 3339 in UTC and whole seconds: 2026-11-20T14:00:00Z."""
    century, year = divmod(at.year, 100)
    day = f"{TWO_DIGITS[century]}{TWO_DIGITS[year]}-{TWO_DIGITS[at.month]}-{TWO_DIGITS[at.day]}"
    return f"{day}T{TWO_DIGITS[at.hour]}:{TWO_DIGITS[at.minute]}:{TWO_DIGITS[at.second]}Z"


def format_optional_utc(at: datetime | None) -> str | None:
    """Format a timestamp as `format_utc` does; None stays None."""
    return None if at is None else format_utc(at)


def parse_utc(text: str) -> datetime:
    """Parse the text that `format_utc` returns."""
    return datetime.fromisoformat(text)
