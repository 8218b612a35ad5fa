"""A clock that tests hold in their hands."""

from datetime import UTC, datetime, timedelta


class ManualClock:
    """It stands at 14:00 on 20 November 2026, UTC, and moves only when a test moves it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 14, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The moment."""
        return self.now

    def advance(self, **duration: float) -> None:
        """Let time pass, as `timedelta` takes it."""
        self.now += timedelta(**duration)
