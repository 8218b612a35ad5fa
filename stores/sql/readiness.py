"""Whether a database takes writes: known from those that were made, else from one that changes nothing."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kanban.store import Busy, Unavailable

FRESH_SECONDS = 5.0
"""Seconds for which a write that was accepted speaks for those to come."""
MAX_BUSY_SECONDS = 10.0
"""Seconds for which others may keep the database before it counts as one that takes no writes."""


class WriteReadiness:
    """Notes how writes went, so that a probe seldom has to write. Threads may share it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._accepted_at = -math.inf
        self._is_refused = False
        self._busy_since = math.inf

    @contextmanager
    def record_write(self) -> Iterator[None]:
        """Note how the write in this context goes."""
        try:
            yield
        except Unavailable:
            self._accepted_at, self._is_refused = -math.inf, True
            raise
        self._accepted_at, self._is_refused, self._busy_since = self._clock(), False, math.inf

    def check(self, write: Callable[[], None]) -> None:
        """Raise Unavailable or Busy where writes are refused. `write`, which notes how it went, is the last resort."""
        now = self._clock()
        if now - self._accepted_at < FRESH_SECONDS:
            return
        try:
            write()
        except Busy:
            # Somebody else writes at this moment, so one can: unless it takes for ever.
            self._busy_since = min(self._busy_since, now)
            if self._is_refused or now - self._busy_since > MAX_BUSY_SECONDS:
                raise
