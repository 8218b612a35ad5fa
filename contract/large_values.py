"""Find the invalid parts of a large value, as small values that a validator can describe.

The validator creates all errors of a value before it returns the first, and each holds a copy of the invalid part: for
a body of megabytes these can be gigabytes. `is_valid` copies nothing. So a large value is split along the schema, step
by step, until each invalid part is small: a member of the value, or one of its containers without its members.
"""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from contract.optional_nulls import get_alternative_to_null

ValuePath = tuple[str | int, ...]
Schema = Mapping[str, Any]

_MAX_WEIGHT = 500
"""The most weight of a small value. A value has up to four errors, and an object one for each missing name."""
_OBJECT_WEIGHT = 10
_MAX_TEXT_CHARACTERS = 30_000
"""The most characters of a text that are validated: more than any valid text of a request has."""
_MAX_TOTAL_CHARACTERS = 200_000
"""The most characters of all texts in a small value: an error about a container holds copies of them."""
_MAX_NAMES = 50
"""The most names of an object that are validated besides those in the schema."""
_MAX_NAME_CHARACTERS = 100
"""Names that are not in the schema are cut to so many characters: each error about their object holds a copy."""
_CONTAINERS = (dict, list)
_COMBINATORS = frozenset(("allOf", "anyOf", "oneOf", "not"))


class Check(Protocol):
    """A compiled schema that can validate values and derive the checks of their parts."""

    @property
    def directional_schema(self) -> Schema:
        """The schema in the document, without the properties that are hidden in this direction."""

    def is_valid(self, value: object) -> bool:
        """Return whether the value is valid."""

    def for_subschema(self, schema: Schema) -> "Check":
        """Return the check of a subschema."""

    def for_array_of(self, schema: Schema) -> "Check":
        """Return the check of arrays of any length whose items match a subschema."""

    def for_container(self) -> "Check":
        """Return the check of the schema's array or object, ignoring its members."""


InvalidPart = tuple[ValuePath, Check, object]
"""The path of the part in the whole value, the check that it fails, and the part."""


def is_small(value: object) -> bool:
    """Return whether all errors of a value may be created. A large value is not read to its end."""
    weight = characters = 0
    pending = [value]
    while pending:
        part = pending.pop()
        weight += 1
        if isinstance(part, str):
            characters += len(part)
        elif isinstance(part, _CONTAINERS):
            if len(part) > _MAX_WEIGHT:
                return False
            pending.extend(part)
            if isinstance(part, dict):
                weight += _OBJECT_WEIGHT
                pending.extend(part.values())
        if weight > _MAX_WEIGHT or characters > _MAX_TOTAL_CHARACTERS:
            return False
    return True


def find_invalid_parts(check: Check, value: object, path: ValuePath = ()) -> Iterator[InvalidPart]:
    """Yield the small invalid parts of an invalid value, lazily.

    Errors of keywords that judge a value as a whole, such as `oneOf`, yield nothing for a large value.
    """
    if is_small(value):
        yield path, check, value
        return
    schema = check.directional_schema
    json_type = schema.get("type")
    if alternative := get_alternative_to_null(schema):
        yield from find_invalid_parts(check.for_subschema(alternative), value, path)
        return
    if schema.keys() & _COMBINATORS or (json_type is None and schema.get("nullable")):
        return
    if isinstance(value, str):
        start = value[: max(_MAX_TEXT_CHARACTERS, schema.get("maxLength", 0) + 1)]
        yield path, check, start if not check.is_valid(start) else value
    elif isinstance(value, list) and json_type in ("array", None):
        yield from _find_in_array(check, value, path)
    elif isinstance(value, dict) and json_type in ("object", None):
        yield from _find_in_object(check, value, path)
    elif isinstance(value, list | dict):
        # The type is wrong, whatever the value holds.
        yield path, check, type(value)()


def _find_in_array(check: Check, value: list[Any], path: ValuePath) -> Iterator[InvalidPart]:
    schema = check.directional_schema
    has_too_many = len(value) > schema.get("maxItems", len(value))
    if has_too_many:
        yield path, check.for_container(), [None] * (schema["maxItems"] + 1)
    invalid_count = 0
    if "items" in schema:
        item_check = check.for_subschema(schema["items"])
        for index in _find_invalid_indexes(check.for_array_of(schema["items"]), value):
            invalid_count += 1
            yield from find_invalid_parts(item_check, value[index], (*path, index))
    if not has_too_many and not invalid_count:
        yield path, check, value


def _find_invalid_indexes(array_check: Check, items: list[Any]) -> Iterator[int]:
    """Yield the indexes of invalid items, in linear time whichever are invalid."""
    start, width = 0, 1
    while start < len(items):
        if array_check.is_valid(items[start : start + width]):
            start, width = start + width, width * 2
        elif width == 1:
            yield start
            start += 1
        else:
            width //= 2


def _find_in_object(check: Check, value: dict[str, Any], path: ValuePath) -> Iterator[InvalidPart]:
    schema = check.directional_schema
    properties: Schema = schema.get("properties", {})
    container, names_only = check.for_container(), _replace_members_by_none(schema, value)
    if not container.is_valid(names_only):
        yield path, container, names_only
    for name in properties:
        if name in value and not check.for_subschema(properties[name]).is_valid(value[name]):
            yield from find_invalid_parts(check.for_subschema(properties[name]), value[name], (*path, name))
    if isinstance(other_schema := schema.get("additionalProperties"), dict):
        names = [name for name in value if name not in properties]
        for index in _find_invalid_indexes(check.for_array_of(other_schema), [value[name] for name in names]):
            yield from find_invalid_parts(check.for_subschema(other_schema), value[names[index]], (*path, names[index]))


def _replace_members_by_none(schema: Schema, value: dict[str, Any]) -> dict[str, None]:
    """Return the object with None for each value, and only as many names as are needed to find what is wrong."""
    known_names = [name for name in (*schema.get("properties", ()), *schema.get("required", ())) if name in value]
    max_other_names = max(_MAX_NAMES, schema.get("minProperties", 0), schema.get("maxProperties", 0) + 1)
    other_names = itertools.islice((name for name in value if name not in known_names), max_other_names)
    return dict.fromkeys((*known_names, *(_cut_name(name, number) for number, name in enumerate(other_names))))


def _cut_name(name: str, number: int) -> str:
    """Return the name; if it is too long, its beginning and a number, so that cut names differ."""
    return name if len(name) <= _MAX_NAME_CHARACTERS else f"{name[:_MAX_NAME_CHARACTERS]}{number}"
