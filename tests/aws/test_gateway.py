"""What the adapter loses, the straight way keeps: repeated headers, cookies, bytes, paths that were decoded once."""

import base64
from typing import Any

from contract.api_gateway import ApiGatewayAdapter
from contract.edge import Edge
from contract.messages import Request, Response
from tests.contract.aws_events import http_api_event


def answering(*headers: tuple[str, str], body: bytes = b"") -> ApiGatewayAdapter:
    edge = Edge(lambda _: Response(200, headers, body), new_request_id=lambda: "made-here")
    return ApiGatewayAdapter(edge)


def read_path(event: dict[str, Any]) -> tuple[str, str]:
    """Return the path and the mount prefix that the application gets from an event."""
    received: list[Request] = []

    def answer(request: Request) -> Response:
        received.append(request)
        return Response(204, (), b"")

    ApiGatewayAdapter(Edge(answer, new_request_id=lambda: "made-here"))(event)
    return received[0].path, received[0].mount


def test_every_cookie_that_is_set_arrives() -> None:
    cookies = [f"c{number}={number}; Path=/" for number in range(40)]
    answer = answering(*(("set-cookie", cookie) for cookie in cookies))(http_api_event("GET", "/"))

    assert answer["cookies"] == cookies
    assert "set-cookie" not in answer["headers"]


def test_a_repeated_header_becomes_one() -> None:
    answer = answering(("vary", "Origin"), ("vary", "Accept"))(http_api_event("GET", "/"))

    assert answer["headers"]["vary"] == "Origin, Accept"


def test_bytes_go_back_in_base64() -> None:
    picture = b"\x89PNG\r\n\x1a\n"
    answer = answering(("content-type", "image/png"), body=picture)(http_api_event("GET", "/"))

    assert answer["isBase64Encoded"] is True
    assert base64.b64decode(answer["body"]) == picture


def test_a_path_is_decoded_once() -> None:
    assert read_path(http_api_event("GET", "/v1/a%252Fb")) == ("/v1/a%2Fb", "")


def test_a_path_that_begins_like_the_stage_is_no_stage() -> None:
    assert read_path(http_api_event("GET", "/product/v1/boards", stage="prod")) == ("/product/v1/boards", "")
