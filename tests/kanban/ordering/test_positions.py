"""Places in a short order."""

import pytest

from kanban.errors import SelfReference, UnknownReference
from kanban.ordering import positions


@pytest.mark.parametrize(
    ("wish", "place"),
    [
        ({"position": "top"}, 0),
        ({"position": "bottom"}, 3),
        ({"before": "a"}, 0),
        ({"before": "c"}, 2),
        ({"after": "a"}, 1),
        ({"after": "c"}, 3),
    ],
)
def test_a_place_is_named_by_a_neighbour_or_an_end(wish: dict[str, str], place: int) -> None:
    assert positions.find_index(["a", "b", "c"], "x", **wish) == place  # type: ignore[arg-type]  # a test gives what the rule takes


def test_nothing_stands_beside_itself_or_beside_a_stranger() -> None:
    with pytest.raises(SelfReference):
        positions.find_index(["a"], "x", before="x")
    with pytest.raises(UnknownReference):
        positions.find_index(["a"], "x", after="z")


def test_a_place_without_a_wish_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="must be given"):
        positions.find_index(["a"], "x")
