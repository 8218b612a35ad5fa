"""Try mutants of the rules, the contract layer and the authorization decisions: `python -m tests.mutants`.

A mutant that the matching tests do not notice survives. Those that are known to, with the reason why no test can or
should notice them, stand in `survivors.yaml`. The run fails below 95 % and for each survivor that is not named there.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import yaml
from tqdm import tqdm

from tests.mutants.matching import map_tests_to_files
from tests.mutants.operators import ROOT, Mutant, create_mutants

SURVIVORS = Path(__file__).with_name("survivors.yaml")
MIN_KILLED_SHARE = 0.95
TIMEOUT_SECONDS = 300
"""Seconds after which a mutant counts as noticed: it runs for ever."""


def main() -> int:
    """Try a sample of mutants, print the survivors and the score; return 1 when the tests let too much through."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="which mutants are drawn")
    parser.add_argument("--count", type=int, default=300, help="how many, spread over all files by their size")
    parser.add_argument("--only", default="", help="only files whose path begins so, for example kanban/ranks")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many are tried at once")
    options = parser.parse_args()
    matching = {file: tests for file, tests in map_tests_to_files().items() if file.startswith(options.only)}
    mutants = [mutant for file in matching for mutant in create_mutants(ROOT / file)]
    draw = random.Random(options.seed)  # noqa: S311 - which mutants are tried is no secret.
    sample = draw.sample(mutants, min(options.count, len(mutants)))
    reasons: dict[str, str] = yaml.safe_load(SURVIVORS.read_text()) or {}
    survivors = sorted(_find_survivors(sample, matching, options.jobs), key=lambda mutant: (mutant.file, mutant.line))
    for mutant in survivors:
        print(f"{mutant.file}:{mutant.line} survives: {mutant.id.partition('::')[2]}")
        print(f"    {reasons.get(mutant.id, 'NOT NAMED in tests/mutants/survivors.yaml')}")
    killed = 1 - len(survivors) / len(sample)
    print(f"{len(sample)} of {len(mutants)} mutants tried, {len(sample) - len(survivors)} noticed: {killed:.1%}.")
    return int(killed < MIN_KILLED_SHARE or any(mutant.id not in reasons for mutant in survivors))


def _find_survivors(sample: list[Mutant], matching: dict[str, list[str]], jobs: int) -> Iterator[Mutant]:
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:
        runs = {
            pool.submit(_survives, mutant, matching[mutant.file], Path(folder, f"{number}.py")): mutant
            for number, mutant in enumerate(sample)
        }
        for run in tqdm(as_completed(runs), total=len(runs), unit=" mutants", disable=not sys.stderr.isatty()):
            if run.result():
                yield runs[run]


def _survives(mutant: Mutant, tests: list[str], source: Path) -> bool:
    """Whether all matching tests pass with the mutant in place."""
    source.write_text(mutant.source())
    environment = os.environ | {"MUTANT_FILE": mutant.file, "MUTANT_SOURCE": str(source), "PYTHONHASHSEED": "0"}
    options = ["-q", "-x", "--no-header", "-p", "tests.mutants.plugin", "-p", "no:cacheprovider"]
    try:
        run = subprocess.run(
            [sys.executable, "-m", "pytest", *options, *tests],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return run.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
