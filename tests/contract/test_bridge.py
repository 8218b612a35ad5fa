"""The bridge from WSGI to ASGI: no event loop, one context per request, bodies read to their end."""

import asyncio
import contextvars
import io
import sys
from typing import Any

import pytest

from contract.bridge import Message, Receive, Send, WsgiBridge, build_scope, run_synchronously
from tests.contract.client import call, environ


async def echo(scope: Message, receive: Receive, send: Send) -> None:
    """Respond with the body of the request."""
    del scope
    body, more = b"", True
    while more:
        message = await receive()
        body += message["body"]
        more = message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})


def test_a_request_reaches_the_application_and_its_response_the_server() -> None:
    response = call(WsgiBridge(echo), environ("POST", "/", b"hello"))

    assert (response.status, response.body) == (200, b"hello")
    assert response.headers == [("x-length", "5")]


def test_no_event_loop_is_running() -> None:
    async def look(scope: Message, receive: Receive, send: Send) -> None:
        del scope, receive
        with pytest.raises(RuntimeError, match="no running event loop"):
            asyncio.get_running_loop()
        await send({"type": "http.response.start", "status": 204, "headers": []})

    assert call(WsgiBridge(look), environ("GET", "/")).status == 204


def test_an_application_that_suspends_raises_a_runtime_error() -> None:
    class Pause:
        def __await__(self) -> Any:
            yield

    async def wait(scope: Message, receive: Receive, send: Send) -> None:
        del scope, receive, send
        await Pause()

    with pytest.raises(RuntimeError, match="The application waited for something"):
        call(WsgiBridge(wait), environ("GET", "/"))


def test_a_suspended_coroutine_is_closed() -> None:
    closed: list[bool] = []

    class Pause:
        def __await__(self) -> Any:
            yield

    async def wait() -> None:
        try:
            await Pause()
        finally:
            closed.append(True)

    with pytest.raises(RuntimeError):
        run_synchronously(wait())

    assert closed == [True]


def test_an_exception_reaches_the_server() -> None:
    async def fail(scope: Message, receive: Receive, send: Send) -> None:
        del scope, receive, send
        raise ZeroDivisionError("on purpose")

    with pytest.raises(ZeroDivisionError, match="on purpose"):
        call(WsgiBridge(fail), environ("GET", "/"))


def test_context_variables_set_by_a_request_do_not_leak() -> None:
    variable = contextvars.ContextVar("variable", default="outside")
    values: list[str] = []

    async def mark(scope: Message, receive: Receive, send: Send) -> None:
        del receive
        values.append(variable.get())
        variable.set(scope["path"])
        values.append(variable.get())
        await send({"type": "http.response.start", "status": 204, "headers": []})

    bridge = WsgiBridge(mark)
    call(bridge, environ("GET", "/first"))
    call(bridge, environ("GET", "/second"))

    assert values == ["outside", "/first", "outside", "/second"]
    assert variable.get() == "outside"


def test_context_variables_of_the_server_are_visible() -> None:
    variable = contextvars.ContextVar("variable", default="outside")
    values: list[str] = []

    async def look(scope: Message, receive: Receive, send: Send) -> None:
        del scope, receive
        values.append(variable.get())
        await send({"type": "http.response.start", "status": 204, "headers": []})

    context = contextvars.copy_context()
    context.run(variable.set, "the server's")
    context.run(call, WsgiBridge(look), environ("GET", "/"))

    assert values == ["the server's"]


class Endless(io.RawIOBase):
    """A connection that stays open: reading past the body would block forever."""

    def __init__(self, body: bytes) -> None:
        self._left = body

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes. Fail where a server would block."""
        assert 0 <= size <= len(self._left), "reads past the end of the body"
        piece, self._left = self._left[:size], self._left[size:]
        return piece


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 200_000])
def test_a_body_is_read_to_its_declared_length_and_no_further(size: int) -> None:
    request = environ("POST", "/", b"x" * size)
    request["wsgi.input"] = Endless(b"x" * size)

    assert call(WsgiBridge(echo), request).body == b"x" * size


def test_bytes_after_the_declared_length_are_not_read() -> None:
    request = environ("POST", "/", b"body and more")
    request["CONTENT_LENGTH"] = "4"

    assert call(WsgiBridge(echo), request).body == b"body"


def test_a_truncated_body_ends_early() -> None:
    request = environ("POST", "/", b"short")
    request["CONTENT_LENGTH"] = "100"

    assert call(WsgiBridge(echo), request).body == b"short"


def test_a_body_in_small_chunks_is_read_completely() -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size or 0, 7))

    request = environ("POST", "/", b"x" * 100)
    request["wsgi.input"] = Slow(b"x" * 100)

    assert call(WsgiBridge(echo), request).body == b"x" * 100


def test_a_terminated_input_needs_no_content_length() -> None:
    request = environ("POST", "/", b"x" * 100_000)
    del request["CONTENT_LENGTH"]
    request["wsgi.input_terminated"] = True
    request["HTTP_TRANSFER_ENCODING"] = "chunked"

    assert call(WsgiBridge(echo), request).body == b"x" * 100_000


@pytest.mark.parametrize("declared", ["", "abc", "-5", "5.0", "²", "0x5", None])
def test_without_a_length_or_a_terminated_input_there_is_no_body(declared: str | None) -> None:
    request = environ("POST", "/", b"")
    request["wsgi.input"] = Endless(b"")
    if declared is None:
        del request["CONTENT_LENGTH"]
    else:
        request["CONTENT_LENGTH"] = declared

    assert call(WsgiBridge(echo), request).body == b""


def test_a_content_length_of_five_thousand_digits_is_accepted() -> None:
    assert sys.get_int_max_str_digits() < 5_000
    request = environ("POST", "/", b"x")
    request["CONTENT_LENGTH"] = "9" * 5_000

    assert call(WsgiBridge(echo), request).status == 200


def test_the_scope_has_the_values_of_the_environ() -> None:
    request = environ("PUT", "/a%20b/caf%C3%A9?q=%20&r", b"{}", {"Content-Type": "text/x", "X-Some-Thing": "\xfc"})
    request |= {"SCRIPT_NAME": "/prefix", "wsgi.url_scheme": "https", "SERVER_NAME": "example.org"}

    scope = build_scope(request)

    assert scope["type"] == "http"
    assert scope["method"] == "PUT"
    assert scope["scheme"] == "https"
    assert scope["path"] == "/prefix/a b/café"
    assert scope["root_path"] == "/prefix"
    assert scope["query_string"] == b"q=%20&r"
    assert scope["server"] == ("example.org", 8080)
    assert sorted(scope["headers"]) == [
        (b"content-length", b"2"),
        (b"content-type", b"text/x"),
        (b"x-some-thing", b"\xfc"),
    ]


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("/kanban", "/kanban"),
        ("/kanban/", "/kanban"),
        ("kanban", "/kanban"),
        ("/tools/kanban", "/tools/kanban"),
        ("//example.org", "/example.org"),
        ("/", ""),
        ("", ""),
    ],
)
def test_a_prefix_has_one_slash_in_front_and_none_at_the_end(name: str, prefix: str) -> None:
    scope = build_scope({**environ("GET", "/v1/boards"), "SCRIPT_NAME": name})

    assert (scope["path"], scope["root_path"]) == (f"{prefix}/v1/boards", prefix)


def test_the_content_type_is_in_the_scope_once() -> None:
    request = environ("POST", "/", b"{}", {"Content-Type": "application/json"})
    request |= {"HTTP_CONTENT_TYPE": "text/plain", "HTTP_CONTENT_LENGTH": "9"}

    headers = build_scope(request)["headers"]

    assert sorted(headers) == [(b"content-length", b"2"), (b"content-type", b"application/json")]


def test_an_environ_needs_no_port_and_no_query() -> None:
    request = environ("GET", "/")
    del request["SERVER_PORT"], request["QUERY_STRING"]

    scope = build_scope(request)

    assert scope["query_string"] == b""
    assert scope["server"] == ("localhost", 0)


def test_invalid_utf_8_in_a_path_equals_no_valid_path() -> None:
    assert build_scope(environ("GET", "/%ff"))["path"] == "/\udcff"


def test_a_status_without_a_phrase_is_sent() -> None:
    async def answer(scope: Message, receive: Receive, send: Send) -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": 299, "headers": []})

    assert call(WsgiBridge(answer), environ("GET", "/")).status == 299


def test_a_response_in_chunks_is_joined() -> None:
    async def answer(scope: Message, receive: Receive, send: Send) -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"1"), (b"a", b"2")]})
        for piece in (b"one ", b"two"):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body"})

    response = call(WsgiBridge(answer), environ("GET", "/"))

    assert response.body == b"one two"
    assert response.headers == [("a", "1"), ("a", "2")]
