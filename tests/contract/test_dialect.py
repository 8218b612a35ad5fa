"""OpenAPI 3.0's own words: nullable, readOnly, writeOnly, references, and schemas that contain themselves."""

import pytest

from tests.contract.client import Client
from tests.contract.documents import INTEGER, STRING, Schema, an_object, answering, document, json_body, operation
from tests.contract.serving import Answer, answering_with, serve, taking_body

REF: Schema = {"$ref": "#/components/schemas/Name"}
NOTE: Schema = {"type": "string", "nullable": True}
NAME: dict[str, Schema] = {"Name": {"type": "string", "maxLength": 5}}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "nullable": True},
        {"type": "integer", "nullable": True, "minimum": 1, "maximum": 9},
        {"nullable": True, "allOf": [REF]},
        {"type": "string", "nullable": True, "allOf": [REF]},
        {"nullable": True, "anyOf": [REF, INTEGER]},
        {"type": "array", "items": REF, "nullable": True},
        {"type": "object", "properties": {"a": REF}, "nullable": True},
    ],
    ids=["string", "integer", "allOf", "allOf with a type", "anyOf", "array", "object"],
)
def test_null_passes_where_the_document_says_nullable(schema: Schema) -> None:
    required = taking_body(an_object({"value": schema}, "value"), schemas=NAME)
    optional = taking_body(an_object({"value": schema}), schemas=NAME)
    patch = taking_body(an_object({"value": schema}), "application/merge-patch+json", schemas=NAME)

    assert required.post("/v1/things", {"value": None}).status == 200
    assert optional.post("/v1/things", {"value": None}).status == 200
    assert patch.post("/v1/things", {"value": None}, "application/merge-patch+json").status == 200
    # Null for what may be absent is absence, but in a merge patch it has a meaning.
    assert (required.seen, optional.seen, patch.seen) == ([{"value": None}], [{}], [{"value": None}])


def test_null_is_absence_at_any_depth_of_what_contains_itself() -> None:
    node = an_object({"children": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}}, "note": NOTE})
    client = taking_body({"$ref": "#/components/schemas/Node"}, schemas={"Node": node})

    assert (
        client.post("/v1/things", {"note": None, "children": [{"note": None, "children": [{"note": "a"}]}]}).status
        == 200
    )
    assert client.seen == [{"children": [{"children": [{"note": "a"}]}]}]


def test_nullable_loosens_nothing_but_null() -> None:
    client = taking_body(an_object({"value": {"nullable": True, "allOf": [REF]}}), schemas=NAME)

    assert client.post("/v1/things", {"value": "short"}).status == 200
    assert client.post("/v1/things", {"value": "too long"}).status == 400
    assert client.post("/v1/things", {"value": 1}).status == 400


def test_null_is_refused_where_nothing_says_nullable() -> None:
    client = taking_body(an_object({"value": {"allOf": [REF]}}), schemas=NAME)

    assert client.post("/v1/things", {"value": None}).refusal == (400, "invalid_body")


READ_ONLY: dict[str, Schema] = {
    "directly": {**STRING, "readOnly": True},
    "by reference": {"$ref": "#/components/schemas/Stamp"},
    "around a reference": {"readOnly": True, "allOf": [REF]},
}
STAMP: dict[str, Schema] = {**NAME, "Stamp": {**STRING, "readOnly": True}}


@pytest.mark.parametrize("stamp", READ_ONLY.values(), ids=READ_ONLY)
def test_a_read_only_property_is_refused_in_a_request_and_not_demanded(stamp: Schema) -> None:
    client = taking_body(an_object({"name": STRING, "stamp": stamp}, "name", "stamp"), schemas=STAMP)

    sent = client.post("/v1/things", {"name": "a", "stamp": "b"})
    left_out = client.post("/v1/things", {"name": "a"})

    assert sent.refusal == (400, "invalid_body")
    assert sent.json()["errors"] == [{"pointer": "/stamp", "code": "read_only", "message": "must not be sent"}]
    assert left_out.status == 200


def test_a_read_only_property_is_demanded_in_a_response() -> None:
    described = {"200": answering(an_object({"stamp": {**STRING, "readOnly": True}}, "stamp"))}

    assert answering_with(Answer({"stamp": "b"}), described).get("/v1/thing").status == 200
    assert answering_with(Answer({}), described).get("/v1/thing").refusal == (500, "internal_error")


def secretive(answer: Answer) -> Client:
    """POST /v1/things takes, and answers with, an object that has a write-only secret."""
    thing: Schema = an_object({"name": STRING, "secret": {**STRING, "writeOnly": True}}, "name", "secret")
    described = operation("make_thing", body=json_body(thing), responses={"200": answering(thing)})

    def make_thing(body: object) -> Answer:
        del body
        return answer

    return serve(document({"/things": {"post": described}}), {"make_thing": make_thing})


def test_a_write_only_property_is_demanded_in_a_request_and_not_in_a_response() -> None:
    client = secretive(Answer({"name": "a"}))

    assert client.post("/v1/things", {"name": "a", "secret": "b"}).status == 200
    assert client.post("/v1/things", {"name": "a"}).refusal == (400, "invalid_body")


def test_a_write_only_property_is_never_shown() -> None:
    client = secretive(Answer({"name": "a", "secret": "the-canary"}))

    received = client.post("/v1/things", {"name": "a", "secret": "b"})

    assert received.refusal == (500, "internal_error")
    assert b"canary" not in received.body
    assert len(client.breaches) == 1


def test_a_schema_may_contain_itself() -> None:
    tree: Schema = an_object(
        {"name": REF, "children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}}, "name"
    )
    client = taking_body({"$ref": "#/components/schemas/Tree"}, schemas={**NAME, "Tree": tree})

    good = client.post("/v1/things", {"name": "a", "children": [{"name": "b", "children": [{"name": "c"}]}]})
    bad = client.post("/v1/things", {"name": "a", "children": [{"name": "b", "children": [{"name": "too long"}]}]})

    assert good.status == 200
    assert bad.refusal == (400, "invalid_body")
    assert bad.json()["errors"][0]["pointer"] == "/children/0/children/0/name"


def test_one_of_takes_exactly_one_branch() -> None:
    client = taking_body({"oneOf": [an_object({"before": STRING}, "before"), an_object({"after": STRING}, "after")]})

    assert client.post("/v1/things", {"before": "a"}).status == 200
    assert client.post("/v1/things", {"before": "a", "after": "b"}).refusal == (400, "invalid_body")


def test_what_the_document_says_beside_schemas_checks_nothing() -> None:
    client = taking_body(
        an_object(
            {"name": {**STRING, "example": "x", "description": "d", "title": "t", "x-note": 1, "deprecated": True}}
        )
    )

    assert client.post("/v1/things", {"name": "anything"}).status == 200


def test_a_property_may_be_called_like_a_keyword() -> None:
    names = ("properties", "required", "nullable", "default", "format", "pattern", "example", "x-note", "$id", "title")
    client = taking_body(an_object(dict.fromkeys(names, INTEGER), *names))

    assert client.post("/v1/things", dict.fromkeys(names, 1)).status == 200
    assert client.post("/v1/things", dict.fromkeys(names, "a")).refusal == (400, "invalid_body")
    assert client.post("/v1/things", dict.fromkeys(names[1:], 1)).refusal == (400, "invalid_body")


def test_starting_leaves_the_document_as_it_was() -> None:
    def made() -> Schema:
        thing = an_object({"name": REF, "id": {**STRING, "readOnly": True}}, "id")
        described = operation("make_thing", body=json_body(thing), responses={"200": answering(thing)})
        return document({"/things": {"post": described}}, schemas=NAME)

    described = made()

    serve(described, {"make_thing": lambda body: Answer({"id": body["name"]})})

    assert described == made()
