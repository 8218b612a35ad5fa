"""A problem says what is wrong in at most 4 KB and repeats no input."""

import json
from typing import Any

import pytest

from contract.problems import Problem
from tests.contract.client import Client
from tests.contract.contract_app import Result, serve, serve_body
from tests.contract.openapi_documents import (
    INTEGER,
    STRING,
    Schema,
    document,
    json_body,
    object_schema,
    operation,
    parameter,
)

CANARY = "canary7f3a"

BODY: Schema = object_schema(
    {
        "text": {"type": "string", "maxLength": 5, "pattern": "^[a-z]+$"},
        "word": {"type": "string", "enum": ["one", "two"]},
        "when": {"type": "string", "format": "date-time"},
        "number": {"type": "integer", "minimum": 0, "maximum": 9},
        "items": {"type": "array", "maxItems": 2, "uniqueItems": True, "items": INTEGER},
        "map": {"type": "object", "additionalProperties": INTEGER},
        "choice": {"oneOf": [INTEGER, object_schema({"a": INTEGER})]},
        "not": {"not": {"enum": [CANARY]}},
        "code": {"type": "integer", "multipleOf": 5},
    }
)


@pytest.fixture
def client() -> Client:
    """Serve an operation with an input in every place of a request."""
    operation_object = operation(
        "act",
        parameter("id", "path", {"type": "string", "pattern": "^[0-9]+$"}),
        parameter("limit", "query", INTEGER),
        parameter("cursor", "query", {"type": "string"}),
        parameter("X-Number", "header", INTEGER),
        parameter("If-Match", "header", {"type": "string"}),
        parameter("crumb", "cookie", INTEGER),
        body=json_body(BODY, required=False),
    )

    return serve(
        document(
            {"/things/{id}": {"post": operation_object, "get": operation("look", parameter("id", "path", STRING))}}
        ),
        {
            "act": lambda body, id, if_match, limit=1, cursor=None, x_number=1, crumb=1: Result({}),  # noqa: A006, ARG005
            "look": lambda id: Result({"id": id}),  # noqa: A006 - the document's name.
        },
    )


def build_request(**more: Any) -> dict[str, Any]:
    """Return a valid request, except for these parts."""
    return {"method": "POST", "target": "/v1/things/1", **more}


def build_body_request(value: Any) -> dict[str, Any]:
    """Return a valid request, except for its body."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return build_request(body=body, headers={"Content-Type": "application/json"})


BAD: dict[str, dict[str, Any]] = {
    "a text too long": build_body_request({"text": CANARY}),
    "a text of the wrong form": build_body_request({"text": CANARY[:5].upper()}),
    "a word": build_body_request({"word": CANARY}),
    "a date": build_body_request({"when": CANARY}),
    "a text for a number": build_body_request({"number": CANARY}),
    "a text for an object": build_body_request(CANARY),
    "items": build_body_request({"items": [CANARY, CANARY]}),
    "a text in a map": build_body_request({"map": {"a": CANARY}}),
    "a choice": build_body_request({"choice": {CANARY: CANARY}}),
    "what must not be": build_body_request({"not": CANARY}),
    "a name": build_body_request({CANARY: 1}),
    "a name in a map": build_body_request({"map": {CANARY: "x"}}),
    "a name deep in a map": build_body_request({"map": {f"{CANARY}/~{CANARY}": {CANARY: "x"}}}),
    "a doubled name": build_body_request(f'{{"{CANARY}": 1, "{CANARY}": 2}}'.encode()),
    "broken JSON": build_body_request(f'{{"{CANARY}": {CANARY}}}'.encode()),
    "a media type": build_request(body=b"{}", headers={"Content-Type": CANARY}),
    "a charset": build_request(body=b"{}", headers={"Content-Type": f"application/json; charset={CANARY}"}),
    "an encoding": build_request(body=b"{}", headers={"Content-Encoding": CANARY}),
    "an accept": build_request(headers={"Accept": CANARY}),
    "a query name": build_request(target=f"/v1/things/1?{CANARY}=1"),
    "a query value": build_request(target=f"/v1/things/1?limit={CANARY}"),
    "a broken escape": build_request(target=f"/v1/things/1?limit={CANARY}%zz"),
    "a cursor": build_request(target=f"/v1/things/1?cursor={CANARY}"),
    "a path value": build_request(target=f"/v1/things/{CANARY}"),
    "a path": build_request(target=f"/v1/{CANARY}"),
    "a method": {"method": CANARY.upper(), "target": "/v1/things/1"},
    "a method and a path value": {"method": "PUT", "target": f"/v1/things/{CANARY}"},
    "a header": build_request(headers={"X-Number": CANARY}),
    "an If-Match": build_request(headers={"If-Match": CANARY}),
    "a cookie": build_request(headers={"Cookie": f"crumb={CANARY}"}),
    "a token": build_request(token=CANARY),
    "a request id": build_request(headers={"X-Request-Id": f"{CANARY} !"}, token=None),
    "a query too long": build_request(target=f"/v1/things/1?{CANARY * 1_000}"),
    "headers too large": build_request(headers={"X-Large": CANARY * 4_000}),
}


@pytest.mark.parametrize("request_", BAD.values(), ids=BAD)
def test_a_problem_repeats_no_input(client: Client, request_: dict[str, Any]) -> None:
    response = client.send(**request_)

    assert 400 <= response.problem[0] < 500
    assert CANARY not in response.body.decode().lower()
    assert CANARY not in str(response.headers).lower()


@pytest.mark.parametrize(
    "value",
    [
        {"text": "x" * 200_000},
        {"number": "x" * 200_000},
        {"x" * 200_000: 1},
        {"map": {"x" * 200_000: "x"}},
        {"map": {f"{'x' * 100}{number}": "x" for number in range(1_000)}},
        {f"{'x' * 100}{number}": 1 for number in range(1_000)},
        {"items": ["x" * 100] * 1_000},
        {"map": {'"\\\u0001' * 1_000: "x"}},
    ],
    ids=["text", "number", "name", "map", "many in a map", "many names", "many items", "escapes"],
)
def test_a_problem_stays_small_for_any_input(client: Client, value: object) -> None:
    response = client.send(**build_body_request(value))

    assert response.problem == (400, "invalid_body")


def test_a_problem_has_at_most_ten_violations() -> None:
    client = serve_body({"type": "array", "items": INTEGER})

    response = client.post("/v1/things", ["x"] * 50)

    assert [violation["pointer"] for violation in response.json()["errors"]] == [f"/{number}" for number in range(10)]


def test_a_problem_stays_small_for_any_document() -> None:
    names = [f"{'a_rather_long_name_of_a_property_' * 3}{number}" for number in range(12)]
    words = {"type": "string", "enum": [f"{'a_rather_long_word_' * 3}{number}" for number in range(40)]}
    client = serve_body(object_schema({name: object_schema(dict.fromkeys(names, words)) for name in names}))

    response = client.post("/v1/things", {name: dict.fromkeys(names, "x") for name in names})

    assert response.problem == (400, "invalid_body")
    assert len(response.json()["errors"]) >= 1


FAULTS: list[tuple[Schema, object, str, str]] = [
    (INTEGER, "x", "type", "must be an integer"),
    ({"type": "string", "nullable": True}, 1, "type", "must be null or a string"),
    ({"type": "string", "enum": ["a", "b"]}, "c", "enum", "must be one of a, b"),
    ({"type": "string", "enum": ["a"]}, "c", "enum", "must be one of a"),
    ({"type": "string", "format": "date"}, "x", "format", "must be a valid date"),
    ({"type": "string", "pattern": "^a$"}, "b", "pattern", "has characters or a form that are not allowed here"),
    ({"type": "string", "minLength": 2}, "b", "too_short", "must have at least 2 characters"),
    ({"type": "string", "maxLength": 2}, "bbb", "too_long", "must have at most 2 characters"),
    ({"type": "integer", "minimum": 2}, 1, "too_small", "must be at least 2"),
    ({"type": "integer", "maximum": 2}, 3, "too_large", "must be at most 2"),
    ({"type": "integer", "minimum": 2, "exclusiveMinimum": True}, 2, "too_small", "must be greater than 2"),
    ({"type": "integer", "maximum": 2, "exclusiveMaximum": True}, 2, "too_large", "must be less than 2"),
    ({"type": "integer", "multipleOf": 5}, 3, "multiple_of", "must be a multiple of 5"),
    ({"type": "array", "items": INTEGER, "minItems": 2}, [1], "too_few", "must have at least 2 items"),
    ({"type": "array", "items": INTEGER, "maxItems": 1}, [1, 2], "too_many", "must have at most 1 item"),
    (
        {"type": "array", "items": INTEGER, "uniqueItems": True},
        [1, 1],
        "not_unique",
        "must not hold the same item twice",
    ),
    ({"type": "object", "minProperties": 1}, {}, "too_few", "must have at least 1 property"),
    ({"type": "object", "maxProperties": 1}, {"a": 1, "b": 1}, "too_many", "must have at most 1 property"),
    (
        object_schema({}),
        {"a": 1},
        "unknown_property",
        "has an unknown property; the known ones are: none",
    ),
    ({"not": INTEGER}, 1, "not_allowed", "has a combination of values that is not allowed"),
    ({"anyOf": [INTEGER, STRING]}, [], "invalid", "does not match the schema"),
    ({"oneOf": [INTEGER, {"type": "number"}]}, 1, "invalid", "does not match the schema"),
]


@pytest.mark.parametrize(("schema", "value", "code", "message"), FAULTS)
def test_every_keyword_has_a_code_and_a_message(schema: Schema, value: object, code: str, message: str) -> None:
    client = serve_body(object_schema({"a/b~c": schema}))

    response = client.post("/v1/things", {"a/b~c": value})

    assert response.problem == (400, "invalid_body")
    assert response.json()["errors"] == [{"pointer": "/a~1b~0c", "code": code, "message": message}]
    assert response.json()["detail"].endswith(f"{message}.")


def test_a_missing_property_is_named_in_the_pointer() -> None:
    client = serve_body(object_schema({"inner": object_schema({"a": STRING, "b": STRING}, "a", "b")}, "inner"))

    response = client.post("/v1/things", {"inner": {}})

    assert [violation["pointer"] for violation in response.json()["errors"]] == ["/inner/a", "/inner/b"]
    assert {violation["code"] for violation in response.json()["errors"]} == {"required"}


def test_a_problem_that_is_not_caught_says_its_detail() -> None:
    assert str(Problem(400, "invalid_request", "The body is not JSON.")) == "The body is not JSON."


@pytest.mark.parametrize(
    ("status", "title"),
    [
        (400, "Bad Request"),
        (404, "Not Found"),
        (413, "Content Too Large"),
        (414, "URI Too Long"),
        (422, "Unprocessable Content"),
    ],
)
def test_a_title_is_the_reason_phrase_of_rfc_9110(status: int, title: str) -> None:
    problem = json.loads(Problem(status, "some_code", "Something is wrong.").to_response().body)

    assert (problem["status"], problem["title"]) == (status, title)
