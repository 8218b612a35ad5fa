"""Measure a request in the product and its peers, its layers apart from its work (`make bench`).

Instructions come first, because they repeat themselves: callgrind counts them, each contender in a process of its own.
Then the CPU time of the same requests is taken in rounds, the contenders in turns, so that whatever else the machine
does affects all of them alike. The tables go into docs/performance.md and README.md, with a chart.
"""

import os
import statistics
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.benchmarks.contenders import CONTENDERS, Contender
from tools.benchmarks.goals import Counted, RequestFigures
from tools.benchmarks.processes import Worker, open_scene
from tools.benchmarks.report import write_request_report
from tools.benchmarks.scene import COMMON_SHAPES, Scene

COUNTED_REQUESTS = 10
ROUNDS = int(os.environ.get("ROUNDS", "15"))
REQUESTS_PER_ROUND = 40


def count_all(scene: Scene) -> Counted:
    """Return the instructions of one request of each shape, for each contender and its kinds of work."""

    def count(contender: Contender) -> Counted:
        with TemporaryDirectory() as folder:
            worker = Worker(contender, scene, counts_to=Path(folder, "counts"))
            counted = {
                (contender.name, work, shape): worker.count(work, shape, COUNTED_REQUESTS).total // COUNTED_REQUESTS
                for work in contender.works
                for shape in COMMON_SHAPES
            }
            worker.stop()
        print(f"counted: {contender.name}", file=sys.stderr, flush=True)
        return counted

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return {key: value for counted in pool.map(count, CONTENDERS) for key, value in counted.items()}


def time_all(scene: Scene) -> dict[tuple[str, str], float]:
    """Return the median CPU microseconds of a whole request, by contender and shape; peers have their own queries."""
    workers = {contender: Worker(contender, scene) for contender in CONTENDERS}
    samples: dict[tuple[str, str], list[float]] = {}
    for done in range(ROUNDS):
        for shape in COMMON_SHAPES:
            for contender, worker in workers.items():
                work = "own" if "own" in contender.works else ""
                microseconds = worker.measure(work, shape, REQUESTS_PER_ROUND)
                samples.setdefault((contender.name, shape), []).append(microseconds)
        print(f"\rround {done + 1} of {ROUNDS}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    for worker in workers.values():
        worker.stop()
    return {key: statistics.median(values) for key, values in samples.items()}


def main() -> None:
    """Measure, print the tables, and write them."""
    with open_scene() as scene:
        figures = RequestFigures(count_all(scene))
        times = time_all(scene)
    machine = f"{os.cpu_count()} processors, load {os.getloadavg()[1]:.1f}"
    print(write_request_report(figures, times, machine))


if __name__ == "__main__":
    main()
