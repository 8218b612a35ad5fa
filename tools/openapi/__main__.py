"""`python -m tools.openapi …`: what make asks of the pipeline. A command that finds something fails."""

import argparse
import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tools.openapi import linters, releases
from tools.openapi.bundle import Node
from tools.openapi.bundler import CannotBundle, build_bundle
from tools.openapi.findings import BUNDLE, SPEC_FILE, Finding
from tools.openapi.rules import RULES, find_violations
from tools.openapi.source_locations import find_duplicate_components, find_duplicate_keys, list_source_files, locate


def check_spec(*, unchanged: bool) -> int:
    """Bundle, lint, check the examples, compare with the last release; `unchanged` refuses a bundle that was old."""
    document = build_bundle(SPEC_FILE)
    if duplicates := _find_duplicates():
        return _print_findings({"yaml": duplicates})
    was_old = linters.write_bundle(document)
    with ThreadPoolExecutor() as together:
        began = [together.submit(linters.lint_with_redocly), together.submit(linters.lint_with_spectral)]
        by_gate = {
            f"{len(RULES)} rules": _find_rule_violations(document),
            "breaking changes": releases.find_unannounced_breaks(document),
        }
        redocly, spectral = (each.result() for each in began)
    status = _print_findings({"redocly": redocly, "spectral": spectral, **by_gate})
    releases.CONTRACT_CHANGELOG_FILE.write_text(releases.build_contract_changelog(document))
    if unchanged and was_old:
        print("spec/dist was not current; now it is: look at what changed, and commit it.", file=sys.stderr)
        return 1
    return status


def _find_duplicates() -> list[Finding]:
    """Find what YAML or the bundle would lose without a word: of two keys or components of one name, one."""
    keys = [found for file in list_source_files() for found in find_duplicate_keys(file)]
    return [
        *(Finding(location, "duplicate key", f"{key!r} is there twice.") for location, key in keys),
        *(
            Finding(location, "duplicate component", f"Another file has a {name!r}, too.")
            for location, name in find_duplicate_components()
        ),
    ]


def _find_rule_violations(document: Node) -> list[Finding]:
    return [Finding(locate(each.pointer), each.rule, each.message) for each in find_violations(document)]


def _print_findings(by_gate: dict[str, list[Finding]]) -> int:
    for finding in sorted({each for found in by_gate.values() for each in found}):
        print(finding, file=sys.stderr)
    print("Findings:", ", ".join(f"{gate} {len(found)}" for gate, found in by_gate.items()))
    return 1 if any(by_gate.values()) else 0


def release_bundle() -> int:
    """Keep the bundle in spec/released."""
    kept = releases.write_release()
    releases.CONTRACT_CHANGELOG_FILE.write_text(releases.build_contract_changelog(json.loads(BUNDLE.read_text())))
    print(f"{kept.name} is released; from now on nothing may break it.")
    return 0


def main() -> int:
    """The exit status of the command."""
    parser = argparse.ArgumentParser(prog="python -m tools.openapi")
    commands = parser.add_subparsers(required=True)
    checking = commands.add_parser("spec")
    checking.add_argument("--unchanged", action="store_true")
    checking.set_defaults(run=lambda chosen: check_spec(unchanged=chosen.unchanged))
    commands.add_parser("release").set_defaults(run=lambda _: release_bundle())
    chosen = parser.parse_args()
    run: Callable[[argparse.Namespace], int] = chosen.run
    try:
        return run(chosen)
    except (CannotBundle, linters.ToolFailed, releases.CannotRelease) as trouble:
        print(trouble, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
