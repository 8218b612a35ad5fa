"""Ranks: text whose byte order is the order of things, with always room for one more in between.

A rank is an integer and then, where something was put between two integers, a fraction of base-62 digits.
The integer's first letter tells its sign and length ('a' one digit, 'b' two; 'Z' one below zero, 'Y' two), so
that putting thing after thing at an end makes ranks grow by a digit each time there are 62 times as many.
Putting them ever again at one place in between costs a digit for about every fifth.

No fraction ends in '0': there would be no room just above it.
"""

import re

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BASE = len(_DIGITS)
_DIGIT_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}
_FIRST = "a0"
# Integers of up to 13 digits: no list comes as far, and beyond them more letters are left than anybody can use up.
_RANK = re.compile("[N-Za-m][0-9A-Za-z]+")

MAX_RANK_LENGTH = 120
"""A rank longer than this still works, and asks for its list to be given new ones."""


def is_rank(text: str) -> bool:
    """Whether the text is a rank that could have been made here, and has room around it."""
    if not _RANK.fullmatch(text):
        return False
    integer = _get_integer_part(text)
    return len(integer) == len(_get_integer_part(text[0] + "0" * 30)) and not (text != integer and text.endswith("0"))


def after(rank: str) -> str:
    """A short rank below that one in the order; for '', the first rank of an empty order."""
    return _increment(_get_integer_part(rank)) if rank else _FIRST


def before(rank: str) -> str:
    """A short rank above that one in the order; for '', the first rank of an empty order."""
    if not rank:
        return _FIRST
    integer = _get_integer_part(rank)
    return integer if integer < rank else _decrement(integer)


def between(above: str, below: str) -> str:
    """A rank after `above` and before `below`; '' leaves that side open. Raises ValueError without room."""
    if not below:
        return after(above)
    if not above:
        return before(below)
    if above >= below:
        raise ValueError("Nothing lies between two ranks that are not in order.")
    integer = _get_integer_part(above)
    if integer == _get_integer_part(below):
        return integer + _get_fraction_between(above[len(integer) :], below[len(integer) :])
    following = _increment(integer)
    return following if following < below else integer + _get_fraction_between(above[len(integer) :], "")


def sequence_after(rank: str, count: int) -> list[str]:
    """That many short ranks, in order, all after that one."""
    ranks = []
    for _ in range(count):
        rank = after(rank)
        ranks.append(rank)
    return ranks


def sequence_before(rank: str, count: int) -> list[str]:
    """That many short ranks, in order, all before that one."""
    ranks = []
    for _ in range(count):
        rank = before(rank)
        ranks.append(rank)
    return ranks[::-1]


def sequence_between(above: str, below: str, count: int) -> list[str]:
    """That many ranks, in order, all after `above` and before `below`; '' leaves that side open."""
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
    kept = digits.rstrip("z")
    if kept:
        return head + kept[:-1] + _DIGITS[_DIGIT_VALUES[kept[-1]] + 1] + "0" * (len(digits) - len(kept))
    if head == "Z":
        return _FIRST
    return chr(ord(head) + 1) + "0" * (len(digits) + (1 if head >= "a" else -1))


def _decrement(integer: str) -> str:
    head, digits = integer[0], integer[1:]
    kept = digits.rstrip("0")
    if kept:
        return head + kept[:-1] + _DIGITS[_DIGIT_VALUES[kept[-1]] - 1] + "z" * (len(digits) - len(kept))
    if head == "a":
        return "Zz"
    return chr(ord(head) - 1) + "z" * (len(digits) + (-1 if head >= "a" else 1))


def _get_fraction_between(low: str, high: str) -> str:
    """A fraction about halfway; '' is nought for `low` and one for `high`."""
    digits = ""
    while True:
        place = len(digits)
        least = _DIGIT_VALUES[low[place]] if place < len(low) else 0
        most = _DIGIT_VALUES[high[place]] if place < len(high) else _BASE
        if least == most:
            digits += _DIGITS[least]
            continue
        half = (least + most) // 2
        if half > least:
            return digits + _DIGITS[half]
        # The two are neighbours in this digit: what follows the lower one need only stay above its rest.
        digits += _DIGITS[least]
        high = ""
