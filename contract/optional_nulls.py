"""Drop optional properties that are null from a request body: on create, null means absent.

Many clients use one type for requests and responses, and send null for every property without a value. The document
allows it with `nullable: true`. These nulls are dropped before the body is validated: they don't count as properties,
equal requests have equal fingerprints, and handlers never get them. In a merge patch, null has a meaning and stays.
"""

from collections.abc import Callable, Iterator
from typing import Any

Schema = dict[str, Any]


def drop_optional_nulls(value: Any, schema: Schema, resolve: Callable[[Any], Any]) -> None:
    """Drop optional nullable properties that are null from a JSON value, in place.

    `resolve` follows references of the document. Values that don't match the schema are left unchanged.
    """
    pending: list[tuple[Any, Any]] = [(value, schema)]
    while pending:
        member, member_schema = pending.pop()
        for flat_schema in _flatten_all_of(member_schema, resolve):
            if type(member) is dict:
                _drop_nulls_of_object(member, flat_schema, resolve)
                properties = flat_schema.get("properties", {})
                pending.extend((member[name], properties[name]) for name in member.keys() & properties.keys())
            elif (
                type(member) is list
                and "items" in flat_schema
                and len(member) <= flat_schema.get("maxItems", len(member))
            ):
                pending.extend((item, flat_schema["items"]) for item in member if type(item) in (dict, list))


def _drop_nulls_of_object(value: dict[str, Any], schema: Schema, resolve: Callable[[Any], Any]) -> None:
    required = schema.get("required", ())
    names = [
        name
        for name, property_schema in schema.get("properties", {}).items()
        if name in value and value[name] is None and name not in required and resolve(property_schema).get("nullable")
    ]
    for name in names:
        del value[name]


def _flatten_all_of(schema: Any, resolve: Callable[[Any], Any]) -> Iterator[Schema]:
    """Yield the schema and, recursively, the schemas in its allOf."""
    schema = resolve(schema)
    yield schema
    for subschema in schema.get("allOf", ()):
        yield from _flatten_all_of(subschema, resolve)
