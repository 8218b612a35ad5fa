"""The dialect of OpenAPI 3.0: nullable, readOnly, writeOnly, references, recursive schemas."""

import pytest

from contract.schemas import Direction, Schemas
from tests.contract.client import Client
from tests.contract.contract_app import Result, serve, serve_body, serve_result
from tests.contract.openapi_documents import (
    INTEGER,
    STRING,
    Schema,
    document,
    json_body,
    object_schema,
    operation,
    response_object,
)

REF: Schema = {"$ref": "#/components/schemas/Name"}
NOTE: Schema = {"type": "string", "nullable": True}
NAME: dict[str, Schema] = {"Name": {"type": "string", "maxLength": 5}}
NULL: Schema = {"type": "object", "nullable": True, "enum": [None]}
REF_OR_NULL: dict[str, Schema] = {
    "allOf": {"nullable": True, "allOf": [REF]},
    "allOf with a type": {"type": "string", "nullable": True, "allOf": [REF]},
    "null as the last alternative": {"anyOf": [REF, NULL]},
    "null as the first alternative": {"anyOf": [NULL, REF]},
    "null as an alternative, of any type": {"anyOf": [REF, {"nullable": True, "enum": [None]}]},
}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "nullable": True},
        {"type": "integer", "nullable": True, "minimum": 1, "maximum": 9},
        *REF_OR_NULL.values(),
        {"nullable": True, "anyOf": [REF, INTEGER]},
        {"anyOf": [REF, INTEGER, NULL]},
        {"type": "array", "items": REF, "nullable": True},
        {"type": "object", "properties": {"a": REF}, "nullable": True},
    ],
    ids=["string", "integer", *REF_OR_NULL, "anyOf", "one of three alternatives", "array", "object"],
)
def test_null_is_accepted_where_the_schema_is_nullable(schema: Schema) -> None:
    required = serve_body(object_schema({"value": schema}, "value"), schemas=NAME)
    optional = serve_body(object_schema({"value": schema}), schemas=NAME)
    patch = serve_body(object_schema({"value": schema}), "application/merge-patch+json", schemas=NAME)

    assert required.post("/v1/things", {"value": None}).status == 200
    assert optional.post("/v1/things", {"value": None}).status == 200
    assert patch.post("/v1/things", {"value": None}, "application/merge-patch+json").status == 200
    # Null means absence for an optional property, except in a merge patch.
    assert (required.recorded, optional.recorded, patch.recorded) == ([{"value": None}], [{}], [{"value": None}])


def test_null_is_absence_at_any_depth_of_a_recursive_schema() -> None:
    node = object_schema({"children": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}}, "note": NOTE})
    client = serve_body({"$ref": "#/components/schemas/Node"}, schemas={"Node": node})

    assert (
        client.post("/v1/things", {"note": None, "children": [{"note": None, "children": [{"note": "a"}]}]}).status
        == 200
    )
    assert client.recorded == [{"children": [{"children": [{"note": "a"}]}]}]


@pytest.mark.parametrize("schema", REF_OR_NULL.values(), ids=REF_OR_NULL)
def test_nullable_allows_nothing_but_null(schema: Schema) -> None:
    client = serve_body(object_schema({"value": schema}), schemas=NAME)

    assert client.post("/v1/things", {"value": "short"}).status == 200
    assert client.post("/v1/things", {"value": "too long"}).json()["errors"] == [
        {"pointer": "/value", "code": "too_long", "message": "must have at most 5 characters"}
    ]
    assert [error["code"] for error in client.post("/v1/things", {"value": 1}).json()["errors"]] == ["type"]


def test_a_violation_within_an_object_that_may_be_null_is_located() -> None:
    thing = object_schema({"else": {"anyOf": [{"$ref": "#/components/schemas/Part"}, NULL]}})
    part = object_schema({"name": NAME["Name"], "note": {"anyOf": [REF, NULL]}}, "name")
    client = serve_body(thing, schemas={**NAME, "Part": part})

    for value, pointer, code in (
        ({"name": "too long"}, "/else/name", "too_long"),
        ({"name": "short", "note": 1}, "/else/note", "type"),
        ({"note": None}, "/else/name", "required"),
        ({"name": "short", "other": 1}, "/else", "unknown_property"),
    ):
        errors = client.post("/v1/things", {"else": value}).json()["errors"]
        assert [(error["pointer"], error["code"]) for error in errors] == [(pointer, code)]
    assert client.recorded == []


def test_null_is_absence_within_an_object_that_may_be_null() -> None:
    part = object_schema({"note": {"anyOf": [REF, NULL]}})
    thing = object_schema({"part": {"anyOf": [{"$ref": "#/components/schemas/Part"}, NULL]}})
    client = serve_body(thing, schemas={**NAME, "Part": part})

    assert client.post("/v1/things", {"part": {"note": None}}).status == 200
    assert client.post("/v1/things", {"part": None}).status == 200
    assert client.recorded == [{"part": {}}, {}]


def test_null_is_rejected_where_the_schema_is_not_nullable() -> None:
    client = serve_body(object_schema({"value": {"allOf": [REF]}}), schemas=NAME)

    assert client.post("/v1/things", {"value": None}).problem == (400, "invalid_body")


READ_ONLY: dict[str, Schema] = {
    "directly": {**STRING, "readOnly": True},
    "by reference": {"$ref": "#/components/schemas/Stamp"},
    "around a reference": {"readOnly": True, "allOf": [REF]},
}
STAMP: dict[str, Schema] = {**NAME, "Stamp": {**STRING, "readOnly": True}}


@pytest.mark.parametrize("stamp", READ_ONLY.values(), ids=READ_ONLY)
def test_a_read_only_property_is_rejected_in_a_request_and_not_required(stamp: Schema) -> None:
    client = serve_body(object_schema({"name": STRING, "stamp": stamp}, "name", "stamp"), schemas=STAMP)

    sent = client.post("/v1/things", {"name": "a", "stamp": "b"})
    without = client.post("/v1/things", {"name": "a"})

    assert sent.problem == (400, "invalid_body")
    assert sent.json()["errors"] == [{"pointer": "/stamp", "code": "read_only", "message": "must not be sent"}]
    assert without.status == 200


def test_a_read_only_property_is_required_in_a_response() -> None:
    responses = {"200": response_object(object_schema({"stamp": {**STRING, "readOnly": True}}, "stamp"))}

    assert serve_result(Result({"stamp": "b"}), responses).get("/v1/thing").status == 200
    assert serve_result(Result({}), responses).get("/v1/thing").problem == (500, "internal_error")


def serve_write_only(result: Result) -> Client:
    """Serve POST /v1/things, whose request and response have the same schema with a write-only secret."""
    thing: Schema = object_schema({"name": STRING, "secret": {**STRING, "writeOnly": True}}, "name", "secret")
    operation_object = operation("make_thing", body=json_body(thing), responses={"200": response_object(thing)})

    def make_thing(body: object) -> Result:
        del body
        return result

    return serve(document({"/things": {"post": operation_object}}), {"make_thing": make_thing})


def test_a_write_only_property_is_required_in_a_request_only() -> None:
    client = serve_write_only(Result({"name": "a"}))

    assert client.post("/v1/things", {"name": "a", "secret": "b"}).status == 200
    assert client.post("/v1/things", {"name": "a"}).problem == (400, "invalid_body")


def test_a_write_only_property_in_a_response_is_a_breach() -> None:
    client = serve_write_only(Result({"name": "a", "secret": "the-canary"}))

    response = client.post("/v1/things", {"name": "a", "secret": "b"})

    assert response.problem == (500, "internal_error")
    assert b"canary" not in response.body
    assert len(client.breaches) == 1


def test_a_schema_may_be_recursive() -> None:
    tree: Schema = object_schema(
        {"name": REF, "children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}}, "name"
    )
    client = serve_body({"$ref": "#/components/schemas/Tree"}, schemas={**NAME, "Tree": tree})

    good = client.post("/v1/things", {"name": "a", "children": [{"name": "b", "children": [{"name": "c"}]}]})
    bad = client.post("/v1/things", {"name": "a", "children": [{"name": "b", "children": [{"name": "too long"}]}]})

    assert good.status == 200
    assert bad.problem == (400, "invalid_body")
    assert bad.json()["errors"][0]["pointer"] == "/children/0/children/0/name"


PART: Schema = object_schema(
    {
        "size": {"type": "integer", "maximum": 5},
        "made": {**STRING, "readOnly": True},
        "key": {**STRING, "writeOnly": True},
    },
    "size",
    "made",
    "key",
)


@pytest.mark.parametrize(
    "value",
    [
        {"parts": [{"size": 1, "key": "k"}], "one": {"size": 5, "key": "k"}},
        {"parts": [{"size": 1, "made": "m"}], "one": {"size": 5, "made": "m"}},
        {"parts": [{"size": 6, "key": "k"}, {"key": "k"}], "one": None},
        {"parts": [7, {"size": "1", "key": "k", "more": 1}], "one": {"size": True, "key": "k"}},
        {"parts": [{"size": 1, "made": "m", "key": "k"}], "one": {}},
    ],
)
def test_a_schema_by_reference_accepts_what_it_accepts_in_place(value: object) -> None:
    part: Schema = {"$ref": "#/components/schemas/Part"}
    by_reference, in_place = (
        object_schema({"parts": {"type": "array", "items": schema}, "one": {"anyOf": [schema, NULL]}}, "parts")
        for schema in (part, PART)
    )
    schemas = Schemas({"components": {"schemas": {"Part": PART}}})
    directions: tuple[Direction, ...] = ("request", "response")

    for direction in directions:
        violations = [
            schemas.get_check(schema, direction).find_violations(value) for schema in (by_reference, in_place)
        ]
        assert violations[0] == violations[1]


def test_one_of_accepts_exactly_one_branch() -> None:
    client = serve_body(
        {"oneOf": [object_schema({"before": STRING}, "before"), object_schema({"after": STRING}, "after")]}
    )

    assert client.post("/v1/things", {"before": "a"}).status == 200
    assert client.post("/v1/things", {"before": "a", "after": "b"}).problem == (400, "invalid_body")


def test_annotations_validate_nothing() -> None:
    client = serve_body(
        object_schema(
            {"name": {**STRING, "example": "x", "description": "d", "title": "t", "x-note": 1, "deprecated": True}}
        )
    )

    assert client.post("/v1/things", {"name": "anything"}).status == 200


def test_a_property_may_be_named_like_a_keyword() -> None:
    names = ("properties", "required", "nullable", "default", "format", "pattern", "example", "x-note", "$id", "title")
    client = serve_body(object_schema(dict.fromkeys(names, INTEGER), *names))

    assert client.post("/v1/things", dict.fromkeys(names, 1)).status == 200
    assert client.post("/v1/things", dict.fromkeys(names, "a")).problem == (400, "invalid_body")
    assert client.post("/v1/things", dict.fromkeys(names[1:], 1)).problem == (400, "invalid_body")


def test_compiling_does_not_change_the_document() -> None:
    def build_document() -> Schema:
        thing = object_schema({"name": REF, "id": {**STRING, "readOnly": True}}, "id")
        operation_object = operation("make_thing", body=json_body(thing), responses={"200": response_object(thing)})
        return document({"/things": {"post": operation_object}}, schemas=NAME)

    openapi_document = build_document()

    serve(openapi_document, {"make_thing": lambda body: Result({"id": body["name"]})})

    assert openapi_document == build_document()
