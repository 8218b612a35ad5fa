"""One event, both ways: straight to an application and through serverless-wsgi to its twin. The answers must agree."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from aws.deadline import Deadline
from aws.function import Function
from aws.request_records import RequestRecorder
from contract.bridge import WsgiBridge
from tests.contract.aws_events import Event, response_headers

LambdaResponse = dict[str, Any]


def build_function(application: WsgiBridge, lines: list[str] | None = None) -> Function:
    """The function of an application; `lines` collects what it writes down."""
    write = (lines if lines is not None else []).append
    return Function(
        application, Deadline(), RequestRecorder("test", lambda: datetime.now(UTC), lambda: 0.0, write), dict
    )


def json_round_trip(answer: Mapping[str, Any]) -> LambdaResponse:
    """The answer as it travels."""
    travelled: LambdaResponse = json.loads(json.dumps(answer))
    return travelled


def normalize_response(answer: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a client sees of an answer, in whichever words it is given.

    The adapter gives a type to answers that have no body, and doesn't know that a length is the server's to say.
    """
    body = answer.get("body", "")
    loose = {"content-length"} if body else {"content-length", "content-type"}
    headers = {name: value for name, value in response_headers(answer).items() if name not in loose}
    return answer["statusCode"], headers, body, answer.get("isBase64Encoded", False)


def compare_with_adapter(one: Function, twin: Function) -> Callable[[Event, object], LambdaResponse]:
    """Answers events with `one`, and sees that serverless-wsgi in front of `twin` would have answered the same."""

    def invoke(event: Event, context: object = None) -> LambdaResponse:
        answer = json_round_trip(one(event, context))
        if event.get("version") == "2.0":
            assert normalize_response(answer) == normalize_response(
                json_round_trip(twin.respond_with_serverless_wsgi(event))
            )
        else:
            twin(event, context)
        return answer

    return invoke
