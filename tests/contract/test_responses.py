"""Results of handlers match the document, or they become a 500 and a reported breach."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from contract.messages import Response
from contract.operations import Call
from contract.problems import Problem
from contract.schemas import Check
from tests.contract.client import Client
from tests.contract.contract_app import Result, serve, serve_result
from tests.contract.openapi_documents import (
    INTEGER,
    OBJECT,
    PROBLEM,
    STRING,
    Schema,
    document,
    object_schema,
    operation,
    parameter,
    problems,
    response_object,
)

CANARY = "the-canary"
ETAG: Schema = {"ETag": {"schema": STRING, "required": True}}
THING: Schema = object_schema({"n": INTEGER}, "n")
LOCATION: Schema = {"Location": {"schema": {"type": "string", "pattern": "^/v1/[a-z]+$"}}}
LINK: Schema = {"Link": {"schema": {"type": "integer"}}}

BREACHES: dict[str, tuple[Result, Mapping[str, Any]]] = {
    "an undocumented status": (Result({"n": 1}, 202), {"200": response_object(THING)}),
    "a wrong type": (Result({"n": CANARY}), {"200": response_object(THING)}),
    "a missing property": (Result({}), {"200": response_object(THING)}),
    "an unknown property": (Result({"n": 1, CANARY: CANARY}), {"200": response_object(THING)}),
    "null instead of an object": (Result(None), {"200": response_object(THING)}),
    "a list instead of an object": (Result([CANARY]), {"200": response_object(THING)}),
    "a body where there is none": (Result({"n": CANARY}), {"200": {"description": "Nothing."}}),
    "a body on a 204": (Result({"n": CANARY}, 204), {"204": {"description": "Gone."}}),
    "a missing header": (Result({"n": 1}), {"200": response_object(THING, headers=ETAG)}),
    "an undocumented header": (Result({"n": 1}, etag=CANARY), {"200": response_object(THING)}),
    "an undocumented location": (Result({"n": 1}, location="/x"), {"200": response_object(THING)}),
    "a header that breaks its schema": (
        Result({"n": 1}, location="/CANARY"),
        {"200": response_object(THING, headers=LOCATION)},
    ),
    "a header of the wrong type": (
        Result({"n": 1}, next_query={"cursor": CANARY}),
        {"200": response_object(THING, headers=LINK)},
    ),
    "a line break in a header": (
        Result({"n": 1}, etag=f"a\r\nX-Other: {CANARY}"),
        {"200": response_object(THING, headers=ETAG)},
    ),
    "a header that is not ASCII": (Result({"n": 1}, etag="Ζωή"), {"200": response_object(THING, headers=ETAG)}),
    "NaN": (Result({"x": math.nan}), {"200": response_object(object_schema({"x": {"type": "number"}}))}),
    "infinity": (Result({"x": math.inf}), {"200": response_object(object_schema({"x": {"type": "number"}}))}),
    "NaN where a number may be null": (
        Result({"x": math.nan}),
        {"200": response_object(object_schema({"x": {"type": "number", "nullable": True}}))},
    ),
    "an integer past 64 bits": (Result({"x": 2**70}), {"200": response_object(OBJECT)}),
    "a lone surrogate": (Result({"x": f"{CANARY}\ud800"}), {"200": response_object(OBJECT)}),
    "a name that is no text": (Result({1: CANARY}), {"200": response_object(OBJECT)}),
    "a moment that nobody wrote out": (
        Result({"x": datetime(2026, 1, 1, tzinfo=UTC)}),
        {"200": response_object(object_schema({"x": {"type": "string", "format": "date-time"}}))},
    ),
    "an object of Python": (Result({"x": {CANARY}}), {"200": response_object(OBJECT)}),
    "bytes": (Result(CANARY.encode()), {"200": response_object(STRING, "text/plain")}),
    "a number as plain text": (Result(5), {"200": response_object(STRING, "text/plain")}),
}


@pytest.mark.parametrize(("result", "responses"), BREACHES.values(), ids=BREACHES)
def test_a_breach_is_a_500_that_reveals_nothing(result: Result, responses: Mapping[str, Any]) -> None:
    client = serve_result(result, responses)

    response = client.get("/v1/thing")

    assert response.problem == (500, "internal_error")
    assert b"canary" not in response.body.lower() + str(response.headers).lower().encode()
    assert [str(breach).partition(":")[0] for breach in client.breaches] == ["get_thing"]
    assert CANARY not in str(client.breaches[0])


@pytest.mark.parametrize(
    ("result", "responses"),
    [
        (Result({"n": 1}), {"200": response_object(THING)}),
        (Result({"n": 1}, 202), {"200": response_object(THING), "202": response_object(THING)}),
        (Result(None, 204), {"204": {"description": "Gone."}}),
        (Result({"n": 1}, etag="3"), {"200": response_object(THING, headers=ETAG)}),
        (Result({"n": 1}), {"200": response_object(THING, headers={"ETag": {"schema": STRING}})}),
        (Result({"n": 1}, location="/thing"), {"200": response_object(THING, headers=LOCATION)}),
        (Result({"anything": [None, True, 1.5, "ü"]}), {"200": response_object(OBJECT)}),
        (Result("plain"), {"200": response_object(STRING, "text/plain")}),
    ],
    ids=["body", "another status", "no body", "etag", "optional header", "location", "open", "text"],
)
def test_a_valid_result_is_sent(result: Result, responses: Mapping[str, Any]) -> None:
    client = serve_result(result, responses)

    response = client.get("/v1/thing")

    assert response.status == result.status
    assert client.breaches == []


def test_a_breach_names_the_operation_the_part_and_the_error() -> None:
    client = serve_result(Result({"n": CANARY}), {"200": response_object(THING)})

    client.get("/v1/thing")

    assert str(client.breaches[0]) == "get_thing: the body of 200: /n must be an integer"


@pytest.mark.parametrize("count", [3, 300])
def test_of_many_errors_in_a_body_only_the_first_is_looked_for(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    described: list[int] = []
    list_errors = Check.list_errors

    def count_errors(self: Check, value: object, *, only_first: bool = False) -> list[Any]:
        errors = list_errors(self, value, only_first=only_first)
        described.append(len(errors))
        return errors

    monkeypatch.setattr(Check, "list_errors", count_errors)
    body = {"items": [{"n": CANARY}] * count}
    client = serve_result(
        Result(body), {"200": response_object(object_schema({"items": {"type": "array", "items": THING}}))}
    )

    client.get("/v1/thing")

    assert str(client.breaches[0]) == "get_thing: the body of 200: /items/0/n must be an integer"
    assert described == [1]


def test_an_undeclared_304_is_a_breach() -> None:
    client = serve_result(
        Result({"n": 1}, etag="3"),
        {"200": response_object(THING, headers={**ETAG, "Cache-Control": {"schema": STRING}})},
        parameter("If-None-Match", "header", STRING),
    )

    response = client.get("/v1/thing", headers={"If-None-Match": '"3"'})

    assert response.problem == (500, "internal_error")
    assert len(client.breaches) == 1


def test_a_breach_of_a_304_names_it() -> None:
    headers = {**ETAG, "Cache-Control": {"schema": STRING}}
    required = {**headers, "X-Missing": {"schema": STRING, "required": True}}
    client = serve_result(
        Result({"n": 1}, etag="3"),
        {"200": response_object(THING, headers=headers), "304": {"description": "You know it.", "headers": required}},
        parameter("If-None-Match", "header", STRING),
    )

    client.get("/v1/thing", headers={"If-None-Match": '"3"'})

    assert [str(breach) for breach in client.breaches] == ["get_thing: 304 lacks the header x-missing"]


def test_a_breach_is_not_committed() -> None:
    committed: list[Response] = []

    def commit(_: Call, handle: Any) -> Response:
        committed.append(handle())
        return committed[-1]

    operation_object = operation("get_thing", responses={"200": response_object(THING)})
    results = iter([Result({"n": "wrong"}, change="a change"), Result({"n": 1}, change="another")])
    client = serve(document({"/thing": {"get": operation_object}}), {"get_thing": lambda: next(results)}, commit=commit)

    assert client.get("/v1/thing").status == 500
    assert committed == []
    assert client.get("/v1/thing").status == 200
    assert [response.change for response in committed] == ["another"]


def serve_error(error: Exception, responses: Schema, problem: Problem | None) -> Client:
    """Serve GET /v1/thing that raises an error, which maps to this problem."""

    def get_thing() -> Result:
        raise error

    operation_object = {"operationId": "get_thing", "responses": {"200": response_object(OBJECT), **responses}}
    return serve(
        document({"/thing": {"get": operation_object}}), {"get_thing": get_thing}, to_problem=lambda _: problem
    )


def test_a_domain_error_becomes_its_problem() -> None:
    client = serve_error(KeyError("x"), problems(409), Problem(409, "taken", "It is taken."))

    response = client.get("/v1/thing")

    assert response.problem == (409, "taken")
    assert response.json()["title"] == "Conflict"
    assert response.json()["detail"] == "It is taken."


def test_an_unknown_error_is_a_500_that_reveals_nothing() -> None:
    client = serve_error(KeyError(CANARY), problems(409), None)

    response = client.get("/v1/thing")

    assert response.problem == (500, "internal_error")
    assert CANARY.encode() not in response.body
    assert response.header("x-request-id") == "made-here"


@pytest.mark.parametrize(
    ("responses", "problem"),
    [
        ({}, Problem(409, "taken", CANARY)),
        ({"409": response_object(OBJECT)}, Problem(409, "taken", CANARY)),
        ({"409": {"description": "Taken."}}, Problem(409, "taken", CANARY)),
        (problems(409), Problem(409, "taken", CANARY * 200)),
        (problems(503), Problem(503, "busy", CANARY, headers={"Retry-After": "1"})),
        (
            {
                "409": response_object(
                    {**PROBLEM, "properties": {"code": {"enum": ["other"]}}}, "application/problem+json"
                )
            },
            Problem(409, "taken", CANARY),
        ),
    ],
    ids=["status", "media type", "no body", "too long", "header", "code"],
)
def test_an_undeclared_problem_is_a_breach(responses: Schema, problem: Problem) -> None:
    client = serve_error(KeyError("x"), responses, problem)

    response = client.get("/v1/thing")

    assert response.problem == (500, "internal_error")
    assert CANARY.encode() not in response.body
    assert len(client.breaches) == 1


def test_a_declared_header_of_a_problem_is_sent() -> None:
    responses = problems(503)
    responses["503"]["headers"] = {"Retry-After": {"schema": {"type": "integer", "minimum": 1}}}
    client = serve_error(KeyError("x"), responses, Problem(503, "busy", "Wait.", headers={"Retry-After": "1"}))

    assert client.get("/v1/thing").header("retry-after") == "1"


@pytest.mark.parametrize(
    ("query", "next_query"),
    [
        ("", "at=2"),
        ("q=a%20b", "q=a%20b&at=2"),
        ("at=1&q=a+b", "q=a+b&at=2"),
        ("q=a&%61t=1&", "q=a&at=2"),
        ('q=a>;rel="x"<b', "q=a%3E;rel=%22x%22%3Cb&at=2"),
    ],
)
def test_the_link_to_the_next_page_keeps_the_filters(query: str, next_query: str) -> None:
    operation_object = operation(
        "get_thing",
        parameter("q", "query", STRING),
        parameter("at", "query", INTEGER),
        responses={"200": response_object(OBJECT, headers={"Link": {"schema": STRING}})},
    )
    client = serve(
        document({"/thing": {"get": operation_object}}),
        {"get_thing": lambda q=None, at=1: Result({"q": q, "at": at}, next_query={"at": str(at + 1)})},
    )

    response = client.get(f"/v1/thing?{query}")

    assert response.header("link") == f'</v1/thing?{next_query}>; rel="next"'
