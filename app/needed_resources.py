"""Which resources a request needs, as the document says: only tokens that are narrowed by resources are asked for them.

A resource is a tag of the document. A request needs that of its operation, and those that its response can hold.
"""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from contract.operations import Call, list_operations
from contract.parameters import argument_name
from contract.schemas import Schema, Schemas

RESOURCES_EXTENSION = "x-tackboard-resources"
"""The extension of an operation, or of a media type of its responses, that lists what these hold beside its tag."""
EMBEDS_EXTENSION = "x-tackboard-embeds-resources"
"""The extension of a parameter each of whose values is a resource that the response is to hold."""


class Needs(NamedTuple):
    """What an operation needs: always, for a media type of its response, and each value of these arguments."""

    resources: frozenset[str]
    by_media_type: Mapping[str, frozenset[str]]
    arguments: tuple[str, ...]


def get_resource(tag: str) -> str:
    """Return the resource that is the tag of operations."""
    return tag.replace("-", "_")


class NeededResources:
    """Finds out what requests need."""

    def __init__(self, document: Schema) -> None:
        self._document = document
        self.get_needs = cache(self._compile_needs)

    def __call__(self, call: Call) -> frozenset[str]:
        """Return the resources that a request needs."""
        needs = self.get_needs(call.operation.id)
        embedded = (value for name in needs.arguments for value in call.arguments.get(name, ()))
        return needs.resources.union(needs.by_media_type.get(call.media_type or "", ()), embedded)

    def _compile_needs(self, operation_id: str) -> Needs:
        schemas = Schemas(self._document)
        path, operation = next(
            (path, node) for path, _, node in list_operations(self._document) if node["operationId"] == operation_id
        )
        references = (*self._document["paths"][path].get("parameters", ()), *operation.get("parameters", ()))
        parameters = map(schemas.resolve, references)
        by_media_type: dict[str, frozenset[str]] = {}
        for response in map(schemas.resolve, operation["responses"].values()):
            for media_type, content in response.get("content", {}).items():
                if RESOURCES_EXTENSION in content:
                    by_media_type[media_type.lower()] = frozenset(content[RESOURCES_EXTENSION])
        return Needs(
            frozenset((*map(get_resource, operation.get("tags", ())), *operation.get(RESOURCES_EXTENSION, ()))),
            by_media_type,
            tuple(argument_name(parameter["name"]) for parameter in parameters if parameter.get(EMBEDS_EXTENSION)),
        )
