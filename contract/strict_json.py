"""Parse strict JSON (RFC 8259): unambiguous, and limited in depth and in number of values.

orjson rejects what JSON forbids: NaN, comments, trailing text, invalid UTF-8, lone surrogates. This module also rejects
what orjson accepts: the same name twice in one object, nesting deeper than the validator follows, and so many short
values that each byte takes 50 bytes of memory.
"""

from typing import Any

import orjson

from contract.problems import Problem, bad_request

MAX_DEPTH = 200
"""The deepest nesting of arrays and objects. The validator follows 254 levels, and orjson reads 1,024."""
BYTES_PER_VALUE = 8
"""A body may have one value for this many bytes of its limit. Cards of an export take about 15 bytes a value."""
BYTES_PER_CONTAINER = 24
"""The same for arrays and objects, which take up to 240 bytes of memory each. Exports have one in about 60 bytes."""

_CHUNK_BYTES = 65_536

_TOO_DEEP_DETAIL = f"The body is nested too deeply: arrays and objects may stand inside each other {MAX_DEPTH} deep."


def parse_json(raw: bytes, max_bytes: int) -> Any:
    """Parse a JSON text. `max_bytes` is the limit of its body, from which those of its values follow.

    Raises:
        Problem: 400 for a text that is no strict JSON or has too many values.
    """
    _ensure_few_values(raw, max_bytes // BYTES_PER_VALUE, max_bytes // BYTES_PER_CONTAINER)
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise _malformed_json(_TOO_DEEP_DETAIL if "depth limit" in error.msg else _describe_position(error)) from None
    # Most bodies are one flat object.
    name_count = len(value) if type(value) is dict and _count_brackets(raw) == 1 else _count_names(value)
    # Each name is followed by a colon. Only if there are more colons, those within strings must be subtracted.
    if raw.count(b":") != name_count and _remove_strings(raw).count(b":") != name_count:
        raise _malformed_json("The body is not JSON of one meaning: an object has the same name twice.")
    return value


def _ensure_few_values(raw: bytes, max_values: int, max_containers: int) -> None:
    """Ensure, before parsing, that a text has no more values or containers. Raises Problem (400)."""
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
    # One value, one more after each comma, and the first one of each container that isn't empty.
    if 1 + dense.count(b",") + containers - dense.count(b"[]") - dense.count(b"{}") > max_values:
        raise _malformed_json(
            f"The body has too many values: it may have at most {max_values}, with those inside others."
        )


def _count_brackets(raw: bytes) -> int:
    return raw.count(b"[") + raw.count(b"{")


def _remove_strings(raw: bytes) -> bytes:
    """Remove the strings from a JSON text.

    Each step is one call over many bytes, so megabytes take milliseconds. The pieces of a chunk take less memory than
    those of a whole text, of which there may be a million, and other threads run between the chunks.
    """
    if b"\\" in raw:
        # In a run of backslashes the first one escapes the second, so pairs are removed from the start.
        raw = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    chunks: list[bytes] = []
    is_in_string = False
    for start in range(0, len(raw), _CHUNK_BYTES):
        pieces = raw[start : start + _CHUNK_BYTES].split(b'"')
        chunks.append(b"".join(pieces[is_in_string::2]))
        is_in_string ^= len(pieces) % 2 == 0
    return b"".join(chunks)


def _count_names(value: object) -> int:
    """Count the names in all objects. Raises Problem (400) for nesting deeper than `MAX_DEPTH`.

    The search is breadth-first and needs no recursion.
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
    """Say where the text stops being JSON. The message of the parser is left out, because it could quote the text."""
    return f"The body is not valid JSON: see line {error.lineno}, column {error.colno}."
