"""Clients that are slow, silent or too many: each wait ends, and others are served meanwhile."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from uvicorn.server import ServerState

from contract.messages import Request, Response
from server import asgi_application, open_connections
from server.http_protocol import Patience
from server.open_connections import Connections, allow_connections
from server.uvicorn_server import Server, ServerSettings
from tests.server_in_thread import build_edge, run, run_server

IMPATIENT = ServerSettings(body_seconds=0.2, patience=Patience(head=0.2, idle=0.2, farewell=0.2))
LARGE = b"x" * 16_000_000
"""More than the buffers between two sockets hold."""
STREAM_PARTS: list[str | None] = []
"""The ids after which the parts of a stream were made."""


def _respond(request: Request) -> Response:
    if request.path == "/stream":
        request.context.caller = SimpleNamespace(user_id="mina", token_id="tok_1")
        position = SimpleNamespace(board_id="brd_1", seq=9, last_seq=1, has_news=True, has_more=True, wait_seconds=0)
        STREAM_PARTS.append(request.headers.get("last-event-id"))
        return Response(200, (), LARGE, feed_position=position, is_stream=True)
    return Response(200, (), LARGE if request.path == "/large" else b"done")


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, int]]:
    with run_server(build_edge(_respond), IMPATIENT) as address:
        yield address


def _exchange(server: tuple[str, int], sent: bytes) -> bytes:
    """Send bytes and return everything that comes back until the server closes the connection."""
    with socket.create_connection(server, timeout=30) as connection:
        connection.sendall(sent)
        return _read_to_end(connection)


def _read_to_end(connection: socket.socket) -> bytes:
    pieces = []
    while piece := connection.recv(1_000_000):
        pieces.append(piece)
    return b"".join(pieces)


def _get_code(answer: bytes) -> str:
    """Return the code of a problem that is the whole answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    problem = json.loads(body)
    assert head.startswith(b"HTTP/1.1 %d " % problem["status"])
    assert b"x-request-id: " in head
    assert b"connection: close" in head
    return str(problem["code"])


@pytest.mark.parametrize(
    "sent",
    [b"G", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ", b"GET / HTTP/1.1\r\nX-A: a\r\n"],
)
def test_headers_that_do_not_arrive_in_time_get_408(server: tuple[str, int], sent: bytes) -> None:
    assert _get_code(_exchange(server, sent)) == "request_timeout"


@pytest.mark.parametrize(
    "headers", [b"Content-Length: 5\r\n\r\nhalf", b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"]
)
def test_a_body_that_does_not_arrive_in_time_gets_408(server: tuple[str, int], headers: bytes) -> None:
    assert _get_code(_exchange(server, b"POST / HTTP/1.1\r\nHost: localhost\r\n" + headers)) == "request_timeout"


def test_a_client_that_reads_no_stream_is_left_and_little_is_made_for_it() -> None:
    server = Server(build_edge(_respond), settings=IMPATIENT)
    received = b""
    with run(server) as address, socket.create_connection(address, timeout=30) as connection:
        connection.sendall(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        received += connection.recv(1)
        while server.application.held_count:
            pass
        with suppress(ConnectionResetError):
            received += _read_to_end(connection)

    assert len(received) < len(LARGE)
    # The second part is made when the transport has the first, and waits until the client has read it.
    assert STREAM_PARTS in ([None], [None, "1"])


@pytest.mark.parametrize("sent", [b"", b"\r\n\r\n"])
def test_a_connection_without_a_request_is_closed(server: tuple[str, int], sent: bytes) -> None:
    assert _exchange(server, sent) == b""


def test_a_connection_is_closed_when_no_further_request_comes(server: tuple[str, int]) -> None:
    answer = _exchange(server, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")

    assert answer.endswith(b"done")
    assert b"connection: close" not in answer


def test_the_half_of_a_further_request_gets_408_after_the_response(server: tuple[str, int]) -> None:
    answer = _exchange(server, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET /")

    first, second = answer.split(b"HTTP/1.1 ")[1:]
    assert first.startswith(b"200 ")
    assert _get_code(b"HTTP/1.1 " + second) == "request_timeout"


def test_a_client_that_does_not_read_its_response_loses_it(server: tuple[str, int]) -> None:
    with socket.create_connection(server, timeout=30) as connection:
        connection.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        # The server takes no more from this client, and then gives up.
        with pytest.raises((ConnectionError, TimeoutError)):
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 1_000_000)


class _FullTransport(asyncio.Transport):
    """A transport to a client that reads slowly."""

    def __init__(self) -> None:
        super().__init__()
        self.unsent_bytes = 1_000
        self.is_aborted = False

    def get_write_buffer_size(self) -> int:
        return self.unsent_bytes

    def abort(self) -> None:
        self.is_aborted = True


def test_a_client_that_reads_slowly_is_waited_for_while_it_reads() -> None:
    config = Server(build_edge(_respond)).config
    config.load()
    clock = SimpleNamespace(time=lambda: 0.0)
    protocol: Any = config.http_protocol_class(
        config=config,
        server_state=ServerState(),
        app_state={},
        _loop=clock,  # type: ignore[call-arg] # all it needs
    )
    transport = _FullTransport()
    protocol.connection_made(transport)
    protocol.pause_writing()

    for now, unsent_bytes in ((10, 990), (55, 10)):
        transport.unsent_bytes = unsent_bytes
        assert not protocol.is_overdue(now - 1)
        assert protocol.is_overdue(now)
        protocol.end_wait(now)
        assert not transport.is_aborted
    protocol.end_wait(100)
    assert transport.is_aborted


def test_a_response_may_be_longer_than_any_buffer() -> None:
    with run_server(build_edge(_respond)) as address:
        answer = _exchange(address, b"GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")

    assert answer.endswith(LARGE)


def test_a_request_that_finds_no_room_in_the_queue_is_answered_at_once() -> None:
    has_begun, may_end = threading.Event(), threading.Event()

    def respond(_: Request) -> Response:
        has_begun.set()
        may_end.wait(timeout=30)
        return Response(200, (), b"done")

    get = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with (
        run_server(build_edge(respond), ServerSettings(max_waiting=0)) as address,
        socket.create_connection(address, timeout=30) as connection,
    ):
        connection.sendall(get)
        has_begun.wait(timeout=30)

        refusal = _exchange(address, get)

        may_end.set()
        assert _read_to_end(connection).endswith(b"done")
    assert _get_code(refusal) == "busy"
    assert b"retry-after: 1\r\n" in refusal


def test_bodies_that_take_too_much_memory_together_are_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi_application, "MAX_UNANSWERED_BODY_BYTES", 10_000)
    post = b"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 20000\r\n\r\n"
    with run_server(build_edge(_respond)) as address:
        assert _get_code(_exchange(address, post + b"x" * 10_001)) == "busy"
        # What was rejected takes no memory any more.
        assert _exchange(address, post.replace(b"20000", b"4") + b"xxxx").endswith(b"done")


class _Socket:
    def __init__(self) -> None:
        self.is_aborted = False

    def abort(self) -> None:
        self.is_aborted = True


def test_the_connection_that_is_idle_the_longest_makes_room() -> None:
    first, second, third, fourth, fifth = (_Socket() for _ in range(5))
    all_connections = Connections(max_connections=3)
    for connection in (first, second, third):
        assert all_connections.add(connection, "203.0.113.7")
    all_connections.mark_busy(first)
    all_connections.mark_busy(second)
    all_connections.mark_idle(first)

    assert all_connections.add(fourth, "203.0.113.8")
    all_connections.remove(third, "203.0.113.7")
    assert all_connections.add(fifth, "203.0.113.8")

    assert [one.is_aborted for one in (first, second, third, fourth, fifth)] == [True, False, True, False, False]


def test_without_an_idle_connection_there_is_no_room() -> None:
    first, second = _Socket(), _Socket()
    all_connections = Connections(max_connections=1)
    all_connections.add(first, "203.0.113.7")
    all_connections.mark_busy(first)

    assert not all_connections.add(second, "203.0.113.7")

    all_connections.remove(second, "203.0.113.7")
    all_connections.remove(first, "203.0.113.7")
    assert all_connections.add(_Socket(), "203.0.113.7")


@pytest.mark.parametrize(
    ("addresses", "last_has_room"),
    [
        (["203.0.113.7", "203.0.113.7", "203.0.113.7"], False),
        (["203.0.113.7", "203.0.113.7", "203.0.113.8"], True),
        (["2001:db8::1", "2001:db8::2", "2001:db8:0:0:1::"], False),
        (["2001:db8::1", "2001:db8::2", "2001:db8:0:1::"], True),
        (["::ffff:203.0.113.7", "203.0.113.7", "203.0.113.7"], False),
        (["fe80::1%eth0", "fe80::2%eth0", "fe80::3%eth0"], False),
        (["127.0.0.1"] * 3, True),
        (["::1"] * 3, True),
        (["::ffff:127.0.0.1"] * 3, True),
    ],
)
def test_an_address_has_a_limit_unless_it_is_of_this_machine(addresses: list[str], last_has_room: bool) -> None:
    all_connections = Connections(max_per_address=2)

    assert [all_connections.add(_Socket(), address) for address in addresses] == [True, True, last_has_room]


@pytest.mark.parametrize(
    ("soft", "hard", "raised", "count"),
    [(1_024, 4_096, 4_096, 3_896), (1_024, 65_536, 10_200, 10_000), (65_536, 65_536, None, 10_000), (100, 100, 100, 1)],
)
def test_there_are_as_many_connections_as_files_may_be_open(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, raised: int | None, count: int
) -> None:
    resource = pytest.importorskip("resource")
    limits: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, pair: limits.append(pair))

    assert allow_connections(open_connections.MAX_CONNECTIONS) == count
    assert limits == ([] if raised is None else [(raised, hard)])
