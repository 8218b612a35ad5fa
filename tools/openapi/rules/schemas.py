"""Rules about schemas, wherever they occur."""

import re
from collections.abc import Iterator
from typing import Any

from contract.bodies import MERGE_PATCH_JSON
from contract.optional_nulls import allows_null, is_null_alone
from contract.schemas import KNOWN_VALUES_EXTENSION, find_unenforceable_schemas
from tools.openapi.bundle import Bundle, Node
from tools.openapi.findings import Pointer

Violations = Iterator[tuple[Pointer, str]]

_BOUNDS = (("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems"))
_UNPORTABLE_PATTERN = re.compile(r"\\[dDwWsSpPbB]|\(\?|\\[1-9]")
_DOT_PATTERN = re.compile(r"(?:\\.|\[(?:\\.|[^\]\\])*\])|(\.)")
"""Matches a dot that stands for any character, in its first group; skips dots that are escaped or in a class."""
_NESTED_QUANTIFIER_PATTERN = re.compile(r"[*+}]\)(?:[*+]|\{\d+,\d*\})")
_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


def formats_and_patterns_can_be_enforced(bundle: Bundle) -> Violations:
    """Require formats that are known and patterns that compile: others would not be checked."""
    for where, fault in find_unenforceable_schemas(bundle.document):
        steps = where.removeprefix("#/").split("/")
        yield tuple(step.replace("~1", "/").replace("~0", "~") for step in steps), fault[0].upper() + fault[1:]


def schema_has_a_type(bundle: Bundle) -> Violations:
    """Require a type: without one, a schema allows everything."""
    for at, schema in bundle.all_schemas.items():
        if "type" not in schema and not schema.keys() & {"allOf", "anyOf", "oneOf", "not", "enum"}:
            yield at, "This schema has no type, so it allows everything."


def schema_is_described(bundle: Bundle) -> Violations:
    """Require descriptions of named schemas and of properties."""
    for at, schema in bundle.all_schemas.items():
        named = (at[:2] == ("components", "schemas") and len(at) == 3) or at[-2:-1] == ("properties",)  # noqa: PLR2004 - components, schemas, a name.
        if named and not str(schema.get("description", "")).strip():
            yield at, "Describe what this means."


def bounds_leave_room(bundle: Bundle) -> Violations:
    """Require minimums that are not above their maximums."""
    for at, schema in bundle.all_schemas.items():
        for minimum, maximum in _BOUNDS:
            if minimum in schema and maximum in schema and schema[minimum] > schema[maximum]:
                yield (
                    (*at, minimum),
                    f"{minimum} is {schema[minimum]} and {maximum} is {schema[maximum]}: no value matches both.",
                )


def bounds_fit_the_type(bundle: Bundle) -> Violations:
    """Require bounds that fit the type: a length on a number, or a minimum on a text, is not checked."""
    types_by_keyword = {"minimum": ("integer", "number"), "minLength": ("string",), "minItems": ("array",)}
    types_by_keyword |= {"maximum": ("integer", "number"), "maxLength": ("string",), "maxItems": ("array",)}
    types_by_keyword |= {
        "pattern": ("string",),
        "required": ("object",),
        "properties": ("object",),
        "items": ("array",),
    }
    for at, schema in bundle.all_schemas.items():
        for keyword, types in types_by_keyword.items():
            if keyword in schema and "type" in schema and schema["type"] not in types:
                yield (*at, keyword), f"{keyword} has no effect on a value of the type {schema['type']}."


def patterns_are_portable(bundle: Bundle) -> Violations:
    """Require patterns that mean the same in every language and run in linear time."""
    for at, schema in bundle.all_schemas.items():
        pattern = schema.get("pattern")
        if not isinstance(pattern, str):
            continue
        if not (pattern.startswith("^") and pattern.endswith("$")):
            yield (*at, "pattern"), "A pattern must reach from ^ to $, or it allows anything around the match."
        if _UNPORTABLE_PATTERN.search(pattern):
            yield (*at, "pattern"), r"\d, \w, \s, \b, \p, lookaround and back references differ between languages."
        if any(match[1] for match in _DOT_PATTERN.finditer(pattern)):
            yield (*at, "pattern"), "A dot excludes different line ends in different languages: use a character class."
        if _NESTED_QUANTIFIER_PATTERN.search(pattern):
            yield (
                (*at, "pattern"),
                "A repetition of a repetition can take exponential time on a text that nearly matches.",
            )


def enum_values_fit(bundle: Bundle) -> Violations:
    """Require enum values of the schema's type, and null exactly where it is allowed."""
    for at, schema in bundle.all_schemas.items():
        values = schema.get("enum")
        if not isinstance(values, list):
            continue
        if (None in values) != bool(schema.get("nullable")):
            yield (*at, "enum"), "An enum must list null exactly if nullable is true."
        if len(set(map(repr, values))) < len(values):
            yield (*at, "enum"), "A value occurs twice."
        for number, value in enumerate(values):
            if value is not None and not _is_of_type(value, schema):
                yield (*at, "enum", number), f"This value is not of the type {schema.get('type')}."


def _is_of_type(value: Any, schema: Node) -> bool:
    kinds = _PYTHON_TYPES.get(str(schema.get("type")))
    if kinds is None:
        return True
    return isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))


def null_is_allowed_for_every_tool(bundle: Bundle) -> Violations:
    """Require that what is nullable allows null as OpenAPI 3.0.4 reads it.

    `nullable` adds null to the `type` beside it. An enum, or a schema in allOf, still forbids null. A named schema
    keeps its name in generated clients only as the alternative to an object that is null alone: openapi-generator makes
    a new enum of two alternatives of one type.
    """
    for at, schema in bundle.all_schemas.items():
        if not schema.get("nullable"):
            continue
        if schema.get("type") == "object":
            is_allowed = is_null_alone(schema)
        else:
            is_allowed = "type" in schema and not schema.keys() & {"enum", "allOf", "anyOf", "oneOf"}
        if not is_allowed:
            message = "Not every tool allows null here: make it one of two alternatives in anyOf"
            yield (*at, "nullable"), f"{message}, {{ type: object, nullable: true, enum: [null] }}."


def required_names_a_property(bundle: Bundle) -> Violations:
    """Require that every required property is described."""
    for at, schema in bundle.all_schemas.items():
        for number, name in enumerate(schema.get("required", [])):
            if name not in schema.get("properties", {}) and "allOf" not in schema:
                yield (*at, "required", number), f"{name!r} is required, but is no property of this schema."


def requests_are_closed(bundle: Bundle) -> Violations:
    """Require closed objects in requests: an unknown property is probably misspelt, and would be ignored silently.

    Schemas of documents that other systems write stay open, and say so with x-tackboard-foreign.
    """
    for at, schema in bundle.request_schemas.items():
        is_ours = not schema.get("x-tackboard-foreign")
        is_open = schema.get("type") == "object" and schema.get("additionalProperties") is not False
        if is_ours and is_open and not is_null_alone(schema):
            yield at, "This schema is used in requests: add additionalProperties: false."


def optional_properties_are_nullable(bundle: Bundle) -> Violations:
    """Require that optional properties of requests are nullable: many clients send null for empty fields.

    In a merge patch null has its own meaning. With minProperties, null would count as a property, so it is not allowed.
    """
    seen: set[Pointer] = set()
    for operation in bundle.operations:
        at, body = bundle.follow((*operation.pointer, "requestBody"), operation.node.get("requestBody", {}))
        for media, content in body.get("content", {}).items():
            schema = ((*at, "content", media, "schema"), content.get("schema", {}))
            for where, part in () if MERGE_PATCH_JSON in body["content"] else bundle.walk_schema(*schema, seen):
                is_counted = "minProperties" in part
                for name in part.get("properties", {}).keys() - set(part.get("required", [])):
                    if allows_null(part["properties"][name], bundle.resolve) == is_counted:
                        message = "Null counts as a property here" if is_counted else "Null is the same as absence here"
                        yield (*where, "properties", name), f"{message}: say nullable: {str(not is_counted).lower()}."


def requests_have_no_defaults(bundle: Bundle) -> Violations:
    """Forbid defaults in requests: generated clients send a default as if the user had chosen it."""
    for at, schema in bundle.request_schemas.items():
        for keyword in ("default", "readOnly"):
            if keyword in schema:
                yield (*at, keyword), f"{keyword} must not be used in a request."


def responses_are_open(bundle: Bundle) -> Violations:
    """Require open objects in responses: clients generated from a closed one fail on the first new property."""
    for at, schema in bundle.all_schemas.items():
        if at not in bundle.request_schemas and schema.get("additionalProperties") is False:
            yield (*at, "additionalProperties"), "Only responses use this schema: leave it open, so that it can grow."


def discriminators_resolve(bundle: Bundle) -> Violations:
    """Require a discriminator for every union, naming a required property, with a mapping to every alternative."""
    for at, schema in bundle.all_schemas.items():
        discriminator = schema.get("discriminator")
        alternatives = schema.get("oneOf") or schema.get("anyOf")
        if not isinstance(discriminator, dict):
            if schema.get("oneOf"):
                yield (*at, "oneOf"), "A union needs a discriminator with a mapping."
            continue
        mapping = discriminator.get("mapping", {})
        if alternatives and {part.get("$ref") for part in alternatives} != set(mapping.values()):
            yield (*at, "discriminator", "mapping"), "The mapping and the alternatives are not the same."
        for value, reference in mapping.items():
            name = discriminator.get("propertyName")
            part = _merge_all_of(bundle, bundle.resolve({"$ref": reference}))
            allowed = bundle.resolve(part["properties"].get(name, {}))
            # The alternative for values of later versions has no value of its own.
            is_right = allowed.get("enum") == [value] or allowed.get(KNOWN_VALUES_EXTENSION) == []
            if name not in part["required"] or not is_right:
                yield (
                    (*at, "discriminator", "mapping", value),
                    f"{reference} must require {name!r} and allow it {value!r}.",
                )


def _merge_all_of(bundle: Bundle, schema: Node) -> Node:
    """Return the properties and required names of a schema and of the parts of its allOf."""
    parts = [schema, *(bundle.resolve(part) for part in schema.get("allOf", []))]
    return {
        "properties": {name: schema for part in parts for name, schema in part.get("properties", {}).items()},
        "required": [name for part in parts for name in part.get("required", [])],
    }


def unions_and_items_are_named(bundle: Bundle) -> Violations:
    """Require names for objects and enums: generated clients invent a name for an inline one."""
    for at, schema in bundle.all_schemas.items():
        inline = at[:2] != ("components", "schemas") or len(at) > 3  # noqa: PLR2004 - components, schemas, a name.
        many = (schema.get("type") == "object" and not is_null_alone(schema)) or len(schema.get("enum", [])) > 1
        # An open enum has its values within it, and gives its own name to what is generated from them.
        named_by_title = isinstance(schema.get("title"), str) and schema["title"] == at[2:3][0]
        if inline and many and "allOf" not in at and not named_by_title:
            yield at, "Make this object or enum a schema of its own in spec/schemas, so that it has a name."


def open_enums_are_complete(bundle: Bundle) -> Violations:
    """Require that open enums list their known values for validators and for generators, and accept any other."""
    for at, schema in bundle.all_schemas.items():
        known = schema.get(KNOWN_VALUES_EXTENSION)
        if known is None or known == []:
            continue
        closed, *others = schema.get("anyOf", [{}])
        if closed.get("enum") != known or closed.get("title") != at[-1]:
            yield (
                (*at, "anyOf"),
                f"The first alternative has the title {at[-1]}, and the enum of {KNOWN_VALUES_EXTENSION}.",
            )
        if len(others) != 1 or not all(re.fullmatch(others[0].get("pattern", "$"), str(value)) for value in known):
            yield (*at, "anyOf"), "The second alternative is a string with a pattern that every known value keeps."


RULES = (
    open_enums_are_complete,
    formats_and_patterns_can_be_enforced,
    schema_has_a_type,
    schema_is_described,
    bounds_leave_room,
    bounds_fit_the_type,
    patterns_are_portable,
    enum_values_fit,
    null_is_allowed_for_every_tool,
    required_names_a_property,
    requests_are_closed,
    optional_properties_are_nullable,
    requests_have_no_defaults,
    responses_are_open,
    discriminators_resolve,
    unions_and_items_are_named,
)
