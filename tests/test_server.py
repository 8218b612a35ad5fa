"""What the server rejects before the application gets the request, and what it leaves to the application."""

import http.client
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
from contract.messages import Request, Response
from server.uvicorn_server import ServerSettings
from tests.live_server import ROOT, LiveServer
from tests.server_in_thread import build_edge, run_server


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
            ("a length of 5,000 digits", _post(f"Content-Length: {'9' * 5_000}"), 400, "malformed_request"),
            ("a length with a sign", _post("Content-Length: +2", body=b"{}"), 400, "malformed_request"),
            ("two codings", _post("Transfer-Encoding: gzip, chunked"), 400, "malformed_request"),
            ("a coding twice", _post(*["Transfer-Encoding: chunked"] * 2), 400, "malformed_request"),
            (
                "a length and a coding",
                _post("Content-Length: 3", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
                400,
                "malformed_request",
            ),
            (
                "a coding in HTTP/1.0",
                b"POST /v1/users HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                400,
                "malformed_request",
            ),
            (
                "lines that end in a line feed",
                b"GET /v1/health HTTP/1.1\nHost: localhost\n\n",
                400,
                "malformed_request",
            ),
            ("101 headers", _request("GET /v1/health HTTP/1.1", *["X-A: a"] * 99), 431, "headers_too_large"),
            ("HTTP/2 without its preface", _request("GET /v1/health HTTP/2.0"), 400, "malformed_request"),
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


@pytest.mark.parametrize("size", [262_145, 1_000_000])
def test_a_body_in_chunks_that_is_too_long_is_rejected(live_server: LiveServer, size: int) -> None:
    chunks = b"%x\r\n" % size + b"x" * size + b"\r\n0\r\n\r\n"

    answer = _exchange(live_server, _post("Transfer-Encoding: chunked", body=chunks))

    assert _problem(answer)["code"] == "body_too_large"


@pytest.mark.parametrize(
    "headers", [("Content-Length: 20000000",), ("Content-Length: 300000", "Expect: 100-continue")], ids=str
)
def test_a_body_that_is_far_too_long_or_not_sent_yet_is_rejected_at_once(
    live_server: LiveServer, headers: tuple[str, ...]
) -> None:
    assert _problem(_exchange(live_server, _post(*headers)))["code"] == "body_too_large"


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
    assert _exchange(live_server, b"GET /v1/health HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "[::1]:8080", "b%C3%BCro.example", ""])
def test_every_valid_host_is_accepted(live_server: LiveServer, host: str) -> None:
    request = f"GET /v1/health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"

    assert _exchange(live_server, request.encode()).startswith(b"HTTP/1.1 200 ")


def test_a_connection_can_be_used_again_after_a_response_without_a_body(live_server: LiveServer) -> None:
    tag = _exchange(live_server, _request("HEAD /docs/ HTTP/1.1")).lower().partition(b"etag: ")[2].partition(b"\r\n")[0]
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


HEADER = """
import gc, os, signal, sys
from contract.edge import Edge
from contract.messages import Response
from server.uvicorn_server import ServerSettings, listen, serve

listening = listen("127.0.0.1", 0)

def serve_function(respond, **settings):
    serve(Edge(respond, new_request_id=lambda: "a"), listening, settings=ServerSettings(**settings))
"""

SLOW = (
    HEADER
    + """
def respond(request):
    if request.path == "/v1/health":
        return Response(200, (), b"healthy")
    os.write(1, b"begun\\n")
    sys.stdin.readline()
    return Response(200, (), b"done")

print(listening.getsockname()[1], flush=True)
serve_function(respond)
"""
)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_running_and_waiting_requests_are_finished_after_a_signal_to_stop(number: signal.Signals) -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", SLOW], cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin
        assert process.stdout
        port = int(process.stdout.readline())
        connections = [socket.create_connection(("127.0.0.1", port), timeout=30) for _ in range(5)]
        for connection in connections:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert process.stdout.readline() == "begun\n"
        # The others have arrived before this one.
        with socket.create_connection(("127.0.0.1", port), timeout=30) as probe:
            probe.sendall(_request("GET /v1/health HTTP/1.1"))
            assert _read_to_end(probe).endswith(b"healthy")
        process.send_signal(number)
        process.send_signal(number)
        process.stdin.write("go on\n" * 5)
        process.stdin.flush()

        answers = [_read_to_end(connection) for connection in connections]
        for connection in connections:
            connection.close()
        assert [answer[-4:] for answer in answers] == [b"done"] * 5
        assert process.wait(timeout=30) == 0


STUCK = (
    HEADER
    + """
import threading

def respond(request):
    os.write(1, b"begun\\n")
    threading.Event().wait()

print(listening.getsockname()[1], flush=True)
serve_function(respond, shutdown_seconds=0)
print("ended", flush=True)
"""
)


def test_a_request_that_takes_longer_than_the_end_gets_503() -> None:
    command = [sys.executable, "-c", STUCK]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        port = int(process.stdout.readline())
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(_request("GET / HTTP/1.1"))
            assert process.stdout.readline() == "begun\n"
            process.terminate()

            answer = _read_to_end(connection)
        assert process.stdout.readline() == "ended\n"
        assert process.wait(timeout=30) == 0
    assert _problem(answer)["code"] == "busy"
    assert b"retry-after: 1\r\n" in answer


INTERRUPTED = (
    HEADER
    + """
def interrupt(phase, _):
    gc.callbacks.clear()
    os.kill(os.getpid(), signal.SIGINT)

gc.disable()
gc.callbacks.append(interrupt)
serve_function(lambda request: None)
"""
)


def test_ctrl_c_during_the_garbage_collection_of_the_start_stops_the_server() -> None:
    with subprocess.Popen([sys.executable, "-c", INTERRUPTED], cwd=ROOT) as process:
        try:
            assert process.wait(timeout=30) == 0
        finally:
            process.kill()


PAUSES = (
    HEADER
    + """
import wsgi

def respond(request):
    return Response(200, (), f"{sys.getswitchinterval()} {len(gc.get_objects())}".encode())

print(listening.getsockname()[1], flush=True)
serve_function(respond)
"""
)


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


def _statuses(answer: bytes) -> list[bytes]:
    return [part.partition(b" ")[0] for part in answer.split(b"HTTP/1.1 ")[1:]]


GET = b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n"


def test_requests_that_come_at_once_are_answered_in_their_order(live_server: LiveServer) -> None:
    missing = b"GET /v1/nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n"

    answer = _exchange(live_server, missing + GET + missing + GET + _request("GET /v1/nowhere HTTP/1.1"))

    assert _statuses(answer) == [b"404", b"200", b"404", b"200", b"404"]


@pytest.mark.parametrize(
    "then", [b"\0\0\0\0", GET[:-2] + b"X-A: \0", GET.replace(b"Host", b"Hosts"), GET.replace(b"1.1", b"2.0")]
)
def test_a_malformed_request_is_rejected_after_the_responses_to_those_before_it(
    live_server: LiveServer, then: bytes
) -> None:
    assert _statuses(_exchange(live_server, GET + GET + then)) == [b"200", b"200", b"400"]


def test_nothing_is_read_after_a_request_that_closes_the_connection(live_server: LiveServer) -> None:
    body = b'{"name": "Mina"}'
    post = _post("Content-Type: application/json", "Content-Length: 16", body=body)

    answer = _exchange(live_server, post + b"more" + post + GET + b"\0")

    assert _statuses(answer) == [b"201"]
    assert answer.count(b'"name":"Mina"') == 1


def test_more_than_a_hundred_requests_at_once_are_rejected(live_server: LiveServer) -> None:
    statuses = _statuses(_exchange(live_server, GET * 200))

    assert statuses[-1] == b"400"
    assert statuses[:-1] == [b"200"] * (len(statuses) - 1)


def test_headers_after_a_body_in_chunks_are_ignored(live_server: LiveServer) -> None:
    chunks = b'10\r\n{"name": "Mina"}\r\n0\r\nContent-Type: text/plain\r\nX-Request-Id: trailer\r\n\r\n'
    headers = ("Content-Type: application/json", "Transfer-Encoding: chunked")

    answer = _exchange(live_server, _post(*headers, body=chunks))

    assert answer.startswith(b"HTTP/1.1 201 ")
    assert b"trailer" not in answer


def test_a_client_that_offers_another_protocol_gets_its_response_in_http(live_server: LiveServer) -> None:
    offer = b"GET /v1/health HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"

    assert _statuses(_exchange(live_server, offer)) == [b"200"]


def test_the_whole_address_may_be_in_the_request_line(live_server: LiveServer) -> None:
    assert _statuses(_exchange(live_server, _request("GET http://localhost/v1/health#top HTTP/1.1"))) == [b"200"]


def test_a_percent_encoded_path_is_decoded_once(live_server: LiveServer) -> None:
    paths = ("/v1/he%61lth", "/v1%2Fhealth", "/v1/he%2561lth", "/%ff")

    assert [_statuses(_exchange(live_server, _request(f"GET {path} HTTP/1.1")))[0] for path in paths] == [
        b"200",
        b"200",
        b"404",
        b"404",
    ]


def test_a_line_about_a_request_says_how_long_it_waited_for_a_thread(live_server: LiveServer) -> None:
    request_ids = ("waited-on-no-thread", "waited-for-a-thread")
    for request_id, path in zip(request_ids, ("/v1/health", "/v1/ready"), strict=True):
        _exchange(live_server, _request(f"GET {path} HTTP/1.1", f"X-Request-Id: {request_id}"))

    on_loop, in_lane = (line for name in request_ids for line in live_server.log if line.get("request_id") == name)
    assert on_loop["queue_ms"] == 0
    assert in_lane["queue_ms"] > 0
    assert in_lane["ms"] > 0


def test_slow_clients_do_not_delay_others(live_server: LiveServer) -> None:
    half = b"POST /v1/users HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\nhalf of"
    slow = [socket.create_connection(live_server.host_and_port) for _ in range(40)]
    for connection in slow:
        connection.sendall(half)

    answer = _exchange(live_server, _request("GET /v1/health HTTP/1.1"))

    for connection in slow:
        connection.close()
    assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("/kanban/v1/boards", "/v1/boards"),
        ("/kanban/", "/"),
        ("/kanban", ""),
        ("/v1/boards", "/v1/boards"),
        ("/kanbanx/v1", "/kanbanx/v1"),
        ("/kanban/kanban/", "/kanban/"),
        ("/kanban/a%2Fb", "/a/b"),
    ],
)
def test_the_prefix_of_the_public_url_is_removed_from_paths_that_have_it(path: str, seen: str) -> None:
    def respond(request: Request) -> Response:
        return Response(200, (("location", "/v1/here"),), f"{request.mount} {request.path}".encode())

    with run_server(build_edge(respond), ServerSettings(mount="/kanban")) as address:
        connection = http.client.HTTPConnection(*address, timeout=30)
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read().decode()
        connection.close()

    assert body == f"/kanban {seen}"
    assert response.headers["Location"] == "/kanban/v1/here"


def test_printed_links_lead_to_the_public_url(tmp_path: Path) -> None:
    with LiveServer(tmp_path, PUBLIC_URL="http://tackboard.example/kanban") as server:
        assert server.url == "http://tackboard.example/kanban/"
        environment = {**os.environ, "STORE_URL": server.store_url, "PUBLIC_URL": "https://tackboard.example/"}
        link = subprocess.run(
            [sys.executable, "-m", "cli", "sign-in"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    assert link.startswith("https://tackboard.example/#sign-in=")
