"""The gates of the document are gates: what is wrong is found, and what is right is let through."""

import copy
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.gates.edits import Edit, load_edits
from tools.openapi import linters
from tools.openapi.breaking_changes import MAY_BECOME_OPEN, close_open_schemas, find_breaking_changes, list_changes
from tools.openapi.bundle import Bundle
from tools.openapi.findings import BUNDLE, SPEC
from tools.openapi.releases import CannotRelease, build_contract_changelog, find_unannounced_breaks, write_release
from tools.openapi.rules import find_violations
from tools.openapi.source_locations import find_duplicate_keys, locate

HERE = Path(__file__).parent
DEFECTS, BREAKING, HARMLESS = (load_edits(HERE / f"{name}.yaml") for name in ("defects", "breaking", "harmless"))
DOCUMENT: dict[str, Any] = json.loads(BUNDLE.read_bytes())
KEPT_PATHS = (
    "/boards",
    "/boards/{board_id}",
    "/boards/{board_id}/cards",
    "/boards/{board_id}/cards/{card_id}",
    "/boards/{board_id}/events",
    "/health",
    "/ready",
    "/users/{user_id}",
)
SHORT = ("/boards", "/boards/{board_id}/cards")


def test_the_document_passes_its_own_rules() -> None:
    assert find_violations(DOCUMENT) == []


def test_no_seeded_defect_passes(tmp_path: Path) -> None:
    # In the shortest document, some properties have no example: our rules need a longer one.
    longer = shortened_documents()[1]
    left = [defect for defect in DEFECTS if not find_violations(defect.apply_to(shortest_for(defect, longer)))]
    files = {defect.description: tmp_path / f"{number}.json" for number, defect in enumerate(left)}
    for defect in left:
        files[defect.description].write_text(json.dumps(defect.apply_to(shortest_for(defect))))
    (tmp_path / "clean.json").write_text(json.dumps(shortened_documents()[0]))

    spectral = linters.lint_bundles_with_spectral([*files.values(), tmp_path / "clean.json"])

    shared = f"{len(DEFECTS) - len(left)} found by our rules, {len(left)} left to Spectral"
    print(f"Defects: {len(DEFECTS)} seeded, {shared}.")  # noqa: T201 - pytest -s shows how the work is shared.
    assert len(DEFECTS) >= 50
    assert find_violations(longer) == []
    assert spectral["clean.json"] == []
    assert [description for description, file in files.items() if not spectral[file.name]] == []


@pytest.mark.parametrize("edit", BREAKING, ids=lambda edit: edit.description)
def test_an_edit_that_breaks_a_client_is_found(edit: Edit) -> None:
    # A shortened document may have what is edited, and no request that it matters to.
    documents = [document for document in (*shortened_documents(), DOCUMENT) if applies_to(edit, document)]

    assert any(find_breaking_changes(document, edit.apply_to(document)) for document in documents)


@pytest.mark.parametrize("edit", HARMLESS, ids=lambda edit: edit.description)
def test_an_edit_that_breaks_nobody_is_let_through(edit: Edit) -> None:
    document = shortest_for(edit)

    assert find_breaking_changes(document, edit.apply_to(document)) == []


def test_all_edits_that_break_nobody_are_let_through_together() -> None:
    """Each is tried alone on a shortened document; here all of them are in the whole one."""
    document, applied = DOCUMENT, 0
    for edit in HARMLESS:
        if applies_to(edit, document):
            document, applied = edit.apply_to(document), applied + 1

    assert applied >= len(HARMLESS) - 1, "Only one property is added twice, once as required."
    assert find_breaking_changes(DOCUMENT, document) == []


def test_a_shortened_document_breaks_nothing_by_itself() -> None:
    for document in shortened_documents():
        assert find_breaking_changes(document, copy.deepcopy(document)) == []


def test_there_are_enough_edits_to_believe_the_gate() -> None:
    assert len(BREAKING) >= 26
    assert len(HARMLESS) >= 10


def test_before_the_first_release_nothing_can_be_broken(tmp_path: Path) -> None:
    assert find_unannounced_breaks(BREAKING[0].apply_to(DOCUMENT), tmp_path) == []


def test_a_release_may_only_be_broken_by_a_new_major_version_that_the_changelog_tells_of(tmp_path: Path) -> None:
    folder, changelog, bundle = tmp_path / "released", tmp_path / "CHANGELOG.md", tmp_path / "openapi.json"
    changelog.write_text("## Unreleased\n")
    bundle.write_text(json.dumps(DOCUMENT))
    write_release(bundle, folder, changelog)
    broken = BREAKING[0].apply_to(DOCUMENT)

    assert find_unannounced_breaks(broken, folder, changelog)
    broken["info"]["version"] = "2.0.0"
    assert find_unannounced_breaks(broken, folder, changelog)
    changelog.write_text("## Unreleased\n\n- **Breaking**: the time of a card has moved.\n")
    assert find_unannounced_breaks(broken, folder, changelog) == []


def test_the_changelog_of_the_contract_tells_what_was_added_and_what_was_broken(tmp_path: Path) -> None:
    grown = HARMLESS[0].apply_to(DOCUMENT)
    for version, document in (("7.0.0", DOCUMENT), ("7.1.0", grown)):
        released = {**document, "info": {**document["info"], "version": version}}
        (tmp_path / f"{version}.json").write_text(json.dumps(released))

    text = build_contract_changelog(BREAKING[0].apply_to(grown), tmp_path)

    first, second = text.index("## Not released yet"), text.index("## 7.1.0")
    assert "### Breaking" in text[first:second]
    assert "- endpoint added: `GET /boards/count`\n" in text[second:]


def test_what_may_grow_is_told_as_added_and_many_operations_are_counted(tmp_path: Path) -> None:
    grown = copy.deepcopy(DOCUMENT)
    code = grown["components"]["schemas"]["ProblemCode"]
    code["x-tackboard-known"].append("on_fire")
    code["anyOf"][0]["enum"].append("on_fire")
    for version, document in (("7.0.0", DOCUMENT), ("7.1.0", grown)):
        released = {**document, "info": {**document["info"], "version": version}}
        (tmp_path / f"{version}.json").write_text(json.dumps(released))

    text = build_contract_changelog(grown, tmp_path)

    lines_of_the_code = [line for line in text.splitlines() if "`on_fire`" in line and "`code` response" in line]
    assert "### Breaking" not in text
    assert lines_of_the_code
    assert all(line.endswith(" operations") for line in lines_of_the_code)


def test_the_same_change_of_many_schemas_is_one_line_for_each_place(tmp_path: Path) -> None:
    grown = copy.deepcopy(DOCUMENT)
    events = [name for name in DOCUMENT["components"]["schemas"] if name.endswith("Event") and name != "Event"]
    for name in events:
        if "properties" in grown["components"]["schemas"][name]:
            grown["components"]["schemas"][name]["properties"]["mood"] = {"type": "string"}
    (tmp_path / "7.0.0.json").write_text(json.dumps({**DOCUMENT, "info": {**DOCUMENT["info"], "version": "7.0.0"}}))

    lines = [line for line in build_contract_changelog(grown, tmp_path).splitlines() if "/mood`" in line]

    assert [re.sub(r"\d\d", "NN", line.split("`")[1]) for line in lines] == [
        "event/oneOf[NN schemas]/mood",
        "items/items/oneOf[NN schemas]/mood",
    ]


def test_what_its_text_promised_to_grow_may_be_opened() -> None:
    """Releases before 1.3.0 had these schemas closed."""
    before, closed = copy.deepcopy(DOCUMENT), close_open_schemas(DOCUMENT)
    for name in MAY_BECOME_OPEN:
        before["components"]["schemas"][name] = closed["components"]["schemas"][name]

    changes = str(list_changes(before, DOCUMENT))

    assert find_breaking_changes(before, DOCUMENT) == []
    assert [name for name in sorted(MAY_BECOME_OPEN) if f"the schema `{name}` is open now" not in changes] == []


def test_what_was_opened_without_a_promise_may_grow_from_the_next_release_on() -> None:
    grown = copy.deepcopy(DOCUMENT)
    source = grown["components"]["schemas"]["ImportSource"]
    source["x-tackboard-known"].append("planka")
    source["anyOf"][0]["enum"].append("planka")

    assert find_breaking_changes(close_open_schemas(DOCUMENT), grown)
    assert find_breaking_changes(DOCUMENT, grown) == []


def test_what_is_released_is_not_released_again(tmp_path: Path) -> None:
    (tmp_path / f"{DOCUMENT['info']['version']}.json").write_text(json.dumps(DOCUMENT))

    with pytest.raises(CannotRelease, match=r"raise info\.version"):
        write_release(BUNDLE, tmp_path)


@pytest.mark.parametrize(
    ("pointer", "file", "written"),
    [
        (("paths", "/boards", "get", "operationId"), "spec/paths/boards.yaml", "operationId: list_boards"),
        (("components", "schemas", "Card", "properties", "title"), "spec/schemas/card.yaml", "title:"),
        (
            ("components", "responses", "Unauthenticated", "description"),
            "spec/responses/standard.yaml",
            "description: There is no token",
        ),
        (("tags", 0, "name"), "spec/openapi.yaml", "name: boards"),
    ],
)
def test_a_place_of_the_bundle_is_found_in_the_source(pointer: tuple[str | int, ...], file: str, written: str) -> None:
    location = locate(pointer)

    assert location.file == file
    assert written in (SPEC.parent / file).read_text().splitlines()[location.line - 1]


def test_a_key_that_stands_twice_is_found(tmp_path: Path) -> None:
    file = tmp_path / "twice.yaml"
    file.write_text("type: string\ndescription: One.\ntype: integer\n")

    (duplicate,) = find_duplicate_keys(file)

    assert (duplicate[0].line, duplicate[1]) == (3, "type")


def applies_to(edit: Edit, document: dict[str, Any]) -> bool:
    try:
        edit.apply_to(document)
    except LookupError:
        return False
    return True


@cache
def shortened_documents() -> tuple[dict[str, Any], ...]:
    """Return the document with a few paths, the shortest first: the tools take much longer for the whole of it."""
    return shorten(DOCUMENT, SHORT), shorten(DOCUMENT, KEPT_PATHS)


def shortest_for(edit: Edit, *documents: dict[str, Any]) -> dict[str, Any]:
    """Return the first of the documents, by default of the shortened ones, that has what is edited, or the whole."""
    return next((short for short in documents or shortened_documents() if applies_to(edit, short)), DOCUMENT)


def shorten(document: dict[str, Any], kept: tuple[str, ...]) -> dict[str, Any]:
    """Return a small document with some of everything: linters are slow on a large one."""
    small = copy.deepcopy(document)
    small["paths"] = {path: item for path, item in small["paths"].items() if path in kept}
    present = {operation.id for operation in Bundle(small).operations}
    links = small["components"]["links"]
    gone = {f"#/components/links/{name}" for name, link in links.items() if link["operationId"] not in present}
    for node in nodes(small):
        # A property may be called links, too.
        if isinstance(node.get("links"), dict) and "type" not in node["links"]:
            node["links"] = {n: link for n, link in node["links"].items() if link.get("$ref") not in gone}
            if not node["links"]:
                del node["links"]
    while unused := unused_components(small):
        for kind, name in unused:
            del small["components"][kind][name]
    used = {tag for operation in Bundle(small).operations for tag in operation.node["tags"]}
    small["tags"] = [tag for tag in small["tags"] if tag["name"] in used]
    return small


def unused_components(document: dict[str, Any]) -> list[tuple[str, str]]:
    used = {node["$ref"] for node in nodes(document) if isinstance(node.get("$ref"), str)}
    used |= {ref for node in nodes(document) for ref in node.get("mapping", {}).values() if isinstance(ref, str)}
    return [
        (kind, name)
        for kind, named in document["components"].items()
        if kind != "securitySchemes"
        for name in named
        if f"#/components/{kind}/{name}" not in used
    ]


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for part in node.values():
            yield from nodes(part)
    elif isinstance(node, list):
        for part in node:
            yield from nodes(part)
