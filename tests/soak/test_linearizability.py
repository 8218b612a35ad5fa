"""The checker of linearizability, on histories of a register that is written and read."""

import pytest

from tests.soak.linearizability import Call, count_overlaps, is_linearizable


def register_specification(state: int, call: Call) -> int | None:
    """Return the state of a register after a call."""
    if call.operation == "write":
        return int(call.arguments)
    return state if call.result == state else None


def write_call(value: int, began: int, ended: int) -> Call:
    return Call(0, "write", value, None, began, ended)


def read_call(value: int, began: int, ended: int) -> Call:
    return Call(1, "read", None, value, began, ended)


@pytest.mark.parametrize(
    "history",
    [
        [],
        [write_call(1, 0, 1), read_call(1, 2, 3)],
        [write_call(1, 0, 3), read_call(0, 1, 2)],
        [write_call(1, 0, 3), read_call(1, 1, 2)],
        [write_call(1, 0, 9), write_call(2, 1, 8), read_call(2, 2, 3), read_call(1, 4, 5), read_call(1, 10, 11)],
    ],
)
def test_a_history_with_a_sequential_explanation_is_linearizable(history: list[Call]) -> None:
    assert is_linearizable(history, 0, register_specification)


@pytest.mark.parametrize(
    "history",
    [
        [read_call(1, 0, 1)],
        [write_call(1, 0, 1), read_call(0, 2, 3)],
        [write_call(1, 0, 9), read_call(1, 1, 2), read_call(0, 3, 4)],
        [write_call(1, 0, 9), write_call(2, 1, 8), read_call(2, 2, 3), read_call(1, 4, 5), read_call(2, 10, 11)],
    ],
)
def test_a_history_without_a_sequential_explanation_is_not_linearizable(history: list[Call]) -> None:
    assert not is_linearizable(history, 0, register_specification)


def test_calls_overlap_unless_one_ended_before_the_other_started() -> None:
    assert count_overlaps([write_call(1, 0, 3), read_call(0, 1, 2), read_call(1, 4, 5)]) == 1
