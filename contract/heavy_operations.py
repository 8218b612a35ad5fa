"""Heavy operations: their work grows with a whole board, so a process does few of them at once.

The document marks them with `x-tackboard-weight: heavy`. However many of them are asked for, the others find a thread,
a connection to the store and the interpreter free.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from contract.problems import Problem

MAX_CONCURRENT = 2
"""Heavy operations that a process does at once: one may wait for the store while another one computes."""

WEIGHT_EXTENSION = "x-tackboard-weight"
_HEAVY = "heavy"
_RETRY_AFTER_SECONDS = 2
"""Seconds: what one of them takes on a large board."""


def is_heavy(operation_object: Mapping[str, Any]) -> bool:
    """Whether the document marks an operation as heavy."""
    return operation_object.get(WEIGHT_EXTENSION) == _HEAVY


def find_weight_errors(operation_object: Mapping[str, Any]) -> Iterator[str]:
    """Say why the weight that the document gives an operation could not be kept."""
    if WEIGHT_EXTENSION not in operation_object:
        return
    if not is_heavy(operation_object):
        yield f"has an {WEIGHT_EXTENSION} other than '{_HEAVY}'"
    elif "503" not in operation_object.get("responses", {}):
        yield "is heavy, and has no response 503 for when too many are asked for"


class HeavyOperationLimiter:
    """Lets so many heavy operations run at once, and refuses one more."""

    def __init__(self, max_concurrent: int = MAX_CONCURRENT) -> None:
        self._max_concurrent = max_concurrent
        self._semaphore = threading.Semaphore(max_concurrent)

    def acquire(self, *, heavy: bool) -> AbstractContextManager[None]:
        """Return what an operation runs in. Entering it raises a 503 when there is no room for a heavy one."""
        return self._acquire_slot() if heavy else _NO_LIMIT

    @contextmanager
    def _acquire_slot(self) -> Iterator[None]:
        # Nobody waits here: whoever waited would hold a thread.
        if not self._semaphore.acquire(blocking=False):
            detail = (
                f"The server does {self._max_concurrent} reports, exports, imports or copies at once: "
                f"try again in a moment."
            )
            raise Problem(503, "busy", detail, headers={"Retry-After": str(_RETRY_AFTER_SECONDS)})
        try:
            yield
        finally:
            self._semaphore.release()


_NO_LIMIT: AbstractContextManager[None] = nullcontext()
