"""Measure the CPU time of a request in the product and its peers, as medians and ratios (`make bench`).

Every contender runs in a process of its own. In each round they run a few requests of one kind in turns, so that
whatever else the machine does affects all of them alike.
"""

import json
import os
import statistics
import subprocess
import sys
import sysconfig
from pathlib import Path

from tools.benchmarks.bar_chart import render_bar_chart

ROOT = Path(__file__).parents[2]
CONTENDERS = {
    "Tackboard": "tools.benchmarks.contenders:tackboard",
    "Tackboard by serverless-wsgi": "tools.benchmarks.contenders:by_serverless_wsgi",
    "FastAPI + Mangum": "tools.benchmarks.peers.warm_fastapi:contender",
    "Powertools": "tools.benchmarks.peers.warm_powertools:contender",
    "Flask, nothing validated": "tools.benchmarks.peers.warm_flask:contender",
    "connexion 3 as it comes": "tools.benchmarks.contenders:connexion_as_it_comes",
    "the work alone, in all of them": "tools.benchmarks.contenders:work_alone",
}
"""The function that creates each contender. Those in tools.benchmarks.peers run in .venv-peers."""
CASES = ("GET one card", "POST a card", "POST -> 400", "list of 50 cards")
CHART_FILE = ROOT / "docs" / "bench.svg"
ROUNDS = 15
REQUESTS_PER_ROUND = 40


class Worker:
    """The process of a contender."""

    def __init__(self, name: str) -> None:
        function = CONTENDERS[name]
        is_peer = function.startswith("tools.benchmarks.peers")
        python = str(ROOT / ".venv-peers" / "bin" / "python") if is_peer else sys.executable
        # A peer's own packages come first, and behind them those that the store needs.
        search_path = [sysconfig.get_paths()["purelib"]] if is_peer else []
        command = [python, "-W", "ignore", "-m", "tools.benchmarks.worker", function, *search_path]
        self._process = subprocess.Popen(  # noqa: S603 - our own module.
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._read_line()

    def measure(self, case: str, times: int) -> float:
        """Run a case so many times, and return the CPU microseconds of one request."""
        assert self._process.stdin  # noqa: S101 - Popen was called with pipes.
        self._process.stdin.write(json.dumps({"case": case, "times": times}) + "\n")
        self._process.stdin.flush()
        return float(self._read_line())

    def stop(self) -> None:
        """End the process."""
        self._process.communicate()

    def _read_line(self) -> str:
        assert self._process.stdout  # noqa: S101 - Popen was called with pipes.
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(self._process.wait() or 1)
        return str(json.loads(line))


def main() -> None:
    """Measure, print a table and draw a chart."""
    workers = {name: Worker(name) for name in CONTENDERS}
    microseconds: dict[tuple[str, str], list[float]] = {(case, name): [] for case in CASES for name in CONTENDERS}
    for done in range(ROUNDS):
        for case in CASES:
            for name, worker in workers.items():
                microseconds[case, name].append(worker.measure(case, REQUESTS_PER_ROUND))
        print(f"\rround {done + 1} of {ROUNDS}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    for worker in workers.values():
        worker.stop()
    median = {key: statistics.median(samples) for key, samples in microseconds.items()}
    print(
        f"CPU µs per request, medians of {ROUNDS} rounds in turns (times Tackboard's); SQLite store, "
        f"{_describe_machine()}"
    )
    print(" " * 32 + "".join(f"{case:>20}" for case in CASES))
    for name in CONTENDERS:
        row = ((median[case, name], median[case, name] / median[case, "Tackboard"]) for case in CASES)
        print(f"{name:32}" + "".join(f"{f'{cpu:,.0f} ({ratio:.1f})':>20}" for cpu, ratio in row))
    bars = [(name, median[CASES[0], name], f"{median[CASES[0], name]:,.0f} µs") for name in CONTENDERS]
    CHART_FILE.write_text(render_bar_chart(f"CPU time of a request: {CASES[0]}", _describe_machine(), bars))


def _describe_machine() -> str:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"Python {version}, {os.cpu_count()} processors, load {os.getloadavg()[1]:.1f}"


if __name__ == "__main__":
    main()
