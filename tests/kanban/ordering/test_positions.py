"""Positions in a short sequence."""

import pytest

from kanban.errors import SelfReference, UnknownReference
from kanban.ordering import positions


@pytest.mark.parametrize(
    ("position", "index"),
    [
        ({"position": "top"}, 0),
        ({"position": "bottom"}, 3),
        ({"before": "a"}, 0),
        ({"before": "c"}, 2),
        ({"after": "a"}, 1),
        ({"after": "c"}, 3),
    ],
)
def test_a_position_is_given_by_a_neighbour_or_an_end(position: dict[str, str], index: int) -> None:
    assert positions.find_index(["a", "b", "c"], "x", **position) == index  # type: ignore[arg-type]  # the test gives what the rule takes


def test_a_neighbour_is_another_thing_of_the_sequence() -> None:
    with pytest.raises(SelfReference):
        positions.find_index(["a"], "x", before="x")
    with pytest.raises(UnknownReference):
        positions.find_index(["a"], "x", after="z")


def test_a_missing_position_raises_a_value_error() -> None:
    with pytest.raises(ValueError, match="must be given"):
        positions.find_index(["a"], "x")
