"""Find breaks of generated clients that oasdiff does not report: type names, response bounds, how values are sent.

Every check compares one part of the released document with the same part of the current one. All of it ends up in
generated code: a type is named after its schema, a validating model (pydantic, zod) has the bounds of a response, a
module after the tag, and a query string is written by `style` and `explode`.
"""

from collections.abc import Callable, Iterator
from typing import Any

from contract.optional_nulls import get_alternative_to_null
from tools.openapi.bundle import Bundle, Node
from tools.openapi.findings import Pointer

Incompatibilities = Iterator[tuple[Pointer, str, str]]
"""Where (in the current document), the name of the rule, and a sentence."""

_SCHEME_KEYWORDS = ("type", "scheme", "in", "name", "flows", "openIdConnectUrl")
_INFINITY = float("inf")


def find_incompatibilities(released: Bundle, current: Bundle) -> Incompatibilities:
    """Yield every incompatible change between two documents that oasdiff does not report."""
    for check in (
        _compare_security_schemes,
        _compare_schema_names,
        _compare_type_names,
        _compare_schemas,
        _compare_headers,
        _compare_parameters,
        _compare_operations,
    ):
        yield from check(released, current)


def _compare_security_schemes(released: Bundle, current: Bundle) -> Incompatibilities:
    """Compare security schemes: a client sends its credentials as the scheme says."""
    schemes = current.components.get("securitySchemes", {})
    for name, before in released.components.get("securitySchemes", {}).items():
        after = schemes.get(name, {})
        for keyword in _SCHEME_KEYWORDS:
            if before.get(keyword) != after.get(keyword):
                at = ("components", "securitySchemes", name)
                message = f"{keyword} of {name} was {before.get(keyword)} and is {after.get(keyword)}."
                yield at, "security-scheme-changed", message


def _compare_schema_names(released: Bundle, current: Bundle) -> Incompatibilities:
    """Compare the names of schemas: a client imports its types by them."""
    schemas = current.components.get("schemas", {})
    for name in released.components.get("schemas", {}):
        if name not in schemas:
            yield ("components", "schemas"), "schema-name-removed", f"No schema is called {name} any more."


def _compare_type_names(released: Bundle, current: Bundle) -> Incompatibilities:
    """Compare references: a body, item or property keeps its type, even where another type has the same shape."""
    current_references = dict(_list_references(current))
    for at, before in _list_references(released):
        after = current_references.get(at, before)
        if before != after and released.resolve({"$ref": before}).keys() & {"properties", "enum", "oneOf"}:
            name, instead = (reference.rpartition("/")[2] for reference in (before, after))
            yield at, "type-renamed", f"This was of the type {name} and is now {instead or 'a type without a name'}."


def _list_references(bundle: Bundle) -> Iterator[tuple[Pointer, str]]:
    """Yield what every body, item and property refers to, by its pointer; an empty text for an inline schema."""
    slots: dict[Pointer, Any] = {
        (*content.pointer, "schema"): content.node.get("schema") for content in bundle.contents()
    }
    for at, schema in bundle.all_schemas.items():
        slots |= {(*at, "properties", name): part for name, part in schema.get("properties", {}).items()}
        slots |= {(*at, keyword): schema[keyword] for keyword in ("items", "additionalProperties") if keyword in schema}
    for at, part in slots.items():
        if isinstance(part, dict):
            # A reference that may be null keeps its type.
            yield at, (get_alternative_to_null(part) or part).get("$ref", "")


def _is_larger(before: float | None, after: float | None) -> bool:
    return (_INFINITY if after is None else after) > (_INFINITY if before is None else before)


def _is_smaller(before: float | None, after: float | None) -> bool:
    return (after or 0) < (before or 0)


def _is_removed(before: Any, after: Any) -> bool:
    return bool(before) and before != after


def _is_added(before: Any, after: Any) -> bool:
    return bool(after) and before != after


_RESPONSE_CHECKS: dict[str, Callable[[Any, Any], bool]] = {
    "maxItems": _is_larger,
    "minItems": _is_smaller,
    "maxProperties": _is_larger,
    "minProperties": _is_smaller,
    "uniqueItems": _is_removed,
    "pattern": _is_removed,
    "format": _is_removed,
    "multipleOf": _is_removed,
    "writeOnly": _is_added,
}
"""What must not be loosened in a response: a client that validates rejects what it did not expect."""

_REQUEST_CHECKS: dict[str, Callable[[Any, Any], bool]] = {
    "maxItems": lambda before, after: _is_larger(after, before),
    "maxProperties": lambda before, after: _is_larger(after, before),
    "minProperties": lambda before, after: _is_smaller(after, before),
    "uniqueItems": _is_added,
    "format": _is_added,
    "multipleOf": _is_added,
    "readOnly": _is_added,
}
"""What must not be tightened in a request: a client sends what was allowed."""


def _compare_schemas(released: Bundle, current: Bundle) -> Incompatibilities:
    responses, requests = released.response_schemas, released.request_schemas
    for at, before in released.all_schemas.items():
        after = current.all_schemas.get(at)
        if after is None:
            continue
        if at in responses:
            yield from _compare_bounds(at, before, after, _RESPONSE_CHECKS, "response")
        if at in requests:
            yield from _compare_bounds(at, before, after, _REQUEST_CHECKS, "request")
            if before.get("additionalProperties", True) is not False and after.get("additionalProperties") is False:
                yield (
                    at,
                    "request-closed",
                    "This request accepted properties that are not described, and rejects them now.",
                )
        yield from _compare_discriminators(at, before, after)


def _compare_bounds(
    pointer: Pointer, before: Node, after: Node, checks: dict[str, Callable[[Any, Any], bool]], kind: str
) -> Incompatibilities:
    for keyword, is_broken in checks.items():
        if is_broken(before.get(keyword), after.get(keyword)):
            message = f"{keyword} was {before.get(keyword)} and is {after.get(keyword)}."
            yield (*pointer, keyword), f"{kind}-{keyword}-changed", message


def _compare_discriminators(pointer: Pointer, before: Node, after: Node) -> Incompatibilities:
    old, new = (schema.get("discriminator", {}) for schema in (before, after))
    if old and old.get("propertyName") != new.get("propertyName"):
        yield (*pointer, "discriminator"), "discriminator-changed", "The discriminator is another property."
    for value, reference in old.get("mapping", {}).items():
        if new.get("mapping", {}).get(value) != reference:
            yield (
                (*pointer, "discriminator", "mapping"),
                "discriminator-changed",
                f"{value} does not lead to {reference}.",
            )


def _compare_headers(released: Bundle, current: Bundle) -> Incompatibilities:
    """Compare the types of headers. A pattern may change: a client reads a header and does not validate it."""
    current_nodes = dict(current.parameters_and_headers())
    for at, before in released.parameters_and_headers():
        after = current_nodes.get(at)
        if after is None or "in" in before:
            continue
        old_type, new_type = (
            bundle.resolve(node.get("schema", {})).get("type")
            for bundle, node in ((released, before), (current, after))
        )
        if old_type != new_type:
            yield (*at, "schema", "type"), "header-type-changed", f"The type was {old_type} and is {new_type}."


def _compare_parameters(released: Bundle, current: Bundle) -> Incompatibilities:
    """Compare how arrays are sent: a client writes them as `style` and `explode` say."""
    current_nodes = dict(current.parameters_and_headers())
    for at, before in released.parameters_and_headers():
        after = current_nodes.get(at)
        for keyword in ("style", "explode"):
            if after is not None and "in" in before and before.get(keyword) != after.get(keyword):
                message = f"{keyword} was {before.get(keyword)} and is {after.get(keyword)}."
                yield (*at, keyword), "parameter-style-changed", message


def _compare_operations(released: Bundle, current: Bundle) -> Incompatibilities:
    """Compare first tags, which generators name modules after, and the largest bodies."""
    current_operations = {operation.pointer: operation for operation in current.operations}
    for before in released.operations:
        after = current_operations.get(before.pointer)
        if after is None:
            continue
        old_tags, new_tags = (operation.node.get("tags", [])[:1] for operation in (before, after))
        if old_tags != new_tags:
            yield (
                (*after.pointer, "tags"),
                "first-tag-changed",
                f"{after.id} was under {old_tags} and is under {new_tags}.",
            )
        limits = [operation.node.get("x-tackboard-body-limit", 0) for operation in (before, after)]
        if limits[1] < limits[0]:
            message = f"A body of {after.id} could have {limits[0]} bytes."
            yield (*after.pointer, "x-tackboard-body-limit"), "body-limit-lowered", message
