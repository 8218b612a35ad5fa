"""A bundled document, and the walks over it that every rule needs."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from contract.schemas import Direction, Schemas
from tools.openapi.findings import Pointer

Node = dict[str, Any]

METHODS = ("get", "put", "post", "patch", "delete", "head", "options", "trace")
_SINGLE_SCHEMA_KEYWORDS = ("items", "not", "additionalProperties")
_SCHEMA_LIST_KEYWORDS = ("allOf", "anyOf", "oneOf")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, and its location in the document."""

    pointer: Pointer
    path: str
    method: str
    node: Node
    path_parameters: list[Node]

    @property
    def id(self) -> str:
        """The operationId, or method and path where there is none."""
        return str(self.node.get("operationId", f"{self.method} {self.path}"))


@dataclass(frozen=True, slots=True)
class Content:
    """One body of the document: in which direction it goes, and its media type object."""

    pointer: Pointer
    direction: Direction
    media_type: str
    node: Node
    status: str = ""


class Bundle:
    """A document whose references all stay within itself."""

    def __init__(self, document: Node) -> None:
        self.document = document
        self.schemas = Schemas(document)
        self.components: Node = document.get("components", {})

    def resolve(self, node: Any) -> Any:
        """Return the node itself, or what its reference points at, or an empty mapping if that doesn't exist."""
        try:
            return self.schemas.resolve(node)
        except (KeyError, TypeError):
            return {}

    def follow(self, pointer: Pointer, node: Any) -> tuple[Pointer, Any]:
        """Follow references. Return the pointer of the node that is reached, and the node."""
        while isinstance(node, dict) and isinstance(node.get("$ref"), str):
            pointer = tuple(
                part.replace("~1", "/").replace("~0", "~") for part in node["$ref"].removeprefix("#/").split("/")
            )
            node = self.resolve(node)
        return pointer, node

    @cached_property
    def operations(self) -> list[Operation]:
        """Every operation, in the order of the document."""
        return [
            Operation(("paths", path, method), path, method, item[method], item.get("parameters", []))
            for path, item in self.document.get("paths", {}).items()
            for method in METHODS
            if method in item
        ]

    def parameters(self, operation: Operation) -> list[tuple[Pointer, Node]]:
        """Return the parameters of an operation, including those of its path, with their pointers."""
        own = [(*operation.pointer, "parameters", n) for n in range(len(operation.node.get("parameters", [])))]
        shared = [(*operation.pointer[:2], "parameters", n) for n in range(len(operation.path_parameters))]
        nodes = [*operation.node.get("parameters", []), *operation.path_parameters]
        return [self.follow(at, node) for at, node in zip([*own, *shared], nodes, strict=True)]

    def responses(self, operation: Operation) -> Iterator[tuple[Pointer, str, Node]]:
        """Yield the responses of an operation: pointer, status, response."""
        for status, node in operation.node.get("responses", {}).items():
            at, response = self.follow((*operation.pointer, "responses", status), node)
            yield at, str(status), response

    def contents(self) -> Iterator[Content]:
        """Yield every body, once."""
        seen = set()
        for operation in self.operations:
            for content in self._list_contents(operation):
                if content.pointer not in seen:
                    seen.add(content.pointer)
                    yield content

    def _list_contents(self, operation: Operation) -> Iterator[Content]:
        at, body = self.follow((*operation.pointer, "requestBody"), operation.node.get("requestBody", {}))
        for media, node in body.get("content", {}).items():
            yield Content((*at, "content", media), "request", media, node)
        for where, status, response in self.responses(operation):
            for media, node in response.get("content", {}).items():
                yield Content((*where, "content", media), "response", media, node, status)

    def walk_schema(
        self, pointer: Pointer, schema: Any, seen: set[Pointer] | None = None
    ) -> Iterator[tuple[Pointer, Node]]:
        """Yield a schema and every schema that it is made of, each once, with their pointers."""
        seen = set() if seen is None else seen
        pointer, schema = self.follow(pointer, schema)
        if pointer in seen or not isinstance(schema, dict):
            return
        seen.add(pointer)
        yield pointer, schema
        for name, part in schema.get("properties", {}).items():
            yield from self.walk_schema((*pointer, "properties", name), part, seen)
        for keyword in _SINGLE_SCHEMA_KEYWORDS:
            if isinstance(schema.get(keyword), dict):
                yield from self.walk_schema((*pointer, keyword), schema[keyword], seen)
        for keyword in _SCHEMA_LIST_KEYWORDS:
            for number, part in enumerate(schema.get(keyword, [])):
                yield from self.walk_schema((*pointer, keyword, number), part, seen)

    @cached_property
    def all_schemas(self) -> dict[Pointer, Node]:
        """Every schema object of the document, by its pointer."""
        seen: set[Pointer] = set()
        schemas_by_pointer: dict[Pointer, Node] = {}
        for at, schema in self._list_root_schemas():
            schemas_by_pointer |= dict(self.walk_schema(at, schema, seen))
        return schemas_by_pointer

    @cached_property
    def request_schemas(self) -> dict[Pointer, Node]:
        """Every schema that a request body is made of."""
        return self._collect_body_schemas("request")

    @cached_property
    def response_schemas(self) -> dict[Pointer, Node]:
        """Every schema that a response body is made of."""
        return self._collect_body_schemas("response")

    def _collect_body_schemas(self, direction: Direction) -> dict[Pointer, Node]:
        seen: set[Pointer] = set()
        schemas: dict[Pointer, Node] = {}
        for content in self.contents():
            if content.direction == direction:
                schemas |= dict(self.walk_schema((*content.pointer, "schema"), content.node.get("schema", {}), seen))
        return schemas

    def _list_root_schemas(self) -> Iterator[tuple[Pointer, Any]]:
        for name, schema in self.components.get("schemas", {}).items():
            yield ("components", "schemas", name), schema
        for at, node in self.parameters_and_headers():
            yield (*at, "schema"), node.get("schema", {})
        for content in self.contents():
            yield (*content.pointer, "schema"), content.node.get("schema", {})

    def parameters_and_headers(self) -> Iterator[tuple[Pointer, Node]]:
        """Yield every parameter and every header of a response, once."""
        nodes: dict[Pointer, Node] = {}
        for kind in ("parameters", "headers"):
            for name, node in self.components.get(kind, {}).items():
                nodes["components", kind, name] = node
        for operation in self.operations:
            nodes |= dict(self.parameters(operation))
            for at, _, response in self.responses(operation):
                for name, node in response.get("headers", {}).items():
                    pointer, header = self.follow((*at, "headers", name), node)
                    nodes[pointer] = header
        yield from nodes.items()
