"""What the server compresses, and that nothing is whose length could tell a secret."""

import gzip
import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from app.document import load_document
from contract.messages import Response
from contract.operations import list_operations
from contract.request_context import RequestContext
from server.compression import MIN_BYTES, compress_response
from server.held_requests import ReceivedRequest
from tests.live_server import LiveServer

CARDS = 40


class Answer:
    """A response as it was sent."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status, self.headers, self.body = response.status, response.headers, response.read()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with LiveServer(tmp_path_factory.mktemp("compression")) as running:
        yield running


@pytest.fixture(scope="module")
def board(server: LiveServer) -> str:
    """Create a board with cards, and return its path."""
    created: dict[str, Any] = json.loads(send(server, "POST", "boards", {"name": "Website"}).body)
    path = f"boards/{created['id']}"
    for number in range(CARDS):
        send(server, "POST", f"{path}/cards", {"title": f"Card {number}"})
    return path


def send(server: LiveServer, method: str, path: str, body: object = None, **headers: str) -> Answer:
    connection = http.client.HTTPConnection(*server.host_and_port, timeout=30)
    all_headers = {"Authorization": f"Bearer {server.token}", **headers}
    if body is not None:
        all_headers["Content-Type"] = "application/json"
    connection.request(method, f"/v1/{path}", json.dumps(body) if body is not None else None, all_headers)
    answer = Answer(connection.getresponse())
    connection.close()
    return answer


def accept(coding: str) -> dict[str, str]:
    return {"Accept-Encoding": coding}


def test_a_page_of_cards_is_compressed_for_those_who_accept_it(server: LiveServer, board: str) -> None:
    path = f"{board}/cards?limit=100"
    plain = send(server, "GET", path)
    packed = send(server, "GET", path, **accept("deflate, gzip"))

    assert (plain.headers["Content-Encoding"], packed.headers["Content-Encoding"]) == (None, "gzip")
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) * 5 < len(plain.body)
    assert int(packed.headers["Content-Length"]) == len(packed.body)
    assert plain.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding"
    assert server.log[-1]["bytes"] == len(packed.body)


def test_a_table_is_compressed_like_json(server: LiveServer, board: str) -> None:
    table = send(server, "GET", f"{board}/cards?limit=100", Accept="text/csv", **accept("gzip"))

    assert table.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(table.body).decode().count("Card ") == CARDS


def test_the_entity_tag_stays_and_leads_to_a_304(server: LiveServer, board: str) -> None:
    path = f"{board}?embed=lists,cards"
    plain = send(server, "GET", path)
    packed = send(server, "GET", path, **accept("gzip"))
    unchanged = send(server, "GET", path, **accept("gzip"), **{"If-None-Match": packed.headers["ETag"]})

    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["ETag"] == plain.headers["ETag"]
    assert (unchanged.status, unchanged.body, unchanged.headers["Content-Encoding"]) == (304, b"", None)


@pytest.mark.parametrize("coding", ["identity", "br", "gzip;q=0", ""])
def test_a_client_that_does_not_accept_gzip_gets_none(server: LiveServer, board: str, coding: str) -> None:
    assert send(server, "GET", f"{board}/cards", **accept(coding)).headers["Content-Encoding"] is None


def test_what_is_short_is_sent_as_it_is(server: LiveServer, board: str) -> None:
    answer = send(server, "GET", board, **accept("gzip"))

    assert len(answer.body) < MIN_BYTES
    assert answer.headers["Content-Encoding"] is answer.headers["Vary"] is None


def test_an_event_stream_is_sent_as_it_is(server: LiveServer, board: str) -> None:
    connection = http.client.HTTPConnection(*server.host_and_port, timeout=30)
    headers = {"Authorization": f"Bearer {server.token}", "Accept": "text/event-stream", **accept("gzip")}
    connection.request("GET", f"/v1/{board}/events", headers=headers)
    response = connection.getresponse()

    assert response.headers["Content-Encoding"] is None
    assert response.read(2) in {b": ", b"id", b"re", b"ev"}
    connection.close()


class _Operation:
    def __init__(self, operation_object: dict[str, Any]) -> None:
        self.extensions = operation_object


DOCUMENT = load_document()
OPERATIONS = [(method, path, operation) for path, method, operation in list_operations(DOCUMENT)]


@pytest.mark.parametrize(
    ("method", "path", "operation"), OPERATIONS, ids=[operation["operationId"] for _, _, operation in OPERATIONS]
)
def test_only_what_every_member_of_one_board_may_read_is_compressed(
    method: str, path: str, operation: dict[str, Any]
) -> None:
    """Texts of several boards, and secrets, don't share a compressed response with what somebody else writes."""
    request = ReceivedRequest(method.upper(), path, "", accept("gzip") | {"accept-encoding": "gzip"}, "")
    context = RequestContext()
    context.operation = _Operation(operation)
    response = Response(200, (("content-type", "application/json"),), b"a" * MIN_BYTES)

    compressed = compress_response(request, context, response).body != response.body

    is_of_one_board = path.startswith("/boards/{board_id}") and operation.get("x-tackboard-role") == "viewer"
    assert compressed == (method == "get" and is_of_one_board)
