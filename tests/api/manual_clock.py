"""A clock that a test moves by hand."""

from datetime import UTC, datetime, timedelta


class ManualClock:
    """A clock that starts at 14:00 UTC on 20 November 2026 and moves only when a test advances it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 14, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Return the current time."""
        return self.now

    def advance(self, **duration: float) -> None:
        """Advance the clock. Keyword arguments are those of `timedelta`."""
        self.now += timedelta(**duration)
