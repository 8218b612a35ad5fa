"""Large values that break a schema: where they do, in pieces that are small.

A validator makes all errors of a value before it gives the first, and each holds a copy of what is wrong: of a body of
megabytes that may be gigabytes. `is_valid` copies nothing. So a large value is taken apart by the schema, step by step,
until what is wrong fits into a small piece: a part of the value, or one of its containers with nothing inside.
"""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

ValuePath = tuple[str | int, ...]
Schema = Mapping[str, Any]

_MAX_WEIGHT = 500
"""Of a small value. One that is wrong has up to four errors, and an object one for each name that it lacks."""
_OBJECT_WEIGHT = 10
_MAX_TEXT_CHARACTERS = 30_000
"""Characters of a text that are looked at: more than any text of a request may have."""
_MAX_TOTAL_CHARACTERS = 200_000
"""Characters of a small value: errors about what is around a text hold copies of it."""
_MAX_NAMES = 50
"""Names of an object that are looked at besides those that the schema knows."""
_COMBINATORS = frozenset(("allOf", "anyOf", "oneOf", "not"))


class Check(Protocol):
    """A schema of the document that can be asked about values, and about parts of them."""

    @property
    def directional_schema(self) -> Schema:
        """The schema as the document has it, without properties of the other direction."""

    def is_valid(self, value: object) -> bool:
        """Whether the value keeps the schema."""

    def for_subschema(self, schema: Schema) -> "Check":
        """The check of a schema inside this one."""

    def for_array_of(self, schema: Schema) -> "Check":
        """The check of arrays, of any length, whose items keep a schema inside this one."""

    def for_container(self) -> "Check":
        """The check of the schema's containers alone, whatever is inside."""


InvalidPart = tuple[ValuePath, Check, object]
"""Where a part of the value stands, the check that it fails, and the part."""


def is_small(value: object) -> bool:
    """Whether a value has so few errors at most that all may be made; a large value is not read to its end."""
    weight = letters = 0
    pending = [value]
    while pending:
        part = pending.pop()
        weight += 1
        if isinstance(part, str):
            letters += len(part)
        elif isinstance(part, dict | list):
            if len(part) > _MAX_WEIGHT:
                return False
            pending.extend(part)
            if isinstance(part, dict):
                weight += _OBJECT_WEIGHT
                pending.extend(part.values())
        if weight > _MAX_WEIGHT or letters > _MAX_TOTAL_CHARACTERS:
            return False
    return True


def find_invalid_parts(check: Check, value: object, path: ValuePath = ()) -> Iterator[InvalidPart]:
    """Small values that are wrong where an invalid value is; made one by one, so that a reader can stop.

    Nothing comes for what the schema says by keywords that look at a value as a whole, as `oneOf` does.
    """
    if is_small(value):
        yield path, check, value
        return
    part = check.directional_schema
    kind = part.get("type")
    if part.keys() & _COMBINATORS or (kind is None and part.get("nullable")):
        return
    if isinstance(value, str):
        start = value[: max(_MAX_TEXT_CHARACTERS, part.get("maxLength", 0) + 1)]
        yield path, check, start if not check.is_valid(start) else value
    elif isinstance(value, list) and kind in ("array", None):
        yield from _find_in_array(check, value, path)
    elif isinstance(value, dict) and kind in ("object", None):
        yield from _find_in_object(check, value, path)
    elif isinstance(value, list | dict):
        # It is of the wrong type, whatever it holds.
        yield path, check, type(value)()


def _find_in_array(check: Check, value: list[Any], path: ValuePath) -> Iterator[InvalidPart]:
    part = check.directional_schema
    too_many = len(value) > part.get("maxItems", len(value))
    if too_many:
        yield path, check.for_container(), [None] * (part["maxItems"] + 1)
    count = 0
    if "items" in part:
        of_item = check.for_subschema(part["items"])
        for place in _find_invalid_indexes(check.for_array_of(part["items"]), value):
            count += 1
            yield from find_invalid_parts(of_item, value[place], (*path, place))
    if not too_many and not count:
        yield path, check, value


def _find_invalid_indexes(items: Check, value: list[Any]) -> Iterator[int]:
    """The places of wrong items, in a time that grows with the array, whichever are wrong."""
    start, width = 0, 1
    while start < len(value):
        if items.is_valid(value[start : start + width]):
            start, width = start + width, width * 2
        elif width == 1:
            yield start
            start += 1
        else:
            width //= 2


def _find_in_object(check: Check, value: dict[str, Any], path: ValuePath) -> Iterator[InvalidPart]:
    part = check.directional_schema
    known: Schema = part.get("properties", {})
    container, hollow = check.for_container(), _replace_members_by_none(part, value)
    if not container.is_valid(hollow):
        yield path, container, hollow
    for name in known:
        if name in value and not check.for_subschema(known[name]).is_valid(value[name]):
            yield from find_invalid_parts(check.for_subschema(known[name]), value[name], (*path, name))
    if isinstance(others := part.get("additionalProperties"), dict):
        names = [name for name in value if name not in known]
        for place in _find_invalid_indexes(check.for_array_of(others), [value[name] for name in names]):
            yield from find_invalid_parts(check.for_subschema(others), value[names[place]], (*path, names[place]))


def _replace_members_by_none(schema: Schema, value: dict[str, Any]) -> dict[str, None]:
    """As many of an object's names as it takes to see what is wrong with them, without what they stand for."""
    kept = [name for name in (*schema.get("properties", ()), *schema.get("required", ())) if name in value]
    most = max(_MAX_NAMES, schema.get("minProperties", 0), schema.get("maxProperties", 0) + 1)
    others = (name for name in value if name not in kept)
    return dict.fromkeys((*kept, *itertools.islice(others, most)))
