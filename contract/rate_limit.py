"""Limit requests per caller with the generic cell rate algorithm (ITU-T I.371), across processes if they share usage.

The algorithm keeps one number for a caller, the theoretical arrival time: when the requests so far would end if they
were evenly spread. Each process decides by its own copy of that number and never waits for another process. Now and
then it reports how much of a caller's time it has used since its last report, and learns the number that all
processes together have arrived at. How many requests it may pass before it has to report depends on how many processes
report the same caller, so that all of them together exceed the limit by little: docs/decisions/0049 has the figures.
"""

import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

WINDOW_SECONDS = 60.0
"""The time that limits are for."""
MAX_CALLERS = 10_000
"""The most callers in memory. Beyond that, the least recently active ones are evicted."""

_TOLERANCE_SECONDS = 1e-3
"""Waits shorter than this are rounding errors: a sum of intervals and seconds since 1970 loses 0.1 us at each step."""
_MEMORY_SECONDS = 300.0
"""How long a process remembers a caller whose usage it shares, and how long it counts without a report."""
_RETRY_SECONDS = 1.0
"""How long a process waits after a report that failed."""

_UNREPORTED_SHARE = 0.08
"""The part of a limit that all processes together may have passed without a report."""
_UNKNOWN_SHARE = 1 / 1000
"""The part of a limit that a process passes in a window without any report."""
_MAX_BATCH = 50
_MAX_BATCH_SHARE = 1 / 60
"""A process reports after so many requests or that part of a limit at the latest, whichever is more."""
_GROWTH = 2
"""How much larger than the requests of a report the next batch may be: what is new begins with small batches."""
_SMOOTHING = 0.3
_MAX_FIRST_PROCESSES = 64
"""How many processes a first report assumes at most: it can't tell old reports from new ones."""

SharedUsage = tuple[float, int]
"""The theoretical arrival time of all processes together, and how often they have reported."""
Learn = Callable[[SharedUsage | None], None]
"""Takes the outcome of a report; None if it failed."""
Report = Callable[[str, float, float, Learn], None]
"""Reports that a caller has used so many seconds, at a time. Returns at once, and calls the last argument later."""


class Allowance(NamedTuple):
    """What a caller may do after a request."""

    wait_seconds: float
    """How long the caller has to wait before the request is admitted; 0.0 if it is."""
    remaining: int
    """How many requests more would be admitted now."""
    reset_seconds: int
    """After how many seconds it is one more."""


class RateLimiter:
    """Allow each caller a number of requests a minute, in a burst or evenly spread. Thread-safe.

    Each request takes constant time, however many callers there are: callers are in the order of their last request,
    so those to evict are at the front.
    """

    def __init__(self, requests_per_minute: int, now: Callable[[], float], report: Report | None = None) -> None:
        """Create a limiter.

        Args:
            requests_per_minute: The limit of each caller.
            now: Returns seconds since a fixed time, the same in all processes that share usage.
            report: Shares the usage of callers with other processes. Without it this process counts alone.
        """
        self.requests_per_minute = requests_per_minute
        self._now = now
        self._report = report
        self._interval = WINDOW_SECONDS / requests_per_minute
        self._first_batch = max(1, int(requests_per_minute * _UNKNOWN_SHARE))
        self._max_batch = max(_MAX_BATCH, int(requests_per_minute * _MAX_BATCH_SHARE))
        self._callers: OrderedDict[str, _Usage] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return the number of callers in memory."""
        return len(self._callers)

    def acquire(self, caller: str, cost: int = 1) -> float:
        """Count a request and return 0.0, or return the seconds to wait if the caller is over the limit."""
        return self.count(caller, cost).wait_seconds

    def count(self, caller: str, cost: int = 1) -> Allowance:
        """Count a request as so many, unless the caller is over the limit, and return what the caller may do then.

        A cost above the limit counts as the limit.
        """
        with self._lock:
            now = self._now()
            # The caller goes to the end of the order.
            usage = self._callers.pop(caller, None) or _Usage(self._first_batch)
            if cost > 1:
                cost = min(cost, self.requests_per_minute)
            arrival_time = usage.arrival_time
            free_at = (max(now, arrival_time)) + cost * self._interval
            wait = 0.0
            if (too_early := free_at - WINDOW_SECONDS - now) > 0:
                # After the clock was set back, waits would be that long. No caller has to wait longer than a minute.
                if _TOLERANCE_SECONDS < too_early <= WINDOW_SECONDS:
                    wait, free_at = too_early, arrival_time
                else:
                    free_at = now + WINDOW_SECONDS
            usage.arrival_time = usage.needed_until = free_at
            unreported = 0
            if self._report is not None:
                usage.needed_until = now + _MEMORY_SECONDS
                if not wait:
                    unreported = usage.add(cost, now)
            self._callers[caller] = usage
            # Up to two inactive callers are evicted: one more than a request adds, so that they don't accumulate.
            if self._evict_first(now):
                self._evict_first(now)
            allowance = self._build_allowance(free_at - now, wait)
        if unreported and self._report is not None:
            self._report(
                caller,
                # What is more than a full bucket is worn off.
                min(unreported * self._interval, WINDOW_SECONDS),
                now,
                lambda shared: self._learn(usage, unreported, shared),
            )
        return allowance

    def get_wait(self, caller: str) -> float:
        """Return the seconds that the caller would have to wait for the next request, 0.0 if none. Counts nothing."""
        return self.look(caller).wait_seconds

    def look(self, caller: str) -> Allowance:
        """Return what the caller may do, without counting a request. The wait is that of the next request."""
        with self._lock:
            now = self._now()
            usage = self._callers.get(caller)
            used = max(0.0, usage.arrival_time - now) if usage else 0.0
            too_early = used + self._interval - WINDOW_SECONDS
            wait = too_early if _TOLERANCE_SECONDS < too_early <= WINDOW_SECONDS else 0.0
            return self._build_allowance(used, wait)

    def _build_allowance(self, used_seconds: float, wait: float) -> Allowance:
        if wait:
            return Allowance(wait, 0, math.ceil(wait))
        unused = (WINDOW_SECONDS - used_seconds + _TOLERANCE_SECONDS) / self._interval
        remaining = int(unused)
        if remaining >= self.requests_per_minute:
            return Allowance(0.0, self.requests_per_minute, 1)
        return Allowance(
            0.0, remaining, 1 if self._interval <= 1 else math.ceil((remaining + 1 - unused) * self._interval)
        )

    def _learn(self, usage: "_Usage", units: int, shared: SharedUsage | None) -> None:
        """Take in the outcome of a report of so many requests."""
        with self._lock:
            if shared is None:
                usage.put_back(units, self._now())
                return
            arrival_time, reports = shared
            usage.arrival_time = max(usage.arrival_time, arrival_time + usage.unreported * self._interval)
            processes = usage.estimate_processes(reports)
            share = self.requests_per_minute * _UNREPORTED_SHARE / processes
            # Rather rounded down: two instead of 1.5 would be too much by far.
            usage.batch = max(1, min(self._max_batch, int(share + 0.3), units * _GROWTH))

    def _evict_first(self, now: float) -> bool:
        """Evict the first caller if it is inactive or one too many, and return whether it was."""
        caller = next(iter(self._callers))
        if self._callers[caller].needed_until > now and len(self._callers) <= MAX_CALLERS:
            return False
        del self._callers[caller]
        return True


class _Usage:
    """What a process knows about a caller."""

    __slots__ = (
        "arrival_time",
        "batch",
        "counted_since",
        "is_reporting",
        "needed_until",
        "processes",
        "reported_at",
        "reports",
        "retry_at",
        "unreported",
    )

    def __init__(self, first_batch: int) -> None:
        self.arrival_time = -math.inf
        self.needed_until = -math.inf
        """When the caller may be evicted."""
        self.unreported = 0
        """The requests since the last report, or since `counted_since` if there was none."""
        self.counted_since = -math.inf
        self.batch = first_batch
        """How many requests may pass without a report."""
        self.reports: int | None = None
        """How often all processes had reported at the last report of this one."""
        self.processes = 1.0
        """How many processes report this caller, weighted by how often they do."""
        self.reported_at = -math.inf
        self.is_reporting = False
        self.retry_at = -math.inf
        """When the next report may begin, after one that failed."""

    def add(self, cost: int, now: float) -> int:
        """Count a request; return how many are to be reported now, 0 to wait."""
        if self.reports is None:
            # What is older than the window is worn off.
            if now - self.counted_since > WINDOW_SECONDS:
                self.unreported, self.counted_since = 0, now
            self.unreported += cost
            is_due = self.unreported > self.batch
        else:
            self.unreported += cost
            is_due = self.unreported >= self.batch or now - self.reported_at > _MEMORY_SECONDS
        if not is_due or self.is_reporting or now < self.retry_at <= now + _RETRY_SECONDS:
            return 0
        unreported, self.unreported = self.unreported, 0
        self.reported_at, self.is_reporting = now, True
        return unreported

    def put_back(self, units: int, now: float) -> None:
        """Count requests whose report failed as unreported again."""
        self.unreported += units
        self.is_reporting, self.retry_at = False, now + _RETRY_SECONDS

    def estimate_processes(self, reports: int) -> float:
        """Return how many processes report this caller, given how often they all have until now.

        The number of reports between two of one process is the number of processes if all report equally often. A
        process that reports less often sees more of them, so it gets a smaller part of what is shared.
        """
        self.is_reporting = False
        if self.reports is None:
            self.processes = min(reports, _MAX_FIRST_PROCESSES)
        else:
            latest = max(1, reports - self.reports)
            self.processes = max(latest, self.processes + _SMOOTHING * (latest - self.processes))
        self.reports = reports
        return self.processes
