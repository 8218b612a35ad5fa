"""What is shipped is listed completely, and has licences that allow it."""

import json
import re
from email.message import Message
from importlib.metadata import PackageMetadata
from pathlib import Path
from typing import cast

import pytest

from tests.live_server import ROOT
from tools import bill_of_materials
from tools.bill_of_materials import (
    INSTALLED_LICENCES,
    PACKAGED_LICENCES,
    Component,
    WrongVersion,
    build_bill,
    build_licence_list,
    choose_licence,
    list_forbidden,
    read_lambda,
    read_packages,
    read_server,
)


def test_every_licence_is_allowed() -> None:
    assert list_forbidden(read_server(), INSTALLED_LICENCES) == []
    assert list_forbidden(read_lambda(), PACKAGED_LICENCES) == []


@pytest.mark.parametrize("name", ["requirements.txt", "requirements/lambda.txt"])
def test_every_pin_is_a_component_with_all_its_hashes(name: str) -> None:
    text = (ROOT / name).read_text()

    components = [*read_packages(ROOT / name)]

    assert len(components) == sum(line[:1].isalnum() for line in text.splitlines()) > 0
    assert sum(len(component.hashes) for component in components) == text.count("--hash=sha256:")


def test_a_forbidden_licence_is_named() -> None:
    component = Component("pypi", "copyleft", "1.0", "AGPL-3.0-only", ())

    assert list_forbidden([component], INSTALLED_LICENCES) == [
        "copyleft 1.0 has the licence AGPL-3.0-only, which is not allowed."
    ]


@pytest.mark.parametrize(
    ("fields", "licence"),
    [
        ([("License-Expression", "MIT"), ("License", "GPL-2.0")], "MIT"),
        ([("License", "3-Clause BSD License")], "BSD-3-Clause"),
        ([("License", "GPL-2.0"), ("Classifier", "License :: OSI Approved :: MIT License")], "GPL-2.0"),
        ([("License", "UNKNOWN"), ("Classifier", "License :: OSI Approved :: MIT License")], "MIT"),
        (
            [
                ("License", "Dual License"),
                ("Classifier", "License :: OSI Approved :: BSD License"),
                ("Classifier", "Topic :: Internet"),
                ("Classifier", "License :: OSI Approved :: Apache Software License"),
            ],
            "Apache-2.0 OR BSD-3-Clause",
        ),
        ([("Classifier", "License :: Public Domain")], "License :: Public Domain"),
        ([("Classifier", "Topic :: Internet")], "NOASSERTION"),
    ],
)
def test_the_licence_is_what_the_package_says(fields: list[tuple[str, str]], licence: str) -> None:
    package = Message()
    for name, value in fields:
        package[name] = value

    assert choose_licence(cast("PackageMetadata", package)) == licence


@pytest.mark.parametrize("pin", ["pytest==0.1", "tackboard-of-nobody==1.0"])
def test_a_version_that_is_not_installed_has_no_known_licence(tmp_path: Path, pin: str) -> None:
    (tmp_path / "lock.txt").write_text(f"{pin} \\\n    --hash=sha256:{'0' * 64}\n")

    with pytest.raises(WrongVersion, match="installed"):
        list(read_packages(tmp_path / "lock.txt"))


def test_the_bills_are_written_alike_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bill_of_materials, "TARGET_FOLDER", tmp_path)
    texts = []
    for _ in range(2):
        assert bill_of_materials.main() == 0
        texts.append([path.read_text() for path in sorted(tmp_path.iterdir())])

    assert texts[0] == texts[1]
    licences, *bills = texts[0]
    assert licences.startswith("# Licences of Tackboard ")
    assert [json.loads(text)["metadata"]["component"]["name"] for text in bills] == [
        "tackboard-lambda",
        "tackboard-server",
    ]


def test_the_list_of_licences_has_every_component_with_its_text() -> None:
    server, function = read_server(), read_lambda()

    table, _, texts = build_licence_list(server, function).partition("\n## Texts\n")

    sections = dict(section.split("\n", 1) for section in re.split(r"^### ", texts, flags=re.MULTILINE)[1:])
    without_text = [title.split()[0] for title, text in sections.items() if "brings no text" in text]
    assert len(sections) == len({component.purl for component in (*server, *function)})
    assert all(f"| {component.name} | {component.version} | {component.licence} |" in table for component in server)
    assert without_text == ["colorama", "jsonschema-rs"]
    assert "Apache License" in sections[next(title for title in sections if title.startswith("swagger-ui-dist "))]


def test_a_bill_names_each_component_by_its_package_url() -> None:
    bill = build_bill("tackboard-server", read_server())

    references = [component["bom-ref"] for component in bill["components"]]
    assert len(references) == len(set(references))
    assert all(re.fullmatch(r"pkg:(pypi|npm)/[a-z0-9.-]+@[^/@]+", reference) for reference in references)
    assert "pkg:npm/redoc@" in "".join(references)


def test_a_forbidden_licence_fails_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bill_of_materials, "TARGET_FOLDER", tmp_path)
    monkeypatch.setattr(bill_of_materials, "PACKAGED_LICENCES", PACKAGED_LICENCES - {"PSF-2.0"})

    assert bill_of_materials.main() == 1
    assert "typing-extensions" in capsys.readouterr().err
