"""In a request, null for an optional property is the same as leaving it out; only a merge patch gives it a meaning."""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from app.document import DOCUMENT_PATH
from contract.bodies import MERGE_PATCH_JSON, Body
from contract.problems import Problem
from tools.openapi.bundle import Bundle, Node
from tools.openapi.findings import Pointer

BUNDLE = Bundle(json.loads(DOCUMENT_PATH.read_bytes()))


@dataclass(frozen=True)
class DescribedObject:
    """An object in an example of a body: how it is reached, where its schema stands, and the schema."""

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
    """Every object of a value that the document describes."""
    at, schema = BUNDLE.follow(at, schema)
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
    """What a handler would get, or the code of the refusal."""
    try:
        return Body(body, BUNDLE.schemas, 2**21).parse(json.dumps(value).encode(), "application/json", None)
    except Problem as problem:
        return problem.code


def with_null(value: Any, path: tuple[str | int, ...], name: str) -> tuple[Any, Any]:
    """The value with null at that place, and without the property."""
    null, absent = copy.deepcopy(value), copy.deepcopy(value)
    there, here = null, absent
    for step in path:
        there, here = there[step], here[step]
    there[name] = None
    here.pop(name, None)
    return null, absent


@pytest.mark.parametrize(("operation", "body"), [pytest.param(*each, id=each[0]) for each in bodies(patches=False)])
def test_null_is_absence_wherever_a_property_may_be_absent(operation: str, body: Node) -> None:
    tried = set()
    at, schema = BUNDLE.follow((), body["content"]["application/json"]["schema"])

    for example in examples(body):
        for place in described_objects(example, at, schema):
            for name in place.schema["properties"].keys() - set(place.schema.get("required", [])):
                null, absent = with_null(example, place.path, name)
                tried.add((*place.at, name))
                # Where a least number of properties is demanded, null would count towards it.
                is_counted = "minProperties" in place.schema
                expected = "invalid_body" if is_counted else parse_body(body, absent)
                assert parse_body(body, null) == expected, (operation, place.path, name)

    described = BUNDLE.walk_schema(at, schema)
    optional = {
        (*at, name)
        for at, part in described
        for name in part.get("properties", {}).keys() - set(part.get("required", []))
    }
    assert tried == optional, "The examples of this body show no object with these properties."


@pytest.mark.parametrize(("operation", "body"), [pytest.param(*each, id=each[0]) for each in bodies(patches=False)])
def test_null_for_a_required_property_is_refused_unless_it_may_be_null(operation: str, body: Node) -> None:
    at, schema = BUNDLE.follow((), body["content"]["application/json"]["schema"])

    for example in examples(body):
        for place in described_objects(example, at, schema):
            for name in place.schema.get("required", []):
                null, _ = with_null(example, place.path, name)
                may_be_null = BUNDLE.resolve(place.schema["properties"][name]).get("nullable", False)
                assert (parse_body(body, null) == "invalid_body") != may_be_null, (operation, place.path, name)


@pytest.mark.parametrize(("operation", "body"), [pytest.param(*each, id=each[0]) for each in bodies(patches=True)])
def test_null_in_a_merge_patch_comes_through_where_it_has_a_meaning(operation: str, body: Node) -> None:
    schema = BUNDLE.resolve(body["content"][MERGE_PATCH_JSON]["schema"])

    for name, described in schema["properties"].items():
        expected = {name: None} if BUNDLE.resolve(described).get("nullable") else "invalid_body"
        assert parse_body(body, {name: None}) == expected, operation


def test_everything_null_at_once_is_everything_absent() -> None:
    body = dict(bodies(patches=False))["create_card"]
    schema = BUNDLE.resolve(body["content"]["application/json"]["schema"])

    everything = dict.fromkeys(schema["properties"])

    assert parse_body(body, {**everything, "title": "Write the copy"}) == {"title": "Write the copy"}
