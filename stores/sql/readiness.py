"""Check whether a database accepts writes: by recent writes if there were any, else by one that changes nothing."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kanban.store import Busy, Unavailable

FRESH_SECONDS = 5.0
"""For how many seconds a successful write proves that the database accepts writes."""
MAX_BUSY_SECONDS = 10.0
"""For how many seconds other writers may hold the database before it counts as not accepting writes."""


class WriteReadiness:
    """Record the outcome of writes, so that a check rarely has to write itself. Threads may share it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._accepted_at = -math.inf
        self._is_refused = False
        self._busy_since = math.inf

    @contextmanager
    def record_write(self) -> Iterator[None]:
        """Record whether the write in this context succeeds or raises Unavailable."""
        try:
            yield
        except Unavailable:
            self._accepted_at, self._is_refused = -math.inf, True
            raise
        self._accepted_at, self._is_refused, self._busy_since = self._clock(), False, math.inf

    def check(self, write: Callable[[], None]) -> None:
        """Raise Unavailable or Busy if the database doesn't accept writes.

        `write` is called, and must use `record_write`, if no recent write has succeeded.
        """
        now = self._clock()
        if now - self._accepted_at < FRESH_SECONDS:
            return
        try:
            write()
        except Busy:
            # Another writer holds the database, so it accepts writes, unless that lasts too long.
            self._busy_since = min(self._busy_since, now)
            if self._is_refused or now - self._busy_since > MAX_BUSY_SECONDS:
                raise
