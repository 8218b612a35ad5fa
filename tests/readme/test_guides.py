"""The commands in the guides print what the guides show."""

import os
import subprocess
from pathlib import Path

from tests.live_server import LiveServer
from tests.readme.test_readme import ENTRY, command_of, mask_changing_values
from tools.openapi.findings import ROOT

MARK = "=== next ==="


def test_the_commands_of_the_guides_print_what_they_show(new_server: LiveServer, tmp_path: Path) -> None:
    blocks = (ROOT / "docs" / "guides.md").read_text().split("```console\n")[1:]
    entries = [entry for block in blocks for entry in ENTRY.finditer(block.partition("```")[0])]
    lines = [line for entry in entries for line in (command_of(entry), f"echo; echo '{MARK}'")]

    run = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(lines)],  # noqa: S607 - the shell of whoever reads the guides.
        cwd=tmp_path,
        env=os.environ | {"TOKEN": new_server.token or "", "API": f"{new_server.url}v1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr + run.stdout
    answers = run.stdout.split(MARK)[:-1]
    assert [mask_changing_values(answer) for answer in answers] == [
        mask_changing_values(entry["output"]) for entry in entries
    ]
