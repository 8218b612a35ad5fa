"""Ranks: text whose byte order is the order of things, with room for one more between any two.

A rank is an integer followed, where a thing was inserted between two integers, by a fraction of base-62 digits. The
first letter of the integer gives its sign and length ('a' one digit, 'b' two; 'Z' one below zero, 'Y' two), so a rank
grows by one digit only when 62 times as many things have been added at an end. Inserting at the same position again and
again costs about one digit for every five insertions.

No fraction ends in '0', because there would be no room just above it.
"""

import re

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BASE = len(_DIGITS)
_DIGIT_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}
_FIRST = "a0"
# Integers of up to 13 digits: no list needs more. The letters beyond these leave room at both ends.
_RANK = re.compile("[N-Za-m][0-9A-Za-z]+")

MAX_RANK_LENGTH = 120
"""A rank that is longer still works, but its list should be rebalanced."""


def is_rank(text: str) -> bool:
    """Return whether the text is a rank that this module could have made, and that has room around it."""
    if not _RANK.fullmatch(text):
        return False
    integer = _get_integer_part(text)
    return len(integer) == len(_get_integer_part(text[0] + "0" * 30)) and not (text != integer and text.endswith("0"))


def after(rank: str) -> str:
    """Return a short rank that sorts after the given one; for '', the first rank of an empty order."""
    return _increment(_get_integer_part(rank)) if rank else _FIRST


def before(rank: str) -> str:
    """Return a short rank that sorts before the given one; for '', the first rank of an empty order."""
    if not rank:
        return _FIRST
    integer = _get_integer_part(rank)
    return integer if integer < rank else _decrement(integer)


def between(above: str, below: str) -> str:
    """Return a rank between `above` and `below`; '' leaves that side open.

    Raises ValueError if they are not in order.
    """
    if not below:
        return after(above)
    if not above:
        return before(below)
    if above >= below:
        raise ValueError("There is no rank between two ranks that are not in order.")
    integer = _get_integer_part(above)
    if integer == _get_integer_part(below):
        return integer + _get_fraction_between(above[len(integer) :], below[len(integer) :])
    next_integer = _increment(integer)
    return next_integer if next_integer < below else integer + _get_fraction_between(above[len(integer) :], "")


def sequence_after(rank: str, count: int) -> list[str]:
    """Return `count` short ranks in order, all after the given one."""
    sequence = []
    for _ in range(count):
        rank = after(rank)
        sequence.append(rank)
    return sequence


def sequence_before(rank: str, count: int) -> list[str]:
    """Return `count` short ranks in order, all before the given one."""
    sequence = []
    for _ in range(count):
        rank = before(rank)
        sequence.append(rank)
    return sequence[::-1]


def sequence_between(above: str, below: str, count: int) -> list[str]:
    """Return `count` ranks in order, all between `above` and `below`; '' leaves that side open."""
    if not below:
        return sequence_after(above, count)
    if not above:
        return sequence_before(below, count)
    if not count:
        return []
    middle = between(above, below)
    half = count // 2
    return [*sequence_between(above, middle, half), middle, *sequence_between(middle, below, count - half - 1)]


def _get_integer_part(rank: str) -> str:
    head = rank[0]
    length = ord(head) - ord("a") if head >= "a" else ord("Z") - ord(head)
    return rank[: length + 2]


def _increment(integer: str) -> str:
    head, digits = integer[0], integer[1:]
    significant = digits.rstrip("z")
    if significant:
        return (
            head
            + significant[:-1]
            + _DIGITS[_DIGIT_VALUES[significant[-1]] + 1]
            + "0" * (len(digits) - len(significant))
        )
    if head == "Z":
        return _FIRST
    return chr(ord(head) + 1) + "0" * (len(digits) + (1 if head >= "a" else -1))


def _decrement(integer: str) -> str:
    head, digits = integer[0], integer[1:]
    significant = digits.rstrip("0")
    if significant:
        return (
            head
            + significant[:-1]
            + _DIGITS[_DIGIT_VALUES[significant[-1]] - 1]
            + "z" * (len(digits) - len(significant))
        )
    if head == "a":
        return "Zz"
    return chr(ord(head) - 1) + "z" * (len(digits) + (-1 if head >= "a" else 1))


def _get_fraction_between(low: str, high: str) -> str:
    """Return a fraction about halfway between two; '' means 0 for `low` and 1 for `high`."""
    digits = ""
    while True:
        index = len(digits)
        low_value = _DIGIT_VALUES[low[index]] if index < len(low) else 0
        high_value = _DIGIT_VALUES[high[index]] if index < len(high) else _BASE
        if low_value == high_value:
            digits += _DIGITS[low_value]
            continue
        middle = (low_value + high_value) // 2
        if middle > low_value:
            return digits + _DIGITS[middle]
        # The two differ by 1 in this digit: keep the lower one, and exceed the rest of its digits.
        digits += _DIGITS[low_value]
        high = ""
