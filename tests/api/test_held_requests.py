"""Requests that wait for news of a board, and streams of its events, over real sockets."""

import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from app.factory import create_app
from app.request_limits import Limits
from contract.request_log import RequestLog
from contract.wsgi_application import WsgiApplication
from kanban.store import Store
from server.followers import FollowSettings
from server.uvicorn_server import Server, ServerSettings
from tests.api.client import Client
from tests.api.manual_clock import ManualClock
from tests.api.test_socket import SocketClient
from tests.server_in_thread import run

PATIENT = FollowSettings(poll=60, heartbeat=60, stream=60)
"""Nothing happens by itself: what arrives was sent because of a commit of this process."""
WATCHFUL = replace(PATIENT, poll=0.01)
STREAM = {"Accept": "text/event-stream"}
TIMEOUT_SECONDS = 30


@dataclass
class Connection:
    """A connection of a client that reads one response, or as much of it as has arrived."""

    socket: socket.socket
    received: bytes = b""

    def send(self, path: str, token: str, *, version: str = "1.1", method: str = "GET", **headers: str) -> None:
        """Send a request without a body. Further keyword arguments are headers."""
        lines = [f"{method} /v1{path} HTTP/{version}", "Host: localhost", f"Authorization: Bearer {token}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.socket.sendall("\r\n".join((*lines, "", "")).encode())

    def read_until(self, end: bytes) -> bytes:
        """Return what has arrived when it ends so, and forget it."""
        while end not in self.received:
            piece = self.socket.recv(65_536)
            assert piece, f"The connection ended with {self.received!r}."
            self.received += piece
        first, _, self.received = self.received.partition(end)
        return first + end

    def read_head(self) -> tuple[int, Mapping[str, str]]:
        """Return the status and the headers."""
        lines = self.read_until(b"\r\n\r\n").decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
        return int(lines[0].split()[1]), headers

    def read_response(self) -> tuple[int, Any]:
        """Return the status and the JSON of a response with a length."""
        status, headers = self.read_head()
        length = int(headers.get("content-length", 0))
        while len(self.received) < length:
            self.received += self.socket.recv(65_536)
        body, self.received = self.received[:length], self.received[length:]
        return status, json.loads(body) if body else None

    def read_chunk(self) -> bytes:
        """Return the next chunk of a stream; empty at its end."""
        size = int(self.read_until(b"\r\n"), 16)
        while len(self.received) < size + 2:
            self.received += self.socket.recv(65_536)
        chunk, self.received = self.received[:size], self.received[size + 2 :]
        return chunk

    def read_to_end(self) -> bytes:
        """Return everything up to the end of the connection."""
        while piece := self.socket.recv(65_536):
            self.received += piece
        return self.received


@dataclass
class Setup:
    """A server with a board of Mina, of which Omar is a member."""

    server: Server
    address: tuple[str, int]
    mina: Client
    """Calls the application without the server, as another process would."""
    omar: Client
    writer: SocketClient
    """Mina as a client of the server."""
    board: str
    """The path of the board."""
    connections: ExitStack
    log_lines: list[Mapping[str, Any]]

    @property
    def events(self) -> str:
        """The path of the feed, after everything that has happened so far."""
        return f"{self.board}/events?after={self.seq}"

    @property
    def seq(self) -> int:
        """The board's seq."""
        seq: int = self.mina.get(f"{self.board}/changes?after=0").json["seq"]
        return seq

    def connect(self) -> Connection:
        """Open a connection to the server."""
        opened = self.connections.enter_context(socket.create_connection(self.address, timeout=TIMEOUT_SECONDS))
        return Connection(opened)

    def send(self, path: str, token: str | None = None, **more: str) -> Connection:
        """Send a request, and return its connection."""
        connection = self.connect()
        connection.send(path, token or self.mina.token or "", **more)
        return connection

    def follow(self, path: str, token: str | None = None, **more: str) -> Connection:
        """Send a request that will be held, and return its connection when it is."""
        held_count = self.server.application.held_count
        connection = self.send(path, token, **more)
        self.await_count(held_count + 1)
        return connection

    def await_count(self, count: int) -> None:
        """Wait until the server holds so many requests."""
        ends_at = time.monotonic() + TIMEOUT_SECONDS
        while self.server.application.held_count != count:
            assert time.monotonic() < ends_at, f"The server holds {self.server.application.held_count}."

    def add_card(self, title: str = "News") -> Any:
        """Create a card through the server."""
        return self.writer.post(f"{self.board}/cards", {"title": title}).json


Start = Callable[..., Setup]


@pytest.fixture
def start(application: WsgiApplication, store: Store, mina: Client, omar: Client) -> Iterator[Start]:
    """Return a function that starts a server."""
    with ExitStack() as stack:

        def start_server(
            settings: FollowSettings = PATIENT, *, served: WsgiApplication = application, **more: Any
        ) -> Setup:
            lines: list[Mapping[str, Any]] = []
            log = RequestLog(served, lambda: datetime.now(UTC), time.perf_counter, lines.append)
            server_settings = ServerSettings(follow=settings, **more)
            server = Server(served.edge, log, server_settings, read_seqs=store.read_board_seqs)
            host, port = stack.enter_context(run(server))
            writer = SocketClient(application, mina.token, host=host, port=port)
            board = f"/boards/{mina.post('/boards', {'name': 'Home'}).json['id']}"
            assert mina.put(f"{board}/members/omar", {"role": "viewer"}).status == 201
            connections = stack.enter_context(ExitStack())
            return Setup(server, (host, port), mina, omar, writer, board, connections, lines)

        yield start_server


# Waiting


def test_a_request_that_waits_is_answered_when_something_is_committed(start: Start) -> None:
    setup = start()
    waiting = setup.follow(f"{setup.events}&wait=25")

    setup.add_card("News")
    status, page = waiting.read_response()

    assert status == 200
    assert [event["data"]["title"] for event in page["items"]] == ["News"]
    assert setup.server.application.held_count == 0


def test_a_request_with_news_is_answered_at_once(start: Start) -> None:
    setup = start()
    connection = setup.send(f"{setup.board}/events?after=0&wait=25")

    assert [event["seq"] for event in connection.read_response()[1]["items"]] == [1, 2]


def test_a_request_without_news_is_answered_when_its_time_is_over(start: Start) -> None:
    setup = start()
    seq = setup.seq
    waiting = setup.follow(f"{setup.events}&wait=1")

    status, page = waiting.read_response()

    assert (status, page["items"], page["last_seq"]) == (200, [], seq)


def test_what_another_process_commits_is_found(start: Start) -> None:
    setup = start(WATCHFUL)
    waiting = setup.follow(f"{setup.events}&wait=25")

    setup.mina.post(f"{setup.board}/cards", {"title": "From elsewhere"})

    assert [event["data"]["title"] for event in waiting.read_response()[1]["items"]] == ["From elsewhere"]


def test_a_request_with_the_tag_waits_until_the_response_is_another(start: Start) -> None:
    setup = start()
    tag = setup.mina.get(f"{setup.board}/events?after=0").etag
    waiting = setup.follow(f"{setup.board}/events?after=0&wait=25", If_None_Match=tag)

    setup.add_card()

    status, page = waiting.read_response()
    assert (status, [event["seq"] for event in page["items"]]) == (200, [1, 2, 3])


def test_a_request_with_the_tag_gets_304_when_its_time_is_over(start: Start) -> None:
    setup = start()
    waiting = setup.follow(f"{setup.events}&wait=1", If_None_Match=f'"{setup.seq}"')

    assert waiting.read_head()[0] == 304


def test_events_that_a_filter_leaves_out_are_no_news(start: Start) -> None:
    setup = start()
    waiting = setup.follow(f"{setup.events}&wait=25&type=board.updated")

    card = setup.add_card()
    setup.writer.request("DELETE", f"{setup.board}/cards/{card['id']}")
    assert setup.writer.patch(setup.board, {"name": "Work"}, If_Match="*").status == 200

    assert [event["type"] for event in waiting.read_response()[1]["items"]] == ["board.updated"]


def test_changes_can_be_waited_for(start: Start) -> None:
    setup = start()
    waiting = setup.follow(f"{setup.board}/changes?after={setup.seq}&wait=25")

    card = setup.add_card()

    assert [changed["id"] for changed in waiting.read_response()[1]["cards"]] == [card["id"]]


def test_head_waits_like_get(start: Start) -> None:
    setup = start()
    waiting = setup.follow(f"{setup.events}&wait=25", method="HEAD")

    setup.add_card()

    status, headers = waiting.read_head()
    assert (status, headers["etag"]) == (200, f'"{setup.seq}"')
    assert int(headers["content-length"]) > 100


@pytest.mark.parametrize("query", ["sort=-seq", "before=900"])
def test_the_newest_events_are_not_waited_for(start: Start, query: str) -> None:
    setup = start()
    connection = setup.send(f"{setup.events}&wait=25&{query}")

    assert connection.read_response()[1]["items"] == []


def test_whoever_leaves_the_board_waits_no_longer(start: Start) -> None:
    setup = start()
    waiting = setup.follow(f"{setup.events}&wait=25", setup.omar.token)

    setup.writer.request("DELETE", f"{setup.board}/members/omar")

    status, problem = waiting.read_response()
    assert (status, problem["code"]) == (404, "board_not_found")


def test_a_revoked_token_gets_no_news(start: Start) -> None:
    setup = start()
    waiting = setup.follow(f"{setup.events}&wait=25", setup.omar.token)

    token_id = setup.omar.get("/users/me/tokens").json["items"][0]["id"]
    assert setup.omar.request("DELETE", f"/users/me/tokens/{token_id}").status == 204
    setup.add_card()

    status, problem = waiting.read_response()
    assert (status, problem["code"]) == (401, "unauthenticated")


def test_a_deactivated_user_waits_no_longer(start: Start) -> None:
    # What happens on each board of the user is found by the poll, like the commits of other processes.
    setup = start(WATCHFUL)
    waiting = setup.follow(f"{setup.events}&wait=25", setup.omar.token)

    assert setup.writer.post("/users/omar/deactivate").status == 200

    status, problem = waiting.read_response()
    assert (status, problem["code"]) == (401, "unauthenticated")


def test_a_client_that_leaves_is_forgotten(start: Start) -> None:
    setup = start()
    waiting, streaming = setup.follow(f"{setup.events}&wait=25"), setup.follow(setup.events, **STREAM)

    waiting.socket.close()
    streaming.socket.close()

    setup.await_count(0)


def test_a_request_that_waits_counts_once_for_the_rate_limit(start: Start, store: Store, clock: ManualClock) -> None:
    setup = start(served=create_app(store, clock=clock, limits=Limits(per_user=1)))
    waiting = setup.follow(f"{setup.events}&wait=25", setup.omar.token)

    setup.add_card()

    assert waiting.read_response()[0] == 200


def test_a_user_may_have_a_limited_number_of_requests_that_wait(start: Start) -> None:
    setup = start(replace(PATIENT, max_per_user=1))
    waiting = setup.follow(f"{setup.events}&wait=25")
    second, stream = setup.connect(), setup.connect()

    second.send(f"{setup.events}&wait=25", setup.mina.token or "")
    stream.send(setup.events, setup.mina.token or "", **STREAM)
    problems = [second.read_response()[1], stream.read_response()[1]]
    omars = setup.follow(f"{setup.events}&wait=25", setup.omar.token)
    setup.add_card()

    assert [problem["code"] for problem in problems] == ["too_many_requests"] * 2
    assert problems[0]["detail"].startswith("1 of your requests wait")
    assert (waiting.read_response()[0], omars.read_response()[0]) == (200, 200)
    refused = next(line for line in setup.log_lines if line["status"] == 429)
    assert (refused["operation"], refused["user_id"]) == ("list_events", "mina")


def test_a_server_holds_a_limited_number_of_requests(start: Start) -> None:
    setup = start(replace(PATIENT, max_followers=1))
    setup.follow(f"{setup.events}&wait=25")
    second = setup.connect()

    second.send(f"{setup.events}&wait=25", setup.omar.token or "")

    status, problem = second.read_response()
    assert (status, problem["code"]) == (503, "busy")


# Streams


def test_a_stream_begins_with_what_has_happened_and_goes_on_with_each_event(start: Start) -> None:
    setup = start()
    stream = setup.follow(f"{setup.board}/events?after=1", **STREAM)

    status, headers = stream.read_head()
    first = stream.read_chunk().decode()
    setup.add_card("News")
    second = stream.read_chunk().decode()

    assert status == 200
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert (headers["cache-control"], headers["x-accel-buffering"]) == ("no-store", "no")
    assert first.startswith("retry: 1000\nid: 2\ndata: {")
    id_line, data_line, *end = second.split("\n")
    assert (id_line, end) == ("id: 3", ["", ""])
    assert json.loads(data_line.removeprefix("data: "))["data"]["title"] == "News"


def test_a_stream_goes_on_after_the_last_event_that_the_client_got(start: Start) -> None:
    setup = start()
    stream = setup.follow(f"{setup.board}/events?after=0", **STREAM, Last_Event_ID="1")

    stream.read_head()

    assert stream.read_chunk().startswith(b"retry: 1000\nid: 2\n")


def test_a_stream_has_all_of_many_events(start: Start) -> None:
    setup = start()
    for number in range(7):
        setup.mina.post(f"{setup.board}/cards", {"title": str(number)})

    stream = setup.follow(f"{setup.board}/events?after=0&limit=2", **STREAM)
    stream.read_head()
    text = b""
    while text.count(b"\n\n") < 9:
        text += stream.read_chunk()

    ids = [int(line[4:]) for line in text.split(b"\n") if line.startswith(b"id: ")]
    assert ids == [*range(1, 10)]


def test_a_stream_shows_that_it_is_alive_and_ends_in_time(start: Start) -> None:
    setup = start(FollowSettings(poll=60, heartbeat=0.05, stream=0.3))
    connection = setup.send(setup.events, **STREAM)
    connection.read_head()
    chunks = []
    while chunk := connection.read_chunk():
        chunks.append(chunk)
    connection.send(setup.board, setup.mina.token or "")

    assert chunks[0] == b"retry: 1000\n"
    assert set(chunks[1:]) == {b":\n"}
    assert connection.read_head()[0] == 200, "The connection can be used again."


def test_a_stream_ends_when_membership_ends(start: Start) -> None:
    setup = start()
    stream = setup.follow(setup.events, setup.omar.token, **STREAM)
    stream.read_head()
    stream.read_chunk()

    setup.writer.request("DELETE", f"{setup.board}/members/omar")

    assert stream.read_chunk() == b""
    setup.await_count(0)


def revoke_token(setup: Setup, _: ManualClock) -> None:
    setup.omar.delete(f"/users/me/tokens/{find_child_id(setup)}")


def rotate_token(setup: Setup, _: ManualClock) -> None:
    setup.omar.post(f"/users/me/tokens/{find_child_id(setup)}/rotate")


def let_token_expire(_: Setup, clock: ManualClock) -> None:
    clock.advance(hours=1)


def deactivate_user(setup: Setup, _: ManualClock) -> None:
    setup.mina.post("/users/omar/deactivate")


def deactivate_and_reactivate_user(setup: Setup, _: ManualClock) -> None:
    setup.mina.post("/users/omar/deactivate")
    setup.mina.post("/users/omar/reactivate")


def find_child_id(setup: Setup) -> str:
    """Return the id of Omar's newest token."""
    token_id: str = setup.omar.get("/users/me/tokens").json["items"][0]["id"]
    return token_id


@pytest.mark.parametrize(
    "invalidate", [revoke_token, rotate_token, let_token_expire, deactivate_user, deactivate_and_reactivate_user]
)
def test_a_stream_shows_nothing_to_a_token_that_is_not_valid_any_more(
    start: Start, clock: ManualClock, invalidate: Callable[[Setup, ManualClock], None]
) -> None:
    setup = start()
    expires_at = "2026-11-20T15:00:00Z"
    child = setup.omar.post("/users/me/tokens", {"name": "Child", "scopes": ["read"], "expires_at": expires_at})
    stream = setup.follow(setup.events, child.json["secret"], **STREAM)
    assert stream.read_head()[0] == 200
    stream.read_chunk()

    # Another process does it, so nothing wakes the stream before there is news.
    invalidate(setup, clock)
    setup.add_card("Secret")

    assert stream.read_chunk() == b""
    setup.await_count(0)


@pytest.mark.parametrize("path", ["changes?after=0", "events?after=0"])
@pytest.mark.parametrize("invalidate", [revoke_token, rotate_token, let_token_expire, deactivate_and_reactivate_user])
def test_a_request_that_waits_shows_nothing_to_a_token_that_is_not_valid_any_more(
    start: Start, clock: ManualClock, path: str, invalidate: Callable[[Setup, ManualClock], None]
) -> None:
    setup = start()
    expires_at = "2026-11-20T15:00:00Z"
    child = setup.omar.post("/users/me/tokens", {"name": "Child", "scopes": ["read"], "expires_at": expires_at})
    waiting = setup.follow(f"{setup.board}/{path.replace('0', str(setup.seq))}&wait=25", child.json["secret"])

    invalidate(setup, clock)
    setup.add_card("Secret")

    status, problem = waiting.read_response()
    assert (status, problem["code"]) == (401, "unauthenticated")


def narrow(setup: Setup, **limits: object) -> str:
    """Return the secret of a new token of Mina that has these limits."""
    created = setup.mina.post("/users/me/tokens", {"name": "Narrow", "scopes": ["read"], **limits})
    secret: str = created.json["secret"]
    return secret


def test_a_stream_of_a_board_out_of_reach_does_not_begin(start: Start) -> None:
    setup = start()
    other = setup.mina.post("/boards", {"name": "Other"}).json["id"]
    token = narrow(setup, board_ids=[other])

    rejected = [setup.send(path, token, **STREAM) for path in (setup.events, f"/boards/brd_{'0' * 26}/events?after=0")]

    answers = [connection.read_response() for connection in rejected]
    assert answers[0] == answers[1]
    assert (answers[0][0], answers[0][1]["code"]) == (404, "board_not_found")
    assert setup.server.application.held_count == 0


def test_a_stream_needs_the_resources_of_all_that_it_can_tell(start: Start) -> None:
    setup = start()
    token = narrow(setup, resources=["boards", "events", "cards", "lists"])

    for headers in (STREAM, {}):
        status, problem = setup.send(f"{setup.events}&wait=25", token, **headers).read_response()

        assert (status, problem["code"]) == (403, "resource_missing")
    assert setup.server.application.held_count == 0


def test_a_narrowed_token_follows_the_board_that_it_reaches(start: Start) -> None:
    setup = start()
    token = narrow(setup, board_ids=[setup.board.removeprefix("/boards/")], max_role="viewer")
    stream = setup.follow(setup.events, token, **STREAM)
    stream.read_head()
    stream.read_chunk()

    setup.mina.post("/boards", {"name": "Not this one"})
    card = setup.add_card()

    assert card["id"].encode() in stream.read_chunk()


def test_a_stream_to_http_1_0_ends_with_its_connection(start: Start) -> None:
    setup = start(replace(PATIENT, stream=0.3))
    connection = setup.send(f"{setup.board}/events?after=1", version="1.0", **STREAM)
    head, _, body = connection.read_to_end().partition(b"\r\n\r\n")

    assert b"transfer-encoding" not in head
    assert b"connection: close" in head
    assert body.startswith(b"retry: 1000\nid: 2\ndata: {")
    assert body.endswith(b"}\n\n")


def test_head_of_a_stream_has_no_length_and_ends_at_once(start: Start) -> None:
    setup = start()
    connection = setup.send(setup.events, method="HEAD", **STREAM)
    status, headers = connection.read_head()
    connection.send(setup.board, setup.mina.token or "")

    assert (status, headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert "content-length" not in headers
    assert connection.read_head()[0] == 200


@pytest.mark.parametrize("query", ["sort=-seq", "before=900"])
def test_there_is_no_stream_of_what_ends(start: Start, query: str) -> None:
    setup = start()
    connection = setup.send(f"{setup.events}&{query}", **STREAM)

    status, problem = connection.read_response()
    assert (status, problem["detail"]) == (406, "The response is available as application/json.")


def test_other_servers_answer_at_once_and_have_no_streams(start: Start) -> None:
    setup = start()

    assert setup.mina.get(f"{setup.events}&wait=25").json["items"] == []
    assert setup.mina.get(setup.events, Accept="text/event-stream").json["code"] == "not_acceptable"
    assert setup.mina.get(setup.events, Accept="text/event-stream, */*;q=0.1").json["items"] == []


def test_the_log_has_a_line_for_each_held_request_at_its_end(start: Start) -> None:
    setup = start(replace(PATIENT, stream=0.2))
    stream = setup.connect()
    stream.send(setup.events, setup.mina.token or "", **STREAM, X_Request_Id="a-stream")
    stream.read_head()
    while stream.read_chunk():
        pass
    setup.await_count(0)
    waiting = setup.follow(f"{setup.events}&wait=25", X_Request_Id="a-wait")
    setup.add_card()
    waiting.read_response()

    lines = {line["request_id"]: line for line in setup.log_lines if "held_ms" in line}
    assert lines.keys() == {"a-stream", "a-wait"}
    assert 200 <= lines["a-stream"]["held_ms"] < 10_000
    assert (lines["a-stream"]["bytes"], lines["a-wait"]["status"]) == (len("retry: 1000\n"), 200)
    assert [line["operation"] for line in lines.values()] == ["list_events"] * 2


def test_a_server_that_stops_ends_what_it_holds_at_once(start: Start) -> None:
    setup = start()
    waiting, stream = setup.follow(f"{setup.events}&wait=25"), setup.follow(setup.events, **STREAM)
    stream.read_head()
    stream.read_chunk()

    setup.server.stop()

    assert waiting.read_response()[1]["items"] == []
    assert stream.read_chunk() == b""
    assert stream.read_to_end() == b""


def test_many_followers_hold_no_thread(start: Start) -> None:
    setup = start()
    followers = [
        setup.follow(setup.events, client.token, **STREAM) for client in (setup.mina, setup.omar) for _ in range(50)
    ]
    for follower in followers:
        follower.read_head()
        follower.read_chunk()

    card = setup.add_card()

    for follower in followers:
        assert card["id"].encode() in follower.read_chunk()
