"""The API behind a real nginx and a real Caddy, set up as the guide says: at the root, and below a prefix."""

import gzip
import json
import os
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPSConnection
from secrets import token_hex
from typing import Any

import pytest

from tests.live_server import LiveServer
from tests.proxies.proxies import PROXIES, Proxy, free_port

ORIGIN = "https://board.example.org"
CLIENT_ADDRESS = "127.0.0.2"
LONG_NAME = "Compresses well. " * 200
"""Enough text that both proxies find the answer worth compressing."""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, unpacked and parsed."""
        packed = self.headers.get("content-encoding") == "gzip"
        return json.loads(gzip.decompress(self.body) if packed else self.body)


@dataclass(frozen=True)
class Client:
    """Talks to the API through a proxy, over one connection, and wants every answer compressed."""

    connection: HTTPSConnection
    token: str
    prefix: str

    def send(
        self, method: str, path: str, body: object = None, *, at: str | None = None, **headers: str | None
    ) -> Answer:
        """Send a request to a path of the API, or to `at`, a whole path; None as a header leaves it out."""
        sent: dict[str, str | None] = {
            "Authorization": f"Bearer {self.token}",
            "Accept-Encoding": "gzip",
            "Content-Type": "application/json",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        raw = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        written = {name: value for name, value in sent.items() if value is not None}
        self.connection.request(method, at or f"{self.prefix}/v1{path}", body=raw, headers=written)
        received = self.connection.getresponse()
        # What is repeated is joined by commas.
        joined = {name.lower(): received.getheader(name, "") for name, _ in received.getheaders()}
        return Answer(received.status, joined, received.read())

    def card(self) -> str:
        """Create a card with a long description on a new board, and return its path."""
        board = self.send("POST", "/boards", {"name": "Website"}).json["id"]
        card = self.send("POST", f"/boards/{board}/cards", {"title": "One", "description": LONG_NAME}).json["id"]
        return f"/boards/{board}/cards/{card}"


@pytest.fixture(scope="module", params=["", "/kanban"], ids=["root", "prefix"])
def prefix(request: pytest.FixtureRequest) -> str:
    """Return what comes before every path of the server."""
    value: str = request.param
    return value


@pytest.fixture(scope="module")
def server(prefix: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    port = free_port()
    settings = {"CORS_ORIGINS": ORIGIN, "TRUSTED_PROXIES": "127.0.0.1", "PORT": str(port)}
    if prefix:
        settings["PUBLIC_URL"] = f"http://127.0.0.1:{port}{prefix}"
    with LiveServer(tmp_path_factory.mktemp("server"), **settings) as running:
        yield running


@pytest.fixture(scope="module", params=PROXIES)
def proxy(
    request: pytest.FixtureRequest, server: LiveServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    with PROXIES[request.param](tmp_path_factory.mktemp(request.param), server.host_and_port) as running:
        yield running


@pytest.fixture
def client(prefix: str, server: LiveServer, proxy: Proxy) -> Iterator[Client]:
    assert server.token
    trusting = ssl.create_default_context(cafile=proxy.certificate)
    # The address of the proxy is another one.
    with closing(
        HTTPSConnection("localhost", proxy.port, context=trusting, timeout=60, source_address=(CLIENT_ADDRESS, 0))
    ) as connection:
        yield Client(connection, server.token, prefix)


def test_an_etag_can_be_sent_as_if_match_as_it_was_received(client: Client) -> None:
    path = client.card()

    read = client.send("GET", path)
    tag = read.headers["etag"]
    first = client.send("PATCH", path, {"title": "First"}, If_Match=tag)
    second = client.send("PATCH", path, {"title": "Second"}, If_Match=first.headers["etag"])
    late = client.send("PATCH", path, {"title": "Third"}, If_Match=tag)

    assert read.headers["content-encoding"] == "gzip"
    assert [first.status, second.status, late.status] == [200, 200, 412]
    assert client.send("GET", path).json["title"] == "Second"
    assert "read it again" in late.json["detail"]


def test_if_none_match_with_a_received_etag_is_answered_with_304(client: Client) -> None:
    path = client.card()

    read = client.send("GET", path)
    again = client.send("GET", path, If_None_Match=read.headers["etag"])
    client.send("PATCH", path, {"title": "Another"}, If_Match="*")
    changed = client.send("GET", path, If_None_Match=read.headers["etag"])

    assert (again.status, again.body) == (304, b"")
    assert changed.status == 200


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
@pytest.mark.parametrize("form", ['W/"{}"', '"{}-gzip"'])
def test_an_etag_that_another_proxy_rewrote_is_accepted(client: Client, method: str, form: str) -> None:
    path = client.card()
    version = client.send("GET", path).json["version"]

    stale = client.send(method, path, {} if method == "PATCH" else None, If_Match=form.format(version + 1))
    fresh = client.send(method, path, {} if method == "PATCH" else None, If_Match=form.format(version))

    assert (stale.status, fresh.status) == (412, 200 if method == "PATCH" else 204)


def test_head_has_no_body_and_an_etag_for_if_match(client: Client) -> None:
    path = client.card()

    head = client.send("HEAD", path)
    changed = client.send("PATCH", path, {"title": "Another"}, If_Match=head.headers["etag"])

    assert (head.status, head.body) == (200, b"")
    assert changed.status == 200


def test_location_and_link_headers_can_be_followed(client: Client) -> None:
    board = client.send("POST", "/boards", {"name": "Website"})
    path = f"/boards/{board.json['id']}/cards"
    made = [client.send("POST", path, {"title": title}) for title in ("One", "Two")]
    page = client.send("GET", f"{path}?limit=1")
    following = page.headers["link"].removeprefix("<").partition(">")[0]

    assert [client.send("GET", "", at=response.headers["location"]).json["title"] for response in made] == [
        "One",
        "Two",
    ]
    assert made[0].headers["location"].startswith(f"{client.prefix}/v1/")
    assert client.send("GET", "", at=following).json["items"][0]["title"] in ("One", "Two")
    assert page.headers["link"].endswith('>; rel="next"')


def test_the_cors_headers_of_an_allowed_origin_pass(client: Client) -> None:
    asked = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "if-match,traceparent"}

    preflight = client.send("OPTIONS", "/boards", Authorization=None, Origin=ORIGIN, **asked)
    received = client.send("GET", "/boards", Origin=ORIGIN)

    assert preflight.status == 204
    assert {"If-Match", "traceparent"} <= set(preflight.headers["access-control-allow-headers"].split(", "))
    assert received.headers["access-control-allow-origin"] == ORIGIN
    assert "Origin" in received.headers["vary"]


def test_an_import_of_two_megabytes_passes_and_larger_bodies_than_allowed_get_413(client: Client) -> None:
    cards = [
        {
            "id": f"{number:024x}",
            "name": "Card",
            "desc": LONG_NAME * 4,
            "idList": "f" * 24,
            "closed": False,
            "pos": number,
        }
        for number in range(150)
    ]
    lists = [{"id": "f" * 24, "name": "Open", "closed": False, "pos": 1}]
    export = json.dumps({"id": token_hex(12), "name": "Board", "lists": lists, "cards": cards}).encode()
    assert len(export) > 2_000_000

    imported = client.send("POST", "/imports/trello", export)
    ours = client.send("POST", "/imports/trello", b" " * (5 * 1024 * 1024 + 1))
    ordinary = client.send("POST", "/boards", b" " * (256 * 1024 + 1))

    assert imported.status == 201, imported.body
    assert (ours.status, ours.json["code"]) == (413, "body_too_large")
    assert (ordinary.status, ordinary.json["code"]) == (413, "body_too_large")


def test_problem_documents_pass_unchanged(client: Client) -> None:
    missing = client.send("GET", "/boards/brd_00000000000000000000000000")
    refused = client.send("GET", "/boards", Authorization="Bearer wrong")

    assert missing.status in (400, 404)
    assert missing.headers["content-type"] == "application/problem+json"
    assert (refused.status, refused.json["code"]) == (401, "unauthenticated")
    assert refused.headers["www-authenticate"].startswith("Bearer")


def test_events_of_a_stream_pass_at_once(client: Client, proxy: Proxy) -> None:
    board = client.send("POST", "/boards", {"name": "Website"}).json["id"]
    trusting = ssl.create_default_context(cafile=proxy.certificate)
    with closing(HTTPSConnection("localhost", proxy.port, context=trusting, timeout=60)) as connection:
        headers = {
            "Authorization": f"Bearer {client.token}",
            "Accept": "text/event-stream",
            "Accept-Encoding": "gzip",
        }
        connection.request("GET", f"{client.prefix}/v1/boards/{board}/events?after=1", headers=headers)
        stream = connection.getresponse()
        begin = stream.readline()
        client.send("POST", f"/boards/{board}/cards", {"title": "News"})
        lines = [stream.readline() for _ in range(3)]

    assert (stream.status, begin) == (200, b"retry: 1000\n")
    assert lines[0] == b"id: 2\n"
    assert json.loads(lines[1].removeprefix(b"data: "))["data"]["title"] == "News"
    assert lines[2] == b"\n"


def test_the_log_of_the_proxy_has_the_id_of_each_request(client: Client, proxy: Proxy) -> None:
    response = client.send("GET", "/boards", X_Request_Id="made-by-the-client")
    made = client.send("GET", "/boards").headers["x-request-id"]
    # A proxy takes up the next request of a connection when it has done with the last one, its log included.
    client.send("GET", "/health")

    assert response.headers["x-request-id"] == "made-by-the-client"
    lines = proxy.log.read_text().splitlines()
    assert [CLIENT_ADDRESS in line for line in lines if made in line] == [True]


def test_the_log_of_the_server_has_the_address_of_the_client(client: Client, server: LiveServer) -> None:
    made = client.send("GET", "/boards", X_Forwarded_For="198.51.100.1").headers["x-request-id"]

    assert [line["address"] for line in server.log if line["request_id"] == made] == [CLIENT_ADDRESS]


def test_a_body_that_is_larger_than_the_proxy_allows_gets_413(client: Client) -> None:
    assert client.send("POST", "/imports/trello", b" " * (6 * 1024 * 1024 + 1)).status == 413


def test_the_proxy_speaks_http_2(proxy: Proxy, prefix: str) -> None:
    options = ["--silent", "--fail", "--http2", "--cacert", str(proxy.certificate), "--output", os.devnull]
    output = subprocess.run(
        ["curl", *options, "--write-out", "%{http_version}", f"{proxy.url[:-1]}{prefix}/v1/health"],  # noqa: S607 - whichever curl is here.
        capture_output=True,
        text=True,
        check=True,
    )

    assert output.stdout == "2"


def test_every_response_has_strict_transport_security(client: Client) -> None:
    for path in ("/v1/boards", "/", "/icon.svg"):
        received = client.send("GET", "", at=f"{client.prefix}{path}")
        assert (received.status, received.headers["strict-transport-security"]) == (200, "max-age=63072000")
