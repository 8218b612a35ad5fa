"""The purge that a schedule begins: what was deleted over 31 days ago is erased for good, as far as time allows."""

import logging
from collections.abc import Callable
from datetime import datetime

from kanban.archive import PURGE_AFTER
from kanban.store import Busy, Store, Unavailable

log = logging.getLogger("tackboard")

PURGE_EVENT = {"source": "tackboard.schedule", "task": "purge"}
"""What the schedule sends: infrastructure/resources/purge.yml."""

_BATCH_SIZE = 100
"""Things that are erased in one step: some seconds of a table's time at the most."""


class ScheduledPurge:
    """Erases in one store."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def __call__(self) -> dict[str, int | bool]:
        """How many things were erased, and whether that was all. What is left is for the next call.

        Raises Unavailable where the table can't be used: an invocation that fails is seen.
        """
        now = self._clock().replace(microsecond=0)
        erased, is_done = 0, False
        try:
            while self._store.purge_expired_responses(now, _BATCH_SIZE):
                pass
            while step := self._store.purge(now - PURGE_AFTER, _BATCH_SIZE):
                erased += step
            is_done = True
        except Unavailable:
            raise
        except Busy:
            # The time is up, or others need the table.
            pass
        log.info("Erased what was deleted long ago: %d things, %s.", erased, "all" if is_done else "and more are left")
        return {"erased": erased, "done": is_done}
