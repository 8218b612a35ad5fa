"""What breaks somebody's client: oasdiff with our severities, and what oasdiff doesn't look at.

A client is broken by what it must do now and needn't before, by what it gets and isn't prepared for, and by a door
that is open now and was closed: whoever relied on it being closed is broken worst of all.
"""

import copy
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from contract.schemas import KNOWN_VALUES_EXTENSION
from tools.openapi.bundle import Bundle, Node
from tools.openapi.client_compatibility import find_incompatibilities
from tools.openapi.findings import ROOT, BundleFinding, Pointer
from tools.openapi.linters import run_tool

DOCUMENTED_AS_GROWING = frozenset(("ProblemCode", "Event", "BoardField", "CardField", "ListField"))
"""Schemas of 1.0 to 1.2 that were closed, although their text says that more values may come: they may be opened, and
grow, without a new version."""
MAY_BECOME_OPEN = DOCUMENTED_AS_GROWING | {
    "ChecklistField",
    "ChecklistItemField",
    "LabelField",
    "TimeEntryField",
    "ImportSource",
}
"""Closed schemas that may be opened. Opening is a promise: in the version after it, values may come."""

_SEVERITIES_FILE = ROOT / "tools" / "openapi" / "severities.txt"
_WARNING_LEVEL = 2


def find_breaking_changes(released: Node, current: Node) -> list[BundleFinding]:
    """Everything in the current document that breaks a client of the released one, by its place in the current one."""
    shut = close_open_schemas(released), close_open_schemas(current)
    growing = DOCUMENTED_AS_GROWING | list_open_schemas(released)
    found = [_to_bundle_finding(each) for each in _run_oasdiff("breaking", _add_gained_values(*shut, growing), shut[1])]
    found += [BundleFinding(at, "breaking openness", says) for at, says in _find_openness_changes(released, current)]
    found += [BundleFinding(at, "breaking values", says) for at, says in _find_removed_values(*shut, growing)]
    before, after = map(Bundle, shut)
    found += [BundleFinding(at, "breaking access", says) for at, says in _find_access_changes(before, after)]
    found += [BundleFinding(at, f"breaking {rule}", says) for at, rule, says in find_incompatibilities(before, after)]
    if _list_server_urls(released) != _list_server_urls(current):
        found.append(BundleFinding(("servers",), "breaking servers", "The addresses of everything have changed."))
    return list(dict.fromkeys(found))


def list_changes(released: Node, current: Node) -> list[Node]:
    """Every change that a client can see, as oasdiff tells it: `id`, `text`, `level`, `operation`, `path`."""
    opened = sorted(list_open_schemas(current) & _get_schemas(released).keys() - list_open_schemas(released))
    told = [
        {"text": f"the schema `{name}` is open now: clients generated from it read values of later versions"}
        for name in opened
    ]
    return told + _run_oasdiff("changelog", close_open_schemas(released), close_open_schemas(current))


def list_open_schemas(document: Node) -> frozenset[str]:
    """The names of the schemas that tell a reader what to do with values of later versions."""
    schemas = _get_schemas(document)
    return frozenset(
        name
        for name, schema in schemas.items()
        if KNOWN_VALUES_EXTENSION in schema
        or any(_is_for_later_versions(part, schemas) for part in schema.get("anyOf", []))
    )


def close_open_schemas(document: Node) -> Node:
    """A copy of the document in which open schemas name what this version has, and nothing else.

    Open and closed schemas can so be compared by their values, and by nothing else.
    """
    schemas = _get_schemas(document)
    shut = {name: _close_schema(schemas[name], schemas) for name in list_open_schemas(document)}
    components = document.get("components", {})
    return {**document, "components": {**components, "schemas": {**schemas, **shut}}}


def _inline_nullable_references(node: Any, schemas: dict[str, Node]) -> Any:
    """A copy in which "this schema, or null" is one schema: oasdiff would compare parts of an allOf by their names."""
    if isinstance(node, list):
        return [_inline_nullable_references(part, schemas) for part in node]
    if not isinstance(node, dict):
        return node
    if node.get("nullable") is True and len(node.get("allOf", [])) == 1:
        node = _resolve_reference(node["allOf"][0], schemas) | {"nullable": True}
    return {name: _inline_nullable_references(part, schemas) for name, part in node.items()}


def _close_schema(schema: Node, schemas: dict[str, Node]) -> Node:
    kept = {keyword: value for keyword, value in schema.items() if keyword not in (KNOWN_VALUES_EXTENSION, "anyOf")}
    if KNOWN_VALUES_EXTENSION in schema:
        return {"type": "string", **kept, "enum": schema[KNOWN_VALUES_EXTENSION]}
    known = [part for part in schema["anyOf"] if not _is_for_later_versions(part, schemas)]
    return {**_resolve_reference(known[0], schemas), **kept} if len(known) == 1 else {**kept, "anyOf": known}


def _is_for_later_versions(schema: Node, schemas: dict[str, Node]) -> bool:
    """Whether no value of this version keeps the schema: one of its properties knows no value at all."""
    schema = _resolve_reference(schema, schemas)
    alternatives = schema.get("oneOf", [])
    if alternatives:
        return all(_is_for_later_versions(part, schemas) for part in alternatives)
    return any(part.get(KNOWN_VALUES_EXTENSION) == [] for part in schema.get("properties", {}).values())


def _resolve_reference(schema: Node, schemas: dict[str, Node]) -> Node:
    """The schema itself, or the one that its reference names."""
    return schemas.get(str(schema.get("$ref")).rpartition("/")[2], {}) if "$ref" in schema else schema


def _get_schemas(document: Node) -> dict[str, Node]:
    named: dict[str, Node] = document.get("components", {}).get("schemas", {})
    return named


def _find_openness_changes(released: Node, current: Node) -> Iterator[tuple[Pointer, str]]:
    """Schemas that were open and are closed, or that are open now and never promised to be."""
    was_open, is_open = list_open_schemas(released), list_open_schemas(current)
    in_both = _get_schemas(released).keys() & _get_schemas(current).keys()
    for name in sorted(was_open & in_both - is_open):
        yield ("components", "schemas", name), f"{name} was open to values of later versions, and is closed."
    for name in sorted(is_open & in_both - was_open - MAY_BECOME_OPEN):
        yield (
            ("components", "schemas", name),
            f"{name} was closed: opening it lets values come that its readers don't expect.",
        )


def _run_oasdiff(command: str, released: Node, current: Node) -> list[Node]:
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder, "released.json"), Path(folder, "current.json")
        before.write_text(json.dumps(_inline_nullable_references(released, _get_schemas(released))))
        after.write_text(json.dumps(_inline_nullable_references(current, _get_schemas(current))))
        said = run_tool("oasdiff", command, before, after, "-f", "json", "--severity-levels", _SEVERITIES_FILE)
    found: list[Node] = json.loads(said or "[]")
    return [each for each in found if command == "changelog" or each["level"] >= _WARNING_LEVEL]


def _to_bundle_finding(change: Node) -> BundleFinding:
    at: Pointer = ("paths", change["path"], change["operation"].lower()) if "path" in change else ()
    return BundleFinding(at, f"breaking {change['id']}", change["text"])


def _add_gained_values(released: Node, current: Node, growing_schemas: frozenset[str]) -> Node:
    """The released document with what the growing schemas have gained: so only what they have lost is seen."""
    grown = copy.deepcopy(released)
    before, after = _get_schemas(grown), _get_schemas(current)
    for name in growing_schemas & before.keys() & after.keys():
        for keyword in ("enum", "oneOf"):
            gained = [part for part in after[name].get(keyword, []) if part not in before[name].get(keyword, [])]
            if gained:
                before[name][keyword] = [*before[name].get(keyword, []), *gained]
        mapping = after[name].get("discriminator", {}).get("mapping", {})
        before[name].get("discriminator", {}).get("mapping", {}).update(mapping)
    # What was gained may be made of schemas that are new; a schema that nothing else uses changes nothing.
    return {**grown, "components": {**grown.get("components", {}), "schemas": {**after, **before}}}


def _find_removed_values(
    released: Node, current: Node, growing_schemas: frozenset[str]
) -> Iterator[tuple[Pointer, str]]:
    """What the growing schemas have lost: a client may wait for it. oasdiff doesn't miss an event that is gone."""
    before, after = _get_schemas(released), _get_schemas(current)
    for name in sorted(growing_schemas & before.keys() & after.keys()):
        if gone := sorted(_list_values(before[name]) - _list_values(after[name])):
            yield ("components", "schemas", name), f"{name} has lost {', '.join(gone)}."


def _list_values(schema: Node) -> set[str]:
    """The values of a closed enum, or of a union's discriminator."""
    return {*schema.get("enum", []), *schema.get("discriminator", {}).get("mapping", {})}


def _find_access_changes(released: Bundle, current: Bundle) -> Iterator[tuple[Pointer, str]]:
    """Operations that other people may call now: more of them, or fewer."""
    now = {operation.pointer: operation for operation in current.operations}
    for before in released.operations:
        after = now.get(before.pointer)
        if after is None:
            continue
        asked, asks = (_format_security(bundle, each.node) for bundle, each in ((released, before), (current, after)))
        if asked != asks:
            yield (*after.pointer, "security"), f"{after.id} asked for {asked} and asks for {asks}."
        for name in ("x-tackboard-scope", "x-tackboard-role"):
            if before.node.get(name) != after.node.get(name):
                yield (
                    (*after.pointer, name),
                    f"{after.id}: {name} was {before.node.get(name)}, now {after.node.get(name)}.",
                )


def _format_security(bundle: Bundle, operation: Node) -> str:
    asked: list[Node] = operation["security"] if "security" in operation else bundle.document.get("security", [])
    return " or ".join(sorted("+".join(sorted(each)) or "nothing" for each in asked)) or "nothing"


def _list_server_urls(document: Node) -> set[str]:
    return {server.get("url", "/") for server in document.get("servers", [{}])}
