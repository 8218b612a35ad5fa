"""Rules about names: each kind of name has one case."""

import re
from collections.abc import Iterator
from typing import Any

from tools.openapi.bundle import Bundle
from tools.openapi.findings import Pointer

Violations = Iterator[tuple[Pointer, str]]

EXTENSIONS = frozenset(
    (
        "x-tackboard-adds-text",
        "x-tackboard-body-limit",
        "x-tackboard-caller",
        "x-tackboard-deprecated-since",
        "x-tackboard-embeds-resources",
        "x-tackboard-foreign",
        "x-tackboard-in-parts",
        "x-tackboard-installation-role",
        "x-tackboard-known",
        "x-tackboard-like",
        "x-tackboard-resources",
        "x-tackboard-role",
        "x-tackboard-scope",
        "x-tackboard-text",
        "x-tackboard-token",
        "x-tackboard-weight",
        "x-sunset",
    )
)
"""The extensions that code reads. A misspelt one would be a rule that nothing enforces."""

_SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_KEBAB = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_PASCAL = re.compile(r"[A-Z][A-Za-z0-9]*")
_HEADER = re.compile(r"Last-Event-ID|(ETag|RateLimit|WWW|[A-Z][a-z0-9]*)(-[A-Z][a-z0-9]*)*")


def paths_are_kebab_case(bundle: Bundle) -> Violations:
    """Require segments of paths in kebab-case, or one parameter in snake_case."""
    for path in bundle.document.get("paths", {}):
        for segment in path.removeprefix("/").split("/"):
            name = segment.removeprefix("{").removesuffix("}")
            pattern = _SNAKE if segment == f"{{{name}}}" else _KEBAB
            if not pattern.fullmatch(name):
                yield ("paths", path), f"{segment!r} is neither in kebab-case nor one {{parameter}} in snake_case."


def parameters_and_headers_have_one_case(bundle: Bundle) -> Violations:
    """Require snake_case for parameters of paths and queries, and Words-With-Hyphens for headers."""
    for at, node in bundle.parameters_and_headers():
        name = str(node.get("name", ""))
        pattern = _HEADER if node.get("in") == "header" else _SNAKE
        if "in" in node and not pattern.fullmatch(name):
            yield (*at, "name"), f"{name!r} is not named as other parameters in the {node['in']} are."
    for operation in bundle.operations:
        for at, _, response in bundle.responses(operation):
            for name in response.get("headers", {}):
                if not _HEADER.fullmatch(name):
                    yield (*at, "headers", name), f"{name!r} is not written as headers are: Words-With-Hyphens."


def properties_and_links_are_snake_case(bundle: Bundle) -> Violations:
    """Require snake_case: properties and links become attributes and functions in generated clients."""
    for at, schema in bundle.all_schemas.items():
        for name in schema.get("properties", {}):
            if not _SNAKE.fullmatch(name):
                yield (*at, "properties", name), "A property is named in snake_case."
    for operation in bundle.operations:
        for at, _, response in bundle.responses(operation):
            for name in response.get("links", {}):
                if not _SNAKE.fullmatch(name):
                    yield (*at, "links", name), "A link is named in snake_case."


def components_are_pascal_case(bundle: Bundle) -> Violations:
    """Require PascalCase: generated clients name their types after components."""
    for kind, named in bundle.components.items():
        for name in named:
            if kind != "securitySchemes" and not _PASCAL.fullmatch(name):
                yield ("components", kind, name), "A component is named in PascalCase."


def tags_are_kebab_case(bundle: Bundle) -> Violations:
    """Require kebab-case: generated clients name modules and classes after tags."""
    for number, tag in enumerate(bundle.document.get("tags", [])):
        if not _KEBAB.fullmatch(str(tag.get("name"))):
            yield ("tags", number, "name"), "A tag is named in kebab-case."


def extensions_are_known(bundle: Bundle) -> Violations:
    """Require extensions that some code reads."""
    for at, name in _list_extensions(bundle.document, ()):
        if name not in EXTENSIONS:
            yield at, f"No code reads {name}: known are {', '.join(sorted(EXTENSIONS))}."


def _list_extensions(node: Any, pointer: Pointer) -> Iterator[tuple[Pointer, str]]:
    if isinstance(node, list):
        for number, part in enumerate(node):
            yield from _list_extensions(part, (*pointer, number))
    elif isinstance(node, dict):
        for name, part in node.items():
            if name.startswith("x-"):
                yield (*pointer, name), name
            elif name not in ("example", "examples", "properties", "value"):
                yield from _list_extensions(part, (*pointer, name))
            elif name == "properties":
                yield from (
                    extension
                    for key, schema in part.items()
                    for extension in _list_extensions(schema, (*pointer, name, key))
                )


RULES = (
    paths_are_kebab_case,
    parameters_and_headers_have_one_case,
    properties_and_links_are_snake_case,
    components_are_pascal_case,
    tags_are_kebab_case,
    extensions_are_known,
)
