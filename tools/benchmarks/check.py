"""Compare the instructions of our requests and starts with the committed numbers (`make bench-check`).

Fails if one has grown by more than three percent, and names the functions that do more than before. Instructions can
only be compared within one build of Python: on another one, the revision that committed the numbers is counted too.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.benchmarks.callgrind import describe_build
from tools.benchmarks.own_counts import MIN_SHARE, Functions, OwnCounts, count_own
from tools.benchmarks.processes import ROOT
from tools.benchmarks.report import add_raised_numbers, write_own_numbers

COUNTS_FOLDER = ROOT / "tools" / "benchmarks" / "counts"
INSTRUCTIONS_FILE = COUNTS_FOLDER / "instructions.json"

TOLERANCE = 0.03
NOISE = 0.01
"""How much a number may rise without a reason when the numbers are updated."""

MAX_FUNCTIONS = 6
"""How many functions are named for each number that has grown."""

INSTALLED_FILES = ("node_modules", "contract/page/vendor", "contract/page/.vendor")
"""What another revision needs of this checkout."""


def compare(before: OwnCounts, now: OwnCounts) -> tuple[str, list[str]]:
    """Return a table of all numbers, and a description of each that has grown too much."""
    rows, problems = [], []
    for name, count in now.instructions.items():
        previous = before.instructions.get(name)
        if previous is None:
            rows.append(f"{name:28}{count / 1000:>14,.0f}{'new':>20}")
            continue
        growth = count / previous - 1
        rows.append(f"{name:28}{count / 1000:>14,.0f}{previous / 1000:>12,.0f}{growth:>+8.1%}")
        if growth > TOLERANCE:
            problems.append(f"{name}: {growth:+.1%}\n" + "\n".join(_describe_growth(name, before, now)))
    return "\n".join(rows), problems


def _describe_growth(name: str, before: OwnCounts, now: OwnCounts) -> Iterator[str]:
    for unit, old, new in (
        ("lines", before.lines, now.lines),
        ("instructions", before.machine_code, now.machine_code),
    ):
        for function, previous, count in _find_growth(old.get(name, {}), new.get(name, {})):
            yield f"    {function}: {f'{previous:,}' if previous else 'few'} -> {count:,} {unit}"


def _find_growth(before: Functions, now: Functions) -> list[tuple[str, int, int]]:
    """Return the functions that have grown most, with both counts."""
    grown = [(function, before.get(function, 0), count) for function, count in now.items()]
    grown.sort(key=lambda change: change[2] - change[1], reverse=True)
    return [change for change in grown[:MAX_FUNCTIONS] if change[2] > change[1] * (1 + MIN_SHARE)]


def read_counts(build: str) -> OwnCounts | None:
    """Return the committed counts of a build, if there are any."""
    instructions = json.loads(INSTRUCTIONS_FILE.read_text()) if INSTRUCTIONS_FILE.exists() else {}
    if build not in instructions:
        return None
    functions = json.loads(_functions_file(build).read_text())
    return OwnCounts(instructions[build], functions["machine_code"], functions["lines"])


def write_counts(build: str, counts: OwnCounts) -> None:
    """Write the counts of a build."""
    COUNTS_FOLDER.mkdir(exist_ok=True)
    instructions = json.loads(INSTRUCTIONS_FILE.read_text()) if INSTRUCTIONS_FILE.exists() else {}
    instructions[build] = counts.instructions
    INSTRUCTIONS_FILE.write_text(json.dumps(dict(sorted(instructions.items())), indent=2) + "\n")
    functions = {"machine_code": counts.machine_code, "lines": counts.lines}
    _functions_file(build).write_text(json.dumps(functions, indent=1) + "\n")
    write_own_numbers(instructions)


def _functions_file(build: str) -> Path:
    return COUNTS_FOLDER / f"{build.partition(',')[0].replace(' ', '-')}.json"


def update(build: str, committed: OwnCounts | None, now: OwnCounts, reason: str) -> None:
    """Write the numbers, and a line about each that has risen, which needs a reason."""
    before = committed.instructions if committed else {}
    raised = {
        name: (before[name], count)
        for name, count in now.instructions.items()
        if name in before and count > before[name] * (1 + NOISE)
    }
    if raised and not reason:
        raise SystemExit(f"These have risen: {', '.join(raised)}. Say why: make bench-check UPDATE=1 REASON='…'")
    add_raised_numbers(raised, reason)
    write_counts(build, now)


@contextmanager
def check_out(revision: str) -> Iterator[Path]:
    """Yield a folder with another revision, and with what is installed in this one."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch, "tackboard")
        _git("worktree", "add", "--quiet", "--detach", str(folder), revision)
        try:
            for name in INSTALLED_FILES:
                if (ROOT / name).exists() and not (folder / name).exists():
                    (folder / name).symlink_to(ROOT / name)
            yield folder
        finally:
            _git("worktree", "remove", "--force", str(folder))


def count_revision(revision: str) -> OwnCounts:
    """Return what another revision counts on this machine."""
    with check_out(revision) as folder:
        command = [sys.executable, "-m", "tools.benchmarks.check", "--print"]
        output = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout  # noqa: S603
    return OwnCounts(**json.loads(output))


def find_committing_revision() -> str:
    """Return the revision that last committed numbers; '' if the history isn't here."""
    try:
        return _git("log", "-1", "--format=%H", "--", str(INSTRUCTIONS_FILE)).strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout  # noqa: S603, S607


def main() -> None:
    """Count and compare; or print, or write the numbers."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--print", action="store_true", dest="prints", help="print the counts as JSON")
    parser.add_argument("--update", action="store_true", help="write the numbers")
    parser.add_argument("--reason", default="", help="why numbers rise")
    parser.add_argument("--against", default="", help="compare with this revision, counted here")
    options = parser.parse_args()
    build, now = describe_build(), count_own()
    if options.prints:
        print(json.dumps(asdict(now)))
        return
    committed = read_counts(build)
    if options.update:
        update(build, committed, now, options.reason)
        return
    if options.against or committed is None:
        revision = options.against or find_committing_revision()
        if not revision:
            print(f"Nothing to compare with: no numbers for {build}, and no history to count.", file=sys.stderr)
            return
        print(f"{build}: compared with {revision}, counted on this machine.", file=sys.stderr)
        committed = count_revision(revision)
    table, problems = compare(committed, now)
    print(f"Thousands of instructions; {build}\n{'':28}{'now':>14}{'before':>12}\n{table}")
    if problems:
        reason = "If that is worth it: make bench-check UPDATE=1 REASON='…', and say so in the commit."
        raise SystemExit("\n\n".join(["\nThese have grown too much:", *problems, reason]))


if __name__ == "__main__":
    main()
