"""Try mutants of the rules, the contract layer and the authorization decisions: `python -m tests.mutants`.

A mutant that the matching tests do not notice survives. Those that are known to, with the reason why no test can or
should notice them, stand in `survivors.yaml`. The run fails below 95 % and for each survivor that is not named there.
"""

import argparse
import importlib
import os
import random
import resource
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tqdm import tqdm

from tests.mutants.matching import AUTHORIZATION, map_tests_to_files
from tests.mutants.mutated_import import mutate_import
from tests.mutants.operators import ROOT, Mutant, create_decision_mutants, create_mutants

SURVIVORS = Path(__file__).with_name("survivors.yaml")
MIN_KILLED_SHARE = 0.95
MAX_CPU_SECONDS_PER_TEST = 10
MAX_SECONDS = 900
"""After so much time a mutant counts as noticed: it runs, or waits, for ever."""

PRELOADED = (
    "alembic.command",
    "botocore.session",
    "jsonschema_rs",
    "orjson",
    "sqlalchemy",
    "starlette.routing",
    "werkzeug",
)
"""Libraries that tests import and that take long to import."""

# Plugins of pytest that no matching test needs take longer to import than most tests run.
os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"


Task = tuple[Mutant | None, list[str]]
"""A mutant, or none, and the test files to run with it."""


def main() -> int:
    """Try a sample of mutants, print the survivors and the score; return 1 when the tests let too much through."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="which mutants are drawn")
    parser.add_argument("--count", type=int, default=300, help="how many, spread over all files by their size")
    parser.add_argument("--only", default="", help="only files whose path begins so, for example kanban/ranks")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many are tried at once")
    parser.add_argument("--decisions", action="store_true", help="all mutants of who may do what, and no others")
    options = parser.parse_args()
    matching = {file: tests for file, tests in map_tests_to_files().items() if file.startswith(options.only)}
    if options.decisions:
        matching = {file: tests for file, tests in matching.items() if file in AUTHORIZATION}
        mutants = sample = [mutant for file in matching for mutant in create_decision_mutants(ROOT / file)]
    else:
        mutants = [mutant for file in matching for mutant in create_mutants(ROOT / file)]
        draw = random.Random(options.seed)  # noqa: S311 - which mutants are tried is no secret.
        sample = draw.sample(mutants, min(options.count, len(mutants)))
    _import_libraries()
    used_tests = {test for mutant in sample for test in matching[mutant.file]}
    baseline = _run([(None, [test]) for test in used_tests], options.jobs)
    failing = {test for _, (test,), passes in baseline if not passes}
    if failing:
        print(f"These tests fail without any mutant: {', '.join(sorted(failing))}", file=sys.stderr)
        return 1
    runs = _run([(mutant, matching[mutant.file]) for mutant in sample], options.jobs)
    survivors = sorted(
        (mutant for mutant, _, passes in runs if mutant and passes), key=lambda mutant: (mutant.file, mutant.line)
    )
    reasons: dict[str, str] = yaml.safe_load(SURVIVORS.read_text()) or {}
    for mutant in survivors:
        print(f"{mutant.file}:{mutant.line} survives: {mutant.id.partition('::')[2]}")
        print(f"    {reasons.get(mutant.id, 'NOT NAMED in tests/mutants/survivors.yaml')}")
    killed = 1 - len(survivors) / len(sample)
    print(f"{len(sample)} of {len(mutants)} mutants tried, {len(sample) - len(survivors)} noticed: {killed:.1%}.")
    return int(killed < MIN_KILLED_SHARE or any(mutant.id not in reasons for mutant in survivors))


def _import_libraries() -> None:
    """Import pytest and the libraries once: each mutant is tried in a fork of this process."""
    for name in PRELOADED:
        importlib.import_module(name)


def _run(tasks: list[Task], jobs: int) -> Iterator[tuple[Mutant | None, list[str], bool]]:
    """Run the tests of each task, `jobs` tasks at once; yield the task and whether its tests pass."""
    running: dict[int, Task] = {}
    waiting = tasks[::-1]
    with tqdm(total=len(tasks), unit=" runs", disable=not sys.stderr.isatty()) as progress:
        while running or waiting:
            if waiting and len(running) < jobs:
                task = waiting.pop()
                running[_start(*task)] = task
                continue
            process, status = os.wait()
            progress.update()
            yield *running.pop(process), os.waitstatus_to_exitcode(status) == pytest.ExitCode.OK


class _CpuLimit:
    """A plugin of pytest that ends the process in a test that takes too long."""

    def pytest_runtest_logstart(self) -> None:
        """Let the next test take so much time."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        limit = int(used.ru_utime + used.ru_stime) + MAX_CPU_SECONDS_PER_TEST
        resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))


def _start(mutant: Mutant | None, tests: list[str]) -> int:
    """Start the tests in a fork of this process; return its process id. Its exit status is pytest's."""
    process = os.fork()
    if process:
        return process
    status: int = pytest.ExitCode.INTERNAL_ERROR
    try:
        signal.alarm(MAX_SECONDS)
        for stream in (sys.stdout, sys.stderr):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if mutant is not None:
            mutate_import(mutant)
        status = pytest.main(["-q", "-x", "--no-header", "-p", "no:cacheprovider", *tests], plugins=[_CpuLimit()])
    finally:
        # Nothing of the process that was forked may be done a second time.
        os._exit(status)


if __name__ == "__main__":
    sys.exit(main())
