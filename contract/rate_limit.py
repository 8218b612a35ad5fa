"""How often somebody may ask: the generic cell rate algorithm (ITU-T I.371), which keeps one number for each caller.

Each process counts for itself. That is enough to keep one wild client from taking the service from everybody else;
what must hold over many machines stands in front of them.
"""

from collections.abc import Callable

_MINUTE = 60.0
_SOON = 1e-6
"""Seconds that are no wait: sums of fractions are not exact."""
_MOST_KEPT = 10_000
"""Callers that are remembered at once, before those who have long been quiet are forgotten."""


class RateLimit:
    """So many requests a minute for each caller: all at once, or one by one."""

    def __init__(self, a_minute: int, now: Callable[[], float]) -> None:
        """`now` tells seconds from whatever beginning."""
        self.a_minute = a_minute
        self._now = now
        self._each = _MINUTE / a_minute
        # When a caller would be through, had the requests so far been made one by one.
        self._through: dict[str, float] = {}

    def wait(self, caller: str) -> float:
        """Seconds until the caller may ask; 0.0 lets the request pass, and counts it."""
        now = self._now()
        through = max(self._through.get(caller, now), now) + self._each
        too_early = through - _MINUTE - now
        # A clock that was put back would make everybody wait for as long: nobody waits longer than a minute.
        if _SOON < too_early <= _MINUTE:
            return too_early
        if len(self._through) >= _MOST_KEPT:
            self._through = {who: when for who, when in self._through.items() if when > now}
        self._through[caller] = min(through, now + _MINUTE)
        return 0.0
