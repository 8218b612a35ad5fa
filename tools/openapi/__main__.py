"""Check or release the document: `python -m tools.openapi spec` and `release`. Exit with 1 if anything is found."""

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
    """Bundle and lint the document, check its examples, compare it with the last release. Return the exit status.

    `unchanged` also fails if the committed bundle was not up to date.
    """
    document = build_bundle(SPEC_FILE)
    if duplicates := _find_duplicates():
        return _print_findings({"yaml": duplicates})
    is_outdated = linters.write_bundle(document)
    with ThreadPoolExecutor() as executor:
        linters_running = [executor.submit(linters.lint_with_redocly), executor.submit(linters.lint_with_spectral)]
        by_gate = {
            f"{len(RULES)} rules": _find_rule_violations(document),
            "breaking changes": releases.find_unannounced_breaks(document),
        }
        redocly, spectral = (run.result() for run in linters_running)
    status = _print_findings({"redocly": redocly, "spectral": spectral, **by_gate})
    releases.CONTRACT_CHANGELOG_FILE.write_text(releases.build_contract_changelog(document))
    if unchanged and is_outdated:
        print("spec/dist was out of date. It has been updated: review the changes and commit them.", file=sys.stderr)
        return 1
    return status


def _find_duplicates() -> list[Finding]:
    """Find duplicate keys and components, of which YAML and the bundle keep only one."""
    keys = [duplicate for file in list_source_files() for duplicate in find_duplicate_keys(file)]
    return [
        *(Finding(location, "duplicate key", f"{key!r} occurs twice.") for location, key in keys),
        *(
            Finding(location, "duplicate component", f"Another file has a {name!r}, too.")
            for location, name in find_duplicate_components()
        ),
    ]


def _find_rule_violations(document: Node) -> list[Finding]:
    return [
        Finding(locate(violation.pointer), violation.rule, violation.message) for violation in find_violations(document)
    ]


def _print_findings(by_gate: dict[str, list[Finding]]) -> int:
    for finding in sorted({finding for findings in by_gate.values() for finding in findings}):
        print(finding, file=sys.stderr)
    print("Findings:", ", ".join(f"{gate} {len(findings)}" for gate, findings in by_gate.items()))
    return 1 if any(by_gate.values()) else 0


def release_bundle() -> int:
    """Copy the bundle to spec/released. Return the exit status."""
    release = releases.write_release()
    releases.CONTRACT_CHANGELOG_FILE.write_text(releases.build_contract_changelog(json.loads(BUNDLE.read_text())))
    print(f"{release.name} is released; from now on nothing may break it.")
    return 0


def main() -> int:
    """Run the command that was typed. Return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.openapi")
    commands = parser.add_subparsers(required=True)
    spec_parser = commands.add_parser("spec")
    spec_parser.add_argument("--unchanged", action="store_true")
    spec_parser.set_defaults(run=lambda arguments: check_spec(unchanged=arguments.unchanged))
    commands.add_parser("release").set_defaults(run=lambda _: release_bundle())
    arguments = parser.parse_args()
    run: Callable[[argparse.Namespace], int] = arguments.run
    try:
        return run(arguments)
    except (CannotBundle, linters.ToolFailed, releases.CannotRelease) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
