"""Look for known vulnerabilities in every lock file: `python -m tools.audit`.

Exits with 0 if every package was checked and has none, with 1 if there are any, and with 2 if there are none as far as
they were checked; make itself exits with 2 for both, and prints which one it was. That a service answers does not mean
that it knows vulnerabilities: so each one is first asked for those of an old version that has some.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.bill_of_materials import list_pins

ROOT = Path(__file__).parents[1]

CLEAN, VULNERABLE, NOT_CHECKED = 0, 1, 2

PIP_AUDIT = (str(ROOT / ".venv-audit" / "bin" / "pip-audit"),)
NPM = ("npm",)

OLD_PYTHON_PACKAGE = ("jinja2", "2.10")
OLD_NPM_PACKAGE = ("lodash", "4.17.4")
"""Versions that vulnerabilities are known of, for years."""

_TIMEOUT_SECONDS = 600


@dataclass(slots=True)
class Result:
    """What is known of a lock file: how many packages it has, their vulnerabilities, and why some aren't checked."""

    packages: int
    vulnerabilities: list[str] = field(default_factory=list)
    not_checked: list[str] = field(default_factory=list)


class NoReport(Exception):
    """Raised when an auditor prints no report. The message is what it prints instead."""


def find_lock_files(root: Path = ROOT) -> tuple[list[Path], list[Path]]:
    """Return the lock files of Python and those of npm."""
    npm = [root / "package-lock.json", *sorted(root.glob("tools/**/package-lock.json"))]
    outside = [file for file in npm if "node_modules" not in file.parts]
    return [root / "requirements.txt", *sorted(root.glob("requirements/*.txt"))], outside


def audit_python(lock_file: Path) -> Result:
    """Ask pip-audit for the packages of a lock file, also for those that are for other systems."""
    pins = list(dict.fromkeys(list_pins(lock_file)))
    result = Result(len(pins))
    while pins:
        # pip-audit takes each package once; a lock file has it twice if systems or Pythons need different versions.
        by_name = dict(reversed(pins))
        pins = [pin for pin in pins if by_name[pin[0]] != pin[1]]
        try:
            report = _run_pip_audit(by_name)
        except NoReport as error:
            result.not_checked.append(str(error))
            continue
        checked = [package for package in report["dependencies"] if "vulns" in package]
        unchecked = by_name.keys() - {package["name"] for package in checked}
        for package in checked:
            result.vulnerabilities += [
                f"{package['name']} {package['version']}: {vulnerability['id']},"
                f" fixed in {', '.join(vulnerability['fix_versions']) or 'no version'}"
                for vulnerability in package["vulns"]
            ]
        if unchecked:
            result.not_checked.append(f"The service has no data of {_list_names(unchecked)}.")
    return result


def audit_npm(folder: Path) -> Result:
    """Ask npm for the packages of the lock file in a folder."""
    packages = len(json.loads((folder / "package-lock.json").read_text())["packages"]) - 1
    result = Result(packages)
    try:
        report = _run_npm_audit(folder)
    except NoReport as error:
        result.not_checked.append(str(error))
        return result
    for name, package in sorted(report["vulnerabilities"].items()):
        reasons = [via["title"] if isinstance(via, dict) else f"needs {via}" for via in package["via"]]
        result.vulnerabilities.append(f"{name} {package['range']}: {package['severity']}: {'; '.join(reasons)}")
    return result


def find_reason_for_distrust(ecosystem: str) -> str | None:
    """Return why a service can't be believed when it reports no vulnerability; None if it knows old ones."""
    name, version = OLD_PYTHON_PACKAGE if ecosystem == "PyPI" else OLD_NPM_PACKAGE
    with tempfile.TemporaryDirectory() as folder:
        if ecosystem == "PyPI":
            lock_file = Path(folder, "requirements.txt")
            lock_file.write_text(f"{name}=={version}\n")
            result = audit_python(lock_file)
        else:
            _write_npm_lock(Path(folder), name, version)
            result = audit_npm(Path(folder))
    if result.vulnerabilities:
        return None
    return " ".join(result.not_checked) or f"The service knows no vulnerability of {name} {version}, which has some."


def describe(name: str, result: Result) -> Iterator[str]:
    """Yield the lines about a lock file."""
    if result.vulnerabilities:
        yield f"{name}: {len(result.vulnerabilities)} known vulnerabilities in {result.packages} packages"
        yield from (f"    {vulnerability}" for vulnerability in result.vulnerabilities)
    elif not result.not_checked:
        yield f"{name}: no known vulnerabilities in {result.packages} packages"
    yield from (f"{name}: not checked: {reason}" for reason in result.not_checked)


def main() -> int:
    """Audit all lock files and print the results. Return the exit status."""
    python_files, npm_files = find_lock_files()
    distrust = {ecosystem: find_reason_for_distrust(ecosystem) for ecosystem in ("PyPI", "npm")}
    results = []
    for ecosystem, files in (("PyPI", python_files), ("npm", npm_files)):
        for file in files:
            if reason := distrust[ecosystem]:
                result = Result(0, not_checked=[reason])
            else:
                result = audit_python(file) if ecosystem == "PyPI" else audit_npm(file.parent)
            results.append(result)
            sys.stdout.writelines(f"{line}\n" for line in describe(str(file.relative_to(ROOT)), result))
            sys.stdout.flush()
    if any(result.vulnerabilities for result in results):
        return VULNERABLE
    return NOT_CHECKED if any(result.not_checked for result in results) else CLEAN


def _run_pip_audit(versions: dict[str, str]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "requirements.txt")
        file.write_text("".join(f"{name}=={version}\n" for name, version in versions.items()))
        options = ["--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
        return _run([*PIP_AUDIT, *options, "--requirement", str(file)], Path(folder), "dependencies")


def _run_npm_audit(folder: Path) -> dict[str, Any]:
    return _run([*NPM, "audit", "--json", "--package-lock-only"], folder, "vulnerabilities")


def _run(command: Sequence[str], folder: Path, member: str) -> dict[str, Any]:
    """Return the report of an auditor, which has that member. Raises NoReport if it prints none."""
    try:
        run = subprocess.run(  # noqa: S603 - pip-audit and npm, with arguments from here.
            command, cwd=folder, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoReport(f"{Path(command[0]).name} can't be run: {error}") from error
    try:
        report: dict[str, Any] = json.loads(run.stdout)
    except ValueError:
        report = {}
    if member not in report:
        last_line = run.stderr.strip().rpartition("\n")[2]
        raise NoReport(f"{Path(command[0]).name} got no answer: {report.get('message') or last_line[-300:]}")
    return report


def _write_npm_lock(folder: Path, name: str, version: str) -> None:
    root = {"name": "old", "version": "1.0.0", "dependencies": {name: version}}
    address = f"https://registry.npmjs.org/{name}/-/{name}-{version}.tgz"
    packages = {"": root, f"node_modules/{name}": {"version": version, "resolved": address}}
    lock = {"name": "old", "version": "1.0.0", "lockfileVersion": 3, "requires": True, "packages": packages}
    (folder / "package.json").write_text(json.dumps(root))
    (folder / "package-lock.json").write_text(json.dumps(lock))


def _list_names(names: set[str]) -> str:
    first = sorted(names)[:5]
    return ", ".join(first) + (f" and {len(names) - len(first)} others" if len(names) > len(first) else "")


if __name__ == "__main__":
    sys.exit(main())
