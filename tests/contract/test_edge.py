"""The edge: size limits, invalid paths and queries, request ids, common headers."""

import io
from wsgiref.types import WSGIEnvironment

import pytest

from contract.edge import (
    MAX_BODY_BYTES,
    MAX_HEADER_BYTES,
    MAX_PATH_CHARACTERS,
    MAX_QUERY_BYTES,
    Edge,
    find_body_limits,
)
from contract.messages import HttpApplication, Request, Response
from contract.wsgi_application import WsgiApplication
from tests.contract.client import Client, call, environ
from tests.contract.contract_app import serve_body
from tests.contract.openapi_documents import OBJECT


def serve_edge(respond: HttpApplication) -> Client:
    """Return a client of the edge around an application."""
    return Client(WsgiApplication(Edge(respond, new_request_id=lambda: "made-here")))


def respond_with_size(request: Request) -> Response:
    """Respond with the request id and the size of the body."""
    text = f"{request.headers.get('x-request-id', '-')} {len(request.body)}"
    return Response(200, (("content-type", "text/plain"),), text.encode())


@pytest.fixture
def edge() -> Client:
    """Return a client of the edge around an application that accepts everything."""
    return serve_edge(respond_with_size)


def build_chunked_request(body: bytes) -> WSGIEnvironment:
    """Build a request whose body has no Content-Length."""
    request = environ("POST", "/")
    request |= {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    return request


def test_a_body_at_the_limit_passes(edge: Client) -> None:
    assert edge.send("POST", "/", b"x" * MAX_BODY_BYTES).body == f"- {MAX_BODY_BYTES}".encode()
    assert call(edge.application, build_chunked_request(b"x" * MAX_BODY_BYTES)).body == f"- {MAX_BODY_BYTES}".encode()


@pytest.mark.parametrize("length", [str(MAX_BODY_BYTES + 1), "6000000", "9" * 18, "9" * 19, "9" * 5_000])
def test_a_body_with_a_too_large_content_length_is_rejected_unread(edge: Client, length: str) -> None:
    class Unread(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise AssertionError(f"reads {size} bytes")

    request = environ("POST", "/", headers={"Content-Length": length})
    request["wsgi.input"] = Unread()

    assert call(edge.application, request).problem == (413, "body_too_large")


def test_a_body_over_the_limit_is_rejected(edge: Client) -> None:
    assert call(edge.application, build_chunked_request(b"x" * (MAX_BODY_BYTES + 1))).problem == (413, "body_too_large")


def test_reading_stops_at_the_body_limit(edge: Client) -> None:
    request = build_chunked_request(b"x" * MAX_BODY_BYTES * 10)

    call(edge.application, request)

    assert request["wsgi.input"].tell() <= MAX_BODY_BYTES * 2


def test_a_path_at_the_limit_passes_and_a_longer_one_is_rejected(edge: Client) -> None:
    assert edge.get("/" + "a" * (MAX_PATH_CHARACTERS - 1)).status == 200
    assert edge.get("/" + "a" * MAX_PATH_CHARACTERS).problem == (414, "uri_too_long")


def test_a_query_at_the_limit_passes_and_a_longer_one_is_rejected(edge: Client) -> None:
    assert edge.get("/?" + "a" * MAX_QUERY_BYTES).status == 200
    assert edge.get("/?" + "a" * (MAX_QUERY_BYTES + 1)).problem == (414, "uri_too_long")


def test_headers_at_the_limit_pass_and_larger_ones_are_rejected(edge: Client) -> None:
    assert edge.get("/", headers={"X": "a" * (MAX_HEADER_BYTES - 1)}, token=None).status == 200
    assert edge.get("/", headers={"X": "a" * MAX_HEADER_BYTES}, token=None).problem == (431, "headers_too_large")
    assert edge.get("/", headers={f"X-{n}": "a" * 100 for n in range(640)}, token=None).status == 431


@pytest.mark.parametrize("path", ["/%00", "/a%0ab", "/%1f", "/%7f", "/%ff", "/%c0%af", "/%ed%a0%80"])
def test_a_path_with_control_characters_or_invalid_utf_8_is_a_404(edge: Client, path: str) -> None:
    assert edge.get(path).problem == (404, "not_found")


@pytest.mark.parametrize("path", ["/caf%C3%A9", "/%F0%9F%98%80", "/a%20b", "/a%25b", "/~a/!$&'()*+,;=:@"])
def test_any_other_path_passes(edge: Client, path: str) -> None:
    assert edge.get(path).status == 200


@pytest.mark.parametrize("query", ["a=b c", "a=\x01", "a=\xff", "a=\u20ac", "a\n", "\x00"])
def test_a_query_with_unencoded_characters_is_rejected(edge: Client, query: str) -> None:
    assert edge.get(f"/?{query}").problem == (400, "malformed_request")


@pytest.mark.parametrize("sent", ["a", "A-b_c.9", "x" * 64, "00-4bf92f3577b34da6a3ce929d0e0e4736-00"])
def test_a_valid_request_id_is_kept(edge: Client, sent: str) -> None:
    response = edge.get("/", headers={"X-Request-Id": sent})

    assert response.header("x-request-id") == sent


@pytest.mark.parametrize("sent", [None, "", "x" * 65, "a b", "a\nb", "a\n", "<script>", "ä", "a;b", "{}"])
def test_any_other_request_id_is_replaced(edge: Client, sent: str | None) -> None:
    response = edge.get("/", headers={"X-Request-Id": sent} if sent is not None else {})

    assert response.header("x-request-id") == "made-here"


@pytest.mark.parametrize("target", ["/", "/%00", "/?" + "a" * 9_000], ids=["fine", "not found", "too long"])
def test_every_response_has_the_common_headers(edge: Client, target: str) -> None:
    response = edge.get(target, headers={"X-Request-Id": "abc"})

    assert response.header("x-request-id") == "abc"
    assert response.header("cache-control") == "no-store"
    assert response.header("x-content-type-options") == "nosniff"


def test_a_header_of_the_response_wins_over_a_common_one() -> None:
    client = serve_edge(lambda _: Response(200, (("cache-control", "max-age=60"),), b""))

    assert client.get("/").header("cache-control") == "max-age=60"


@pytest.mark.parametrize(("scheme", "expected"), [("https", "max-age=63072000; includeSubDomains"), ("http", None)])
def test_strict_transport_security_is_sent_over_https_only(edge: Client, scheme: str, expected: str | None) -> None:
    request = environ("GET", "/")
    request["wsgi.url_scheme"] = scheme

    assert call(edge.application, request).header("strict-transport-security") == expected


@pytest.mark.parametrize("target", ["/", "/%00", "/?" + "a" * 9_000], ids=["fine", "not found", "too long"])
def test_head_has_no_body_and_the_length_of_the_get_response(edge: Client, target: str) -> None:
    head, get = edge.send("HEAD", target), edge.get(target)

    assert (head.status, head.body) == (get.status, b"")
    assert head.headers == [*get.headers, ("content-length", str(len(get.body)))]


@pytest.mark.parametrize("status", [204, 304])
def test_a_response_without_a_body_has_no_length(status: int) -> None:
    client = serve_edge(lambda _: Response(status, (), b""))

    assert client.send("HEAD", "/").header("content-length") is None


def test_an_error_of_the_application_is_a_500_with_the_common_headers(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: Request) -> Response:
        raise ZeroDivisionError("on purpose")

    response = serve_edge(fail).get("/")

    assert response.problem == (500, "internal_error")
    assert response.header("x-request-id") == "made-here"
    assert "on purpose" in caplog.text


def test_sizes_are_checked_before_characters(edge: Client) -> None:
    headers = {"Content-Length": "999999"}

    assert edge.send("POST", "/%00?" + "a" * 9_000, headers=headers).status == 414
    assert edge.send("POST", "/%00", headers={**headers, "X": "a" * 40_000}).status == 431
    assert edge.send("POST", "/%00", headers=headers).status == 413
    assert edge.send("POST", "/%00", b"x").status == 404


@pytest.mark.parametrize(
    "forms", [{"Host": "elsewhere.example"}, {"Host": ""}, {"traceparent": "broken"}, {"Cookie": "\xff;;="}]
)
def test_unknown_odd_headers_are_no_error(forms: dict[str, str]) -> None:
    client = serve_body(OBJECT)

    assert client.send("POST", "/v1/things", b"{}", {"Content-Type": "application/json", **forms}).status == 200


def test_body_limits_are_those_that_operations_declare() -> None:
    paths = {
        "/imports": {"post": {"operationId": "import_thing", "x-tackboard-body-limit": 5_000_000}, "parameters": []},
        "/things": {"post": {"operationId": "create_thing"}, "x-tackboard-body-limit": 7},
    }

    assert find_body_limits({"servers": [{"url": "/v1"}], "paths": paths}) == {"/v1/imports": 5_000_000}
