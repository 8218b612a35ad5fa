"""Parse JSON objects of others, which must have one meaning only."""

import json
import math
from typing import Any

_MAX_DIGITS = 17


def parse_object(data: bytes) -> dict[str, Any]:
    """Return the object that a JSON text in UTF-8 is. Raises ValueError for anything else, as `parse_value` does."""
    value = parse_value(data.decode())
    if type(value) is not dict:
        raise ValueError("The text is no object.")
    return value


def parse_value(text: str) -> Any:
    """Return the value that a JSON text is.

    Raises ValueError for what parsers understand in several ways: the same name twice, a byte order mark, lone
    surrogates, numbers that are not finite or have over 17 digits, nesting beyond what can be parsed.
    """
    try:
        value = json.loads(
            text,
            object_pairs_hook=_build_object,
            parse_constant=_reject_constant,
            parse_int=_parse_integer,
            parse_float=_parse_number,
        )
    except RecursionError:
        raise ValueError("The text is nested too deeply.") from None
    if "\\" in text:
        # An escape can stand for half of a character, which can't be encoded.
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("An object has the same name twice.")
    return value


def _reject_constant(_: str) -> None:
    raise ValueError("JSON has no such number.")


def _parse_integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise ValueError("A number has too many digits.")
    return int(digits)


def _parse_number(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("A number is too large.")
    return number
