"""The parser of the page's Markdown in Node, which answers one question after the other."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

PROGRAM = Path(__file__).with_name("parser.mjs")

Wanted = Literal["drawn", "examples", "faults", "first_fault", "html", "steps"]


class Parser:
    """A process of Node that parses texts with the modules of the page."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def __call__(self, wanted: Wanted, given: object = "") -> Any:
        """Return what is wanted of a text, as `ANSWERS` in parser.mjs lists it."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"wanted": wanted, "given": given}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            pytest.fail(f"Node ended at {given!r}; what it says stands above.")
        return json.loads(answer)


@pytest.fixture(scope="session")
def parser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parser]:
    node = shutil.which("node")
    assert node, "There is no Node: install version 20.19 or newer."
    folder = tmp_path_factory.mktemp("counting")
    with subprocess.Popen(
        (node, "--no-warnings", str(PROGRAM), str(folder)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        yield Parser(process)
        assert process.stdin
        process.stdin.close()
