"""Tell whether a history of concurrent calls is linearizable: the same results as some sequential order.

Wing and Gong, "Testing and Verifying Concurrent Objects" (1993): try every order of calls that is consistent with real
time against a sequential specification. Lowe, "Testing for Linearizability" (2017): don't explore a configuration (the
set of calls done, and the state) twice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

State = TypeVar("State")


@dataclass(frozen=True)
class Call:
    """A call of a client, its result, and the ticks of a common clock just before and just after it."""

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
"""Returns the state after a call, or None if the call can't have its result in this state."""


def is_linearizable(history: Sequence[Call], state: State, specification: Specification[State]) -> bool:
    """Tell whether some order of the calls explains every result, from a state on. States must be hashable."""
    everything = (1 << len(history)) - 1
    seen: set[tuple[int, State]] = set()
    configurations: list[tuple[int, State]] = [(0, state)]
    while configurations:
        done, state = configurations.pop()
        if done == everything:
            return True
        open_calls = [(number, call) for number, call in enumerate(history) if not done >> number & 1]
        first_end = min(call.ended_at for _, call in open_calls)
        for number, call in open_calls:
            # A call that started after another had ended cannot come before it.
            if call.started_at > first_end:
                continue
            after = specification(state, call)
            if after is not None and (configuration := (done | 1 << number, after)) not in seen:
                seen.add(configuration)
                configurations.append(configuration)
    return False


def count_overlaps(history: Sequence[Call]) -> int:
    """Count the pairs of calls that overlapped."""
    pairs = ((call, other) for number, call in enumerate(history) for other in history[number + 1 :])
    return sum(call.started_at < other.ended_at and other.started_at < call.ended_at for call, other in pairs)


def format_history(history: Sequence[Call]) -> str:
    """Format the history with one line for each call, in the order in which they started."""
    return "\n".join(map(str, sorted(history, key=lambda call: call.started_at)))
