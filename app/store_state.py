"""What is known about a store as a whole: its size, and how far its readers and jobs are behind. For metrics."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from kanban.feed_readers import Backlog
from kanban.store import Store, StoreError
from kanban.views import PageKey

FRESH_SECONDS = 10.0
"""For how long a state is not read anew: however many ask, the store is asked no more often."""

_JOBS_PER_PAGE = 100


@dataclass(frozen=True, slots=True)
class StoreState:
    """The state of a store. What its engine can't tell, or could not tell now, is None.

    Attributes:
        is_reachable: Whether the store has answered.
        size: How many bytes it has.
        backlog: How far the readers of the feed are behind.
        lag_seconds: How long ago the oldest event happened that a reader has not done with; 0 without any.
        job_count: How many jobs have not ended.
        job_seconds: How long ago the oldest of them was started; 0 without any.
    """

    is_reachable: bool
    size: int | None = None
    backlog: Backlog | None = None
    lag_seconds: float | None = None
    job_count: int | None = None
    job_seconds: float | None = None


class StoreStateReader:
    """Reads the state of a store. Threads may share it."""

    def __init__(self, store: Store, now: Callable[[], datetime], monotonic_clock: Callable[[], float]) -> None:
        self._store = store
        self._now = now
        self._monotonic_clock = monotonic_clock
        self._lock = threading.Lock()
        self._state: StoreState | None = None
        self._read_at = 0.0

    def read(self) -> StoreState:
        """Return the state, as it was a few seconds ago at most."""
        with self._lock:
            if self._state is None or self._monotonic_clock() - self._read_at >= FRESH_SECONDS:
                self._state, self._read_at = self._read(), self._monotonic_clock()
            return self._state

    def _read(self) -> StoreState:
        try:
            size = self._store.measure_size()
            backlog = self._store.feed_readers.measure_backlog()
            job_times = self._read_job_times()
        except StoreError:
            return StoreState(is_reachable=False)
        lag_seconds = None
        if backlog is not None:
            lag_seconds = self._seconds_since(backlog.oldest_at)
        return StoreState(
            is_reachable=True,
            size=size,
            backlog=backlog,
            lag_seconds=lag_seconds,
            job_count=len(job_times),
            job_seconds=self._seconds_since(min(job_times, default=None)),
        )

    def _read_job_times(self) -> list[datetime]:
        times: list[datetime] = []
        after: PageKey | None = None
        while True:
            page = self._store.jobs.page_unended_jobs(_JOBS_PER_PAGE, after)
            times += [job.created_at for job in page.items]
            after = page.next_key
            if after is None:
                return times

    def _seconds_since(self, at: datetime | None) -> float:
        return 0.0 if at is None else max(0.0, (self._now() - at).total_seconds())
