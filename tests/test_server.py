"""What the server rejects before the application gets the request, and what it leaves to the application."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from contract.edge import MAX_HEADER_BYTES
from tests.live_server import ROOT, LiveServer


def _exchange(server: LiveServer, sent: bytes) -> bytes:
    """Send bytes and return everything that comes back."""
    with socket.create_connection(server.host_and_port, timeout=30) as connection:
        connection.sendall(sent)
        return _read_to_end(connection)


def _read_to_end(connection: socket.socket) -> bytes:
    """Read until the server closes the connection."""
    received = b""
    while piece := connection.recv(65_536):
        received += piece
    return received


def _request(line: str, *headers: str, body: bytes = b"") -> bytes:
    return "\r\n".join((line, "Host: localhost", "Connection: close", *headers, "", "")).encode("latin-1") + body


def _post(*headers: str, body: bytes = b"") -> bytes:
    return _request("POST /v1/users HTTP/1.1", *headers, body=body)


def _problem(answer: bytes) -> dict[str, Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head.lower()
    assert b"x-request-id: " in head.lower()
    problem: dict[str, Any] = json.loads(body)
    assert head.split()[1] == str(problem["status"]).encode()
    return problem


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        pytest.param(sent, status, code, id=name)
        for name, sent, status, code in (
            ("not HTTP", b"\x16\x03\x01\x02\x00\r\n\r\n", 400, "malformed_request"),
            ("NUL in a header", _request("GET /v1/health HTTP/1.1", "X-A: a\0b"), 400, "malformed_request"),
            ("blank in a name", _request("GET /v1/health HTTP/1.1", "X A: a"), 400, "malformed_request"),
            ("bare byte in a path", _request("GET /v1/\xff HTTP/1.1"), 400, "malformed_request"),
            ("two lengths", _post("Content-Length: 1", "Content-Length: 2"), 400, "malformed_request"),
            ("negative length", _post("Content-Length: -1"), 400, "malformed_request"),
            ("unknown coding", _post("Transfer-Encoding: gzip"), 400, "malformed_request"),
            ("broken chunk", _post("Transfer-Encoding: chunked", body=b"zz\r\n"), 400, "malformed_request"),
            ("far too long", _post("Content-Length: 99999999999"), 413, "body_too_large"),
            ("a length of 5,000 digits", _post(f"Content-Length: {'9' * 5_000}"), 413, "body_too_large"),
            (
                "a length and a coding",
                _post("Content-Length: 3", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
                400,
                "malformed_request",
            ),
            ("HTTP of tomorrow", _request("GET /v1/health HTTP/9.9"), 400, "malformed_request"),
            ("HTTP of 1991", _request("GET /v1/health"), 400, "malformed_request"),
            ("no host", b"GET /v1/health HTTP/1.1\r\n\r\n", 400, "malformed_request"),
            ("two hosts", _request("GET /v1/health HTTP/1.1", "Host: localhost"), 400, "malformed_request"),
            ("a host with a blank", b"GET /v1/health HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "malformed_request"),
            ("a folded header", _request("GET /v1/health HTTP/1.1", "X-A: a\r\n b"), 400, "malformed_request"),
            (
                "headers without end",
                b"GET / HTTP/1.1\r\nX-A: ".ljust(8 * MAX_HEADER_BYTES, b"a"),
                431,
                "headers_too_large",
            ),
            ("long header", _request("GET /v1/health HTTP/1.1", f"X-A: {'a' * 64_000}"), 431, "headers_too_large"),
            ("long path", _request(f"GET /v1/{'a' * 70_000} HTTP/1.1"), 414, "uri_too_long"),
            ("method in lower case", _request("get /v1/health HTTP/1.1"), 405, "method_not_allowed"),
            ("unknown method", _request("FOO /v1/health HTTP/1.1"), 405, "method_not_allowed"),
            ("two slashes", _request("GET //v1/health HTTP/1.1"), 404, "not_found"),
            ("the server itself", _request("OPTIONS * HTTP/1.1"), 404, "not_found"),
            ("a tunnel", _request("CONNECT localhost:80 HTTP/1.1"), 404, "not_found"),
        )
    ],
)
def test_every_rejection_is_a_problem_document(live_server: LiveServer, sent: bytes, status: int, code: str) -> None:
    problem = _problem(_exchange(live_server, sent))

    assert (problem["status"], problem["code"]) == (status, code)


def test_a_client_can_read_the_rejection_of_a_body_of_six_megabytes(live_server: LiveServer) -> None:
    body = b"x" * 6_000_000

    answer = _exchange(live_server, _post(f"Content-Length: {len(body)}", body=body))

    assert _problem(answer)["code"] == "body_too_large"


def test_a_body_may_come_in_chunks(live_server: LiveServer) -> None:
    chunks = b'8\r\n{"name":\r\n7\r\n "Mina"\r\n1\r\n}\r\n0\r\n\r\n'
    headers = ("Content-Type: application/json", "Transfer-Encoding: chunked")

    answer = _exchange(live_server, _post(*headers, body=chunks))

    assert answer.startswith(b"HTTP/1.1 201 ")


def test_a_client_that_expects_100_continue_gets_it(live_server: LiveServer) -> None:
    headers = ("Content-Type: application/json", "Content-Length: 16", "Expect: 100-continue")

    answer = _exchange(live_server, _request("POST /v1/users HTTP/1.1", *headers, body=b'{"name": "Mina"}'))

    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 ")


@pytest.mark.parametrize("path", ["/v1/health", "/v1/nowhere", "/docs/", f"/v1/health?{'a' * 9000}"])
def test_a_connection_can_be_used_again_after_head(live_server: LiveServer, path: str) -> None:
    first = f"HEAD {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()

    answer = _exchange(live_server, first + _request("GET /v1/health HTTP/1.1"))

    _, _, after_the_first_head = answer.partition(b"\r\n\r\n")
    assert after_the_first_head.startswith(b"HTTP/1.1 200 OK\r\n")


def test_http_1_0_needs_no_host(live_server: LiveServer) -> None:
    assert _exchange(live_server, b"GET /v1/health HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.0 200 ")


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "[::1]:8080", "b%C3%BCro.example", ""])
def test_every_valid_host_is_accepted(live_server: LiveServer, host: str) -> None:
    request = f"GET /v1/health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"

    assert _exchange(live_server, request.encode()).startswith(b"HTTP/1.1 200 ")


def test_a_connection_can_be_used_again_after_a_response_without_a_body(live_server: LiveServer) -> None:
    tag = _exchange(live_server, _request("HEAD /docs/ HTTP/1.1")).partition(b"Etag: ")[2].partition(b"\r\n")[0]
    first = b"GET /docs/ HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: " + tag + b"\r\n\r\n"
    preflight = (
        b"OPTIONS /v1/health HTTP/1.1\r\nHost: localhost\r\nOrigin: https://app.example\r\n"
        b"Access-Control-Request-Method: GET\r\n\r\n"
    )

    answer = _exchange(live_server, first + preflight + _request("GET /v1/health HTTP/1.1"))

    heads = [part.split(b"\r\n")[0] for part in answer.split(b"HTTP/1.1 ")[1:]]
    assert heads == [b"304 Not Modified", b"204 No Content", b"200 OK"]
    assert answer.lower().count(b"connection: close") == 1


def _lengths(answer: bytes) -> list[bytes]:
    head, _, _ = answer.partition(b"\r\n\r\n")
    return [line for line in head.lower().split(b"\r\n") if line.startswith((b"content-length", b"transfer-encoding"))]


@pytest.mark.parametrize("path", ["/v1/health", "/v1/boards", "/v1/nowhere", "/", "/docs/", "/openapi.json"])
def test_the_response_to_head_has_the_content_length_of_get(live_server: LiveServer, path: str) -> None:
    get = _exchange(live_server, _request(f"GET {path} HTTP/1.1"))

    head = _exchange(live_server, _request(f"HEAD {path} HTTP/1.1"))

    _, _, body = get.partition(b"\r\n\r\n")
    assert head.endswith(b"\r\n\r\n")
    assert _lengths(head) == _lengths(get) == [b"content-length: %d" % len(body)]


SLOW = """
import sys
from server import waitress_server as server

def application(environ, start_response):
    print("begun", flush=True)
    sys.stdin.readline()
    start_response("200 OK", [("Content-Length", "4")])
    return [b"done"]

listening = server.listen("127.0.0.1", 0)
print(listening.getsockname()[1], flush=True)
server.serve(application, listening)
"""


def test_a_request_that_has_begun_is_finished_after_ctrl_c() -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", SLOW], cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin
        assert process.stdout
        port = int(process.stdout.readline())
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(_request("GET / HTTP/1.1"))
            assert process.stdout.readline() == "begun\n"

            process.send_signal(signal.SIGINT)
            process.stdin.write("go on\n")
            process.stdin.flush()

            assert _read_to_end(connection).endswith(b"done")
        assert process.wait(timeout=30) == 0


INTERRUPTED = """
import gc, os, signal
from server import waitress_server as server

def interrupt(phase, _):
    gc.callbacks.clear()
    os.kill(os.getpid(), signal.SIGINT)

listening = server.listen("127.0.0.1", 0)
gc.disable()
gc.callbacks.append(interrupt)
server.serve(lambda environ, start_response: [], listening)
"""


def test_ctrl_c_during_the_garbage_collection_of_the_start_stops_the_server() -> None:
    with subprocess.Popen([sys.executable, "-c", INTERRUPTED], cwd=ROOT) as process:
        try:
            assert process.wait(timeout=30) == 0
        finally:
            process.kill()


PAUSES = """
import gc, os, sys
import wsgi
from server import waitress_server as server

def application(environ, start_response):
    body = f"{sys.getswitchinterval()} {len(gc.get_objects())}".encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]

listening = server.listen("127.0.0.1", 0)
print(listening.getsockname()[1], flush=True)
server.serve(application, listening)
"""


def test_threads_take_short_turns_and_collections_visit_only_what_requests_hold(tmp_path: Path) -> None:
    environment = {**os.environ, "STORE_URL": f"sqlite:///{tmp_path}/tackboard.db"}
    command = [sys.executable, "-c", PAUSES]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        port = int(process.stdout.readline())
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(_request("GET / HTTP/1.0"))
            seconds, object_count = _read_to_end(connection).split(b"\r\n\r\n")[1].split()
        process.terminate()

    assert float(seconds) == 0.001
    assert int(object_count) < 5_000


def test_slow_clients_do_not_delay_others(live_server: LiveServer) -> None:
    half = b"POST /v1/users HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\nhalf of"
    slow = [socket.create_connection(live_server.host_and_port) for _ in range(40)]
    for connection in slow:
        connection.sendall(half)

    answer = _exchange(live_server, _request("GET /v1/health HTTP/1.1"))

    for connection in slow:
        connection.close()
    assert answer.startswith(b"HTTP/1.1 200 ")
