"""Count what our own requests and starts run: instructions, and the lines of each Python function."""

import sysconfig
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from infrastructure.deployment.local_lambda import open_table
from tools.benchmarks.callgrind import Counts
from tools.benchmarks.contenders import PRODUCT
from tools.benchmarks.processes import ROOT, Worker, open_scene
from tools.benchmarks.scene import OUR_SHAPES, Scene
from tools.benchmarks.starts import Program, create_board_event

COUNTED_REQUESTS = 10

START_ON_SQLITE = "start on SQLite"
STEP_NAMES = {"import": "start on DynamoDB", "first": "first request on DynamoDB", "warm": "read on DynamoDB"}

MIN_SHARE = 0.005
"""The share of a request or start from which on a function is listed."""

Functions = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class OwnCounts:
    """What was counted, by the name of a shape or start.

    Attributes:
        instructions: Of one request or start.
        machine_code: How many of them belong to each function of the machine's code.
        lines: How many lines each Python function runs.
    """

    instructions: dict[str, int]
    machine_code: dict[str, Functions]
    lines: dict[str, Functions]


def count_own() -> OwnCounts:
    """Count everything, in two processes at a time."""
    with open_scene() as scene, open_table() as store_url, ThreadPoolExecutor(2) as pool:
        path = f"{ROOT}:{sysconfig.get_paths()['purelib']}"
        program = Program(path, "lambda_wsgi_handler", create_board_event(store_url))
        # The processes that count lines leave bytecode to those that count instructions.
        start_lines = pool.submit(program.count_lines, store_url, COUNTED_REQUESTS)
        request_lines = pool.submit(_count_request_lines, scene)
        lines = request_lines.result() | {name: start_lines.result()[step] for step, name in STEP_NAMES.items()}
        starts, requests = (
            pool.submit(program.count_steps, store_url, COUNTED_REQUESTS),
            pool.submit(_count_requests, scene),
        )
        counts = requests.result() | {name: starts.result()[step] for step, name in STEP_NAMES.items()}
    return OwnCounts(
        {name: count.total // _get_times(name) for name, count in counts.items()},
        {name: _keep_largest(count.functions, _get_times(name)) for name, count in counts.items()},
        {name: _keep_largest(functions, _get_times(name)) for name, functions in lines.items()},
    )


def _get_times(name: str) -> int:
    """Return how many times what is counted under this name is done."""
    return COUNTED_REQUESTS if name in OUR_SHAPES or name == STEP_NAMES["warm"] else 1


def _count_requests(scene: Scene) -> dict[str, Counts]:
    with TemporaryDirectory() as folder:
        worker = Worker(PRODUCT, scene, counts_to=Path(folder, "counts"))
        counts = {START_ON_SQLITE: worker.count("", None)}
        counts |= {shape: worker.count("", shape, COUNTED_REQUESTS) for shape in OUR_SHAPES}
        worker.stop()
    return counts


def _count_request_lines(scene: Scene) -> dict[str, Functions]:
    worker = Worker(PRODUCT, scene)
    lines: dict[str, Functions] = {START_ON_SQLITE: worker.count_lines("", None)}
    lines |= {shape: worker.count_lines("", shape, COUNTED_REQUESTS) for shape in OUR_SHAPES}
    worker.stop()
    return lines


def _keep_largest(functions: Functions, times: int) -> Functions:
    """Return what the functions run that matter, each for one time, the largest first."""
    smallest = sum(functions.values()) * MIN_SHARE
    largest = sorted(((count, name) for name, count in functions.items() if count >= smallest), reverse=True)
    return {name: count // times for count, name in largest}
