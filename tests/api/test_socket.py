"""The API over HTTP: the server process that `make run` starts, with a SQLite file."""

import http.client
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.api.client import BASE, Client, HttpResponse
from tests.live_server import LiveServer


@dataclass(frozen=True)
class SocketClient(Client):
    """A client that opens a connection for each request."""

    host: str = ""
    port: int = 0

    def _call(self, method: str, path: str, headers: Mapping[str, str], raw: bytes) -> HttpResponse:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=20)
        connection.request(method, BASE + path, raw or None, dict(headers))
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return HttpResponse(response.status, {name.lower(): value for name, value in response.getheaders()}, content)


def build_client(server: LiveServer) -> SocketClient:
    def reject_call(*_: object) -> Iterator[bytes]:
        raise AssertionError("A client on a socket calls no application.")

    host, port = server.host_and_port
    return SocketClient(reject_call, server.token, host=host, port=port)


@pytest.fixture
def owner(live_server: LiveServer) -> SocketClient:
    return build_client(live_server)


def test_a_card_moves_from_todo_to_done_over_http(owner: SocketClient) -> None:
    board = f"/boards/{owner.post('/boards', {'name': 'Website', 'hourly_rate_minor': 1000}).json['id']}"
    card = owner.post(f"{board}/cards", {"title": "Grüße 👩\u200d🚀"}, Idempotency_Key="k1")
    path = f"{board}/cards/{card.json['id']}"

    started = owner.post(f"{path}/start")
    resolved = owner.post(f"{path}/resolve")
    renamed = owner.patch(path, {"title": "Done"}, If_Match=resolved.etag)
    events = owner.get(f"{board}/events").json["items"]

    assert (card.status, started.status, resolved.status, renamed.status) == (201, 200, 200, 200)
    assert card.json["title"] == "Grüße 👩\u200d🚀"
    assert [event["seq"] for event in events] == [1, 2, 3, 4, 5]
    assert owner.request("HEAD", path).raw == b""


def test_data_survives_a_restart(tmp_path: Path) -> None:
    with LiveServer(tmp_path) as first:
        owner = build_client(first)
        board = owner.post("/boards", {"name": "Website"})

    with LiveServer(tmp_path) as second:
        read = build_client(second).with_token(owner.token).get(f"/boards/{board.json['id']}")

    assert second.token is None
    assert read.json == board.json


def test_concurrent_writers_lose_nothing(owner: SocketClient) -> None:
    board = f"/boards/{owner.post('/boards', {'name': 'Busy'}).json['id']}"

    def write(number: int) -> int:
        return owner.post(f"{board}/cards", {"title": f"Card {number}"}, Idempotency_Key=f"busy-{number}").status

    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(write, range(40)))
        repeated = list(threads.map(write, range(40)))
    cards = owner.get(f"{board}/cards?limit=100").json["items"]
    events = owner.get(f"{board}/events?limit=100").json

    assert set(statuses) <= {201, 503}
    assert set(repeated) <= {201, 503}
    assert len(cards) == len({card["title"] for card in cards}) >= statuses.count(201)
    assert [event["seq"] for event in events["items"]] == list(range(1, len(cards) + 2))


def test_bad_input_over_http_is_rejected_and_the_server_continues(owner: SocketClient) -> None:
    rejected = [
        owner.request("POST", "/boards", raw=b'{"name": '),
        owner.request("POST", "/boards", raw=b"x" * 257 * 1024),
        owner.get(f"/boards?q={'x' * 9000}"),
        owner.get("/boards/%00"),
        owner.request("FOO", "/boards"),
        owner.request("GET", "/boards", headers={"X-Large": "x" * 65_000}),
        owner.with_token(None).get("/boards"),
    ]

    assert [response.status for response in rejected] == [400, 413, 414, 404, 405, 431, 401]
    assert {response.headers["content-type"] for response in rejected} == {"application/problem+json"}
    assert owner.get("/boards").status == 200
