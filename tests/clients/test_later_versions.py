"""Clients read what came after them: generated from this document, any later feed; from older ones, what they know."""

import json
import re
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from app.document import DOCUMENT_PATH
from contract.schemas import KNOWN_VALUES_EXTENSION
from tests.clients.test_clients import read_output_in_readme
from tests.live_server import LiveServer
from tools.openapi import client_generation
from tools.openapi.breaking_changes import close_open_schemas
from tools.openapi.findings import ROOT
from tools.openapi.releases import RELEASES_FOLDER, load_releases, parse_version

BOARD, CARD = "brd_01m7wjyxw0g21k7me9wgs7f9wj", "crd_01m7wkh7t08a422d8ejt8mj7v1"
PLACE = {"TACKBOARD_BOARD": BOARD, "TACKBOARD_CARD": CARD}
CURRENT: dict[str, Any] = json.loads(DOCUMENT_PATH.read_bytes())
OLD = [document["info"]["version"] for document in load_releases() if parse_version(document) < (1, 3, 0)]


def event(seq: int, kind: str, data: dict[str, Any], **ids: str) -> dict[str, Any]:
    always = {"seq": seq, "type": kind, "at": "2026-11-20T14:00:00Z", "actor_id": "mina", "board_id": BOARD}
    return {**always, **ids, "data": data}


FEED = [
    event(1, "board.created", {"name": "Website"}),
    event(2, "card.painted", {"colour": "red"}, card_id=CARD),
    event(3, "board.updated", {"changed": ["name", "colour"]}),
    event(
        4,
        "card.moved",
        {"from_list_id": "lst_1", "from_stage": "todo", "to_stage": "done"},
        list_id="lst_2",
        card_id=CARD,
    ),
    event(5, "weather.changed", {"wind": {"knots": 7}}),
]
PROBLEM = {
    "type": "/problems/out_of_ink",
    "title": "Conflict",
    "status": 409,
    "code": "out_of_ink",
    "detail": "No ink.",
}


class Later(BaseHTTPRequestHandler):
    """A server of a later version: its feed has types, its answers have codes that nobody here has heard of."""

    def do_GET(self) -> None:
        """Answer three events of the feed."""
        (after,) = map(int, re.findall(r"after=(\d+)", self.path))
        items = [event for event in FEED if event["seq"] > after][:3]
        page = {
            "items": items,
            "last_seq": items[-1]["seq"],
            "has_more": items[-1] != FEED[-1],
            "history": f"hst_{'0' * 26}",
        }
        self._answer(200, "application/json", page)

    def do_POST(self) -> None:
        """Refuse with a code of a later version."""
        self._answer(409, "application/problem+json", PROBLEM)

    def _answer(self, status: int, media: str, body: object) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def later() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Later) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()


def test_a_python_client_reads_event_types_and_codes_of_a_later_version(later: str) -> None:
    (program,) = client_generation.build_python_client()

    assert program.with_program("read_feed").run(later, "token", **PLACE).splitlines() == [
        "1 14:00 board.created",
        "2 14:00 card.painted: {'colour': 'red'}",
        "3 14:00 board.updated",
        "4 14:00 card.moved: done",
        "5 14:00 weather.changed: {'wind': {'knots': 7}}",
        "409 out_of_ink",
    ]


def test_a_typescript_client_reads_event_types_and_codes_of_a_later_version(later: str) -> None:
    program, _ = client_generation.build_typescript_clients()

    assert program.with_program("read_feed").run(later, "token", **PLACE).splitlines() == [
        "1 board.created",
        "2 card.painted",
        "3 board.updated",
        "4 card.moved: done",
        "5 weather.changed",
        "409 out_of_ink",
    ]


@pytest.mark.parametrize("version", OLD)
def test_an_older_python_client_does_the_main_job_and_reads_its_events(version: str, live_server: LiveServer) -> None:
    (program,) = client_generation.build_python_client(RELEASES_FOLDER / f"{version}.json")
    url, token = f"{live_server.url}v1", live_server.token or ""

    assert program.run(url, token) == read_output_in_readme()

    board = get_first_id(live_server, "boards")
    environment = {"TACKBOARD_BOARD": board, "TACKBOARD_CARD": get_first_id(live_server, f"boards/{board}/cards")}
    assert program.with_program("read_feed").run(url, token, **environment).splitlines()[-1] == "409 wrong_stage"


@pytest.mark.parametrize("version", OLD)
def test_older_typescript_clients_compile_and_do_the_main_job(version: str, live_server: LiveServer) -> None:
    programs = client_generation.build_typescript_clients(RELEASES_FOLDER / f"{version}.json")
    url, token = f"{live_server.url}v1", live_server.token or ""

    assert {program.run(url, token) for program in programs} == {read_output_in_readme()}


@pytest.mark.parametrize("version", OLD)
def test_an_older_python_client_raises_at_an_unknown_event_type(version: str, later: str) -> None:
    (program,) = client_generation.build_python_client(RELEASES_FOLDER / f"{version}.json")

    with pytest.raises(client_generation.ClientFailed, match="is not a valid"):
        program.with_program("read_feed").run(later, "token", **PLACE)


def get_first_id(server: LiveServer, path: str) -> str:
    """Return the id of the first item of a listing."""
    connection = HTTPConnection(*server.host_and_port, timeout=20)
    connection.request("GET", f"/v1/{path}", headers={"Authorization": f"Bearer {server.token}"})
    first = json.load(connection.getresponse())["items"][0]["id"]
    connection.close()
    return str(first)


def values(document: dict[str, Any], name: str) -> list[str]:
    schema = close_open_schemas(document)["components"]["schemas"][name]
    return list(schema.get("discriminator", {}).get("mapping", schema.get("enum", [])))


@pytest.mark.parametrize("version", OLD)
def test_the_table_in_the_guides_names_every_value_that_an_older_client_does_not_know(version: str) -> None:
    newest, old = load_releases()[-1], json.loads((RELEASES_FOLDER / f"{version}.json").read_bytes())
    new = [
        f"`{value}`"
        for name in ("Event", "ProblemCode")
        for value in values(newest, name)
        if value not in values(old, name)
    ]

    (row,) = (
        line for line in (ROOT / "docs" / "guides.md").read_text().splitlines() if line.startswith(f"| {version} |")
    )

    assert sorted(word for word in row.replace(",", " ").split() if word.startswith("`")) == sorted(new)


def test_every_enumeration_of_fields_accepts_later_values() -> None:
    schemas = CURRENT["components"]["schemas"]

    assert all(KNOWN_VALUES_EXTENSION in schemas[name] for name in schemas if name.endswith("Field"))
