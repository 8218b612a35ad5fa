"""The time that is left: Lambda ends an invocation that takes too long, wherever it is."""

import math
from collections.abc import Callable


class Deadline:
    """Knows how many seconds the present invocation has left. Lambda runs one at a time."""

    def __init__(self) -> None:
        self._remaining_milliseconds: Callable[[], float] = _unlimited

    def begin(self, context: object) -> None:
        """Begin an invocation; a context that knows no time, such as a test's, has all of it."""
        self._remaining_milliseconds = getattr(context, "get_remaining_time_in_millis", _unlimited)

    def end(self) -> None:
        """End the invocation: what is done between two of them has all the time."""
        self._remaining_milliseconds = _unlimited

    def remaining(self) -> float:
        """How many seconds remain."""
        return self._remaining_milliseconds() / 1000


def _unlimited() -> float:
    return math.inf
