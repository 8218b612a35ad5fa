"""Texts in Crockford's base 32 for secrets that people type: no letter looks like a digit or another letter.

Who types one may use small letters, blanks and hyphens, and O, I and L for the digits that they look like.
"""

from collections.abc import Callable

_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_BITS_PER_DIGIT = 5
_NORMALIZED = str.maketrans("OIL", "011", " -")


def generate_text(random_bytes: Callable[[int], bytes], length: int) -> str:
    """Return a random text of so many digits, 5 bits each."""
    number = int.from_bytes(random_bytes(-(-length * _BITS_PER_DIGIT // 8)), "big")
    return "".join(_DIGITS[number >> (_BITS_PER_DIGIT * position) & 31] for position in range(length))


def normalize(text: str) -> str:
    """Return the text as it was generated, whichever of its forms was typed. Any other text gives one that is none."""
    return text.upper().translate(_NORMALIZED)
