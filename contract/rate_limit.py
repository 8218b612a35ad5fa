"""How often a caller may ask: the generic cell rate algorithm (ITU-T I.371), which keeps one number for each caller.

Each process counts for itself. That is enough to keep one wild client from taking the service from everybody else;
what must hold over many machines stands in front of them.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable

_WINDOW_SECONDS = 60.0
_TOLERANCE_SECONDS = 1e-6
"""Seconds that are no wait: sums of fractions are not exact."""

MAX_CALLERS = 10_000
"""Callers that are remembered at once. Beyond that, whoever has been quiet for longest is forgotten."""


class RateLimiter:
    """So many requests a minute for each caller: all at once, or one by one. Threads may share it.

    A request costs the same however many callers there are: callers stand in the order of their last request, so
    those to forget are at the front.
    """

    def __init__(self, requests_per_minute: int, now: Callable[[], float]) -> None:
        """Let each caller make `a_minute` requests; `now` returns seconds, from any beginning."""
        self.requests_per_minute = requests_per_minute
        self._now = now
        self._interval = _WINDOW_SECONDS / requests_per_minute
        # When a caller would be through, had the requests so far been made one by one.
        self._arrival_times: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return the number of callers that are remembered."""
        return len(self._arrival_times)

    def acquire(self, caller: str) -> float:
        """Return the seconds until the caller may ask; 0.0 lets the request pass, and counts it."""
        with self._lock:
            now = self._now()
            free_at = max(self._arrival_times.get(caller, now), now) + self._interval
            too_early = free_at - _WINDOW_SECONDS - now
            # A clock that was put back would make everybody wait for as long: nobody waits longer than a minute.
            is_refused = _TOLERANCE_SECONDS < too_early <= _WINDOW_SECONDS
            if not is_refused:
                self._arrival_times[caller] = min(free_at, now + _WINDOW_SECONDS)
            self._arrival_times.move_to_end(caller)
            self._evict(now)
            return too_early if is_refused else 0.0

    def _evict(self, now: float) -> None:
        """Forget up to two callers, which is one more than a request adds, so the quiet ones do not pile up."""
        for _ in range(2):
            caller, free_at = next(iter(self._arrival_times.items()))
            if free_at > now and len(self._arrival_times) <= MAX_CALLERS:
                return
            del self._arrival_times[caller]
