"""Limit concurrent heavy operations: those whose work grows with a whole board.

The document marks them with `x-tackboard-weight: heavy`. The limit keeps threads, store connections and CPU free for
all other operations.

While heavy operations run, there are no full garbage collections. No thread runs during one, and it visits all that a
large import has read and made: two of those stopped everything for a tenth of a second, again and again. Heavy
operations leave no cycles of references behind, so such a collection would find nothing.

The weight `remote` marks operations that wait for a server of others. That may take seconds and costs nothing, so a
server gives them threads of their own, and nothing else changes.
"""

import gc
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from contract.problems import Problem

MAX_CONCURRENT = 2
"""The most heavy operations at once in a process: one can wait for the store while another one computes."""

WEIGHT_EXTENSION = "x-tackboard-weight"
HEAVY = "heavy"
REMOTE = "remote"
_RETRY_AFTER_SECONDS = 2
"""How long a heavy operation takes on a large board."""


def find_weight(operation_object: Mapping[str, Any]) -> str | None:
    """Return how the document marks an operation; None if it is like most."""
    weight: str | None = operation_object.get(WEIGHT_EXTENSION)
    return weight


def find_weight_errors(operation_object: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the weight of an operation in the document."""
    if WEIGHT_EXTENSION not in operation_object:
        return
    weight = find_weight(operation_object)
    if weight not in (HEAVY, REMOTE):
        yield f"has an {WEIGHT_EXTENSION} other than '{HEAVY}' or '{REMOTE}'"
    elif "503" not in operation_object.get("responses", {}):
        yield f"is {weight}, and has no response 503 for when too many are running"


def build_busy_problem(max_concurrent: int = MAX_CONCURRENT) -> Problem:
    """Build the 503 for a heavy operation while as many as possible are running."""
    detail = f"The server does {max_concurrent} reports, exports, imports or copies at once: try again in a moment."
    return Problem(503, "busy", detail, headers={"Retry-After": str(_RETRY_AFTER_SECONDS)})


class HeavyOperationLimiter:
    """Let a number of heavy operations run at once and reject any more."""

    def __init__(self, max_concurrent: int = MAX_CONCURRENT) -> None:
        self._max_concurrent = max_concurrent
        self._semaphore = threading.Semaphore(max_concurrent)

    @contextmanager
    def acquire(self) -> Iterator[None]:
        """Return the context in which a heavy operation runs. Entering it raises Problem (503) at the limit."""
        # Do not wait for a slot: a waiting request would hold a thread.
        if not self._semaphore.acquire(blocking=False):
            raise build_busy_problem(self._max_concurrent)
        try:
            with _full_collections.pause():
                yield
        finally:
            self._semaphore.release()


class _FullCollections:
    """Switches full garbage collections of this process off while anything needs that."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pause_count = 0
        self._usual_thresholds = gc.get_threshold()

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Postpone full collections until the end of this context, and of all others that have begun meanwhile."""
        with self._lock:
            self._pause_count += 1
            if self._pause_count == 1:
                self._usual_thresholds = gc.get_threshold()
                gc.set_threshold(*self._usual_thresholds[:2], _NEVER)
        try:
            yield
        finally:
            with self._lock:
                self._pause_count -= 1
                if self._pause_count == 0:
                    gc.set_threshold(*self._usual_thresholds)


_NEVER = 2**31 - 1
"""The largest threshold."""
_full_collections = _FullCollections()
