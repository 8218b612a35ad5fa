"""Limit requests per caller with the generic cell rate algorithm (ITU-T I.371), one number for each caller.

Each process counts on its own. That keeps a single client from starving all others. A limit across machines belongs
in a proxy in front of them.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable

_WINDOW_SECONDS = 60.0
_TOLERANCE_SECONDS = 1e-3
"""Waits shorter than this are rounding errors: a sum of intervals and seconds since 1970 loses 0.1 us at each step."""

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
            arrival_times = self._arrival_times
            # The caller goes to the end of the order.
            arrival_time = arrival_times.pop(caller, now)
            free_at = max(now, arrival_time) + self._interval
            wait = 0.0
            if (too_early := free_at - _WINDOW_SECONDS - now) > 0:
                # After the clock was set back, waits would be that long. No caller has to wait longer than a minute.
                if _TOLERANCE_SECONDS < too_early <= _WINDOW_SECONDS:
                    wait, free_at = too_early, arrival_time
                else:
                    free_at = now + _WINDOW_SECONDS
            arrival_times[caller] = free_at
            # Up to two inactive callers are evicted: one more than a request adds, so that they don't accumulate.
            if self._evict_first(now):
                self._evict_first(now)
            return wait

    def get_wait(self, caller: str) -> float:
        """Return the seconds that the caller would have to wait for the next request, 0.0 if none. Counts nothing."""
        with self._lock:
            now = self._now()
            arrival_time = self._arrival_times.get(caller, now)
            wait = max(now, arrival_time) + self._interval - _WINDOW_SECONDS - now
            # As in `acquire`: after the clock was set back, no caller waits that long.
            return wait if _TOLERANCE_SECONDS < wait <= _WINDOW_SECONDS else 0.0

    def _evict_first(self, now: float) -> bool:
        """Evict the first caller if it is inactive or one too many, and return whether it was."""
        caller = next(iter(self._arrival_times))
        if self._arrival_times[caller] > now and len(self._arrival_times) <= MAX_CALLERS:
            return False
        del self._arrival_times[caller]
        return True
