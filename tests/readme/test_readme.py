"""The commands in README and in the page about curl print what these pages show."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.settings import SETTINGS
from tests.live_server import LiveServer

ROOT = Path(__file__).parents[2]
ENTRY = re.compile(r"^\$ (?P<command>.*(?:\n> .*)*)\n(?P<output>(?:(?!\$ |$).*\n)*)", re.MULTILINE)
CHANGING_VALUES = [
    (re.compile(r"\b(usr|brd|lst|crd|lbl|tok|hst)_[0-9a-z]{26}\b"), r"\1_…"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "…"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "…Z"),
]


def command_of(entry: re.Match[str]) -> str:
    """Return a command without the prompts of its continuation lines."""
    return entry["command"].replace("\n> ", "\n")


def mask_changing_values(text: str) -> str:
    """Return the text with placeholders for values that differ in every run."""
    for pattern, replacement in CHANGING_VALUES:
        text = pattern.sub(replacement, text)
    return text.strip()


@pytest.mark.parametrize(("page", "blocks"), [("README.md", 1), ("docs/by-curl.md", None)])
def test_the_commands_of_a_page_print_what_it_shows(
    new_server: LiveServer, tmp_path: Path, page: str, blocks: int | None
) -> None:
    _, _, tested = (ROOT / page).read_text().partition("run by tests/readme. -->")
    code_blocks = re.findall(r"```console\n(.*?)```", tested, re.DOTALL)[:blocks]
    entries = [(command_of(entry), entry["output"]) for block in code_blocks for entry in ENTRY.finditer(block)]
    mark = "=== next ==="
    lines = [f'make() {{ PYTHONPATH="{ROOT}" "{sys.executable}" -m cli token 2>/dev/null; }}']
    for command, _ in entries:
        lines += [command.replace("http://127.0.0.1:8080", new_server.url.rstrip("/")), f"echo; echo '{mark}'"]

    run = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(lines)],  # noqa: S607 - the shell of whoever reads the README.
        cwd=tmp_path,
        env=os.environ | {"STORE_URL": new_server.store_url, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    answers = run.stdout.split(mark)[:-1]
    assert [mask_changing_values(answer) for answer in answers] == [
        mask_changing_values(output) for _, output in entries
    ]


def test_the_handler_in_the_readme_is_the_real_one() -> None:
    code_block = re.search(r"   ```python\n(.*?)   ```", (ROOT / "README.md").read_text(), re.DOTALL)

    assert code_block
    code = "\n".join(line[3:] for line in code_block[1].splitlines()).strip()
    assert code in (ROOT / "handlers" / "cards.py").read_text()


def test_every_variable_in_the_readme_is_a_setting() -> None:
    table = re.findall(r"^\| `([A-Z_`, ]+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    names = [name for row in table for name in re.findall(r"[A-Z_]{4,}", row)]

    assert names
    assert set(names) <= {setting.name for setting in SETTINGS}
