"""The bundle is made of the files in spec/, and other tools resolve these files to the same document."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.openapi.bundler import CannotBundle, build_bundle, expand
from tools.openapi.findings import BUNDLE, ROOT, SPEC, SPEC_FILE
from tools.openapi.linters import run_tool
from tools.openapi.source_locations import find_duplicate_components, list_source_files, locate

DOCUMENT: dict[str, Any] = json.loads(BUNDLE.read_bytes())

PATHS_BY_JSON_SCHEMA_REF_PARSER = """
import { $RefParser } from '@apidevtools/json-schema-ref-parser';
const document = await $RefParser.dereference(process.argv[1], { dereference: { circular: 'ignore' } });
// The mapping of a discriminator is no reference to this tool: it leaves it as it was written.
process.stdout.write(JSON.stringify(document.paths, (key, value) => (key === 'mapping' ? null : value)));
"""


@pytest.fixture(scope="module")
def bundled_by_redocly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return Redocly's bundle of the files, which lacks what our extensions add."""
    file = tmp_path_factory.mktemp("redocly") / "openapi.json"
    run_tool("redocly", "bundle", SPEC_FILE, "--ext", "json", "--output", file)
    return file


@pytest.fixture
def copied_root(tmp_path: Path) -> Path:
    """Copy the source files, and return the root of the copy."""
    shutil.copytree(SPEC, tmp_path / "spec", ignore=shutil.ignore_patterns("dist", "released"))
    return tmp_path / "spec" / SPEC_FILE.name


def test_the_bundle_is_made_of_the_files() -> None:
    assert json.dumps(build_bundle(SPEC_FILE)) == json.dumps(DOCUMENT)


def test_redocly_resolves_the_files_to_the_same_document(bundled_by_redocly: Path) -> None:
    assert json.dumps(expand(json.loads(bundled_by_redocly.read_bytes()))) == json.dumps(DOCUMENT)


def test_json_schema_ref_parser_resolves_the_files_to_the_same_paths(bundled_by_redocly: Path) -> None:
    from_files, from_bundle = (paths_by_json_schema_ref_parser(file) for file in (SPEC_FILE, bundled_by_redocly))

    assert from_files == from_bundle


def paths_by_json_schema_ref_parser(file: Path) -> str:
    command = ["node", "--input-type=module", "--eval", PATHS_BY_JSON_SCHEMA_REF_PARSER, str(file)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout
    return run.stdout


def test_nothing_but_two_headers_for_later_is_left_out_of_the_bundle() -> None:
    written = {
        (file.relative_to(SPEC).parts[0].removesuffix(".yaml"), name)
        for file in list_source_files()
        if file != SPEC_FILE
        for name in yaml.safe_load(file.read_text())
    }
    bundled = {(kind, name) for kind, named in DOCUMENT["components"].items() for name in named}

    unused = {(kind, name) for kind, name in written - bundled if kind != "paths"}
    assert unused == {("headers", "Deprecation"), ("headers", "Sunset")}


def test_above_each_path_item_is_a_comment_with_its_path() -> None:
    pattern = re.compile(r"^  (/\S+): \{ \$ref: (paths/\w+\.yaml)#/(\w+) \}$", re.MULTILINE)
    references = pattern.findall(SPEC_FILE.read_text())

    assert len(references) == len(DOCUMENT["paths"])
    assert [path for path, file, name in references if f"# {path}\n{name}:\n" not in (SPEC / file).read_text()] == []


def test_a_path_names_no_response_that_the_bundler_adds(copied_root: Path) -> None:
    for file in (copied_root.parent / "paths").glob("*.yaml"):
        file.write_text(re.sub(r'^ +"[3-5]\d\d": .*\n', "", file.read_text(), flags=re.MULTILINE))
    added = dict(list_responses(build_bundle(copied_root)))

    repeated = [
        (file.stem, operation["operationId"], status)
        for file in (SPEC / "paths").glob("*.yaml")
        for path_item in yaml.safe_load(file.read_text()).values()
        for method, operation in path_item.items()
        if method != "parameters"
        for status, response in operation["responses"].items()
        if "$ref" in response and response["$ref"].endswith(f"#/{added.get((operation['operationId'], status))}")
    ]

    assert repeated == []


def list_responses(document: dict[str, Any]) -> Iterator[tuple[tuple[str, str], str]]:
    """Return the component of each response by operationId and status."""
    for path_item in document["paths"].values():
        for method, operation in path_item.items():
            for status, response in operation["responses"].items() if method != "parameters" else ():
                yield (operation["operationId"], status), response.get("$ref", "").rpartition("/")[2]


def test_a_response_that_a_path_names_is_not_replaced() -> None:
    responses = DOCUMENT["paths"]["/boards/{board_id}/archive"]["post"]["responses"]

    assert responses["403"] == {"$ref": "#/components/responses/OwnerOnly"}
    assert responses["401"] == {"$ref": "#/components/responses/Unauthenticated"}


def test_an_example_has_what_its_base_has_and_what_it_replaces() -> None:
    card, done = (DOCUMENT["components"]["examples"][name]["value"] for name in ("CardShown", "CardResolved"))

    assert (done["title"], done["status"]) == (card["title"], "done")
    assert list(done) == list(card)


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("paths/cards.yaml", "card.yaml#/CardMove }", "card.yaml#/CardMoof }", r"cards\.yaml:\d+: .*#/CardMoof is not"),
        (
            "paths/cards.yaml",
            "schemas/card.yaml#/CardMove }",
            "schemas/kard.yaml#/CardMove }",
            "kard.yaml#/CardMove is",
        ),
        (
            "examples/cards.yaml",
            "x-tackboard-base: CardShown",
            "x-tackboard-base: CardHidden",
            "base of the example Card",
        ),
        ("examples/cards.yaml", "x-tackboard-base: CardShown", "x-tackboard-base: Cards", "leads in a circle"),
        ("openapi.yaml", "with_token:", "with_tokens:", "x-tackboard-standard names 'with_tokens'"),
        ("openapi.yaml", '"503": Busy', '"503": Bussy', "x-tackboard-standard names 'Bussy'"),
        ("schemas/card.yaml", "CardId:\n", "CardId: {\n", "card.yaml"),
    ],
)
def test_what_leads_nowhere_is_named(copied_root: Path, file: str, old: str, new: str, message: str) -> None:
    changed = copied_root.parent / file
    assert old in changed.read_text()
    changed.write_text(changed.read_text().replace(old, new, 1))

    with pytest.raises(CannotBundle, match=message):
        build_bundle(copied_root)


def test_a_component_that_two_files_have_is_found(copied_root: Path) -> None:
    assert find_duplicate_components(copied_root) == []
    second = copied_root.parent / "schemas" / "zone.yaml"
    second.write_text("CardId:\n  type: string\n")

    ((location, name),) = find_duplicate_components(copied_root)

    assert (location.file, location.line, name) == (str(second), 1, "CardId")


def test_a_value_that_comes_from_a_base_is_located_there() -> None:
    own = locate(("components", "examples", "CardResolved", "value", "status"))
    from_base = locate(("components", "examples", "CardResolved", "value", "title"))

    lines = (ROOT / "spec" / "examples" / "cards.yaml").read_text().splitlines()
    assert (lines[own.line - 1], lines[from_base.line - 1]) == ("    status: done", "    title: Fix the login page")


def test_a_response_that_the_bundler_adds_is_located_at_the_responses_of_the_operation() -> None:
    location = locate(("paths", "/boards", "get", "responses", "401"))

    lines = (ROOT / location.file).read_text().splitlines()
    assert (location.file, lines[location.line - 1]) == ("spec/paths/boards.yaml", "    responses:")
