"""Texts in Crockford's base 32."""

import os

import pytest

from kanban import crockford


def test_a_text_has_so_many_digits_none_of_which_looks_like_another_one() -> None:
    digits = {digit for _ in range(100) for digit in crockford.generate_text(os.urandom, 25)}

    assert digits == set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    assert len(crockford.generate_text(os.urandom, 10)) == 10
    assert crockford.generate_text(bytes, 10) == "0" * 10


def test_every_bit_of_a_text_is_random() -> None:
    texts = [crockford.generate_text(os.urandom, 10) for _ in range(200)]

    assert all(len({text[position] for text in texts}) > 25 for position in range(10))
    assert crockford.generate_text(lambda count: b"\xff" * count, 25) == "Z" * 25


@pytest.mark.parametrize("typed", ["01AB1", "oiabl", " 0L-aB i ", "O-1-A-B-1"])
def test_a_text_is_the_same_however_it_is_typed(typed: str) -> None:
    assert crockford.normalize(typed) == "01AB1"
