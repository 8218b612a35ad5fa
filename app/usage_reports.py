"""Share with other processes how much of their limits callers have used, without delaying any request."""

import logging
import threading
from collections.abc import Callable
from functools import partial
from queue import Full, Queue

from contract.rate_limit import Learn, RateLimiter
from kanban.request_usage import UsageStore
from kanban.store import StoreError

log = logging.getLogger("tackboard")

MAX_REPORTS_PER_MINUTE = 6_000
"""How many reports a process makes at most: callers who come from ever new addresses must not occupy the store."""
MAX_WAITING_REPORTS = 1_000
"""How many reports wait while the store is slow. One more is given up."""
_ERASE_SECONDS = 600.0

Job = Callable[[], object]
RunJob = Callable[[Job], object]
"""Runs a job now or later. Raises Full if too many wait."""


class BackgroundThread:
    """Runs jobs one after the other in a thread, which starts with the first."""

    def __init__(self, name: str = "usage reports") -> None:
        self._name = name
        self._jobs: Queue[Job] = Queue(MAX_WAITING_REPORTS)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def __call__(self, job: Job) -> None:
        """Run a job, which must not raise anything, later. Raises Full if too many wait."""
        self._jobs.put_nowait(job)
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            self._jobs.get()()


class UsageReports:
    """Reports usage to a store. Threads may share it."""

    def __init__(self, store: UsageStore, unix_time: Callable[[], float], run: RunJob) -> None:
        """`run` runs what calls the store."""
        self._store = store
        self._unix_time = unix_time
        self._run = run
        self._allowance = RateLimiter(MAX_REPORTS_PER_MINUTE, unix_time)
        self._erased_at = unix_time()

    def report(self, prefix: str, caller: str, seconds: float, now: float, learn: Learn) -> None:
        """Report what a caller has used, as `contract.rate_limit.Report` says; the prefix names the limit.

        While the store can't be used, each process counts alone.
        """
        if self._allowance.acquire("") > 0:
            learn(None)
            return
        try:
            self._run(partial(self._add, f"{prefix}:{caller}", seconds, now, learn))
        except Full:
            learn(None)

    def _add(self, key: str, seconds: float, now: float, learn: Learn) -> None:
        shared = None
        try:
            shared = self._store.add_usage(key, seconds, now)
            self._erase(now)
        except StoreError:
            # It may work the next time.
            pass
        except Exception:
            log.exception("The usage of a limit could not be shared")
        learn(shared)

    def _erase(self, now: float) -> None:
        if now - self._erased_at >= _ERASE_SECONDS:
            self._erased_at = now
            self._store.erase_usage(now)
