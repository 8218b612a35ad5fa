"""The threat model names files and tests that exist."""

import ast
import re
from pathlib import Path

import pytest

from tests.source_files import ROOT, walk

PAGE = ROOT / "docs" / "threat-model.md"
ROWS = [
    tuple(cell.strip() for cell in line.strip("|").split("|"))
    for line in PAGE.read_text().splitlines()
    if line.startswith("| ") and "Stopped in" not in line
]
CODE = re.compile(r"`([^`]+)`")


def test_every_attempt_has_a_file_and_a_test() -> None:
    assert len(ROWS) >= 40
    assert [row for row in ROWS if len(row) != 3 or not CODE.findall(row[1]) or "`tests/" not in row[2]] == []


@pytest.mark.parametrize("path", sorted({path for _, files, _ in ROWS for path in CODE.findall(files)}))
def test_a_file_that_stops_something_exists(path: str) -> None:
    assert (ROOT / path).is_file()


@pytest.mark.parametrize("name", sorted({name for _, _, tests in ROWS for name in CODE.findall(tests)}))
def test_a_test_that_is_named_exists(name: str) -> None:
    path, _, function = name.partition("::")

    assert function in list_functions(ROOT / path)


def list_functions(file: Path) -> set[str]:
    """Return the names of the functions of a file."""
    return {node.name for node in walk(file) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
