"""The page's Markdown parser in Node, which answers one query after the other."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

PROGRAM = Path(__file__).with_name("parser.mjs")

Query = Literal["rendered", "examples", "faults", "first_fault", "html", "steps"]


class Parser:
    """A process of Node that parses texts with the modules of the page."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def __call__(self, query: Query, argument: object = "") -> Any:
        """Return the result of a query; `QUERIES` in parser.mjs lists them."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"query": query, "argument": argument}) + "\n")
        self._process.stdin.flush()
        response = self._process.stdout.readline()
        if not response:
            pytest.fail(f"Node ended at {argument!r}; its output is above.")
        return json.loads(response)


@pytest.fixture(scope="session")
def parser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parser]:
    node = shutil.which("node")
    assert node, "Node was not found: install version 20.19 or newer."
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
