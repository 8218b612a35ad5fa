"""CONTRIBUTING names files and names that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
MADE_BY_TOOLS = {".screenshots/", ".venv"}
CODE = re.compile(r"`([^`]+)`")
PATHS = sorted({code for code in CODE.findall(PAGE) if re.fullmatch(r"[\w./-]+(/|\.\w+)", code)} - MADE_BY_TOOLS)
NAMES = sorted(set(re.findall(r"`(_?[A-Z][A-Za-z_]+)` in `([\w./-]+\.\w+)`", PAGE)))


@pytest.mark.parametrize("path", PATHS)
def test_every_path_exists(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize(("name", "path"), NAMES)
def test_every_name_is_in_the_file_that_is_named_with_it(name: str, path: str) -> None:
    assert re.search(rf"\b{name}\b", (ROOT / path).read_text())


def test_make_has_every_target() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*?##", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert set(re.findall(r"`make ([a-z-]+)", PAGE)) <= targets
