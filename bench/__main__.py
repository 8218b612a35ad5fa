"""`make bench`: CPU time per request of the product and of its peers, taken in turns, as medians and ratios.

Every contender runs in a process of its own. A round asks each of them for a few requests of one kind, one after the
other, so that whatever else the machine does meets all of them alike.
"""

import json
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
NAMES = ("tackboard", "connexion 3 as it comes")
CASES = ("GET one card", "POST a card", "POST -> 400", "list of 50 cards")
ROUNDS = 15
TIMES = 40


class Worker:
    """A contender's process."""

    def __init__(self, name: str) -> None:
        command = [sys.executable, "-W", "ignore", "-m", "bench.worker", name]
        self._process = subprocess.Popen(  # noqa: S603 - our own module.
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._answer()

    def measure(self, case: str, times: int) -> float:
        """CPU microseconds for one request, over so many of them."""
        assert self._process.stdin  # noqa: S101 - it was asked for above.
        self._process.stdin.write(json.dumps({"case": case, "times": times}) + "\n")
        self._process.stdin.flush()
        return float(self._answer())

    def stop(self) -> None:
        """Let the process end."""
        self._process.communicate()

    def _answer(self) -> str:
        assert self._process.stdout  # noqa: S101 - it was asked for above.
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(self._process.wait() or 1)
        return str(json.loads(line))


def main() -> None:
    """Measure and print a table."""
    workers = {name: Worker(name) for name in NAMES}
    taken: dict[tuple[str, str], list[float]] = {(case, name): [] for case in CASES for name in NAMES}
    for done in range(ROUNDS):
        for case in CASES:
            for name, worker in workers.items():
                taken[case, name].append(worker.measure(case, TIMES))
        print(f"\rround {done + 1} of {ROUNDS}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    for worker in workers.values():
        worker.stop()
    width = max(map(len, NAMES))
    print("CPU µs per request through the Lambda entry, both ways validated, SQLite store: median (ratio)")
    print(" " * 18 + "".join(f"{name:>{width + 12}}" for name in NAMES))
    for case in CASES:
        ours = statistics.median(taken[case, NAMES[0]])
        row = (statistics.median(taken[case, name]) for name in NAMES)
        print(f"{case:18}" + "".join(f"{f'{each:,.0f} ({each / ours:.1f})':>{width + 12}}" for each in row))


if __name__ == "__main__":
    main()
