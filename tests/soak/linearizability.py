"""Whether a history of concurrent calls could also have happened one call after the other.

Wing and Gong, "Testing and Verifying Concurrent Objects" (1993): try every order that keeps what was really first
before what was really later, against a sequential specification. Lowe, "Testing for Linearizability" (2017): don't
try again from a place where one has been, with the same calls done and the same state.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

State = TypeVar("State")


@dataclass(frozen=True)
class Call:
    """What a client did, what it was answered, and the ticks of one clock just before and just after."""

    client: int
    operation: str
    arguments: Any
    result: Any
    started_at: int
    ended_at: int

    def __str__(self) -> str:
        return (
            f"{self.started_at:4d} to {self.ended_at:4d}, client {self.client}: {self.operation} "
            f"{self.arguments}, {self.result}"
        )


Specification = Callable[[State, Call], State | None]
"""The state after a call with that answer, or None where it could not have been answered so."""


def is_linearizable(history: Sequence[Call], state: State, specification: Specification[State]) -> bool:
    """Whether some order explains every answer, from that state on. States must be hashable."""
    everything = (1 << len(history)) - 1
    seen: set[tuple[int, State]] = set()
    places: list[tuple[int, State]] = [(0, state)]
    while places:
        done, state = places.pop()
        if done == everything:
            return True
        open_calls = [(number, call) for number, call in enumerate(history) if not done >> number & 1]
        first_end = min(call.ended_at for _, call in open_calls)
        for number, call in open_calls:
            # A call that began after another had ended cannot come before it.
            if call.started_at > first_end:
                continue
            after = specification(state, call)
            if after is not None and (place := (done | 1 << number, after)) not in seen:
                seen.add(place)
                places.append(place)
    return False


def count_overlaps(history: Sequence[Call]) -> int:
    """How many pairs of calls were under way at the same time."""
    pairs = ((one, other) for number, one in enumerate(history) for other in history[number + 1 :])
    return sum(one.started_at < other.ended_at and other.started_at < one.ended_at for one, other in pairs)


def format_history(history: Sequence[Call]) -> str:
    """The history line by line, in the order in which the calls began."""
    return "\n".join(map(str, sorted(history, key=lambda call: call.started_at)))
