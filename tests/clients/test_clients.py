"""Clients that people generate from the document compile, do the main job against a server, and read any later feed.

Each is generated once for all tests, in one folder: so they are all in this file.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.clients.later_server import PLACE
from tests.live_server import LiveServer
from tools.openapi import client_generation
from tools.openapi.client_generation import ClientProgram
from tools.openapi.findings import ROOT


def read_output_in_readme() -> str:
    """Return the output that README shows for every client."""
    _, _, section = (ROOT / "README.md").read_text().partition("## Use it from your language")
    blocks = section.partition("\n## ")[0].split("```")[1::2]
    (printed,) = (block.removeprefix("\n") for block in blocks if block.startswith("\n"))
    return printed


def read_program_in_readme() -> str:
    """Return the program in TypeScript that README shows."""
    _, _, section = (ROOT / "README.md").read_text().partition("## Use it from your language")
    program = re.search(r"```ts\n(.*?)```", section, re.DOTALL)
    assert program
    return program[1]


@pytest.fixture(scope="module")
def python_clients() -> list[ClientProgram]:
    return client_generation.build_python_client()


@pytest.fixture(scope="module")
def typescript_clients() -> Iterator[list[ClientProgram]]:
    """Generate and compile the clients, their programs, and the program of README beside them."""
    program = client_generation.OUTPUT_FOLDER / "typescript" / "readme.ts"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(read_program_in_readme())
    yield client_generation.build_typescript_clients()
    program.unlink()


@pytest.mark.parametrize(
    ("fixture", "names"),
    [
        pytest.param("typescript_clients", ["openapi-fetch", "@hey-api/openapi-ts"], id="typescript"),
        pytest.param("python_clients", ["openapi-python-client"], id="python"),
    ],
)
def test_every_client_compiles_and_does_the_main_job(
    fixture: str, names: list[str], live_server: LiveServer, request: pytest.FixtureRequest
) -> None:
    programs: list[ClientProgram] = request.getfixturevalue(fixture)

    printed = {program.name: program.run(f"{live_server.url}v1", live_server.token or "") for program in programs}

    assert printed == dict.fromkeys(names, read_output_in_readme())


def test_a_python_client_reads_event_types_and_codes_of_a_later_version(
    later: str, python_clients: list[ClientProgram]
) -> None:
    (program,) = python_clients

    assert program.with_program("read_feed").run(later, "token", **PLACE).splitlines() == [
        "1 14:00 board.created",
        "2 14:00 card.painted: {'colour': 'red'}",
        "3 14:00 board.updated",
        "4 14:00 card.moved: done",
        "5 14:00 weather.changed: {'wind': {'knots': 7}}",
        "409 out_of_ink",
    ]


def test_a_typescript_client_reads_event_types_and_codes_of_a_later_version(
    later: str, typescript_clients: list[ClientProgram]
) -> None:
    program, _ = typescript_clients

    assert program.with_program("read_feed").run(later, "token", **PLACE).splitlines() == [
        "1 board.created",
        "2 card.painted",
        "3 board.updated",
        "4 card.moved: done",
        "5 weather.changed",
        "409 out_of_ink",
    ]


def test_the_lines_of_the_program_in_readme_are_lines_of_the_main_job() -> None:
    program = (ROOT / "tools" / "clients" / "typescript" / "main_job_fetch.ts").read_text().splitlines()

    assert [line for line in read_program_in_readme().splitlines() if line not in program] == []


def test_the_program_in_readme_runs_unchanged(typescript_clients: list[ClientProgram], live_server: LiveServer) -> None:
    program = replace(typescript_clients[0], name="README", command=("node", "compiled/readme.js"))

    printed = program.run(f"{live_server.url}v1", live_server.token or "")

    assert printed == "in one answer: lists 3, cards 1\n412 precondition_failed\n"
