"""`python -m pipeline …`: what make asks of the pipeline. A command that finds something fails."""

import argparse
import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from pipeline import linters, released
from pipeline.bundle import Node
from pipeline.findings import BUNDLE, SPEC, Finding
from pipeline.rules import RULES, remarks
from pipeline.sources import place_of, twice_in


def spec(*, unchanged: bool) -> int:
    """Bundle, lint, check the examples, compare with the last release; `unchanged` refuses a bundle that was old."""
    keys = [
        Finding(place, "duplicate key", f"{key!r} stands twice.")
        for file in sorted(SPEC.rglob("*.yaml"))
        if SPEC / "dist" not in file.parents
        for place, key in twice_in(file)
    ]
    if keys:
        return _told({"yaml": keys})
    was_old = linters.bundled()
    document = json.loads(BUNDLE.read_text())
    with ThreadPoolExecutor() as together:
        began = [together.submit(linters.redocly), together.submit(linters.spectral)]
        by_gate = {f"{len(RULES)} rules": _own(document), "breaking changes": released.gate(document)}
        redocly, spectral = (each.result() for each in began)
    status = _told({"redocly": redocly, "spectral": spectral, **by_gate})
    released.CONTRACT_CHANGELOG.write_text(released.contract_changelog(document))
    if unchanged and was_old:
        print("spec/dist was not current; now it is: look at what changed, and commit it.", file=sys.stderr)
        return 1
    return status


def _own(document: Node) -> list[Finding]:
    return [Finding(place_of(each.at), each.rule, each.says) for each in remarks(document)]


def _told(by_gate: dict[str, list[Finding]]) -> int:
    for finding in sorted({each for found in by_gate.values() for each in found}):
        print(finding, file=sys.stderr)
    print("Findings:", ", ".join(f"{gate} {len(found)}" for gate, found in by_gate.items()))
    return 1 if any(by_gate.values()) else 0


def release() -> int:
    """Keep the bundle in spec/released."""
    kept = released.release()
    released.CONTRACT_CHANGELOG.write_text(released.contract_changelog(json.loads(BUNDLE.read_text())))
    print(f"{kept.name} is released; from now on nothing may break it.")
    return 0


def main() -> int:
    """The exit status of the command."""
    parser = argparse.ArgumentParser(prog="python -m pipeline")
    commands = parser.add_subparsers(required=True)
    checking = commands.add_parser("spec")
    checking.add_argument("--unchanged", action="store_true")
    checking.set_defaults(run=lambda chosen: spec(unchanged=chosen.unchanged))
    commands.add_parser("release").set_defaults(run=lambda _: release())
    chosen = parser.parse_args()
    run: Callable[[argparse.Namespace], int] = chosen.run
    try:
        return run(chosen)
    except (linters.ToolFailed, released.CannotRelease) as trouble:
        print(trouble, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
