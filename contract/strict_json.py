"""Strict JSON (RFC 8259, without its liberties): of one meaning, and no more of it than a reader can be asked to take.

orjson refuses what JSON forbids: NaN, comments, trailing text, invalid UTF-8, lone surrogates. What it lets pass, and
this module doesn't, is a name that stands twice in one object, and two forms that cost far more than their bytes:
nesting as deep as no validator follows, and values that are so short that each byte becomes 50 in memory.
"""

from typing import Any

import orjson

from contract.problems import Problem, bad_request

MAX_DEPTH = 200
"""Arrays and objects inside each other. The validator follows 254, and orjson reads 1,024."""
BYTES_PER_VALUE = 8
"""A body may hold one value for so many of the bytes that are allowed: cards of an export take about 15 for each."""
BYTES_PER_CONTAINER = 24
"""The same of arrays and objects, which take up to 240 bytes of memory each: in exports there is one in about 60."""

_TOO_DEEP_DETAIL = f"The body is nested too deeply: arrays and objects may stand inside each other {MAX_DEPTH} deep."


def parse_json(raw: bytes, max_bytes: int) -> Any:
    """Return the value of a JSON text of at most `max_bytes` bytes; raises a 400 for any other text."""
    _ensure_few_values(raw, max_bytes // BYTES_PER_VALUE, max_bytes // BYTES_PER_CONTAINER)
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise _malformed_json(_TOO_DEEP_DETAIL if "depth limit" in error.msg else _describe_position(error)) from None
    names = _count_names(value)
    # Each name has a colon behind it. Only where there are more colons is it worth a look which stand in texts.
    if raw.count(b":") != names and _remove_strings(raw).count(b":") != names:
        raise _malformed_json("The body is not JSON of one meaning: an object has the same name twice.")
    return value


def _ensure_few_values(raw: bytes, max_values: int, max_containers: int) -> None:
    """Raise a 400 for a text of more values, or arrays and objects, than that, before they are made."""
    if len(raw) <= max_containers:
        return
    containers = _count_brackets(raw)
    if containers <= max_containers and containers + raw.count(b",") < max_values:
        return
    dense = _remove_strings(raw).translate(None, b" \t\r\n")
    containers = _count_brackets(dense)
    if containers > max_containers:
        raise _malformed_json(
            f"The body has too many arrays and objects: it may have at most {max_containers} together."
        )
    # One value, one more behind each comma, and the first one in each container that isn't empty.
    if 1 + dense.count(b",") + containers - dense.count(b"[]") - dense.count(b"{}") > max_values:
        raise _malformed_json(
            f"The body has too many values: it may have at most {max_values}, with those inside others."
        )


def _count_brackets(raw: bytes) -> int:
    return raw.count(b"[") + raw.count(b"{")


def _remove_strings(raw: bytes) -> bytes:
    """Return a JSON text without its strings. Each step is one call over all bytes, so megabytes take milliseconds."""
    if b"\\" in raw:
        # The first of a run of backslashes escapes the next one, so pairs are taken from the start of a run.
        raw = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    return b"".join(raw.split(b'"')[::2])


def _count_names(value: object) -> int:
    """Return how many names all objects hold together; raises a 400 for nesting beyond `MAX_DEPTH`.

    It goes down level by level, so depth costs it no stack.
    """
    count = 0
    level = [value]
    for _ in range(MAX_DEPTH):
        below: list[object] = []
        for part in level:
            if type(part) is dict:
                count += len(part)
                below.extend(part.values())
            elif type(part) is list:
                below.extend(part)
        if not below:
            return count
        level = below
    if any(type(part) in (dict, list) for part in level):
        raise _malformed_json(_TOO_DEEP_DETAIL)
    return count


def _malformed_json(detail: str) -> Problem:
    return bad_request("malformed_json", detail)


def _describe_position(error: orjson.JSONDecodeError) -> str:
    """Say where the text stops being JSON. The parser's own words are left out: they could quote the text."""
    return f"The body is not JSON: it breaks off or goes wrong at line {error.lineno}, column {error.colno}."
