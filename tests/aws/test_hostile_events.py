"""Events that nobody should send are refused and written down; the next event finds everything as it was."""

import logging
from typing import Any

import pytest

from aws.function import EventRejected, Function
from tests.contract.adapter_twin import build_function
from tests.contract.aws_events import http_api_event, load_balancer_event, rest_api_event
from tests.contract.client import TOKEN
from tests.contract.contract_app import Result, serve
from tests.contract.openapi_documents import OBJECT, document, json_body, operation

BEARER = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}


@pytest.fixture
def telling() -> Function:
    paths = {"/things": {"post": operation("make_thing", body=json_body(OBJECT)), "get": operation("get_things")}}
    functions: dict[str, Any] = {"make_thing": lambda body: Result({"made": body}), "get_things": lambda: Result({})}
    application: Any = serve(document(paths), functions).application
    return build_function(application)


def with_part(event: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return {**event, **parts}


GET = http_api_event("GET", "/v1/things", headers=BEARER)
POST = http_api_event("POST", "/v1/things", "{}", headers=BEARER)

REFUSED: dict[str, Any] = {
    "a command": {"_serverless-wsgi": {"command": "exec", "data": "raise SystemExit"}},
    "a command in a request": with_part(GET, **{"_serverless-wsgi": {"command": "command", "data": "env"}}),
    "nothing": None,
    "text": "GET /v1/things",
    "a list": [GET],
    "a number": 1e308,
    "an empty object": {},
    "an unknown source": {"source": "aws.s3", "detail-type": "Object Created", "detail": {}},
    "records of a queue": {"Records": [{"eventSource": "aws:sqs", "body": "{}"}]},
    "a source that is an object": {"source": {"aws.events": True}},
    "a version alone": {"version": "2.0"},
    "a context that is text": with_part(GET, requestContext="x"),
    "a context without http": with_part(GET, requestContext={}),
    "http that is a list": with_part(GET, requestContext={"http": ["GET"]}),
    "a method that is a number": with_part(GET, requestContext={"http": {"method": 7}}),
    "headers that are a list": with_part(GET, headers=["authorization"]),
    "a header that is a list": with_part(GET, headers={"host": ["a"]}),
    "a name of a header that is no ASCII": with_part(GET, headers={"ħost": "a"}),
    "no headers": with_part(GET, headers=None),
    "a path that is an object": with_part(GET, rawPath={}),
    "a query that is an object": with_part(GET, rawQueryString={"a": "b"}),
    "cookies that are an object": with_part(GET, cookies={"a": "b"}),
    "a cookie that is a number": with_part(GET, cookies=[1]),
    "a body that is an object": with_part(POST, body={"name": "x"}),
    "a REST event without a path": {"httpMethod": "GET", "headers": {}},
    "a REST event with a path that is a number": {"httpMethod": "GET", "path": 5, "headers": {}},
    "a REST event with a body that is a list": with_part(rest_api_event("POST", "/v1/things", "{}"), body=["{}"]),
    "a load balancer's without anything": {"httpMethod": "GET", "requestContext": {"elb": {}}},
    "a mapping template's without anything": {"requestPath": "/v1/things"},
}


@pytest.mark.parametrize("event", REFUSED.values(), ids=REFUSED)
def test_it_is_refused_and_written_down(telling: Function, event: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "tackboard"), pytest.raises(EventRejected):
        telling(event, None)

    assert [record.message.startswith("An event was refused: ") for record in caplog.records] == [True]
    assert telling(POST, None)["statusCode"] == 200


@pytest.mark.parametrize("made", [http_api_event, rest_api_event, load_balancer_event])
@pytest.mark.parametrize("body", ["{", "e30", "e30=e30=", "e\n30=", "ü", "e30\N{KELVIN SIGN}"])
def test_a_body_that_is_not_the_base64_it_claims_to_be_is_malformed(telling: Function, made: Any, body: str) -> None:
    event = with_part(made("POST", "/v1/things", "x", BEARER), body=body, isBase64Encoded=True)

    answer = telling(event, None)

    assert answer["statusCode"] == 400
    assert '"malformed_request"' in answer["body"]


@pytest.mark.parametrize("body", [None, ""])
def test_a_request_without_a_body_is_only_one_that_lacks_it(telling: Function, body: str | None) -> None:
    assert telling(with_part(POST, body=body), None)["statusCode"] == 400
    assert telling(with_part(GET, body=body), None)["statusCode"] == 200


@pytest.mark.parametrize(
    "strange",
    [
        {"rawPath": "/v1/\ud800"},
        {"rawPath": ""},
        {"rawPath": "//v1//things"},
        {"rawPath": "/v1/things/../../etc/passwd"},
        {"rawPath": "/" + "a" * 100_000},
        {"rawQueryString": "a=\u2028&\ud800"},
        {"rawQueryString": "%" * 10_000},
        {"headers": {"authorization": "Bearer \ud800"}},
        {"headers": {"accept": "x" * 100_000}},
        {"headers": {"": "", "x" * 1000: "y"}},
        {"cookies": ["\ud800=\x00"] * 50},
        {"requestContext": {"http": {"method": "\ud800"}, "stage": ["prod"]}},
        {"requestContext": {"http": {"method": ""}, "stage": None}},
    ],
    ids=repr,
)
def test_a_strange_request_is_answered(telling: Function, strange: dict[str, Any]) -> None:
    answer = telling(with_part(GET, **strange), None)

    assert answer["statusCode"] in {200, 400, 401, 404, 405, 414, 431}
