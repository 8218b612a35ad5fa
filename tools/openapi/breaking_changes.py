"""Find changes that break clients: oasdiff with our severities, and checks that oasdiff lacks.

A change breaks a client if it demands more of requests, if it returns something the client isn't prepared for, or
if it changes who may call an operation. Opening one to more callers breaks those who relied on it being closed.
"""

import copy
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from contract.optional_nulls import get_alternative_to_null
from contract.schemas import KNOWN_VALUES_EXTENSION
from tools.openapi.bundle import Bundle, Node
from tools.openapi.client_compatibility import find_incompatibilities
from tools.openapi.findings import ROOT, BundleFinding, Pointer
from tools.openapi.linters import run_tool

DOCUMENTED_AS_GROWING = frozenset(("ProblemCode", "Event", "BoardField", "CardField", "ListField"))
"""Schemas of 1.0 to 1.2 that were closed although their description says that values may be added. They may become open
and grow without a new major version."""
MAY_BECOME_OPEN = DOCUMENTED_AS_GROWING | {
    "ChecklistField",
    "ChecklistItemField",
    "LabelField",
    "TimeEntryField",
    "ImportSource",
}
"""Closed schemas that may become open. Values may be added in the release after that."""

MAY_BECOME_OPTIONAL = ("Location",)
"""Headers of responses that a request may do without, if it asks for that by something new: a dry run."""

_SEVERITIES_FILE = ROOT / "tools" / "openapi" / "severities.txt"
_WARNING_LEVEL = 2


def find_breaking_changes(released: Node, current: Node) -> list[BundleFinding]:
    """Find what breaks clients of the released document, with its pointer in the current one."""
    released = _make_headers_optional(released)
    closed = close_open_schemas(released), close_open_schemas(current)
    growing = DOCUMENTED_AS_GROWING | list_open_schemas(released)
    findings = [
        _to_bundle_finding(change)
        for change in _run_oasdiff("breaking", _add_gained_values(*closed, growing), closed[1])
    ]
    findings += [
        BundleFinding(at, "breaking openness", message) for at, message in _find_openness_changes(released, current)
    ]
    findings += [
        BundleFinding(at, "breaking values", message) for at, message in _find_removed_values(*closed, growing)
    ]
    before, after = map(Bundle, closed)
    findings += [BundleFinding(at, "breaking access", message) for at, message in _find_access_changes(before, after)]
    findings += [
        BundleFinding(at, f"breaking {rule}", message) for at, rule, message in find_incompatibilities(before, after)
    ]
    if _list_server_urls(released) != _list_server_urls(current):
        findings.append(
            BundleFinding(("servers",), "breaking servers", "The addresses of all operations have changed.")
        )
    return list(dict.fromkeys(findings))


def _make_headers_optional(document: Node) -> Node:
    """Return the document with those headers optional that may become so."""
    components = document.get("components", {})
    headers = components.get("headers", {})
    optional = {name: headers[name] | {"required": False} for name in MAY_BECOME_OPTIONAL if name in headers}
    return document | {"components": components | {"headers": headers | optional}} if optional else document


def list_changes(released: Node, current: Node) -> list[Node]:
    """List every change that a client can see, in oasdiff's form: `id`, `text`, `level`, `operation`, `path`."""
    new_open_names = sorted(list_open_schemas(current) & _get_schemas(released).keys() - list_open_schemas(released))
    openings = [
        {"text": f"the schema `{name}` is open now: clients generated from it read values of later versions"}
        for name in new_open_names
    ]
    return openings + _run_oasdiff("changelog", close_open_schemas(released), close_open_schemas(current))


def list_open_schemas(document: Node) -> frozenset[str]:
    """Return the names of the schemas that say what to do with values of later versions."""
    schemas = _get_schemas(document)
    return frozenset(
        name
        for name, schema in schemas.items()
        if KNOWN_VALUES_EXTENSION in schema
        or any(_is_for_later_versions(part, schemas) for part in schema.get("anyOf", []))
    )


def close_open_schemas(document: Node) -> Node:
    """Return a copy of the document in which open schemas allow only the values of this version.

    Then open and closed schemas can be compared by their values.
    """
    schemas = _get_schemas(document)
    closed = {name: _close_schema(schemas[name], schemas) for name in list_open_schemas(document)}
    components = document.get("components", {})
    return {**document, "components": {**components, "schemas": {**schemas, **closed}}}


def _inline_nullable_references(node: Any, schemas: dict[str, Node]) -> Any:
    """Return a copy in which "this schema or null" is one schema: oasdiff compares the parts of an allOf by name."""
    if isinstance(node, list):
        return [_inline_nullable_references(part, schemas) for part in node]
    if not isinstance(node, dict):
        return node
    if alternative := get_alternative_to_null(node):
        node = _resolve_reference(alternative, schemas) | {"nullable": True}
    return {name: _inline_nullable_references(part, schemas) for name, part in node.items()}


def _close_schema(schema: Node, schemas: dict[str, Node]) -> Node:
    keywords = {keyword: value for keyword, value in schema.items() if keyword not in (KNOWN_VALUES_EXTENSION, "anyOf")}
    if KNOWN_VALUES_EXTENSION in schema:
        return {"type": "string", **keywords, "enum": schema[KNOWN_VALUES_EXTENSION]}
    known = [part for part in schema["anyOf"] if not _is_for_later_versions(part, schemas)]
    return {**_resolve_reference(known[0], schemas), **keywords} if len(known) == 1 else {**keywords, "anyOf": known}


def _is_for_later_versions(schema: Node, schemas: dict[str, Node]) -> bool:
    """Return whether no value of this version matches the schema: one of its properties has no known value."""
    schema = _resolve_reference(schema, schemas)
    alternatives = schema.get("oneOf", [])
    if alternatives:
        return all(_is_for_later_versions(part, schemas) for part in alternatives)
    return any(part.get(KNOWN_VALUES_EXTENSION) == [] for part in schema.get("properties", {}).values())


def _resolve_reference(schema: Node, schemas: dict[str, Node]) -> Node:
    """Return the schema itself, or the one that its reference names."""
    return schemas.get(str(schema.get("$ref")).rpartition("/")[2], {}) if "$ref" in schema else schema


def _get_schemas(document: Node) -> dict[str, Node]:
    named: dict[str, Node] = document.get("components", {}).get("schemas", {})
    return named


def _find_openness_changes(released: Node, current: Node) -> Iterator[tuple[Pointer, str]]:
    """Yield schemas that were open and are closed, or that became open without being allowed to."""
    was_open, is_open = list_open_schemas(released), list_open_schemas(current)
    in_both = _get_schemas(released).keys() & _get_schemas(current).keys()
    for name in sorted(was_open & in_both - is_open):
        yield ("components", "schemas", name), f"{name} was open to values of later versions, and is closed."
    for name in sorted(is_open & in_both - was_open - MAY_BECOME_OPEN):
        yield (
            ("components", "schemas", name),
            f"{name} was closed: once open, it may have values that clients don't expect.",
        )


def _run_oasdiff(command: str, released: Node, current: Node) -> list[Node]:
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder, "released.json"), Path(folder, "current.json")
        before.write_text(json.dumps(_inline_nullable_references(released, _get_schemas(released))))
        after.write_text(json.dumps(_inline_nullable_references(current, _get_schemas(current))))
        output = run_tool("oasdiff", command, before, after, "-f", "json", "--severity-levels", _SEVERITIES_FILE)
    changes: list[Node] = json.loads(output or "[]")
    return [change for change in changes if command == "changelog" or change["level"] >= _WARNING_LEVEL]


def _to_bundle_finding(change: Node) -> BundleFinding:
    at: Pointer = ("paths", change["path"], change["operation"].lower()) if "path" in change else ()
    return BundleFinding(at, f"breaking {change['id']}", change["text"])


def _add_gained_values(released: Node, current: Node, growing_schemas: frozenset[str]) -> Node:
    """Return the released document with the values that growing schemas have gained, so that only losses remain."""
    grown = copy.deepcopy(released)
    before, after = _get_schemas(grown), _get_schemas(current)
    for name in growing_schemas & before.keys() & after.keys():
        for keyword in ("enum", "oneOf"):
            gained = [part for part in after[name].get(keyword, []) if part not in before[name].get(keyword, [])]
            if gained:
                before[name][keyword] = [*before[name].get(keyword, []), *gained]
        mapping = after[name].get("discriminator", {}).get("mapping", {})
        before[name].get("discriminator", {}).get("mapping", {}).update(mapping)
    # New values may refer to new schemas. Adding a schema that nothing else uses changes nothing.
    return {**grown, "components": {**grown.get("components", {}), "schemas": {**after, **before}}}


def _find_removed_values(
    released: Node, current: Node, growing_schemas: frozenset[str]
) -> Iterator[tuple[Pointer, str]]:
    """Yield the values that growing schemas have lost: clients may wait for them, and oasdiff misses removed events."""
    before, after = _get_schemas(released), _get_schemas(current)
    for name in sorted(growing_schemas & before.keys() & after.keys()):
        if removed := sorted(_list_values(before[name]) - _list_values(after[name])):
            yield ("components", "schemas", name), f"{name} has lost {', '.join(removed)}."


def _list_values(schema: Node) -> set[str]:
    """Return the values of a closed enum, or of a union's discriminator."""
    return {*schema.get("enum", []), *schema.get("discriminator", {}).get("mapping", {})}


_LATER_NAMES = (
    "x-tackboard-resources",
    "x-tackboard-installation-role",
    "x-tackboard-token",
    "x-tackboard-caller",
)


def _find_access_changes(released: Bundle, current: Bundle) -> Iterator[tuple[Pointer, str]]:
    """Yield operations that more or fewer callers may use than before."""
    current_operations = {operation.pointer: operation for operation in current.operations}
    names = ["x-tackboard-scope", "x-tackboard-role"]
    # Before 1.3, no token was narrowed, and not every operation named a role.
    names += [name for name in _LATER_NAMES if any(name in operation.node for operation in released.operations)]
    for before in released.operations:
        after = current_operations.get(before.pointer)
        if after is None:
            continue
        old_security, new_security = (
            _format_security(bundle, operation.node) for bundle, operation in ((released, before), (current, after))
        )
        if old_security != new_security:
            yield (*after.pointer, "security"), f"{after.id} asked for {old_security} and asks for {new_security}."
        for name in names:
            if before.node.get(name) != after.node.get(name):
                yield (
                    (*after.pointer, name),
                    f"{after.id}: {name} was {before.node.get(name)}, now {after.node.get(name)}.",
                )


def _format_security(bundle: Bundle, operation: Node) -> str:
    alternatives: list[Node] = operation["security"] if "security" in operation else bundle.document.get("security", [])
    return " or ".join(sorted("+".join(sorted(schemes)) or "nothing" for schemes in alternatives)) or "nothing"


def _list_server_urls(document: Node) -> set[str]:
    return {server.get("url", "/") for server in document.get("servers", [{}])}
