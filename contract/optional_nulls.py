"""Drop optional properties that are null from a request body: on create, null means absent.

Many clients use one type for requests and responses, and send null for every property without a value. The document
allows it with `nullable: true`, or as an alternative. These nulls are dropped before the body is validated: they don't
count as properties, equal requests have equal fingerprints, and handlers never get them. In a merge patch, null has a
meaning and stays.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]


def drop_optional_nulls(value: Any, schema: Schema, resolve: Callable[[Any], Any]) -> None:
    """Drop optional nullable properties that are null from a JSON value, in place.

    `resolve` follows references of the document. Values that don't match the schema are left unchanged.
    """
    pending: list[tuple[Any, Any]] = [(value, schema)]
    while pending:
        member, member_schema = pending.pop()
        for flat_schema in _flatten_composition(member_schema, resolve):
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


def allows_null(schema: Any, resolve: Callable[[Any], Any]) -> bool:
    """Return whether a schema says that null is allowed: itself, or in an alternative of its anyOf."""
    schema = resolve(schema)
    return bool(schema.get("nullable")) or any(allows_null(part, resolve) for part in schema.get("anyOf", ()))


def get_alternative_to_null(schema: Schema) -> Any:
    """Return the one alternative of a schema's anyOf beside null; None if the schema is not such a choice.

    OpenAPI 3.0 has no type `null`. A named schema or null is
    `anyOf: [{ $ref: … }, { type: object, nullable: true, enum: [null] }]`.
    """
    alternatives = schema.get("anyOf", ())
    others = [part for part in alternatives if not is_null_alone(part)]
    return others[0] if len(others) == 1 and len(alternatives) > 1 else None


def is_null_alone(schema: Schema) -> bool:
    """Return whether a schema allows null and nothing else."""
    return bool(schema.get("nullable")) and schema.get("enum") == [None]


def _drop_nulls_of_object(value: dict[str, Any], schema: Schema, resolve: Callable[[Any], Any]) -> None:
    required = schema.get("required", ())
    names = [
        name
        for name, property_schema in schema.get("properties", {}).items()
        if name in value and value[name] is None and name not in required and allows_null(property_schema, resolve)
    ]
    for name in names:
        del value[name]


def _flatten_composition(schema: Any, resolve: Callable[[Any], Any]) -> Iterator[Schema]:
    """Yield the schema and, recursively, those that a value other than null matches as well."""
    schema = resolve(schema)
    yield schema
    if alternative := get_alternative_to_null(schema):
        yield from _flatten_composition(alternative, resolve)
    for subschema in schema.get("allOf", ()):
        yield from _flatten_composition(subschema, resolve)
