"""Compile the schemas of an OpenAPI 3.0 document into checks: JSON Schema 2020-12, validated by jsonschema-rs.

OpenAPI 3.0 schemas are a dialect (`nullable`, boolean `exclusiveMinimum`, `readOnly`, `writeOnly`), and the same
schema means different things in a request and in a response. So each schema is translated once per direction, with
the targets of its references in their place: the validator follows a reference for every value anew. A check is
compiled at its first use: operations that a process never serves cost it nothing.
"""

import itertools
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, cast
from urllib.parse import urlsplit

import jsonschema_rs

from contract.large_values import find_invalid_parts
from contract.optional_nulls import get_alternative_to_null
from contract.unicode import to_nfc
from contract.violations import LocatedError, Violation, violations_from_errors

log = logging.getLogger("tackboard")

Direction = Literal["request", "response"]
Schema = dict[str, Any]
Normalizer = Callable[[Any], Any]
"""A function that returns the normalized value."""
Resolver = Callable[[Any], Any]
"""A function that returns a node of the document, or the target of its `$ref`."""

_UNTRANSLATED_KEYWORDS = frozenset(
    (
        "example",
        "examples",
        "description",
        "title",
        "xml",
        "externalDocs",
        "discriminator",
        "deprecated",
        "default",
        "nullable",
        "readOnly",
        "writeOnly",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
    )
)
_SUBSCHEMA_KEYWORDS = frozenset(("items", "not", "additionalProperties", "allOf", "anyOf", "oneOf"))
_INTEGER_BITS = {"int32": 31, "int64": 63}
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_OWN_FORMATS = {"byte": lambda text: _BASE64.fullmatch(text) is not None}
_ENFORCED_FORMATS = frozenset(
    ("date", "date-time", "time", "uuid", "uri", "uri-reference", "email", "hostname", "ipv4", "ipv6")
) | frozenset(_OWN_FORMATS)
_ANNOTATION_FORMATS = frozenset(("int32", "int64", "float", "double", "password"))
KNOWN_VALUES_EXTENSION = "x-tackboard-known"
"""The extension with the values that this version knows, of a schema to which later versions may add values.

Clients are generated from the open schema. The server validates against the known values, in both directions.
"""
_COMPONENTS = "#/components/schemas/"
KNOWN_FORMATS = _ENFORCED_FORMATS | _ANNOTATION_FORMATS
_GENERIC_VIOLATION = Violation("", "invalid", "does not match the schema")


@dataclass(slots=True)
class Check:
    """One schema in one direction: finds violations in a value and normalizes a valid one."""

    schemas: "Schemas"
    direction: Direction
    openapi_schema: Schema
    """The schema in the document."""
    json_schema: Schema
    """The same, translated to JSON Schema."""
    normalize: Normalizer | None
    _validator: Any = None

    @property
    def directional_schema(self) -> Schema:
        """The schema in the document, without the properties that are hidden in this direction."""
        return self.schemas.schema_at(self.schemas.resolve(self.openapi_schema), [], self.direction)

    def schema_at(self, path: list[str | int]) -> Schema:
        """Return the schema in the document at a path of keywords."""
        return self.schemas.schema_at(self.openapi_schema, path, self.direction)

    def for_subschema(self, schema: Mapping[str, Any]) -> "Check":
        """Return the check of a subschema."""
        return self.schemas.get_inner_check(schema, self.direction, "itself")

    def for_array_of(self, schema: Mapping[str, Any]) -> "Check":
        """Return the check of arrays of any length whose items match a subschema."""
        return self.schemas.get_inner_check(schema, self.direction, "many")

    def for_container(self) -> "Check":
        """Return the check of the schema's array or object, ignoring its members."""
        return self.schemas.get_inner_check(self.openapi_schema, self.direction, "container")

    def is_valid(self, value: object) -> bool:
        """Return whether the value is valid. Raises what the validator raises."""
        validator = self._validator
        if validator is None:
            validator = self._validator = jsonschema_rs.Draft202012Validator(
                self.json_schema,
                formats=self.schemas.own_formats,
                validate_formats=True,
                registry=self.schemas.build_registry(self.direction),
                offline=True,
                # The messages of the validator are not used. Masked, they don't copy values of megabytes.
                mask="it",
            )
        return bool(validator.is_valid(value))

    def find_violations(self, value: object, *, only_first: bool = False) -> list[Violation]:
        """Return at most `MAX_VIOLATIONS` violations; an empty list if the value is valid. Raises nothing.

        With `only_first`, return the first one, and look for no others: the time does not grow with their number.
        """
        try:
            if self.is_valid(value):
                return []
            errors = itertools.islice(self._find_errors(value, only_first=only_first), 1 if only_first else None)
            return violations_from_errors(errors, self.schemas.property_names) or [_GENERIC_VIOLATION]
        except BaseException as error:  # A panic in the validator's Rust code is no Exception.
            if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
                raise
            log.warning("The validator could not check a value: %s", type(error).__name__)
            return [_GENERIC_VIOLATION]

    def _find_errors(self, value: object, *, only_first: bool) -> Iterator[LocatedError]:
        for path, check, part in find_invalid_parts(self, value):
            for error in cast("Check", check).list_errors(part, only_first=only_first):
                yield LocatedError([*path, *error.instance_path], error, cast("Check", check).schema_at)

    def list_errors(self, value: object, *, only_first: bool = False) -> list[Any]:
        """Return all errors of the validator for a small value, or the first."""
        if self.is_valid(value):
            return []
        if not only_first:
            return list(self._validator.iter_errors(value))
        try:
            self._validator.validate(value)
        except jsonschema_rs.ValidationError as error:
            return [error]
        return []


class Schemas:
    """All schemas of a document, as checks. References are resolved within the document only."""

    def __init__(self, document: Schema) -> None:
        self._document = document
        self.base_path = urlsplit(document["servers"][0]["url"]).path.rstrip("/") if document.get("servers") else ""
        """What precedes the paths of the document: the path of its first server."""
        self._checks: dict[tuple[str, str], Check] = {}
        self._inner_checks: dict[tuple[int, str, str], Check] = {}
        self._targets: dict[str, Any] = {}
        self._visible_schemas: dict[tuple[int, str], Schema] = {}
        self._translated_targets: dict[tuple[str, str], Any] = {}
        self._recursive_references: dict[str, set[str]] = {"request": set(), "response": set()}
        self.own_formats: dict[str, Callable[[str], bool]] = {}
        """Those of `_OWN_FORMATS` that translated schemas use: with any, objects are slower to validate."""

    def build_registry(self, direction: Direction) -> Any:
        """Return what recursive references lead to, translated for one direction; None if there are none."""
        if not self._recursive_references[direction]:
            return None
        by_name = {
            reference.removeprefix(_COMPONENTS): self.translate_reference(reference, direction, frozenset())
            for reference in tuple(self._recursive_references[direction])
        }
        resource = {"$schema": "https://json-schema.org/draft/2020-12/schema", "components": {"schemas": by_name}}
        return jsonschema_rs.Registry([(f"urn:{direction}", resource)])

    def translate_reference(self, reference: str, direction: Direction, ancestors: frozenset[str]) -> Any:
        """Return the translated target of a reference, or the reference itself within that target.

        `ancestors` are the references whose targets are being translated.
        """
        if reference in ancestors:
            self._recursive_references[direction].add(reference)
            return {"$ref": f"urn:{direction}{reference}"}
        key = (reference, direction)
        if key not in self._translated_targets:
            target = self.resolve({"$ref": reference})
            self._translated_targets[key] = _translate(target, direction, self, ancestors | {reference})
        return self._translated_targets[key]

    @cached_property
    def property_names(self) -> frozenset[str]:
        """The names of all properties in the document. Collected for the first violation, not at start."""
        nodes = (node.get("properties") for _, node in _walk(self._document, ""))
        return frozenset(name for properties in nodes if isinstance(properties, dict) for name in properties)

    def get_check(self, schema: Schema, direction: Direction) -> Check:
        """Return the check of a schema. References to the same component share one check."""
        key = (schema.get("$ref", ""), direction)
        if key[0] and key in self._checks:
            return self._checks[key]
        normalize = self._build_normalizer(schema, {}) if direction == "request" else None

        check = Check(self, direction, schema, _translate(schema, direction, self), normalize)
        if key[0]:
            self._checks[key] = check
        return check

    def get_object_check(
        self, properties: Mapping[str, Schema], direction: Direction, required: Sequence[str] = ()
    ) -> Check:
        """Return the check of an object with these properties and no others, such as the headers of a response.

        It is for what the document describes one by one: the validator is then called once for all of them.
        """
        schema: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
        if required:
            schema["required"] = list(required)
        return Check(self, direction, schema, _translate(schema, direction, self), None)

    def get_inner_check(self, schema: Mapping[str, Any], direction: Direction, target: str) -> Check:
        """Return the check of a subschema `itself`, of an array of it (`many`), or of the `container` alone."""
        subschema = self.resolve(schema)
        # The ids stay valid, because this object keeps the document alive.
        key = (id(subschema), direction, target)
        if key not in self._inner_checks:
            translated = _translate(subschema, direction, self)
            if target == "many":
                translated = {"type": "array", "items": translated}
            elif target == "container":
                translated = _without_contents(translated)
            self._inner_checks[key] = Check(self, direction, subschema, translated, None)
        return self._inner_checks[key]

    def has_default(self, schema: Any, ancestors: frozenset[int] = frozenset()) -> bool:
        """Return whether a schema or any of its subschemas has a default."""
        schema = self.resolve(schema)
        if not isinstance(schema, dict) or id(schema) in ancestors:
            return False
        ancestors |= {id(schema)}
        subschemas = [schema.get(keyword) for keyword in ("items", "not", "additionalProperties")]
        subschemas += [subschema for keyword in ("allOf", "anyOf", "oneOf") for subschema in schema.get(keyword, ())]
        subschemas += schema.get("properties", {}).values()
        return "default" in schema or any(self.has_default(subschema, ancestors) for subschema in subschemas)

    def resolve(self, node: Any) -> Any:
        """Return the node, or the target of its `$ref`."""
        while isinstance(node, dict) and isinstance(node.get("$ref"), str):
            node = self._find_target(node["$ref"])
        return node

    def _find_target(self, reference: str) -> Any:
        if reference not in self._targets:
            target: Any = self._document
            for part in reference.removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            self._targets[reference] = target
        return self._targets[reference]

    def schema_at(self, schema: Schema, path: list[str | int], direction: Direction) -> Schema:
        """Return the schema in the document at a keyword path of a check.

        Properties that are hidden in this direction are left out.
        """
        node: Any = schema
        for keyword in path:
            # Only recursive references are in the path. A property may be named `$ref` or `else`, and is neither a
            # reference nor what `_or_null` adds.
            if keyword == "$ref" and isinstance(node.get("$ref"), str):
                continue
            node = self.resolve(node)
            is_added = keyword == "else" and keyword not in node
            node = (get_alternative_to_null(node) or node) if is_added else node[keyword]
        return self._hide_properties(self.resolve(node), direction)

    def _hide_properties(self, schema: Schema, direction: Direction) -> Schema:
        """Return a schema without the properties that are hidden in this direction."""
        # The ids stay valid, because this object keeps the document alive.
        key = (id(schema), direction)
        if key not in self._visible_schemas:
            visible = schema
            if hidden := _find_hidden_properties(schema, direction, self.resolve):
                properties = {name: value for name, value in schema["properties"].items() if name not in hidden}
                required = [name for name in schema.get("required", ()) if name not in hidden]
                visible = {**schema, "properties": properties, "required": required}
            self._visible_schemas[key] = visible
        return self._visible_schemas[key]

    def _build_normalizer(self, schema: Schema, ancestors: Mapping[int, list[Normalizer]]) -> Normalizer | None:
        """Build the function that normalizes valid values: text to NFC, 1.0 to 1. Return None if none is needed.

        `ancestors` has the normalizers of the enclosing schemas by id. A recursive schema finds its own list there,
        which is complete by the time a value is normalized.
        """
        schema = self.resolve(schema)
        if id(schema) in ancestors:
            return _chain(ancestors[id(schema)])
        normalizers: list[Normalizer] = []
        ancestors = {**ancestors, id(schema): normalizers}
        for keyword in ("allOf", "anyOf", "oneOf"):
            normalizers.extend(
                normalizer
                for subschema in schema.get(keyword, ())
                if (normalizer := self._build_normalizer(subschema, ancestors))
            )
        by_property = {
            name: self._build_normalizer(subschema, ancestors)
            for name, subschema in schema.get("properties", {}).items()
        }
        other_schema = schema.get("additionalProperties")
        normalize_other = self._build_normalizer(other_schema, ancestors) if isinstance(other_schema, dict) else None
        if normalize_other or any(by_property.values()):
            normalizers.append(_build_object_normalizer(by_property, normalize_other))
        if "items" in schema and (normalizer := self._build_normalizer(schema["items"], ancestors)):
            normalizers.append(_build_array_normalizer(normalizer))
        if schema.get("type") == "integer":
            normalizers.append(_normalize_integer)
        if normalize_text := _TEXT_NORMALIZERS.get(schema.get("x-tackboard-text", "")):
            normalizers.append(normalize_text)
        return _chain(normalizers) if len(normalizers) > 1 else next(iter(normalizers), None)


def find_unenforceable_schemas(document: Schema) -> Iterator[tuple[str, str]]:
    """Yield a JSON Pointer and a sentence for each schema that this package can't enforce.

    Without this, unknown formats and patterns that don't compile would be ignored silently.
    """
    for pointer, node in _walk(document, "#"):
        format_ = node.get("format")
        if isinstance(format_, str) and "type" in node and format_ not in KNOWN_FORMATS:
            known = ", ".join(sorted(KNOWN_FORMATS))
            yield pointer, f"the format {format_!r} at {pointer} is unknown; known are {known}."
        pattern = node.get("pattern")
        if isinstance(pattern, str) and not _is_valid_pattern(pattern):
            yield pointer, f"the pattern {pattern!r} at {pointer} can't be compiled."


def _walk(node: object, pointer: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(node, dict):
        yield pointer, node
        for name, member in node.items():
            if name not in ("example", "examples", "enum"):
                yield from _walk(member, f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(node, list):
        for index, member in enumerate(node):
            yield from _walk(member, f"{pointer}/{index}")


def _is_valid_pattern(pattern: str) -> bool:
    try:
        jsonschema_rs.Draft202012Validator({"pattern": pattern})
    except (jsonschema_rs.ValidationError, ValueError):
        return False
    return True


def _translate(schema: Any, direction: Direction, schemas: Schemas, ancestors: frozenset[str] = frozenset()) -> Any:
    """Translate an OpenAPI 3.0 schema to JSON Schema 2020-12 for one direction.

    `ancestors` are the references whose targets are being translated.
    """
    if isinstance(schema, list):
        return [_translate(subschema, direction, schemas, ancestors) for subschema in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return schemas.translate_reference(schema["$ref"], direction, ancestors)
    if KNOWN_VALUES_EXTENSION in schema:
        return {"enum": schema[KNOWN_VALUES_EXTENSION]}
    if (format_ := schema.get("format")) in _OWN_FORMATS:
        schemas.own_formats[format_] = _OWN_FORMATS[format_]
    translated: Schema = {
        key: _translate(value, direction, schemas, ancestors) if key in _SUBSCHEMA_KEYWORDS else value
        for key, value in schema.items()
        if key not in _UNTRANSLATED_KEYWORDS and not key.startswith("x-")
    }
    _translate_properties(schema, translated, direction, schemas, ancestors)
    _translate_bounds(schema, translated)
    if alternative := get_alternative_to_null(schema):
        del translated["anyOf"]
        translated |= _or_null(_translate(alternative, direction, schemas, ancestors))
    elif schema.get("nullable"):
        # The schemas in allOf allow no null themselves: the value is to match all of them, or to be null.
        if "type" not in translated or "allOf" in translated:
            return _or_null(translated)
        translated["type"] = [translated["type"], "null"]
    return translated


def _or_null(translated: Schema) -> Schema:
    """Return a schema that also allows null. Its errors say what is wrong with other values; those of anyOf don't."""
    return {"if": {"type": "null"}, "else": translated}


def _translate_properties(
    schema: Schema, translated: Schema, direction: Direction, schemas: Schemas, ancestors: frozenset[str]
) -> None:
    """Forbid hidden properties, and require none of them."""
    if "properties" not in schema:
        return
    hidden = _find_hidden_properties(schema, direction, schemas.resolve)
    translated["properties"] = {
        name: name not in hidden and _translate(subschema, direction, schemas, ancestors)
        for name, subschema in schema["properties"].items()
    }
    if "required" in translated:
        translated["required"] = [name for name in translated["required"] if name not in hidden]


def _without_contents(schema: Schema) -> Schema:
    """Return a translated schema that ignores members, except for hidden properties, which stay forbidden."""
    translated = {keyword: value for keyword, value in schema.items() if keyword not in ("items", "uniqueItems")}
    translated["properties"] = {
        name: subschema is not False for name, subschema in schema.get("properties", {}).items()
    }
    if isinstance(schema.get("additionalProperties"), dict):
        del translated["additionalProperties"]
    return translated


def _find_hidden_properties(schema: Schema, direction: Direction, resolve: Resolver) -> set[str]:
    """Return the names of properties that are hidden in this direction."""
    hidden_by = "writeOnly" if direction == "response" else "readOnly"
    return {name for name, subschema in schema.get("properties", {}).items() if resolve(subschema).get(hidden_by)}


def _translate_bounds(schema: Schema, translated: Schema) -> None:
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if bound in schema:
            translated[exclusive if schema.get(exclusive) is True else bound] = schema[bound]
    # An integer without a format has 64 bits: a larger one can be neither stored nor encoded by orjson.
    bits = _INTEGER_BITS.get(schema.get("format", "int64"))
    if bits and schema.get("type") == "integer":
        translated.setdefault("minimum", -(2**bits))
        translated.setdefault("maximum", 2**bits - 1)


def _chain(normalizers: list[Normalizer]) -> Normalizer:
    def normalize(value: Any) -> Any:
        for normalizer in normalizers:
            value = normalizer(value)
        return value

    return normalize


def _build_object_normalizer(
    by_property: Mapping[str, Normalizer | None], normalize_other: Normalizer | None
) -> Normalizer:
    def normalize(value: Any) -> Any:
        if type(value) is not dict:
            return value
        return {
            name: normalize_member(member) if (normalize_member := by_property.get(name, normalize_other)) else member
            for name, member in value.items()
        }

    return normalize


def _build_array_normalizer(normalize_item: Normalizer) -> Normalizer:
    def normalize(value: Any) -> Any:
        return [normalize_item(item) for item in value] if type(value) is list else value

    return normalize


def _normalize_integer(value: Any) -> Any:
    """Return 1 for 1.0, which is a valid integer in JSON Schema."""
    return int(value) if type(value) is float and value.is_integer() else value


def _normalize_line(value: Any) -> Any:
    if type(value) is not str:
        return value
    return value.strip() if value.isascii() else to_nfc(value).strip()


def _normalize_block(value: Any) -> Any:
    return value if type(value) is not str or value.isascii() else to_nfc(value)


_TEXT_NORMALIZERS: dict[str, Normalizer] = {"line": _normalize_line, "block": _normalize_block}
