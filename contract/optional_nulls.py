"""Null on create: a property that may be absent may as well be null, and then it is absent.

Many clients have one type for what is asked and what is answered, and send null for all that nobody filled in. The
document says `nullable: true` where that is allowed. Handlers never meet such a null: it goes before the body is
checked, so that it doesn't count as a property, and equal requests stay equal. In a merge patch null has a meaning
of its own, and stays.
"""

from collections.abc import Callable, Iterator
from typing import Any

Schema = dict[str, Any]


def drop_optional_nulls(value: Any, schema: Schema, resolve: Callable[[Any], Any]) -> None:
    """Take nullable optional properties that are null out of a JSON value, in place.

    `resolve` follows references of the document. Values that don't fit the schema are left as they are.
    """
    pending: list[tuple[Any, Any]] = [(value, schema)]
    while pending:
        part, described = pending.pop()
        for rules in _flatten_all_of(described, resolve):
            if type(part) is dict:
                _drop_nulls_of_object(part, rules, resolve)
                properties = rules.get("properties", {})
                pending.extend((part[name], properties[name]) for name in part.keys() & properties.keys())
            elif type(part) is list and "items" in rules and len(part) <= rules.get("maxItems", len(part)):
                pending.extend((item, rules["items"]) for item in part if type(item) in (dict, list))


def _drop_nulls_of_object(value: dict[str, Any], schema: Schema, resolve: Callable[[Any], Any]) -> None:
    required = schema.get("required", ())
    absent = [
        name
        for name, described in schema.get("properties", {}).items()
        if name in value and value[name] is None and name not in required and resolve(described).get("nullable")
    ]
    for name in absent:
        del value[name]


def _flatten_all_of(schema: Any, resolve: Callable[[Any], Any]) -> Iterator[Schema]:
    """The schema, and what it is made of by allOf."""
    schema = resolve(schema)
    yield schema
    for part in schema.get("allOf", ()):
        yield from _flatten_all_of(part, resolve)
