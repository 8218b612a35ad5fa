"""The time that is left: Lambda kills an invocation that takes too long."""

import math
from collections.abc import Callable


class Deadline:
    """Tells how many seconds the current invocation has left. Lambda runs one at a time in a process."""

    def __init__(self) -> None:
        self._remaining_milliseconds: Callable[[], float] = _return_infinity

    def begin(self, context: object) -> None:
        """Begin an invocation. A context without a clock, such as a test's, has unlimited time."""
        self._remaining_milliseconds = getattr(context, "get_remaining_time_in_millis", _return_infinity)

    def end(self) -> None:
        """End the invocation: what runs between two of them has unlimited time."""
        self._remaining_milliseconds = _return_infinity

    def remaining(self) -> float:
        """Return how many seconds remain."""
        return self._remaining_milliseconds() / 1000


def _return_infinity() -> float:
    return math.inf
