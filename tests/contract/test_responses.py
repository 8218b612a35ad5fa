"""An answer keeps the document, or it is our failure: told to us, and to the client only as a 500."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from contract.operations import Call
from contract.problems import Problem
from contract.responses import Response
from tests.contract.documents import (
    INTEGER,
    OBJECT,
    PROBLEM,
    STRING,
    Schema,
    an_object,
    answering,
    document,
    operation,
    parameter,
    problems,
)
from tests.contract.serving import Answer, answering_with, serve

CANARY = "the-canary"
ETAG: Schema = {"ETag": {"schema": STRING, "required": True}}
THING: Schema = an_object({"n": INTEGER}, "n")
LOCATION: Schema = {"Location": {"schema": {"type": "string", "pattern": "^/v1/[a-z]+$"}}}
LINK: Schema = {"Link": {"schema": {"type": "integer"}}}

BREACHES: dict[str, tuple[Answer, Mapping[str, Any]]] = {
    "an undocumented status": (Answer({"n": 1}, 202), {"200": answering(THING)}),
    "a wrong type": (Answer({"n": CANARY}), {"200": answering(THING)}),
    "a missing property": (Answer({}), {"200": answering(THING)}),
    "an unknown property": (Answer({"n": 1, CANARY: CANARY}), {"200": answering(THING)}),
    "null instead of an object": (Answer(None), {"200": answering(THING)}),
    "a list instead of an object": (Answer([CANARY]), {"200": answering(THING)}),
    "a body where there is none": (Answer({"n": CANARY}), {"200": {"description": "Nothing."}}),
    "a body on a 204": (Answer({"n": CANARY}, 204), {"204": {"description": "Gone."}}),
    "a missing header": (Answer({"n": 1}), {"200": answering(THING, headers=ETAG)}),
    "an undocumented header": (Answer({"n": 1}, etag=CANARY), {"200": answering(THING)}),
    "an undocumented location": (Answer({"n": 1}, location="/x"), {"200": answering(THING)}),
    "a header that breaks its schema": (
        Answer({"n": 1}, location="/CANARY"),
        {"200": answering(THING, headers=LOCATION)},
    ),
    "a header of the wrong type": (
        Answer({"n": 1}, next_query={"cursor": CANARY}),
        {"200": answering(THING, headers=LINK)},
    ),
    "a line break in a header": (
        Answer({"n": 1}, etag=f"a\r\nX-Other: {CANARY}"),
        {"200": answering(THING, headers=ETAG)},
    ),
    "a header that is not ASCII": (Answer({"n": 1}, etag="Ζωή"), {"200": answering(THING, headers=ETAG)}),
    "NaN": (Answer({"x": math.nan}), {"200": answering(an_object({"x": {"type": "number"}}))}),
    "infinity": (Answer({"x": math.inf}), {"200": answering(an_object({"x": {"type": "number"}}))}),
    "NaN where a number may be null": (
        Answer({"x": math.nan}),
        {"200": answering(an_object({"x": {"type": "number", "nullable": True}}))},
    ),
    "an integer past 64 bits": (Answer({"x": 2**70}), {"200": answering(OBJECT)}),
    "a lone surrogate": (Answer({"x": f"{CANARY}\ud800"}), {"200": answering(OBJECT)}),
    "a name that is no text": (Answer({1: CANARY}), {"200": answering(OBJECT)}),
    "a moment that nobody wrote out": (
        Answer({"x": datetime(2026, 1, 1, tzinfo=UTC)}),
        {"200": answering(an_object({"x": {"type": "string", "format": "date-time"}}))},
    ),
    "an object of Python": (Answer({"x": {CANARY}}), {"200": answering(OBJECT)}),
    "bytes": (Answer(CANARY.encode()), {"200": answering(STRING, "text/plain")}),
    "a number as plain text": (Answer(5), {"200": answering(STRING, "text/plain")}),
}


@pytest.mark.parametrize(("answer", "responses"), BREACHES.values(), ids=BREACHES)
def test_an_answer_that_breaks_the_document_is_a_500_that_tells_nothing(
    answer: Answer, responses: Mapping[str, Any]
) -> None:
    client = answering_with(answer, responses)

    received = client.get("/v1/thing")

    assert received.refusal == (500, "internal_error")
    assert b"canary" not in received.body.lower() + str(received.headers).lower().encode()
    assert [str(breach).partition(":")[0] for breach in client.breaches] == ["get_thing"]
    assert CANARY not in str(client.breaches[0])


@pytest.mark.parametrize(
    ("answer", "responses"),
    [
        (Answer({"n": 1}), {"200": answering(THING)}),
        (Answer({"n": 1}, 202), {"200": answering(THING), "202": answering(THING)}),
        (Answer(None, 204), {"204": {"description": "Gone."}}),
        (Answer({"n": 1}, etag="3"), {"200": answering(THING, headers=ETAG)}),
        (Answer({"n": 1}), {"200": answering(THING, headers={"ETag": {"schema": STRING}})}),
        (Answer({"n": 1}, location="/thing"), {"200": answering(THING, headers=LOCATION)}),
        (Answer({"anything": [None, True, 1.5, "ü"]}), {"200": answering(OBJECT)}),
        (Answer("plain"), {"200": answering(STRING, "text/plain")}),
    ],
    ids=["body", "another status", "no body", "etag", "optional header", "location", "open", "text"],
)
def test_an_answer_that_keeps_the_document_is_sent(answer: Answer, responses: Mapping[str, Any]) -> None:
    client = answering_with(answer, responses)

    received = client.get("/v1/thing")

    assert received.status == answer.status
    assert client.breaches == []


def test_a_breach_says_where_and_what() -> None:
    client = answering_with(Answer({"n": CANARY}), {"200": answering(THING)})

    client.get("/v1/thing")

    assert str(client.breaches[0]) == "get_thing: the body of 200: /n must be an integer"


def test_a_304_that_the_document_does_not_name_is_a_breach() -> None:
    client = answering_with(
        Answer({"n": 1}, etag="3"),
        {"200": answering(THING, headers={**ETAG, "Cache-Control": {"schema": STRING}})},
        parameter("If-None-Match", "header", STRING),
    )

    received = client.get("/v1/thing", headers={"If-None-Match": '"3"'})

    assert received.refusal == (500, "internal_error")
    assert len(client.breaches) == 1


def test_nothing_is_settled_whose_answer_breaks_the_document() -> None:
    settled: list[Response] = []

    def settle(_: Call, answer: Any) -> Response:
        settled.append(answer())
        return settled[-1]

    described = operation("get_thing", responses={"200": answering(THING)})
    answers = iter([Answer({"n": "wrong"}, change="a change"), Answer({"n": 1}, change="another")])
    client = serve(document({"/thing": {"get": described}}), {"get_thing": lambda: next(answers)}, settle=settle)

    assert client.get("/v1/thing").status == 500
    assert settled == []
    assert client.get("/v1/thing").status == 200
    assert [response.change for response in settled] == ["another"]


def failing(error: Exception, responses: Schema, problem: Problem | None) -> Any:
    """GET /v1/thing raises this error, which the domain knows as this problem."""

    def get_thing() -> Answer:
        raise error

    described = {"operationId": "get_thing", "responses": {"200": answering(OBJECT), **responses}}
    return serve(document({"/thing": {"get": described}}), {"get_thing": get_thing}, refusal=lambda _: problem)


def test_an_error_of_the_domain_becomes_its_problem() -> None:
    client = failing(KeyError("x"), problems(409), Problem(409, "taken", "It is taken."))

    received = client.get("/v1/thing")

    assert received.refusal == (409, "taken")
    assert received.json()["title"] == "Conflict"
    assert received.json()["detail"] == "It is taken."


def test_an_error_without_a_name_is_a_500_that_tells_nothing() -> None:
    client = failing(KeyError(CANARY), problems(409), None)

    received = client.get("/v1/thing")

    assert received.refusal == (500, "internal_error")
    assert CANARY.encode() not in received.body
    assert received.header("x-request-id") == "made-here"


@pytest.mark.parametrize(
    ("responses", "problem"),
    [
        ({}, Problem(409, "taken", CANARY)),
        ({"409": answering(OBJECT)}, Problem(409, "taken", CANARY)),
        ({"409": {"description": "Taken."}}, Problem(409, "taken", CANARY)),
        (problems(409), Problem(409, "taken", CANARY * 200)),
        (problems(503), Problem(503, "busy", CANARY, headers={"Retry-After": "1"})),
        (
            {"409": answering({**PROBLEM, "properties": {"code": {"enum": ["other"]}}}, "application/problem+json")},
            Problem(409, "taken", CANARY),
        ),
    ],
    ids=["status", "media type", "no body", "too long", "header", "code"],
)
def test_a_problem_that_the_document_does_not_name_is_a_breach(responses: Schema, problem: Problem) -> None:
    client = failing(KeyError("x"), responses, problem)

    received = client.get("/v1/thing")

    assert received.refusal == (500, "internal_error")
    assert CANARY.encode() not in received.body
    assert len(client.breaches) == 1


def test_a_header_of_a_problem_is_sent_when_the_document_names_it() -> None:
    responses = problems(503)
    responses["503"]["headers"] = {"Retry-After": {"schema": {"type": "integer", "minimum": 1}}}
    client = failing(KeyError("x"), responses, Problem(503, "busy", "Wait.", headers={"Retry-After": "1"}))

    assert client.get("/v1/thing").header("retry-after") == "1"


@pytest.mark.parametrize(
    ("query", "linked"),
    [
        ("", "at=2"),
        ("q=a%20b", "q=a%20b&at=2"),
        ("at=1&q=a+b", "q=a+b&at=2"),
        ("q=a&%61t=1&", "q=a&at=2"),
        ('q=a>;rel="x"<b', "q=a%3E;rel=%22x%22%3Cb&at=2"),
    ],
)
def test_the_next_page_is_linked_with_the_filters_of_this_one(query: str, linked: str) -> None:
    described = operation(
        "get_thing",
        parameter("q", "query", STRING),
        parameter("at", "query", INTEGER),
        responses={"200": answering(OBJECT, headers={"Link": {"schema": STRING}})},
    )
    client = serve(
        document({"/thing": {"get": described}}),
        {"get_thing": lambda q=None, at=1: Answer({"q": q, "at": at}, next_query={"at": str(at + 1)})},
    )

    received = client.get(f"/v1/thing?{query}")

    assert received.header("link") == f'</v1/thing?{linked}>; rel="next"'
