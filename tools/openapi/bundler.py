"""Build the bundle from the files in spec/: resolve their references, then expand their abbreviations.

The files are plain OpenAPI that any tool resolves. Two extensions of our own abbreviate what would be repeated;
the bundle doesn't have them:

- `x-tackboard-standard` in spec/openapi.yaml names the headers of every response, the parameters of every operation
  that writes and the headers of its successes, and the responses that follow from what an operation is: with a request
  body there can be a 415, with `If-Match` a 412. A path names only its own.
- `x-tackboard-base: CardShown` in a value of an example stands for the value of that example; the properties beside it
  replace those of the base, or are added.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from tools.openapi.bundle import Node

STANDARD = "x-tackboard-standard"
BASE = "x-tackboard-base"

_METHODS = ("get", "put", "post", "delete", "patch")
_WRITING_METHODS = _METHODS[1:]
_WRITING_ROLES = ("editor", "owner")
_DATA_KEYWORDS = ("example", "value", "default", "enum")
"""What is below these keywords is data, in which a `$ref` is no reference."""


class CannotBundle(Exception):
    """Raised when the files don't form one document. The message says where and why."""


def build_bundle(root: Path) -> Node:
    """Return the document that begins in the file `root`, with all references within itself.

    Raises:
        CannotBundle: A file is no YAML, or a reference or a name in an abbreviation leads nowhere.
    """
    return expand(_Resolver(root.resolve()).resolve())


class _Resolver:
    """Gather what the files refer to as components of one document.

    `Name` in spec/KIND.yaml, or in a file below spec/KIND/, becomes `#/components/KIND/Name`. Path items are put where
    they are referred to.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._files: dict[Path, Any] = {}
        self._components: dict[str, Node] = {}

    def resolve(self) -> Node:
        document: Node = self._copy(self._load(self._root), self._root)
        return document | {"components": document["components"] | self._components}

    def _load(self, file: Path) -> Any:
        if file not in self._files:
            try:
                with file.open() as stream:
                    self._files[file] = yaml.load(stream, Loader=yaml.CSafeLoader)
            except yaml.YAMLError as error:
                raise CannotBundle(str(error)) from error
        return self._files[file]

    def _copy(self, node: Any, file: Path) -> Any:
        """Copy a part of a file, with references to components in place of those to files."""
        if isinstance(node, list):
            return [self._copy(item, file) for item in node]
        if not isinstance(node, dict):
            return node
        if isinstance(node.get("$ref"), str):
            return self._follow(node["$ref"], file)
        return {keyword: self._copy_value(keyword, value, file) for keyword, value in node.items()}

    def _copy_value(self, keyword: str, value: Any, file: Path) -> Any:
        if keyword == "properties":
            return {name: self._copy(schema, file) for name, schema in value.items()}
        if keyword == "mapping":
            return {name: self._follow(reference, file)["$ref"] for name, reference in value.items()}
        return value if keyword in _DATA_KEYWORDS else self._copy(value, file)

    def _follow(self, reference: str, file: Path) -> Any:
        path, _, name = reference.partition("#/")
        target = (file.parent / path).resolve() if path else file
        if not target.is_file() or name not in self._load(target):
            raise CannotBundle(f"{_locate_text(file, reference)}: {reference} is not there.")
        node = self._load(target)[name]
        kind = target.relative_to(self._root.parent).parts[0].removesuffix(".yaml")
        if kind == "paths":
            return self._copy(node, target)
        components = self._components.setdefault(kind, {})
        if name not in components:
            components[name] = None  # A schema may refer to itself.
            components[name] = self._copy(node, target)
        return {"$ref": f"#/components/{kind}/{name}"}


def _locate_text(file: Path, text: str) -> str:
    lines = file.read_text().splitlines()
    return f"{file}:{next((number for number, line in enumerate(lines, 1) if text in line), 1)}"


def expand(document: Node) -> Node:
    """Write out the abbreviations in a document whose references are all within itself, and sort its components.

    Raises:
        CannotBundle: An abbreviation names something that isn't there.
    """
    standard = document.pop(STANDARD)
    try:
        for path_item in document["paths"].values():
            for operation in _list_operations(path_item):
                _add_responses(document, path_item, operation, standard["responses"])
            for operation in _list_operations(path_item, _WRITING_METHODS):
                _add_what_writes_have(document, operation, standard["of_writes"])
        for response in _list_responses(document):
            _add_headers(response, standard["headers"])
        components = _sort_components(document)
    except KeyError as error:
        raise CannotBundle(f"{STANDARD} names {error}, which is not there.") from error
    for name, example in components["examples"].items():
        try:
            example["value"] = _expand_value(example["value"], components["examples"])
        except (KeyError, RecursionError) as error:
            raise CannotBundle(f"The {BASE} of the example {name} is not there, or leads in a circle.") from error
    return document | {"components": components}


def _list_operations(path_item: Node, methods: Sequence[str] = _METHODS) -> Iterator[Node]:
    yield from (path_item[method] for method in methods if method in path_item)


def _list_responses(document: Node) -> Iterator[Node]:
    """Yield every response object, those of operations and those of the components."""
    yield from document["components"]["responses"].values()
    for path_item in document["paths"].values():
        for operation in _list_operations(path_item):
            yield from (response for response in operation["responses"].values() if "$ref" not in response)


def _add_responses(document: Node, path_item: Node, operation: Node, standard: dict[str, dict[str, str]]) -> None:
    """Add the standard responses that an operation doesn't name itself."""
    operation["responses"] = {str(status): node for status, node in operation.get("responses", {}).items()}
    groups = _list_groups(document, path_item, operation)
    named = {status: name for group, names in standard.items() if groups[group] for status, name in names.items()}
    added = {status: {"$ref": f"#/components/responses/{name}"} for status, name in named.items()}
    operation["responses"] = dict(sorted((added | operation["responses"]).items()))


def _add_what_writes_have(document: Node, operation: Node, standard: dict[str, Any]) -> None:
    """Add the parameters of an operation that writes, and the headers of its successes, after its own."""
    parameters = operation.setdefault("parameters", [])
    parameters += [{"$ref": f"#/components/parameters/{name}"} for name in standard["parameters"]]
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            _add_headers(_resolve(document, response), standard["success_headers"])


def _list_groups(document: Node, path_item: Node, operation: Node) -> dict[str, bool]:
    """Return, for each group of standard responses, whether the operation has them."""
    parameters = [*path_item.get("parameters", []), *operation.get("parameters", [])]
    names = {_resolve(document, parameter)["name"] for parameter in parameters}
    successes = [response for status, response in operation["responses"].items() if status.startswith("2")]
    return {
        "always": True,
        "with_token": bool(operation.get("security", document["security"])),
        "with_role_above_viewer": operation.get("x-tackboard-role") in _WRITING_ROLES,
        "with_request_body": "requestBody" in operation,
        "with_response_body": any("content" in response for response in successes),
        "with_cursor": "cursor" in names,
        "with_if_match": "If-Match" in names,
        "with_if_none_match": "If-None-Match" in names,
        "with_idempotency_key": "Idempotency-Key" in names,
        "adding_text": "x-tackboard-adds-text" in operation,
    }


def _resolve(document: Node, node: Node) -> Node:
    while "$ref" in node:
        node = _get_component(document["components"], node["$ref"])
    return node


def _get_component(components: Node, reference: str) -> Node:
    _, kind, name = reference.removeprefix("#/").split("/")
    component: Node = components[kind][name]
    return component


def _add_headers(response: Node, standard: dict[str, str]) -> None:
    """Add the standard headers after those that a response names itself."""
    own = response.get("headers", {})
    added = {header: {"$ref": f"#/components/headers/{name}"} for header, name in standard.items() if header not in own}
    content: Node = {keyword: response.pop(keyword) for keyword in ("content", "links") if keyword in response}
    response |= {"headers": own | added, **content}


def _expand_value(value: Any, examples: Node) -> Any:
    """Return a value of an example with its base, if it has one, written out at every depth."""
    if isinstance(value, list):
        return [_expand_value(item, examples) for item in value]
    if not isinstance(value, dict):
        return value
    own = {name: _expand_value(part, examples) for name, part in value.items() if name != BASE}
    return _expand_value(examples[value[BASE]]["value"], examples) | own if BASE in value else own


def _sort_components(document: Node) -> Node:
    """Return the components that are used, in the order of their first use, after the components that they use."""
    components = document["components"]
    ordered: Node = {"securitySchemes": components["securitySchemes"]}
    seen: set[str] = set()

    def add(reference: str) -> None:
        if reference in seen:
            return
        seen.add(reference)
        component = _get_component(components, reference)
        for used in _find_references(component):
            add(used)
        _, kind, name = reference.removeprefix("#/").split("/")
        ordered.setdefault(kind, {})[name] = component

    for path_item in document["paths"].values():
        for reference in _find_references([path_item.get("parameters", []), *_list_operations(path_item)]):
            add(reference)
    return ordered


def _find_references(node: Any) -> Iterator[str]:
    """Yield every reference in a node, from top to bottom."""
    if isinstance(node, list):
        for item in node:
            yield from _find_references(item)
    elif isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for keyword, value in node.items():
            if keyword == "mapping":
                yield from value.values()
            elif keyword == "properties":
                yield from _find_references(list(value.values()))
            elif keyword not in _DATA_KEYWORDS:
                yield from _find_references(value)
