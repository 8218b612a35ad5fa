"""Events of every AWS format reach the application unchanged, and responses are sent as text."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from aws.function import Function
from contract.api_gateway import ApiGatewayAdapter, MalformedEvent
from contract.edge import Edge
from contract.messages import Request, Response
from contract.wsgi_application import WsgiApplication
from tests.contract.adapter_twin import build_function, compare_with_adapter, json_round_trip
from tests.contract.aws_events import (
    EVENT_BUILDERS,
    GATEWAY_HOST,
    Event,
    http_api_event,
    response_headers,
    rest_api_event,
)
from tests.contract.client import TOKEN
from tests.contract.contract_app import Result, serve
from tests.contract.openapi_documents import (
    INTEGER,
    OBJECT,
    PROBLEM_JSON,
    STRING,
    Schema,
    document,
    json_body,
    object_schema,
    operation,
    parameter,
    response_object,
)

EventBuilder = Callable[..., Event]

BEARER = {"Authorization": f"Bearer {TOKEN}"}
JSON = {**BEARER, "Content-Type": "application/json"}
TAGS: Schema = {"type": "array", "items": STRING}
CREATED = {"201": response_object(OBJECT, headers={"Location": {"schema": STRING}})}


@pytest.fixture
def echo_function() -> Function:
    """Build the function of an application that returns what it gets."""
    paths = {
        "/things": {
            "get": operation(
                "list_things",
                parameter("tag", "query", TAGS),
                parameter("crumb", "cookie", INTEGER),
                parameter("X-Number", "header", INTEGER),
                parameter("X-Text", "header", STRING),
            ),
            "post": operation("make_thing", body=json_body(object_schema({"name": STRING}, "name")), responses=CREATED),
        },
        "/things/{id}": {
            "parameters": [parameter("id", "path", {"type": "string", "pattern": "^[a-z]+$"})],
            "get": operation("get_thing"),
            "delete": operation("delete_thing", responses={"204": {"description": "Gone."}}),
        },
    }
    client = serve(
        document(paths),
        {
            "list_things": lambda tag=None, crumb=None, x_number=None, x_text=None: Result(
                {"tag": tag, "crumb": crumb, "number": x_number, "text": x_text}
            ),
            "make_thing": lambda body: Result(body, 201, location="/things/a"),
            "get_thing": lambda id: Result({"id": id}),  # noqa: A006 - the document's name.
            "delete_thing": lambda id: Result(None, 204, change=id),  # noqa: A006 - the document's name.
        },
    )

    assert isinstance(client.application, WsgiApplication)
    return build_function(client.application)


@pytest.fixture
def invoke(echo_function: Function) -> Callable[[Event], dict[str, Any]]:
    """Return a handler that compares the function with the adapter."""
    handle = compare_with_adapter(echo_function, echo_function)
    return lambda event: handle(event, None)


Invoke = Callable[[Event], dict[str, Any]]
every_event_format = pytest.mark.parametrize("build_event", EVENT_BUILDERS.values(), ids=EVENT_BUILDERS)


@every_event_format
def test_get_returns_json(invoke: Invoke, build_event: EventBuilder) -> None:
    response = invoke(build_event("GET", "/v1/things/abc", headers=BEARER))

    assert response["statusCode"] == 200
    assert json.loads(response["body"]) == {"id": "abc"}
    assert response["isBase64Encoded"] is False
    assert response_headers(response)["content-type"] == "application/json"


@every_event_format
def test_repeated_and_encoded_query_values_arrive_unchanged(invoke: Invoke, build_event: EventBuilder) -> None:
    response = invoke(build_event("GET", "/v1/things?tag=a+b&tag=c%2Cd&tag=%C3%BC%26%3D&tag=%2541", headers=BEARER))

    assert json.loads(response["body"])["tag"] == ["a b", "c,d", "ü&=", "%41"]


@every_event_format
def test_cookies_and_headers_arrive(invoke: Invoke, build_event: EventBuilder) -> None:
    response = invoke(
        build_event("GET", "/v1/things", headers={**BEARER, "Cookie": "a=b; crumb=7; c=d", "X-Number": "3"})
    )

    assert json.loads(response["body"]) == {"tag": None, "crumb": 7, "number": 3, "text": None}


@every_event_format
@pytest.mark.parametrize(("value", "text"), [("snow", "snow"), ("n\xe4ve", "n\xe4ve"), ("\u2603", "\xe2\x98\x83")])
@pytest.mark.parametrize("name", ["X-Text", "x-text"])
def test_a_header_arrives_in_any_case_and_script(
    invoke: Invoke, build_event: EventBuilder, name: str, value: str, text: str
) -> None:
    response = invoke(build_event("GET", "/v1/things", headers={**BEARER, name: value}))

    assert json.loads(response["body"])["text"] == text


BODY = '{"name": "Zoë \N{GRINNING FACE}"}'


@every_event_format
@pytest.mark.parametrize("length", [{}, {"Content-Length": str(len(BODY.encode()))}], ids=["no length", "length"])
@pytest.mark.parametrize("body", [BODY, BODY.encode()], ids=["text", "base64"])
def test_a_body_arrives_with_and_without_a_content_length(
    invoke: Invoke, build_event: EventBuilder, length: dict[str, str], body: str | bytes
) -> None:
    response = invoke(build_event("POST", "/v1/things", body, {**JSON, **length}))

    assert response["statusCode"] == 201
    assert json.loads(response["body"]) == json.loads(BODY)
    assert response_headers(response)["location"] == "/v1/things/a"


@every_event_format
@pytest.mark.parametrize(
    ("method", "target", "headers", "status"),
    [
        ("GET", "/v1/things?unknown=1", BEARER, 400),
        ("GET", "/v1/things", {}, 401),
        ("GET", "/v1/nowhere", BEARER, 404),
        ("PUT", "/v1/things", BEARER, 405),
        ("POST", "/v1/things", JSON, 400),
        ("POST", "/v1/things", BEARER, 400),
        ("POST", "/v1/things", {**BEARER, "Content-Type": "text/plain"}, 415),
        ("GET", "/v1/things/ABC", BEARER, 400),
        ("GET", "/v1/things/%0a", BEARER, 404),
        ("GET", "/v1/things", {**BEARER, "Accept": "image/png"}, 406),
        ("GET", "/v1/things", {**BEARER, "X-Long": "x" * 33_000}, 431),
    ],
)
def test_a_problem_is_sent_as_text(
    invoke: Invoke, build_event: EventBuilder, method: str, target: str, headers: dict[str, str], status: int
) -> None:
    response = invoke(build_event(method, target, None, headers))

    assert response["statusCode"] == status
    assert response["isBase64Encoded"] is False
    assert json.loads(response["body"])["status"] == status
    assert response_headers(response)["content-type"] == PROBLEM_JSON


@every_event_format
def test_a_too_large_body_is_rejected(invoke: Invoke, build_event: EventBuilder) -> None:
    assert invoke(build_event("POST", "/v1/things", "x" * 300_000, JSON))["statusCode"] == 413


@every_event_format
def test_invalid_utf_8_in_a_body_is_rejected(invoke: Invoke, build_event: EventBuilder) -> None:
    assert invoke(build_event("POST", "/v1/things", b'{"name": "\xff"}', JSON))["statusCode"] == 400


@every_event_format
@pytest.mark.parametrize(("method", "status"), [("DELETE", 204), ("HEAD", 200)])
def test_a_response_without_a_body_has_none(
    invoke: Invoke, build_event: EventBuilder, method: str, status: int
) -> None:
    response = invoke(build_event(method, "/v1/things/abc", headers=BEARER))

    assert response["statusCode"] == status
    assert not response.get("body")


@every_event_format
@pytest.mark.parametrize("path", ["/v1/things/abc", "/v1/things/ABC", "/v1/nowhere"])
def test_head_has_the_length_of_the_get_response(invoke: Invoke, build_event: EventBuilder, path: str) -> None:
    head, get = invoke(build_event("HEAD", path, headers=BEARER)), invoke(build_event("GET", path, headers=BEARER))

    assert (head["statusCode"], head.get("body", "")) == (get["statusCode"], "")
    assert response_headers(head)["content-length"] == str(len(get["body"].encode()))


@every_event_format
def test_every_response_has_the_common_headers(invoke: Invoke, build_event: EventBuilder) -> None:
    headers = response_headers(invoke(build_event("GET", "/v1/things/abc", headers={**BEARER, "X-Request-Id": "abc"})))

    assert headers["x-request-id"] == "abc"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["strict-transport-security"].startswith("max-age=")


def test_a_load_balancer_gets_a_status_description(invoke: Invoke) -> None:
    response = invoke(EVENT_BUILDERS["load balancer"]("PUT", "/v1/things", headers=BEARER))

    assert response["statusDescription"].startswith("405 ")
    assert response["multiValueHeaders"]["allow"] == ["GET, HEAD, POST"]


def test_a_rest_api_gets_lists_of_headers(invoke: Invoke) -> None:
    response = invoke(rest_api_event("GET", "/v1/things", headers={}))

    assert response["multiValueHeaders"]["www-authenticate"] == ['Bearer realm="tackboard"']


def test_an_event_needs_few_fields(invoke: Invoke) -> None:
    event = http_api_event("GET", "/v1/things/abc", headers=BEARER)
    for name in ("isBase64Encoded", "routeKey"):
        del event[name]

    assert invoke(event)["statusCode"] == 200


@pytest.mark.parametrize(
    ("environment", "location"),
    [({"STRIP_STAGE_PATH": "yes"}, "/v1/things/a"), ({}, "/$default/v1/things/a")],
    ids=["stripped", "not stripped"],
)
def test_the_default_stage_adds_no_prefix(
    echo_function: Function, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], location: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    event = http_api_event("POST", "/v1/things", BODY, JSON, host=GATEWAY_HOST)
    adapted, straight = (
        json_round_trip(echo_function.respond_with_serverless_wsgi(event)),
        json_round_trip(echo_function(event, None)),
    )

    assert (adapted["statusCode"], response_headers(adapted)["location"]) == (201, location)
    assert (straight["statusCode"], response_headers(straight)["location"]) == (201, "/v1/things/a")


def test_a_named_stage_of_an_http_api_is_a_prefix(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_GATEWAY_BASE_PATH", "prod")

    response = invoke(http_api_event("POST", "/prod/v1/things", BODY, JSON, host=GATEWAY_HOST, stage="prod"))

    assert response["statusCode"] == 201
    assert response_headers(response)["location"] == "/prod/v1/things/a"


def test_a_named_stage_of_a_rest_api_is_a_prefix_of_locations(invoke: Invoke) -> None:
    response = invoke(rest_api_event("POST", "/v1/things", BODY, JSON, host=GATEWAY_HOST, stage="prod"))

    assert response["statusCode"] == 201
    assert response_headers(response)["location"] == "/prod/v1/things/a"


def test_a_named_stage_of_a_rest_api_can_be_stripped(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIP_STAGE_PATH", "yes")

    response = invoke(rest_api_event("POST", "/v1/things", BODY, JSON, host=GATEWAY_HOST, stage="prod"))

    assert response_headers(response)["location"] == "/v1/things/a"


def test_the_base_path_of_a_custom_domain_is_removed(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_GATEWAY_BASE_PATH", "boards")

    response = invoke(rest_api_event("PUT", "/boards/v1/things", headers=BEARER))

    assert response["statusCode"] == 405
    assert response["multiValueHeaders"]["allow"] == ["GET, HEAD, POST"]


@pytest.mark.parametrize("cookies", [[], ["a=1"], ["a=1", "b=2; Path=/"]])
def test_cookies_of_a_response_are_a_list_and_other_headers_are_joined(cookies: list[str]) -> None:
    headers = (*(("set-cookie", cookie) for cookie in cookies), ("vary", "accept"), ("vary", "origin"))
    edge = Edge(lambda _: Response(200, headers, b""), new_request_id=lambda: "made-here")

    response = ApiGatewayAdapter(edge)(http_api_event("GET", "/v1/things"))

    assert response["headers"]["vary"] == "accept, origin"
    assert "set-cookie" not in response["headers"]
    assert response.get("cookies", []) == cookies


@pytest.mark.parametrize(
    "wrong",
    [
        {"cookies": "a=1"},
        {"cookies": ["a=1", 7]},
        {"headers": {"x": 7}},
        {"headers": {"é": "x"}},
        {"headers": {7: "x"}},
        {"headers": []},
        {"rawPath": None},
        {"rawQueryString": b""},
        {"requestContext": {"http": {"method": 7}}},
        {"body": 7},
    ],
)
def test_an_event_of_another_form_is_malformed(wrong: dict[str, Any]) -> None:
    def respond(_: Request) -> Response:
        pytest.fail("The event must not arrive.")

    adapter = ApiGatewayAdapter(Edge(respond, new_request_id=lambda: "made-here"))

    with pytest.raises(MalformedEvent):
        adapter({**http_api_event("GET", "/v1/things"), **wrong})
