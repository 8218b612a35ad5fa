"""Clients that people generate from the document compile, and do the main job against a running server."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.live_server import LiveServer
from tools.openapi import client_generation
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


@pytest.mark.parametrize(
    ("make", "names"),
    [
        pytest.param(
            client_generation.build_typescript_clients, ["openapi-fetch", "@hey-api/openapi-ts"], id="typescript"
        ),
        pytest.param(client_generation.build_python_client, ["openapi-python-client"], id="python"),
    ],
)
def test_every_client_compiles_and_does_the_main_job(
    make: Callable[[], list[client_generation.ClientProgram]], names: list[str], live_server: LiveServer
) -> None:
    programs = make()

    printed = {program.name: program.run(f"{live_server.url}v1", live_server.token or "") for program in programs}

    assert printed == dict.fromkeys(names, read_output_in_readme())


def test_the_lines_of_the_program_in_readme_are_lines_of_the_main_job() -> None:
    program = (ROOT / "tools" / "clients" / "typescript" / "main_job_fetch.ts").read_text().splitlines()

    assert [line for line in read_program_in_readme().splitlines() if line not in program] == []


@pytest.fixture
def readme_program() -> Iterator[Path]:
    """Write the program of README to a file beside the main jobs, which are compiled together."""
    program = client_generation.OUTPUT_FOLDER / "typescript" / "readme.ts"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(read_program_in_readme())
    yield program
    program.unlink()


def test_the_program_in_readme_runs_unchanged(readme_program: Path, live_server: LiveServer) -> None:
    client_generation.build_typescript_clients()
    program = client_generation.ClientProgram("README", ("node", "compiled/readme.js"), readme_program.parent, {})

    printed = program.run(f"{live_server.url}v1", live_server.token or "")

    assert printed == "in one answer: lists 3, cards 1\n412 precondition_failed\n"
