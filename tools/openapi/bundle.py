"""A bundled document, and the walks over it that rules, mock server and generators share."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from contract.schemas import Direction, Schemas
from tools.openapi.findings import Pointer

Node = dict[str, Any]

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
"""The methods that a path item may have, in the order in which OpenAPI lists them."""

_SINGLE_SCHEMA_KEYWORDS = ("items", "not", "additionalProperties")
_SCHEMA_LIST_KEYWORDS = ("allOf", "anyOf", "oneOf")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, and the pointer to it."""

    pointer: Pointer
    path: str
    method: str
    node: Node
    path_parameters: list[Node]

    @property
    def id(self) -> str:
        """The operationId, or method and path if there is none."""
        return str(self.node.get("operationId", f"{self.method} {self.path}"))


@dataclass(frozen=True, slots=True)
class Content:
    """One media type of a request body or of a response."""

    pointer: Pointer
    direction: Direction
    media_type: str
    node: Node
    status: str = ""


class Bundle:
    """A document whose references are all within itself."""

    def __init__(self, document: Node) -> None:
        self.document = document
        self.schemas = Schemas(document)
        self.components: Node = document.get("components", {})

    def resolve(self, node: Any) -> Any:
        """Return what a reference leads to (an empty mapping if nothing), or the node itself if it is none."""
        try:
            return self.schemas.resolve(node)
        except (KeyError, TypeError):
            return {}

    def follow(self, pointer: Pointer, node: Any) -> tuple[Pointer, Any]:
        """Follow the references of a node; return the pointer to the last node and the node."""
        while isinstance(node, dict) and isinstance(node.get("$ref"), str):
            pointer = tuple(
                part.replace("~1", "/").replace("~0", "~") for part in node["$ref"].removeprefix("#/").split("/")
            )
            node = self.resolve(node)
        return pointer, node

    @cached_property
    def operations(self) -> list[Operation]:
        """Every operation, in the order of the paths."""
        return [
            Operation(("paths", path, method), path, method, item[method], item.get("parameters", []))
            for path, item in self.document.get("paths", {}).items()
            for method in METHODS
            if method in item
        ]

    def parameters(self, operation: Operation) -> list[tuple[Pointer, Node]]:
        """Return the parameters of an operation, then those of its path."""
        own, of_path = operation.pointer, operation.pointer[:2]
        pointed = [
            *(((*own, "parameters", number), node) for number, node in enumerate(operation.node.get("parameters", []))),
            *(((*of_path, "parameters", number), node) for number, node in enumerate(operation.path_parameters)),
        ]
        return [self.follow(pointer, node) for pointer, node in pointed]

    def responses(self, operation: Operation) -> Iterator[tuple[Pointer, str, Node]]:
        """Yield pointer, status and node of each response of an operation."""
        for status, node in operation.node.get("responses", {}).items():
            pointer, response = self.follow((*operation.pointer, "responses", status), node)
            yield pointer, str(status), response

    def contents(self) -> Iterator[Content]:
        """Yield every media type of every body, each once, whatever refers to it."""
        seen = set()
        for operation in self.operations:
            for content in self._list_contents(operation):
                if content.pointer not in seen:
                    seen.add(content.pointer)
                    yield content

    def _list_contents(self, operation: Operation) -> Iterator[Content]:
        pointer, body = self.follow((*operation.pointer, "requestBody"), operation.node.get("requestBody", {}))
        for media_type, node in body.get("content", {}).items():
            yield Content((*pointer, "content", media_type), "request", media_type, node)
        for response_pointer, status, response in self.responses(operation):
            for media_type, node in response.get("content", {}).items():
                yield Content((*response_pointer, "content", media_type), "response", media_type, node, status)

    def walk_schema(
        self, pointer: Pointer, schema: Any, seen: set[Pointer] | None = None
    ) -> Iterator[tuple[Pointer, Node]]:
        """Yield a schema and all schemas within it, also through references, each once and none of those `seen`."""
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
        schemas: dict[Pointer, Node] = {}
        for pointer, schema in self._list_root_schemas():
            schemas |= dict(self.walk_schema(pointer, schema, seen))
        return schemas

    @cached_property
    def request_schemas(self) -> dict[Pointer, Node]:
        """Every schema in request bodies, by its pointer."""
        return self._collect_body_schemas("request")

    @cached_property
    def response_schemas(self) -> dict[Pointer, Node]:
        """Every schema in response bodies, by its pointer."""
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
        for pointer, node in self.parameters_and_headers():
            yield (*pointer, "schema"), node.get("schema", {})
        for content in self.contents():
            yield (*content.pointer, "schema"), content.node.get("schema", {})

    def parameters_and_headers(self) -> Iterator[tuple[Pointer, Node]]:
        """Yield every parameter and every header of a response, each once."""
        nodes: dict[Pointer, Node] = {}
        for kind in ("parameters", "headers"):
            for name, node in self.components.get(kind, {}).items():
                nodes["components", kind, name] = node
        for operation in self.operations:
            nodes |= dict(self.parameters(operation))
            for response_pointer, _, response in self.responses(operation):
                for name, node in response.get("headers", {}).items():
                    pointer, header = self.follow((*response_pointer, "headers", name), node)
                    nodes[pointer] = header
        yield from nodes.items()
