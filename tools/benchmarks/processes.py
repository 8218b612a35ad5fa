"""Run a contender in a process of its own, for its time or under callgrind for its instructions."""

import json
import os
import sqlite3
import subprocess
import sys
import sysconfig
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tools.benchmarks.callgrind import Counts, build_command, read_counts
from tools.benchmarks.contenders import Contender
from tools.benchmarks.scene import Scene
from tools.benchmarks.scene_creation import create_scene

ROOT = Path(__file__).parents[2]

ENVIRONMENT = {"PATH": os.environ.get("PATH", ""), "PYTHONHASHSEED": "0"}
"""All that a measured process knows: sets are then traversed in the same order in every run."""


@contextmanager
def open_scene() -> Iterator[Scene]:
    """Yield a scene in a SQLite file, whose path is always equally long."""
    with TemporaryDirectory() as folder:
        yield create_scene(f"sqlite:///{folder}/scene.db")


def copy_scene(scene: Scene, name: str) -> Scene:
    """Return a copy of a scene in a file of that name, beside the original."""
    source = Path(scene.store_url.removeprefix("sqlite:///"))
    target = source.with_name(f"{name}.db")
    with closing(sqlite3.connect(source)) as original, closing(sqlite3.connect(target)) as copy:
        original.backup(copy)
    return replace(scene, store_url=f"sqlite:///{target}")


def build_program(contender: Contender, scene: Scene) -> list[str]:
    """Return the command of a worker, with a copy of the scene for each kind of work."""
    scenes = {work: asdict(copy_scene(scene, f"{contender.file_name}-{work}")) for work in contender.works}
    python, search_path = sys.executable, []
    if contender.environment:
        python = str(ROOT / contender.environment / "bin" / "python")
        # The contender's own packages come first, and behind them those that the store needs.
        search_path = [sysconfig.get_paths()["purelib"]]
    program = [python, "-W", "ignore", "-m", "tools.benchmarks.worker"]
    return [*program, contender.reference, json.dumps(scenes), *search_path]


class Worker:
    """The process of a contender."""

    def __init__(self, contender: Contender, scene: Scene, *, counts_to: Path | None = None) -> None:
        """Start it. With `counts_to`, callgrind counts instructions into files that begin with this path."""
        self._counts_to = counts_to
        self._marks = 0
        self._process = subprocess.Popen(  # noqa: S603 - our own module.
            [*(build_command(counts_to) if counts_to else ()), *build_program(contender, scene)],
            cwd=ROOT,
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._read_line()

    def measure(self, work: str, shape: str, times: int) -> float:
        """Send the requests of a shape so many times, and return the CPU microseconds of one."""
        return float(self._send(work, shape, times, None))

    def count(self, work: str, shape: str | None, times: int = 1) -> Counts:
        """Send the requests of a shape so many times, and return what callgrind counted for all of them.

        Without a shape, which comes first, the contender is only loaded.
        """
        assert self._counts_to  # noqa: S101 - the process was started to count.
        self._send(work, shape, times, "callgrind")
        self._marks += 2
        return read_counts(self._counts_to, self._marks)

    def count_lines(self, work: str, shape: str | None, times: int = 1) -> Counter[str]:
        """Do the same, and return how many lines each Python function ran."""
        return Counter(self._send(work, shape, times, "lines"))

    def stop(self) -> None:
        """End the process."""
        self._process.communicate()

    def _send(self, work: str, shape: str | None, times: int, instrument: str | None) -> Any:
        assert self._process.stdin  # noqa: S101 - Popen was called with pipes.
        command = {"work": work, "shape": shape, "times": times, "instrument": instrument}
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return self._read_line()

    def _read_line(self) -> Any:
        assert self._process.stdout  # noqa: S101 - Popen was called with pipes.
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(self._process.wait() or 1)
        return json.loads(line)
