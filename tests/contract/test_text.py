"""Text is normalized to NFC, and single lines are trimmed."""

import unicodedata

import pytest

from tests.contract.contract_app import serve_body, serve_parameter
from tests.contract.openapi_documents import Schema, object_schema

LINE: Schema = {"type": "string", "minLength": 1, "maxLength": 10, "x-tackboard-text": "line"}
BLOCK: Schema = {"type": "string", "maxLength": 10, "x-tackboard-text": "block"}

DECOMPOSED = "Zoe\u0308"
COMPOSED = "Zo\u00eb"
LONGER_COMPOSED = "\u0958"  # One character that NFC expands to two.


def test_a_line_is_normalized_and_trimmed() -> None:
    client = serve_body(object_schema({"name": LINE}))

    client.post("/v1/things", {"name": f" \u3000{DECOMPOSED}\u00a0 "})
    client.post("/v1/things", {"name": "  plain "})

    assert client.recorded == [{"name": COMPOSED}, {"name": "plain"}]


def test_a_block_is_normalized_and_keeps_its_blanks() -> None:
    client = serve_body(object_schema({"text": BLOCK}))

    client.post("/v1/things", {"text": f" {DECOMPOSED}\n "})
    client.post("/v1/things", {"text": " plain\n"})

    assert client.recorded == [{"text": f" {COMPOSED}\n "}, {"text": " plain\n"}]


def test_other_text_is_unchanged() -> None:
    client = serve_body(object_schema({"external": {"type": "string"}}))

    client.post("/v1/things", {"external": f" {DECOMPOSED} "})

    assert client.recorded == [{"external": f" {DECOMPOSED} "}]


@pytest.mark.parametrize("blank", ["   ", "\u3000", "\u00a0\u2003"])
def test_a_line_of_blanks_is_too_short_once_it_is_trimmed(blank: str) -> None:
    client = serve_body(object_schema({"name": LINE}))

    response = client.post("/v1/things", {"name": blank})

    assert response.problem == (400, "invalid_body")
    assert response.json()["errors"] == [
        {"pointer": "/name", "code": "too_short", "message": "must have at least 1 character"}
    ]


@pytest.mark.parametrize("schema", [LINE, BLOCK], ids=["line", "block"])
def test_text_that_is_too_long_after_normalization_is_rejected(schema: Schema) -> None:
    client = serve_body(object_schema({"name": schema}))
    assert len(unicodedata.normalize("NFC", LONGER_COMPOSED)) == 2

    accepted = client.post("/v1/things", {"name": LONGER_COMPOSED * 5})
    rejected = client.post("/v1/things", {"name": LONGER_COMPOSED * 6})

    assert accepted.status == 200
    assert rejected.problem == (400, "invalid_body")
    assert rejected.json()["errors"][0]["code"] == "too_long"


def test_length_counts_characters_and_not_bytes() -> None:
    client = serve_body(object_schema({"name": LINE}))

    assert client.post("/v1/things", {"name": "\U0001f600" * 10}).status == 200
    assert client.post("/v1/things", {"name": "\U0001f600" * 11}).status == 400


@pytest.mark.parametrize(
    ("schema", "sent", "normalized"),
    [
        (object_schema({"names": {"type": "array", "items": LINE}}), {"names": [" a "]}, {"names": ["a"]}),
        (object_schema({"inner": object_schema({"name": LINE})}), {"inner": {"name": " a "}}, {"inner": {"name": "a"}}),
        (object_schema({"name": {"allOf": [LINE]}}), {"name": " a "}, {"name": "a"}),
        (object_schema({"name": {"$ref": "#/components/schemas/Line"}}), {"name": " a "}, {"name": "a"}),
        (object_schema({"name": {**LINE, "nullable": True}}, "name"), {"name": None}, {"name": None}),
        (object_schema({"any": {"anyOf": [LINE, {"type": "boolean"}]}}), {"any": True}, {"any": True}),
        (
            {"allOf": [{"type": "object", "properties": {"a": LINE}}], "properties": {"b": LINE}},
            {"a": " a ", "b": " b "},
            {"a": "a", "b": "b"},
        ),
        ({"type": "object", "additionalProperties": LINE}, {"k": " a "}, {"k": "a"}),
        (
            {"type": "object", "properties": {"a": LINE}, "additionalProperties": {"type": "integer"}},
            {"a": " a ", "n": 1.0},
            {"a": "a", "n": 1},
        ),
    ],
    ids=[
        "in an array",
        "in an object",
        "in allOf",
        "by reference",
        "null",
        "another branch",
        "beside allOf",
        "in a map",
        "beside a map",
    ],
)
def test_text_is_normalized_wherever_it_is(schema: Schema, sent: object, normalized: object) -> None:
    client = serve_body(schema, schemas={"Line": LINE})

    response = client.post("/v1/things", sent)

    assert response.status == 200
    assert client.recorded == [normalized]


def test_text_is_normalized_at_every_depth_of_a_recursive_schema() -> None:
    tree: Schema = object_schema({"name": LINE, "child": {"$ref": "#/components/schemas/Tree"}}, "name")
    client = serve_body({"$ref": "#/components/schemas/Tree"}, schemas={"Tree": tree})

    client.post("/v1/things", {"name": " a", "child": {"name": " b", "child": {"name": " c"}}})

    assert client.recorded == [{"name": "a", "child": {"name": "b", "child": {"name": "c"}}}]


def test_a_parameter_is_normalized_like_a_body() -> None:
    client = serve_parameter("query", LINE)

    responses = [client.get("/v1/things?value=+Zoe%CC%88+"), client.get("/v1/things?value=Zo%C3%AB")]

    assert [response.status for response in responses] == [200, 200]
    assert client.recorded == [COMPOSED, COMPOSED]


def test_a_parameter_of_blanks_is_too_short_once_it_is_trimmed() -> None:
    client = serve_parameter("query", LINE)

    response = client.get("/v1/things?value=++")

    assert (response.status, client.recorded) == (400, [])
