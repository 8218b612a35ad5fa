"""The purge that a schedule starts: erase what was deleted over 31 days ago, as far as time allows."""

import logging
from collections.abc import Callable
from datetime import datetime

from kanban.archive import PURGE_AFTER
from kanban.store import Busy, Store, Unavailable
from kanban.timekeeping.timestamps import truncate_to_seconds
from kanban.tokens import ORIGIN_LIFETIME

log = logging.getLogger("tackboard")

PURGE_EVENT = {"source": "tackboard.schedule", "task": "purge"}
"""The event that the schedule sends (infrastructure/resources/purge.yml)."""

_BATCH_SIZE = 100
"""How many things are erased in one step, which takes a few seconds at most."""


class ScheduledPurge:
    """Purges one store."""

    def __init__(
        self, store: Store, clock: Callable[[], datetime], record_completion: Callable[[], object] = lambda: None
    ) -> None:
        self._store = store
        self._clock = clock
        self._record_completion = record_completion

    def __call__(self) -> dict[str, int | bool]:
        """Erase what is due. Return how many things were erased, and whether that was all; the next call goes on.

        It counts as ended well unless there was something left and nothing was erased.

        Raises Unavailable if the table can't be used, so that the failed invocation raises an alarm.
        """
        now = truncate_to_seconds(self._clock())
        erased, is_done = 0, False
        try:
            while self._store.purge_expired(now, _BATCH_SIZE):
                pass
            while self._store.purge_token_origins(now - ORIGIN_LIFETIME, _BATCH_SIZE):
                pass
            while step := self._store.purge(now - PURGE_AFTER, _BATCH_SIZE):
                erased += step
            is_done = True
        except Unavailable:
            raise
        except Busy:
            # The invocation is out of time, or the table is throttled.
            pass
        log.info("Erased what was deleted long ago: %d things, %s.", erased, "all" if is_done else "and more are left")
        if erased or is_done:
            self._record_completion()
        return {"erased": erased, "done": is_done}
