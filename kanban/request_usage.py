"""The port of the store for how much of their limits callers have used, as all processes together see it.

A key names a caller and a limit. What is stored about it is the theoretical arrival time of the generic cell rate
algorithm: the moment at which all that was used is worn off. It is worth nothing after that, so it is in no backup.
"""

from typing import Protocol

MAX_LEAD_SECONDS = 120.0
"""How far ahead of the present an arrival time may be. One that is later was written by a clock that was wrong."""


class UsageStore(Protocol):
    """Where usage is kept. Every operation can raise Busy.

    Times are in seconds since 1970. Operations don't wait for those who write boards.
    """

    def add_usage(self, key: str, seconds: float, now: float) -> tuple[float, int]:
        """Add what was used to an arrival time, or to the present if it is past or `MAX_LEAD_SECONDS` or more ahead.

        Return the arrival time, and how often usage was added under this key until now, both with this addition. An
        addition whose outcome is unknown may be repeated.
        """

    def erase_usage(self, before: float) -> None:
        """Erase arrival times before that moment, unless the store does so by itself."""
