"""What the adapter loses, the straight way keeps: repeated headers, cookies, bytes, paths that were decoded once."""

import base64
from collections.abc import Callable
from typing import Any

from contract.api_gateway import ApiGatewayAdapter, build_scope_from_event
from contract.bridge import Message
from tests.contract.aws_events import http_api_event


def answering(*headers: tuple[bytes, bytes], body: bytes = b"") -> ApiGatewayAdapter:
    async def application(_: Message, __: Callable[[], Any], send: Callable[[Message], Any]) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return ApiGatewayAdapter(application)


def test_every_cookie_that_is_set_arrives() -> None:
    cookies = [f"c{number}={number}; Path=/" for number in range(40)]
    answer = answering(*((b"Set-Cookie", cookie.encode()) for cookie in cookies))(http_api_event("GET", "/"))

    assert answer["cookies"] == cookies
    assert "set-cookie" not in answer["headers"]


def test_a_repeated_header_becomes_one() -> None:
    answer = answering((b"vary", b"Origin"), (b"Vary", b"Accept"))(http_api_event("GET", "/"))

    assert answer["headers"] == {"vary": "Origin, Accept"}


def test_bytes_go_back_in_base64() -> None:
    picture = b"\x89PNG\r\n\x1a\n"
    answer = answering((b"content-type", b"image/png"), body=picture)(http_api_event("GET", "/"))

    assert answer["isBase64Encoded"] is True
    assert base64.b64decode(answer["body"]) == picture


def test_a_path_is_decoded_once() -> None:
    assert build_scope_from_event(http_api_event("GET", "/v1/a%252Fb"))["path"] == "/v1/a%2Fb"


def test_a_path_that_begins_like_the_stage_is_no_stage() -> None:
    scope = build_scope_from_event(http_api_event("GET", "/product/v1/boards", stage="prod"))

    assert (scope["path"], scope["root_path"]) == ("/product/v1/boards", "")
