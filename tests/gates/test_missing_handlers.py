"""The way from a new path to its function, as CONTRIBUTING tells it."""

import copy
import json
import re
import shutil
from pathlib import Path
from typing import Any

from tools.openapi.findings import BUNDLE, ROOT, SPEC
from tools.openapi.missing_handlers import describe_missing_handlers
from tools.openapi.rules import find_violations

DOCUMENT: dict[str, Any] = json.loads(BUNDLE.read_bytes())
PATH = "/boards/{board_id}/cards/{card_id}"


def with_a_new_operation() -> dict[str, Any]:
    """Return the document with a new operation without handler, made from an existing one."""
    grown = copy.deepcopy(DOCUMENT)
    frozen = copy.deepcopy(grown["paths"][f"{PATH}/start"])
    frozen["post"] |= {"operationId": "freeze_card", "summary": "Leave a card as it is"}
    grown["paths"][f"{PATH}/freeze"] = frozen
    return grown


def test_every_operation_has_its_function() -> None:
    assert describe_missing_handlers(DOCUMENT) == []


def test_a_new_operation_is_told_where_its_function_goes_and_how_it_begins() -> None:
    (description,) = describe_missing_handlers(with_a_new_operation())

    assert "handlers/cards.py" in description
    assert (
        "def freeze_card(access: BoardAccess, context: ActionContext, board_id: str, card_id: str) -> Result:"
        in description
    )
    assert '"""Leave a card as it is."""' in description
    assert "tests/api/test_cards.py" in description


def test_a_new_operation_is_found_in_the_source_of_the_document(tmp_path: Path) -> None:
    shutil.copytree(SPEC, tmp_path / "spec")
    root, file = tmp_path / "spec" / "openapi.yaml", tmp_path / "spec" / "paths" / "cards.yaml"
    started = re.search(r"^card_start:\n(?:  .*\n)+", file.read_text(), re.MULTILINE)
    assert started
    file.write_text(started[0].replace("card_start", "card_freeze").replace("start_card", "freeze_card"))
    start = f"  {PATH}/start:"
    frozen = f"  {PATH}/freeze: {{ $ref: paths/cards.yaml#/card_freeze }}\n"
    root.write_text(root.read_text().replace(start, frozen + start))

    (description,) = describe_missing_handlers(with_a_new_operation(), root=root)

    assert f"{file.resolve()}:6:5" in description


def test_a_new_operation_that_keeps_the_house_rules_has_no_findings() -> None:
    assert find_violations(with_a_new_operation()) == []


def test_contributing_names_the_commands_that_there_are() -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text()

    for command in ("make spec", "make operation", "make check", "make test"):
        assert f"`{command}`" in guide
        assert f"\n{command.removeprefix('make ')}:" in (ROOT / "Makefile").read_text()
