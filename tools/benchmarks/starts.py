"""Start a program as Lambda does, in a process of its own without site packages, and measure its steps."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.benchmarks.callgrind import Counts, add_counts, build_command, read_counts
from tools.benchmarks.scene import Event, build_event
from tools.benchmarks.scene_creation import create_scene

STARTUP_PROGRAM = Path(__file__).with_name("startup_process.py")

STEP_MARKS = {"import": (1, 2), "first": (4,), "warm": (6,)}
"""The marks with which a step ends. The start of Python itself comes before the first, and belongs to the import."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program to start: the path for its imports, the module with its handler, and the event."""

    path: str
    module: str
    event: Event

    def time_steps(self, store_url: str, times: int) -> dict[str, float]:
        """Run one process, and return the CPU seconds of each step: `import`, `first`, and `warm`, of one request."""
        steps: dict[str, float] = json.loads(self._run([], store_url, str(times)))
        return steps | {"warm": steps["warm"] / times}

    def count_steps(self, store_url: str, times: int) -> dict[str, Counts]:
        """Run one process under callgrind, and return what it counted in each step: `warm` is of all requests."""
        with TemporaryDirectory() as folder:
            output = Path(folder, "counts")
            self._run(build_command(output), store_url, str(times))
            return {step: add_counts(read_counts(output, mark) for mark in marks) for step, marks in STEP_MARKS.items()}

    def count_lines(self, store_url: str, times: int) -> dict[str, dict[str, int]]:
        """Run one process, and return how many lines each Python function ran in each step."""
        steps: dict[str, dict[str, int]] = json.loads(self._run([], store_url, str(times), "lines"))
        return steps

    def _run(self, prefix: list[str], store_url: str, *arguments: str) -> str:
        python = [sys.executable, "-s", "-S", "-P", "-W", "ignore"]
        process = subprocess.run(  # noqa: S603 - our own program.
            [*prefix, *python, str(STARTUP_PROGRAM), self.path, self.module, json.dumps(self.event), *arguments],
            env=_build_environment(store_url),
            capture_output=True,
            text=True,
            check=False,
        )
        if process.returncode:
            raise SystemExit(process.stderr)
        return process.stdout


def create_board_event(store_url: str) -> Event:
    """Create a board in a new table. Return the event of a request for it."""
    scene = create_scene(store_url, card_count=0)
    return build_event(scene.token, "GET", f"/v1/boards/{scene.board_id}")


def _build_environment(store_url: str) -> Mapping[str, str]:
    return {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONHASHSEED": "0",
        "STORE_URL": store_url,
        "PEERS_ENDPOINT": store_url.rpartition("endpoint=")[2],
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }
