"""Heavy operations: their work grows with a whole board, so a process does few of them at once.

The document marks them with `x-tackboard-weight: heavy`. However many of them are asked for, the others find a thread,
a connection to the store and the interpreter free.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from contract.problems import Problem

MAX_AT_ONCE = 2
"""Heavy operations that a process does at once: one may wait for the store while another one computes."""

WEIGHT = "x-tackboard-weight"
_HEAVY = "heavy"
_RETRY_AFTER = 2
"""Seconds: what one of them takes on a large board."""


def is_heavy(described: Mapping[str, Any]) -> bool:
    """Whether the document marks an operation as heavy."""
    return described.get(WEIGHT) == _HEAVY


def why_not_weighed(described: Mapping[str, Any]) -> Iterator[str]:
    """Say why the weight that the document gives an operation could not be kept."""
    if WEIGHT not in described:
        return
    if not is_heavy(described):
        yield f"has an {WEIGHT} other than '{_HEAVY}'"
    elif "503" not in described.get("responses", {}):
        yield "is heavy, and has no response 503 for when too many are asked for"


class HeavyOperations:
    """Lets so many heavy operations run at once, and refuses one more."""

    def __init__(self, at_once: int = MAX_AT_ONCE) -> None:
        self._at_once = at_once
        self._room = threading.Semaphore(at_once)

    def room_for(self, *, heavy: bool) -> AbstractContextManager[None]:
        """Return what an operation runs in. Entering it raises a 503 when there is no room for a heavy one."""
        return self._room_for_one() if heavy else _UNBOUNDED

    @contextmanager
    def _room_for_one(self) -> Iterator[None]:
        # Nobody waits here: whoever waited would hold a thread.
        if not self._room.acquire(blocking=False):
            detail = (
                f"The server does {self._at_once} reports, exports, imports or copies at once: try again in a moment."
            )
            raise Problem(503, "busy", detail, headers={"Retry-After": str(_RETRY_AFTER)})
        try:
            yield
        finally:
            self._room.release()


_UNBOUNDED: AbstractContextManager[None] = nullcontext()
