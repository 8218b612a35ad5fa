"""`make audit` says that there are no vulnerabilities only if it has looked for them."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.source_files import ROOT
from tools import audit

FAKE_AUDITOR = """\
import json, pathlib, sys
answers = json.loads(pathlib.Path(__file__).with_name("answers.json").read_text())
if answers is None:
    sys.exit("The network is unreachable")
if "audit" in sys.argv:
    packages = json.loads(pathlib.Path("package-lock.json").read_text())["packages"]
    names = [name.removeprefix("node_modules/") for name in packages if name]
    known = {name: answers[name] for name in names if answers.get(name)}
    print(json.dumps({"vulnerabilities": known} if answers else {"message": "405 Method Not Allowed"}))
else:
    lines = pathlib.Path(sys.argv[-1]).read_text().split()
    print(json.dumps({"dependencies": [
        {"name": name, "version": version, "vulns": answers[name]} if name in answers
        else {"name": name, "skip_reason": "Dependency not found"}
        for name, version in (line.split("==") for line in lines)
    ]}))
"""

PYTHON_FINDING = {"id": "CVE-2019-10906", "fix_versions": ["2.10.1"]}
NPM_FINDING = {"range": "<4.17.5", "severity": "low", "via": [{"title": "Prototype pollution"}, "other"]}
GOOD_DATA = {"jinja2": [PYTHON_FINDING], "lodash": NPM_FINDING, "anyio": [], "attrs": []}


class Checkout:
    """A checkout with one lock file of each kind, and auditors that answer what a test says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "requirements.txt").write_text("anyio==4.1 \\\n    --hash=sha256:00\n")
        (folder / "package-lock.json").write_text(json.dumps({"packages": {"": {}, "node_modules/ajv": {}}}))

    def answer(self, answers: dict[str, Any] | None) -> None:
        """Let both auditors know this and nothing else; None if they have no network."""
        (self.folder / "answers.json").write_text(json.dumps(answers))


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    program = tmp_path / "auditor.py"
    program.write_text(FAKE_AUDITOR)
    monkeypatch.setattr(audit, "PIP_AUDIT", (sys.executable, str(program)))
    monkeypatch.setattr(audit, "NPM", (sys.executable, str(program)))
    lock_files = [tmp_path / "requirements.txt"], [tmp_path / "package-lock.json"]
    monkeypatch.setattr(audit, "find_lock_files", lambda: lock_files)
    monkeypatch.setattr(audit, "ROOT", tmp_path)
    return Checkout(tmp_path)


def run_audit(capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    status = audit.main()
    return status, capsys.readouterr().out.splitlines()


def test_what_was_checked_and_has_no_vulnerability_is_clean(
    checkout: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    checkout.answer(GOOD_DATA)

    assert run_audit(capsys) == (
        0,
        [
            "requirements.txt: no known vulnerabilities in 1 packages",
            "package-lock.json: no known vulnerabilities in 1 packages",
        ],
    )


def test_a_vulnerability_is_named_with_the_version_that_fixes_it(
    checkout: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    checkout.answer(GOOD_DATA | {"anyio": [PYTHON_FINDING], "ajv": NPM_FINDING})

    status, lines = run_audit(capsys)

    assert status == 1
    assert "    anyio 4.1: CVE-2019-10906, fixed in 2.10.1" in lines
    assert "    ajv <4.17.5: low: Prototype pollution; needs other" in lines


def test_a_package_that_the_service_does_not_know_is_not_checked(
    checkout: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    checkout.answer({name: data for name, data in GOOD_DATA.items() if name != "anyio"})

    status, lines = run_audit(capsys)

    assert (status, lines[0]) == (2, "requirements.txt: not checked: The service has no data of anyio.")


def test_a_service_without_data_is_not_believed(checkout: Checkout, capsys: pytest.CaptureFixture[str]) -> None:
    checkout.answer(GOOD_DATA | {"jinja2": [], "lodash": None})

    status, lines = run_audit(capsys)

    assert status == 2
    assert [line.split(": ", 1)[1] for line in lines] == [
        "not checked: The service knows no vulnerability of jinja2 2.10, which has some.",
        "not checked: The service knows no vulnerability of lodash 4.17.4, which has some.",
    ]


@pytest.mark.parametrize(("answers", "reason"), [(None, "The network is unreachable"), ({}, "405 Method Not Allowed")])
def test_without_an_answer_nothing_is_checked(
    checkout: Checkout, capsys: pytest.CaptureFixture[str], answers: dict[str, Any] | None, reason: str
) -> None:
    checkout.answer(answers)

    status, lines = run_audit(capsys)

    assert status == 2
    assert len(lines) == 2
    assert reason in lines[-1]
    assert all(": not checked: " in line for line in lines)


def test_an_auditor_that_is_not_installed_checks_nothing(
    checkout: Checkout, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout.answer(GOOD_DATA)
    monkeypatch.setattr(audit, "PIP_AUDIT", (str(checkout.folder / "missing"),))

    status, lines = run_audit(capsys)

    assert status == 2
    assert "can't be run" in lines[0]


def test_a_package_is_checked_in_each_of_its_versions(checkout: Checkout) -> None:
    checkout.answer(GOOD_DATA | {"anyio": [PYTHON_FINDING]})
    lock_file = checkout.folder / "requirements.txt"
    lock_file.write_text(
        "anyio==4.1 ; python_version < '3.12' \\\n --hash=x\nanyio==4.2 \\\n --hash=x\nattrs==1 \\\n --hash=x\n"
    )

    result = audit.audit_python(lock_file)

    assert [line.split(":")[0] for line in result.vulnerabilities] == ["anyio 4.1", "anyio 4.2"]
    assert (result.packages, result.not_checked) == (3, [])


def test_every_lock_file_is_audited() -> None:
    python_files, npm_files = audit.find_lock_files()

    assert {file.name for file in python_files} >= {"requirements.txt", "dev.txt", "lambda.txt", "audit.txt"}
    assert {str(file.relative_to(ROOT)) for file in npm_files} == {
        "package-lock.json",
        "tools/clients/postman/package-lock.json",
        "tools/clients/typescript/package-lock.json",
        "tools/traffic_validators/package-lock.json",
    }
