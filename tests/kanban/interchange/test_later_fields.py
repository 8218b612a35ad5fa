"""A field that was added later is read from earlier exports as empty, and changes no digest while it is empty."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from kanban.fields import editable
from kanban.interchange import card_csv, export_document, tackboard_import
from kanban.interchange.export_document import Digest

LABEL = {"name": "Bug", "color": "red", "created_at": "2026-11-20T12:00:00Z", "updated_at": "2026-11-20T12:00:00Z"}


@dataclass(frozen=True)
class Later:
    """Fields that a later release could add."""

    estimate: int | None = field(default=None, metadata=editable())
    is_blocked: bool = field(default=False, metadata=editable(null=False))


def digest_of(label: Mapping[str, Any]) -> str:
    digest = Digest()
    digest.add("label", label)
    return str(digest)


@pytest.mark.parametrize("empty", [{}, {"estimate": None, "is_blocked": False}])
def test_an_empty_later_field_changes_no_digest(monkeypatch: pytest.MonkeyPatch, empty: dict[str, Any]) -> None:
    before = digest_of(LABEL)
    monkeypatch.setitem(export_document.LATER_FIELDS, "label", (("estimate", None), ("is_blocked", False)))

    assert digest_of(LABEL | empty) == before
    assert digest_of(LABEL | {"estimate": 0}) != before
    assert digest_of(LABEL | {"is_blocked": True}) != before


def test_who_recorded_a_time_entry_counts_only_if_it_is_known() -> None:
    entry = {"user_id": "ann", "started_at": "2026-11-20T12:00:00Z", "ended_at": None, "note": ""}
    digests = []
    for recorder in ({}, {"recorded_by": None}, {"recorded_by": "ann"}, {"recorded_by": "bob"}):
        digest = Digest()
        digest.add("time_entry", {**entry, "hourly_rate_minor": 1, **recorder})
        digests.append(str(digest))

    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def test_what_an_earlier_export_lacks_is_empty() -> None:
    assert tackboard_import.parse_content(Later, {}) == {"estimate": None, "is_blocked": False}
    assert tackboard_import.parse_content(Later, {"estimate": 0, "is_blocked": True}) == {
        "estimate": 0,
        "is_blocked": True,
    }


def test_later_columns_are_formatted_as_the_others() -> None:
    assert [card_csv.format_value(value) for value in (True, "2026-11-20T12:00:00Z", 5, None)] == [
        "true",
        "2026-11-20T12:00:00Z",
        5,
        None,
    ]
