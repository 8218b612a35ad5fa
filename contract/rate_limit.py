"""Limit requests per caller with the generic cell rate algorithm (ITU-T I.371), one number for each caller.

Each process counts on its own. That keeps a single client from starving all others. A limit across machines belongs
in a proxy in front of them.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable

_WINDOW_SECONDS = 60.0
_TOLERANCE_SECONDS = 1e-6
"""Waits shorter than this are rounding errors of floats, not waits."""

MAX_CALLERS = 10_000
"""The most callers in memory. Beyond that, the least recently active ones are evicted."""


class RateLimiter:
    """Allow each caller a number of requests a minute, in a burst or evenly spread. Thread-safe.

    Each request takes constant time, however many callers there are: callers are in the order of their last request,
    so those to evict are at the front.
    """

    def __init__(self, requests_per_minute: int, now: Callable[[], float]) -> None:
        """Create a limiter. `now` returns seconds since any fixed time."""
        self.requests_per_minute = requests_per_minute
        self._now = now
        self._interval = _WINDOW_SECONDS / requests_per_minute
        # The theoretical arrival time: when the requests so far would end if they were evenly spread.
        self._arrival_times: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return the number of callers in memory."""
        return len(self._arrival_times)

    def acquire(self, caller: str) -> float:
        """Count a request and return 0.0, or return the seconds to wait if the caller is over the limit."""
        with self._lock:
            now = self._now()
            # The caller goes to the end of the order.
            arrival_time = self._arrival_times.pop(caller, now)
            free_at = (max(now, arrival_time)) + self._interval
            too_early = free_at - _WINDOW_SECONDS - now
            # After the clock was set back, waits would be that long. No caller has to wait longer than a minute.
            is_refused = _TOLERANCE_SECONDS < too_early <= _WINDOW_SECONDS
            if is_refused:
                free_at = arrival_time
            elif too_early > 0:
                free_at = now + _WINDOW_SECONDS
            self._arrival_times[caller] = free_at
            self._evict(now)
            return too_early if is_refused else 0.0

    def _evict(self, now: float) -> None:
        """Evict up to two inactive callers: one more than a request adds, so that they don't accumulate."""
        for _ in range(2):
            caller = next(iter(self._arrival_times))
            if self._arrival_times[caller] > now and len(self._arrival_times) <= MAX_CALLERS:
                return
            del self._arrival_times[caller]
