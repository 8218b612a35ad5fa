"""In a request, null for an optional property means absence, except in a merge patch."""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from openapi_schema_validator import OAS30WriteValidator

from app.document import DOCUMENT_PATH
from contract.bodies import MERGE_PATCH_JSON, Body
from contract.optional_nulls import allows_null, get_alternative_to_null
from contract.problems import Problem
from tools.openapi.bundle import Bundle, Node
from tools.openapi.findings import Pointer

BUNDLE = Bundle(json.loads(DOCUMENT_PATH.read_bytes()))

EXACTLY_ONE_OF_ALL = frozenset(("move_list", "move_checklist", "move_checklist_item"))
"""Operations whose body has exactly one of its properties, which may not be null.

`minProperties` and `maxProperties` count null. OpenAPI 3.0 could leave it out of the count with `not` alone, and
openapi-generator makes classes of a `not`.
"""

AT_MOST_ONE_OF_SOME = frozenset(("move_card",))
"""Operations whose body has at most one of some properties: null is absence, but `maxProperties` counts it.

The server accepts more than the document here, for the same reason.
"""


@dataclass(frozen=True)
class DescribedObject:
    """An object in an example of a body: its path, the pointer of its schema, and the schema."""

    path: tuple[str | int, ...]
    at: Pointer
    schema: Node


def bodies(*, patches: bool) -> Iterator[tuple[str, Node]]:
    for operation in BUNDLE.operations:
        body = BUNDLE.resolve(operation.node.get("requestBody", {}))
        if body and (MERGE_PATCH_JSON in body["content"]) == patches:
            yield operation.id, body


def examples(body: Node) -> list[Any]:
    named = body["content"]["application/json"].get("examples", {}).values()
    return [BUNDLE.resolve(example)["value"] for example in named]


def described_objects(
    value: Any, at: Pointer, schema: Any, path: tuple[str | int, ...] = ()
) -> Iterator[DescribedObject]:
    """Yield every object of a value that has a schema with properties."""
    at, schema = BUNDLE.follow(at, schema)
    if alternative := get_alternative_to_null(schema):
        at, schema = BUNDLE.follow((*at, "anyOf", schema["anyOf"].index(alternative)), alternative)
    if isinstance(value, dict) and "properties" in schema:
        yield DescribedObject(path, at, schema)
        for name in value.keys() & schema["properties"].keys():
            yield from described_objects(
                value[name], (*at, "properties", name), schema["properties"][name], (*path, name)
            )
    elif isinstance(value, list) and "items" in schema:
        for number, item in enumerate(value):
            yield from described_objects(item, (*at, "items"), schema["items"], (*path, number))


def parse_body(body: Node, value: Any) -> Any:
    """Return what a handler would get, or the code of the problem."""
    try:
        return Body(body, BUNDLE.schemas, 2**21).parse(json.dumps(value).encode(), "application/json", None)
    except Problem as problem:
        return problem.code


def with_null(value: Any, path: tuple[str | int, ...], name: str) -> tuple[Any, Any]:
    """Return the value with null for a property, and without the property."""
    null, absent = copy.deepcopy(value), copy.deepcopy(value)
    null_parent, absent_parent = null, absent
    for step in path:
        null_parent, absent_parent = null_parent[step], absent_parent[step]
    null_parent[name] = None
    absent_parent.pop(name, None)
    return null, absent


@dataclass(frozen=True)
class OptionalProperty:
    """An optional property of an object in an example of a body: its place, and the body with null and without it."""

    at: Pointer
    null: Any
    absent: Any


def optional_properties(body: Node) -> list[OptionalProperty]:
    at, schema = BUNDLE.follow((), body["content"]["application/json"]["schema"])
    return [
        OptionalProperty((*described_object.at, name), *with_null(example, described_object.path, name))
        for example in examples(body)
        for described_object in described_objects(example, at, schema)
        for name in described_object.schema["properties"].keys() - set(described_object.schema.get("required", []))
    ]


@pytest.mark.parametrize(
    ("operation", "body"), [pytest.param(*parameters, id=parameters[0]) for parameters in bodies(patches=False)]
)
def test_the_examples_of_a_body_have_all_objects_with_optional_properties(operation: str, body: Node) -> None:
    optional = {
        (*at, name)
        for at, part in BUNDLE.walk_schema(*BUNDLE.follow((), body["content"]["application/json"]["schema"]))
        for name in part.get("properties", {}).keys() - set(part.get("required", []))
    }

    assert {tried.at for tried in optional_properties(body)} == optional, operation


def test_null_means_absence_for_every_optional_property() -> None:
    refusing = set()

    for operation, body in bodies(patches=False):
        for tried in optional_properties(body):
            if parse_body(body, tried.null) != parse_body(body, tried.absent):
                assert parse_body(body, tried.null) == "invalid_body"
                refusing.add(operation)

    assert refusing == EXACTLY_ONE_OF_ALL


def test_the_document_allows_what_the_server_takes_as_absence() -> None:
    refusing = set()

    for operation, body in bodies(patches=False):
        # Reads `nullable` as OpenAPI 3.0.4 does: an enum, or a schema in allOf, still forbids null.
        schema = {"allOf": [body["content"]["application/json"]["schema"]], "components": BUNDLE.components}
        strict = OAS30WriteValidator(schema)
        for tried in optional_properties(body):
            if strict.is_valid(tried.null) != strict.is_valid(tried.absent):
                refusing.add(operation)

    assert refusing == EXACTLY_ONE_OF_ALL | AT_MOST_ONE_OF_SOME


@pytest.mark.parametrize(
    ("operation", "body"), [pytest.param(*parameters, id=parameters[0]) for parameters in bodies(patches=False)]
)
def test_null_for_a_required_property_is_rejected_unless_it_is_nullable(operation: str, body: Node) -> None:
    at, schema = BUNDLE.follow((), body["content"]["application/json"]["schema"])

    for example in examples(body):
        for described_object in described_objects(example, at, schema):
            for name in described_object.schema.get("required", []):
                null, _ = with_null(example, described_object.path, name)
                may_be_null = allows_null(described_object.schema["properties"][name], BUNDLE.resolve)
                assert (parse_body(body, null) == "invalid_body") != may_be_null, (
                    operation,
                    described_object.path,
                    name,
                )


@pytest.mark.parametrize(
    ("operation", "body"), [pytest.param(*parameters, id=parameters[0]) for parameters in bodies(patches=True)]
)
def test_null_in_a_merge_patch_is_kept_where_it_is_nullable(operation: str, body: Node) -> None:
    schema = BUNDLE.resolve(body["content"][MERGE_PATCH_JSON]["schema"])

    for name, described in schema["properties"].items():
        expected = {name: None} if allows_null(described, BUNDLE.resolve) else "invalid_body"
        assert parse_body(body, {name: None}) == expected, operation


def test_null_for_all_optional_properties_at_once_means_absence() -> None:
    body = dict(bodies(patches=False))["create_card"]
    schema = BUNDLE.resolve(body["content"]["application/json"]["schema"])

    everything = dict.fromkeys(schema["properties"])

    assert parse_body(body, {**everything, "title": "Write the copy"}) == {"title": "Write the copy"}
