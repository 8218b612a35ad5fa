"""The document's schemas, compiled: OpenAPI 3.0 in, JSON Schema 2020-12 checks by jsonschema-rs out.

OpenAPI 3.0 schemas are a dialect (`nullable`, boolean `exclusiveMinimum`, `readOnly`, `writeOnly`), and the same
schema means different things in a request and in a response; so each direction is translated once and all
references of one direction meet in one registry. A check is compiled when it is first used: an operation that a
process never serves costs it nothing.
"""

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, cast

import jsonschema_rs

from contract.large_values import find_invalid_parts
from contract.unicode import to_nfc
from contract.violations import LocatedError, Violation, violations_from_errors

log = logging.getLogger("tackboard")

Direction = Literal["request", "response"]
Schema = dict[str, Any]
Normalizer = Callable[[Any], Any]
"""One step of putting a value in order."""

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
"""The extension of a schema that is open for readers of later versions: the values that this version has.

Clients are generated from the open schema. Here the closed one holds: no other value may come in, or go out.
"""
KNOWN_FORMATS = _ENFORCED_FORMATS | _ANNOTATION_FORMATS
_GENERIC_VIOLATION = Violation("", "invalid", "does not keep the schema")


@dataclass(slots=True)
class Check:
    """One schema in one direction: says what is wrong with a value, and tidies what is right."""

    schemas: "Schemas"
    direction: Direction
    openapi_schema: Schema
    """The schema as the document has it."""
    json_schema: Schema
    """The same as JSON Schema."""
    normalize: Normalizer | None
    _validator: Any = None

    @property
    def directional_schema(self) -> Schema:
        """The schema as the document has it, without properties of the other direction."""
        return self.schemas.schema_at(self.schemas.resolve(self.openapi_schema), [], self.direction)

    def schema_at(self, path: list[str | int]) -> Schema:
        """The part of the document that a path of keywords leads to."""
        return self.schemas.schema_at(self.openapi_schema, path, self.direction)

    def for_subschema(self, schema: Mapping[str, Any]) -> "Check":
        """The check of a schema inside this one."""
        return self.schemas.get_inner_check(schema, self.direction, "itself")

    def for_array_of(self, schema: Mapping[str, Any]) -> "Check":
        """The check of arrays, of any length, whose items keep a schema inside this one."""
        return self.schemas.get_inner_check(schema, self.direction, "many")

    def for_container(self) -> "Check":
        """The check of the schema's arrays and objects alone, whatever is inside."""
        return self.schemas.get_inner_check(self.openapi_schema, self.direction, "container")

    def is_valid(self, value: object) -> bool:
        """Whether the value keeps the schema; raises whatever the validator raises."""
        compiled = self._validator
        if compiled is None:
            compiled = self._validator = jsonschema_rs.Draft202012Validator(
                self.json_schema,
                formats=_OWN_FORMATS,
                validate_formats=True,
                registry=self.schemas.registry,
                offline=True,
                # The validator's own messages are never shown, so they need not quote what may be megabytes.
                mask="it",
            )
        return bool(compiled.is_valid(value))

    def find_violations(self, value: object) -> list[Violation]:
        """What is wrong with the value: nothing, or at most `MAX_VIOLATIONS` faults. Raises nothing."""
        try:
            if self.is_valid(value):
                return []
            return violations_from_errors(self._find_errors(value), self.schemas.property_names) or [_GENERIC_VIOLATION]
        except BaseException as error:  # a panic in the validator's Rust is no Exception
            if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
                raise
            log.warning("The validator could not check a value: %s", type(error).__name__)
            return [_GENERIC_VIOLATION]

    def _find_errors(self, value: object) -> Iterator[LocatedError]:
        for path, check, piece in find_invalid_parts(self, value):
            for error in cast("Check", check).list_errors(piece):
                yield LocatedError([*path, *error.instance_path], error, cast("Check", check).schema_at)

    def list_errors(self, value: object) -> list[Any]:
        """All errors of the validator about a small value."""
        return [] if self.is_valid(value) else list(self._validator.iter_errors(value))


class Schemas:
    """Every schema of one document, as checks. References are followed within the document only."""

    def __init__(self, document: Schema) -> None:
        self._document = document
        named: Schema = document.get("components", {}).get("schemas", {})
        self.registry = jsonschema_rs.Registry(
            [
                (
                    f"urn:{direction}",
                    {
                        "$schema": "https://json-schema.org/draft/2020-12/schema",
                        "components": {
                            "schemas": {
                                name: _translate(schema, direction, self.resolve) for name, schema in named.items()
                            }
                        },
                    },
                )
                for direction in ("request", "response")
            ]
        )
        self._checks: dict[tuple[str, str], Check] = {}
        self._inner_checks: dict[tuple[int, str, str], Check] = {}

    @cached_property
    def property_names(self) -> frozenset[str]:
        """Every name of a property in the document; gathered when the first fault is described, not at the start."""
        nodes = (node.get("properties") for _, node in _walk(self._document, ""))
        return frozenset(name for properties in nodes if isinstance(properties, dict) for name in properties)

    def get_check(self, schema: Schema, direction: Direction) -> Check:
        """The check of a schema; operations that name the same component share one."""
        key = (schema.get("$ref", ""), direction)
        if key[0] and key in self._checks:
            return self._checks[key]
        tidy = self._build_normalizer(schema, {}) if direction == "request" else None

        made = Check(self, direction, schema, _translate(schema, direction, self.resolve), tidy)
        if key[0]:
            self._checks[key] = made
        return made

    def get_inner_check(self, schema: Mapping[str, Any], direction: Direction, target: str) -> Check:
        """The check of a part of the document: of the schema `itself`, of `many` of it, or of its `container` alone."""
        part = self.resolve(schema)
        # The document lives as long as this object, and so do the parts of it.
        key = (id(part), direction, target)
        if key not in self._inner_checks:
            translated = _translate(part, direction, self.resolve)
            if target == "many":
                translated = {"type": "array", "items": translated}
            elif target == "container":
                translated = _without_contents(translated)
            self._inner_checks[key] = Check(self, direction, part, translated, None)
        return self._inner_checks[key]

    def has_default(self, schema: Any, ancestors: frozenset[int] = frozenset()) -> bool:
        """Whether a default stands anywhere in a schema."""
        schema = self.resolve(schema)
        if not isinstance(schema, dict) or id(schema) in ancestors:
            return False
        ancestors |= {id(schema)}
        parts = [schema.get(keyword) for keyword in ("items", "not", "additionalProperties")]
        parts += [part for keyword in ("allOf", "anyOf", "oneOf") for part in schema.get(keyword, ())]
        parts += schema.get("properties", {}).values()
        return "default" in schema or any(self.has_default(part, ancestors) for part in parts)

    def resolve(self, node: Any) -> Any:
        """The node itself, or what its `$ref` points at."""
        while isinstance(node, dict) and "$ref" in node:
            target: Any = self._document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            node = target
        return node

    def schema_at(self, schema: Schema, path: list[str | int], direction: Direction) -> Schema:
        """The schema that a check's path of keywords leads to, as the document has it.

        Properties of the other direction are not in it.
        """
        node: Any = schema
        for step in path:
            # A property may have that name, and then it is no reference.
            is_reference = step == "$ref" and not isinstance(node.get("$ref"), dict)
            node = self.resolve(node) if is_reference else node[step]
        part: Schema = {**node}
        if hidden := _find_hidden_properties(part, direction, self.resolve):
            part["properties"] = {name: value for name, value in part["properties"].items() if name not in hidden}
            part["required"] = [name for name in part.get("required", ()) if name not in hidden]
        return part

    def _build_normalizer(self, schema: Schema, ancestors: Mapping[int, list[Normalizer]]) -> Normalizer | None:
        """How a valid value of this schema is put in order: text normalised, whole floats made integers.

        `above` holds the steps of the schemas that enclose this one: a schema that contains itself meets them there,
        and they are complete by the time that a value comes.
        """
        schema = self.resolve(schema)
        if id(schema) in ancestors:
            return _chain(ancestors[id(schema)])
        steps: list[Normalizer] = []
        ancestors = {**ancestors, id(schema): steps}
        for kind in ("allOf", "anyOf", "oneOf"):
            steps.extend(step for part in schema.get(kind, ()) if (step := self._build_normalizer(part, ancestors)))
        named = {name: self._build_normalizer(part, ancestors) for name, part in schema.get("properties", {}).items()}
        others = schema.get("additionalProperties")
        other = self._build_normalizer(others, ancestors) if isinstance(others, dict) else None
        if other or any(named.values()):
            steps.append(_build_object_normalizer(named, other))
        if "items" in schema and (step := self._build_normalizer(schema["items"], ancestors)):
            steps.append(_build_array_normalizer(step))
        if schema.get("type") == "integer":
            steps.append(_normalize_integer)
        if text := _TEXT_NORMALIZERS.get(schema.get("x-tackboard-text", "")):
            steps.append(text)
        return _chain(steps) if len(steps) > 1 else next(iter(steps), None)


def find_unenforceable_schemas(document: Schema) -> Iterator[tuple[str, str]]:
    """What a schema of the document asks for and this package could not enforce: (a JSON Pointer, a sentence).

    Unknown formats and patterns that can't be compiled would otherwise be rules that nobody checks.
    """
    for where, node in _walk(document, "#"):
        written = node.get("format")
        if isinstance(written, str) and "type" in node and written not in KNOWN_FORMATS:
            known = ", ".join(sorted(KNOWN_FORMATS))
            yield where, f"the format {written!r} at {where} is unknown; known are {known}."
        pattern = node.get("pattern")
        if isinstance(pattern, str) and not _is_valid_pattern(pattern):
            yield where, f"the pattern {pattern!r} at {where} can't be compiled."


def _walk(node: object, pointer: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(node, dict):
        yield pointer, node
        for name, part in node.items():
            if name not in ("example", "examples", "enum"):
                yield from _walk(part, f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(node, list):
        for number, part in enumerate(node):
            yield from _walk(part, f"{pointer}/{number}")


def _is_valid_pattern(pattern: str) -> bool:
    try:
        jsonschema_rs.Draft202012Validator({"pattern": pattern})
    except (jsonschema_rs.ValidationError, ValueError):
        return False
    return True


def _translate(schema: Any, direction: Direction, resolve: Normalizer) -> Any:
    """An OpenAPI 3.0 schema as JSON Schema 2020-12 for one direction; `resolve` follows a reference."""
    if isinstance(schema, list):
        return [_translate(part, direction, resolve) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return {"$ref": f"urn:{direction}{schema['$ref']}"}
    if KNOWN_VALUES_EXTENSION in schema:
        return {"enum": schema[KNOWN_VALUES_EXTENSION]}
    out: Schema = {
        key: _translate(value, direction, resolve) if key in _SUBSCHEMA_KEYWORDS else value
        for key, value in schema.items()
        if key not in _UNTRANSLATED_KEYWORDS and not key.startswith("x-")
    }
    _translate_properties(schema, out, direction, resolve)
    _translate_bounds(schema, out)
    if schema.get("nullable"):
        # What is referred to by allOf takes no null itself, and is meant to be this schema or null.
        if "type" not in out or "allOf" in out:
            return {"anyOf": [out, {"type": "null"}]}
        out["type"] = [out["type"], "null"]
    return out


def _translate_properties(schema: Schema, out: Schema, direction: Direction, resolve: Normalizer) -> None:
    """Properties of the other direction may neither be there nor be demanded."""
    if "properties" not in schema:
        return
    hidden = _find_hidden_properties(schema, direction, resolve)
    out["properties"] = {
        name: name not in hidden and _translate(part, direction, resolve) for name, part in schema["properties"].items()
    }
    if "required" in out:
        out["required"] = [name for name in out["required"] if name not in hidden]


def _without_contents(schema: Schema) -> Schema:
    """A translated schema that lets an array or object hold anything but properties of the other direction."""
    out = {keyword: value for keyword, value in schema.items() if keyword not in ("items", "uniqueItems")}
    out["properties"] = {name: part is not False for name, part in schema.get("properties", {}).items()}
    if isinstance(schema.get("additionalProperties"), dict):
        del out["additionalProperties"]
    return out


def _find_hidden_properties(schema: Schema, direction: Direction, resolve: Normalizer) -> set[str]:
    """The properties that are not there in this direction."""
    hidden_by = "writeOnly" if direction == "response" else "readOnly"
    return {name for name, part in schema.get("properties", {}).items() if resolve(part).get(hidden_by)}


def _translate_bounds(schema: Schema, out: Schema) -> None:
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if bound in schema:
            out[exclusive if schema.get(exclusive) is True else bound] = schema[bound]
    # An integer without a format has 64 bits: what is longer could be neither kept nor written as JSON again.
    bits = _INTEGER_BITS.get(schema.get("format", "int64"))
    if bits and schema.get("type") == "integer":
        out.setdefault("minimum", -(2**bits))
        out.setdefault("maximum", 2**bits - 1)


def _chain(normalizers: list[Normalizer]) -> Normalizer:
    def tidy(value: Any) -> Any:
        for step in normalizers:
            value = step(value)
        return value

    return tidy


def _build_object_normalizer(named: Mapping[str, Normalizer | None], other: Normalizer | None) -> Normalizer:
    def tidy(value: Any) -> Any:
        if type(value) is not dict:
            return value
        return {name: step(part) if (step := named.get(name, other)) else part for name, part in value.items()}

    return tidy


def _build_array_normalizer(normalize_item: Normalizer) -> Normalizer:
    def tidy(value: Any) -> Any:
        return [normalize_item(part) for part in value] if type(value) is list else value

    return tidy


def _normalize_integer(value: Any) -> Any:
    """JSON has one kind of number: 1.0 is a valid integer, and the handler gets 1."""
    return int(value) if type(value) is float and value.is_integer() else value


def _normalize_line(value: Any) -> Any:
    if type(value) is not str:
        return value
    return value.strip() if value.isascii() else to_nfc(value).strip()


def _normalize_block(value: Any) -> Any:
    return value if type(value) is not str or value.isascii() else to_nfc(value)


_TEXT_NORMALIZERS: dict[str, Normalizer] = {"line": _normalize_line, "block": _normalize_block}
