"""Clients that were generated from earlier releases do the main job, and read the event types that they know."""

import json
from collections.abc import Callable
from functools import cache
from http.client import HTTPConnection
from typing import Any

import pytest

from app.document import DOCUMENT_PATH
from contract.schemas import KNOWN_VALUES_EXTENSION
from tests.clients.later_server import PLACE
from tests.clients.test_clients import read_output_in_readme
from tests.live_server import LiveServer
from tools.openapi import client_generation
from tools.openapi.breaking_changes import close_open_schemas
from tools.openapi.findings import ROOT
from tools.openapi.releases import RELEASES_FOLDER, load_releases, parse_version

CURRENT: dict[str, Any] = json.loads(DOCUMENT_PATH.read_bytes())
OLD = [document["info"]["version"] for document in load_releases() if parse_version(document) < (1, 3, 0)]


@pytest.fixture(scope="module")
def python_client() -> Callable[[str], client_generation.ClientProgram]:
    """Return what generates the Python client of a release, once for all tests."""

    @cache
    def build(version: str) -> client_generation.ClientProgram:
        (program,) = client_generation.build_python_client(RELEASES_FOLDER / f"{version}.json")
        return program

    return build


@pytest.mark.parametrize("version", OLD)
def test_an_older_python_client_does_the_main_job_and_reads_its_events(
    version: str, live_server: LiveServer, python_client: Callable[[str], client_generation.ClientProgram]
) -> None:
    program = python_client(version)
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
def test_an_older_python_client_raises_at_an_unknown_event_type(
    version: str, later: str, python_client: Callable[[str], client_generation.ClientProgram]
) -> None:
    program = python_client(version)

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
