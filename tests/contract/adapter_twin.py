"""Compare the function's response to an event with that of serverless-wsgi in front of an equal application."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from aws.deadline import Deadline
from aws.function import Function
from aws.request_records import RequestRecorder
from contract.wsgi_application import WsgiApplication
from tests.contract.aws_events import Event, response_headers

LambdaResponse = dict[str, Any]


def build_function(application: WsgiApplication, lines: list[bytes] | None = None) -> Function:
    """Build the function of an application. `lines` collects its log lines."""
    write = (lines if lines is not None else []).append
    return Function(
        application, Deadline(), RequestRecorder("test", lambda: datetime.now(UTC), lambda: 0.0, write), dict
    )


def json_round_trip(response: Mapping[str, Any]) -> LambdaResponse:
    """Encode a response as JSON and decode it again."""
    travelled: LambdaResponse = json.loads(json.dumps(response))
    return travelled


def normalize_response(response: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what a client sees of a response, in one form for both ways.

    The adapter adds a Content-Type to responses without a body, and keeps a Content-Length, which the gateway sets.
    """
    body = response.get("body", "")
    loose = {"content-length"} if body else {"content-length", "content-type"}
    headers = {name: value for name, value in response_headers(response).items() if name not in loose}
    return response["statusCode"], headers, body, response.get("isBase64Encoded", False)


def compare_with_adapter(one: Function, twin: Function) -> Callable[[Event, object], LambdaResponse]:
    """Return a handler that calls `one`, and asserts that serverless-wsgi in front of `twin` responds the same."""

    def invoke(event: Event, context: object = None) -> LambdaResponse:
        response = json_round_trip(one(event, context))
        if event.get("version") == "2.0":
            assert normalize_response(response) == normalize_response(
                json_round_trip(twin.respond_with_serverless_wsgi(event))
            )
        else:
            twin(event, context)
        return response

    return invoke
