"""The checker itself, on histories of a number that is written and read."""

import pytest

from tests.soak.linearizability import Call, is_linearizable, overlaps


def number(state: int, call: Call) -> int | None:
    """The sequential specification of a number."""
    if call.operation == "write":
        return int(call.given)
    return state if call.answer == state else None


def wrote(value: int, began: int, ended: int) -> Call:
    return Call(0, "write", value, None, began, ended)


def read(value: int, began: int, ended: int) -> Call:
    return Call(1, "read", None, value, began, ended)


@pytest.mark.parametrize(
    "history",
    [
        [],
        [wrote(1, 0, 1), read(1, 2, 3)],
        [wrote(1, 0, 3), read(0, 1, 2)],
        [wrote(1, 0, 3), read(1, 1, 2)],
        [wrote(1, 0, 9), wrote(2, 1, 8), read(2, 2, 3), read(1, 4, 5), read(1, 10, 11)],
    ],
)
def test_a_history_that_some_order_explains_is_linearizable(history: list[Call]) -> None:
    assert is_linearizable(history, 0, number)


@pytest.mark.parametrize(
    "history",
    [
        [read(1, 0, 1)],
        [wrote(1, 0, 1), read(0, 2, 3)],
        [wrote(1, 0, 9), read(1, 1, 2), read(0, 3, 4)],
        [wrote(1, 0, 9), wrote(2, 1, 8), read(2, 2, 3), read(1, 4, 5), read(2, 10, 11)],
    ],
)
def test_a_history_that_no_order_explains_is_not_linearizable(history: list[Call]) -> None:
    assert not is_linearizable(history, 0, number)


def test_calls_overlap_when_neither_had_ended_before_the_other_began() -> None:
    assert overlaps([wrote(1, 0, 3), read(0, 1, 2), read(1, 4, 5)]) == 1
