"""How often a caller may ask: the generic cell rate algorithm (ITU-T I.371), which keeps one number for each caller.

Each process counts for itself. That is enough to keep one wild client from taking the service from everybody else;
what must hold over many machines stands in front of them.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable

_MINUTE = 60.0
_SOON = 1e-6
"""Seconds that are no wait: sums of fractions are not exact."""

MAX_CALLERS = 10_000
"""Callers that are remembered at once. Beyond that, whoever has been quiet for longest is forgotten."""


class RateLimit:
    """So many requests a minute for each caller: all at once, or one by one. Threads may share it.

    A request costs the same however many callers there are: callers stand in the order of their last request, so
    those to forget are at the front.
    """

    def __init__(self, a_minute: int, now: Callable[[], float]) -> None:
        """Let each caller make `a_minute` requests; `now` returns seconds, from any beginning."""
        self.a_minute = a_minute
        self._now = now
        self._interval = _MINUTE / a_minute
        # When a caller would be through, had the requests so far been made one by one.
        self._free_at: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return the number of callers that are remembered."""
        return len(self._free_at)

    def wait(self, caller: str) -> float:
        """Return the seconds until the caller may ask; 0.0 lets the request pass, and counts it."""
        with self._lock:
            now = self._now()
            free_at = max(self._free_at.get(caller, now), now) + self._interval
            too_early = free_at - _MINUTE - now
            # A clock that was put back would make everybody wait for as long: nobody waits longer than a minute.
            is_refused = _SOON < too_early <= _MINUTE
            if not is_refused:
                self._free_at[caller] = min(free_at, now + _MINUTE)
            self._free_at.move_to_end(caller)
            self._forget(now)
            return too_early if is_refused else 0.0

    def _forget(self, now: float) -> None:
        """Forget up to two callers, which is one more than a request adds, so the quiet ones do not pile up."""
        for _ in range(2):
            caller, free_at = next(iter(self._free_at.items()))
            if free_at > now and len(self._free_at) <= MAX_CALLERS:
                return
            del self._free_at[caller]
