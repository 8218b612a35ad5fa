"""Ranks keep an order with room for one more, and stay short unless all insertions are at one position."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanban.ordering import ranks

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def are_valid(order: list[str]) -> bool:
    return order == sorted(set(order)) and all(set(rank) <= set(DIGITS) for rank in order)


def insert(order: list[str], index: int) -> str:
    above = order[index - 1] if index else ""
    below = order[index] if index < len(order) else ""
    order.insert(index, ranks.between(above, below))
    return order[index]


def test_an_empty_order_has_one_first_rank() -> None:
    assert ranks.between("", "") == ranks.after("") == ranks.before("")


@pytest.mark.parametrize("seed", range(5))
def test_two_thousand_random_insertions_keep_the_order_and_stay_short(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311  (a test must be repeatable)
    order: list[str] = []

    for _ in range(2000):
        insert(order, rng.randint(0, len(order)))

    assert are_valid(order)
    assert max(map(len, order)) <= 12


@given(st.lists(st.integers(min_value=0), max_size=200))
@settings(max_examples=100, deadline=None)
def test_any_insertions_keep_the_order(indexes: list[int]) -> None:
    order: list[str] = []

    for index in indexes:
        insert(order, index % (len(order) + 1))

    assert are_valid(order)
    assert all(not rank.endswith("0") for rank in order if len(rank) > 2)


def test_five_thousand_at_the_bottom_take_four_characters() -> None:
    order = ranks.sequence_after("", 5000)

    assert are_valid(order)
    assert max(map(len, order)) == 4


def test_five_thousand_at_the_top_take_four_characters() -> None:
    order = ranks.sequence_before("", 5000)

    assert are_valid(order)
    assert max(map(len, order)) == 4


def test_integers_increment_across_a_change_of_length_and_sign() -> None:
    assert ranks.after("az") == "b00"
    assert ranks.after("bzz") == "c000"
    assert ranks.after("Zz") == "a0"
    assert ranks.after("Yzz") == "Z0"
    assert ranks.before("b00") == "az"
    assert ranks.before("a0") == "Zz"
    assert ranks.before("Z0") == "Yzz"


def test_after_and_before_are_inverse() -> None:
    down = ranks.sequence_after("", 4000)
    up = ranks.sequence_before(down[-1], 3999)

    assert up == down[:-1]


def test_the_rank_before_a_fraction_is_its_integer() -> None:
    assert ranks.before("a5V") == "a5"


def test_inserting_at_one_position_costs_a_character_for_about_five_ranks() -> None:
    order = ["a0", "a1"]

    for _ in range(580):
        insert(order, 1)

    assert are_valid(order)
    assert max(map(len, order)) <= ranks.MAX_RANK_LENGTH


def test_inserting_just_below_the_newest_rank_costs_no_more() -> None:
    order = ["a0", "a1"]

    for index in range(1, 581):
        insert(order, index)

    assert are_valid(order)
    assert max(map(len, order)) <= ranks.MAX_RANK_LENGTH


def test_there_is_no_rank_between_two_that_are_not_in_order() -> None:
    with pytest.raises(ValueError, match="in order"):
        ranks.between("a1", "a1")
    with pytest.raises(ValueError, match="in order"):
        ranks.between("a2", "a1")


@pytest.mark.parametrize("rank", ["a0", "Zz", "bzz", "a5V", "m" + "z" * 13, "N" + "0" * 13, "a" + "1" * 200])
def test_a_rank_has_room_on_both_sides(rank: str) -> None:
    assert ranks.is_rank(rank)
    assert are_valid([*ranks.sequence_before(rank, 100), rank, *ranks.sequence_after(rank, 100)])


@pytest.mark.parametrize(
    "text", ["", "a", "0a", "a00", "b0", "z1", "A1", "n" + "0" * 14, "M" + "z" * 14, "y" + "z" * 25, "B" + "0" * 25]
)
def test_malformed_ranks_and_ranks_near_the_last_one_are_not_valid(text: str) -> None:
    assert not ranks.is_rank(text)


@pytest.mark.parametrize(
    ("above", "below"), [("", ""), ("a0", ""), ("", "a0"), ("a0", "a1"), ("a0", "a9"), ("Zz", "a0V")]
)
@pytest.mark.parametrize("count", [0, 1, 2, 3, 100])
def test_a_sequence_fits_between_two_ranks(above: str, below: str, count: int) -> None:
    sequence = ranks.sequence_between(above, below, count)

    assert len(sequence) == count
    assert are_valid([rank for rank in (above, *sequence, below) if rank])
    assert all(ranks.is_rank(rank) and len(rank) <= 6 for rank in sequence)


def test_insertions_just_above_the_lower_rank_stay_between() -> None:
    low, high = "a0", "a1"

    for _ in range(40):
        middle = ranks.between(low, high)
        assert low < middle < high
        high = middle


def test_a_sequence_between_two_ranks_is_balanced() -> None:
    assert ranks.sequence_between("a0", "a1", 3) == ["a0F", "a0V", "a0k"]
    assert {len(rank) for rank in ranks.sequence_between("a0", "a1", 31)} == {3}
    assert ranks.sequence_between("a0", "a1", 0) == []
