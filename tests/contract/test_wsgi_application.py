"""WSGI: bodies are read to their end and no further, and native strings are decoded."""

import io
from wsgiref.types import WSGIEnvironment

import pytest

from contract.edge import Edge
from contract.messages import HttpApplication, Request, Response
from contract.wsgi_application import WsgiApplication
from tests.contract.client import call, environ


def serve(respond: HttpApplication) -> WsgiApplication:
    """Serve an application behind the edge."""
    return WsgiApplication(Edge(respond, new_request_id=lambda: "made-here", body_limits={"/": 1_000_000}))


def echo(request: Request) -> Response:
    """Respond with the body of the request."""
    return Response(200, (("x-length", str(len(request.body))),), request.body)


def receive(request: WSGIEnvironment) -> Request:
    """Return the request that the application gets for an environ."""
    received: list[Request] = []

    def respond(request: Request) -> Response:
        received.append(request)
        return Response(204, (), b"")

    call(serve(respond), request)
    return received[0]


def test_a_request_reaches_the_application_and_its_response_the_server() -> None:
    response = call(serve(echo), environ("POST", "/", b"hello"))

    assert (response.status, response.body) == (200, b"hello")
    assert response.headers[0] == ("x-length", "5")


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

    assert call(serve(echo), request).body == b"x" * size


def test_bytes_after_the_declared_length_are_not_read() -> None:
    request = environ("POST", "/", b"body and more")
    request["CONTENT_LENGTH"] = "4"

    assert call(serve(echo), request).body == b"body"


def test_a_truncated_body_ends_early() -> None:
    request = environ("POST", "/", b"short")
    request["CONTENT_LENGTH"] = "100"

    assert call(serve(echo), request).body == b"short"


def test_a_body_in_small_chunks_is_read_completely() -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size or 0, 7))

    request = environ("POST", "/", b"x" * 100)
    request["wsgi.input"] = Slow(b"x" * 100)

    assert call(serve(echo), request).body == b"x" * 100


def test_a_terminated_input_needs_no_content_length() -> None:
    request = environ("POST", "/", b"x" * 100_000)
    del request["CONTENT_LENGTH"]
    request["wsgi.input_terminated"] = True
    request["HTTP_TRANSFER_ENCODING"] = "chunked"

    assert call(serve(echo), request).body == b"x" * 100_000


@pytest.mark.parametrize("declared", ["", "abc", "-5", "5.0", "²", "0x5", None])
def test_without_a_length_or_a_terminated_input_there_is_no_body(declared: str | None) -> None:
    request = environ("POST", "/", b"")
    request["wsgi.input"] = Endless(b"")
    if declared is None:
        del request["CONTENT_LENGTH"]
    else:
        request["CONTENT_LENGTH"] = declared

    assert call(serve(echo), request).body == b""


def test_the_request_has_the_values_of_the_environ() -> None:
    environment = environ("PUT", "/a%20b/caf%C3%A9?q=%20&r", b"{}", {"Content-Type": "text/x", "X-Some-Thing": "\xfc"})
    environment |= {"SCRIPT_NAME": "/prefix", "wsgi.url_scheme": "https"}

    request = receive(environment)

    assert (request.method, request.path, request.query, request.mount) == ("PUT", "/a b/café", "q=%20&r", "/prefix")
    assert request.headers == {"content-length": "2", "content-type": "text/x", "x-some-thing": "\xfc"}
    assert request.body == b"{}"


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
    request = receive({**environ("GET", "/v1/boards"), "SCRIPT_NAME": name})

    assert (request.path, request.mount) == ("/v1/boards", prefix)


def test_only_the_variables_of_cgi_set_type_and_length_of_the_body() -> None:
    environment = environ("POST", "/", b"{}", {"Content-Type": "application/json"})
    environment |= {"HTTP_CONTENT_TYPE": "text/plain", "HTTP_CONTENT_LENGTH": "9"}

    assert receive(environment).headers == {"content-length": "2", "content-type": "application/json"}


def test_an_environ_needs_no_query() -> None:
    environment = environ("GET", "/")
    del environment["QUERY_STRING"]

    assert receive(environment).query == ""


def test_characters_that_an_adapter_should_have_encoded_are_read_as_utf_8() -> None:
    request = receive(environ("GET", "/", headers={"X-Name": "\u20ac"}))

    assert request.headers["x-name"] == "\u20ac".encode().decode("latin-1")


def test_invalid_utf_8_in_a_path_equals_no_valid_path() -> None:
    assert call(serve(echo), environ("GET", "/%ff")).problem == (404, "not_found")


def test_a_status_without_a_phrase_is_sent() -> None:
    assert call(serve(lambda _: Response(299, (), b"")), environ("GET", "/")).status == 299
