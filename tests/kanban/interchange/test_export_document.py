"""The digest of an export, and who is named in it."""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from kanban.interchange.export_document import (
    Digest,
    build_external_id,
    collect_user_names,
    compute_digest,
    is_imported,
)

GOLDEN = Path(__file__).parents[2] / "golden"
RELEASED = sorted(GOLDEN.glob("*/export.json"))

Export = dict[str, Any]


@pytest.fixture(scope="module")
def released() -> Export:
    """Return the newest export that a release made."""
    document: Export = json.loads(RELEASED[-1].read_text())
    return document


@pytest.mark.parametrize("file", RELEASED, ids=lambda file: file.parent.name)
def test_the_exports_of_all_releases_keep_their_digest(file: Path) -> None:
    document = json.loads(file.read_text())

    assert compute_digest(document) == document["digest"]


@pytest.mark.parametrize("kind", ["labels", "members", "cards", "comments", "time_entries"])
def test_the_order_of_an_array_does_not_count_where_things_have_a_place_of_their_own(
    released: Export, kind: str
) -> None:
    assert compute_digest({**released, kind: released[kind][::-1]}) == released["digest"]


@pytest.mark.parametrize("kind", ["lists", "checklists"])
def test_the_order_of_lists_and_checklists_counts(released: Export, kind: str) -> None:
    assert compute_digest({**released, kind: released[kind][::-1]}) != released["digest"]


def _change(kind: str, change: Callable[[Export], object]) -> Callable[[Export], object]:
    """Return what changes one thing of that kind; a card is one with assignees, labels and links."""
    return lambda document: change(
        next(value for value in document[kind] if kind != "cards" or (value["assignee_ids"] and value["links"]))
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document["board"].update(name="x"),
        _change("lists", lambda list_: list_.update(wip_limit=77)),
        _change("cards", lambda card: card["assignee_ids"].pop()),
        _change("cards", lambda card: card["label_ids"].pop()),
        _change("cards", lambda card: card["links"][0].update(title="x")),
        _change("cards", lambda card: card.update(place="z9")),
        _change("checklists", lambda checklist: checklist.update(name="x")),
        lambda document: next(checklist for checklist in document["checklists"] if checklist["items"])["items"][
            0
        ].update(text="x"),
        lambda document: document["comments"].pop(),
        _change("time_entries", lambda entry: entry.update(note="x")),
    ],
)
def test_every_change_of_what_is_exported_changes_the_digest(
    released: Export, change: Callable[[Export], object]
) -> None:
    document = deepcopy(released)

    change(document)

    assert compute_digest(document) != released["digest"]


def test_a_digest_can_be_continued_from_its_text() -> None:
    first, second = Digest(), Digest()
    comment = {"author_id": "usr_ann", "text": "é", "created_at": "", "updated_at": ""}

    size = first.add("comment", comment, ("0", "a0"))
    second.add("comment", comment, ("0", "a0"))
    first.add("comment", comment, ("1", "a0"))
    continued = Digest(str(second))
    continued.add("comment", comment, ("1", "a0"))

    assert str(continued) == str(first)
    assert size == len('["comment",["0","a0"],"usr_ann","é","",""]'.encode())
    assert str(Digest()) == "0" * 64


def test_a_sum_that_exceeds_its_64_digits_goes_on_from_zero() -> None:
    comment = {"author_id": "usr_ann", "text": "x", "created_at": "", "updated_at": ""}
    alone, last = Digest(), Digest("f" * 64)

    for digest in (alone, last):
        digest.add("comment", comment)

    assert int(str(last), 16) == int(str(alone), 16) - 1


def test_a_board_is_known_by_the_board_that_was_exported() -> None:
    assert build_external_id({"board": {"id": "brd_1"}}) == "tackboard:brd_1"


@pytest.mark.parametrize(
    ("external_id", "expected"),
    [("tackboard:brd_1", True), ("trello:5f", True), ("jira:1", False), ("x tackboard:", False), (None, False)],
)
def test_an_imported_board_tells_so_by_its_external_id(external_id: str | None, *, expected: bool) -> None:
    assert is_imported(external_id) is expected


def test_everybody_who_said_did_or_belonged_is_named() -> None:
    document = {
        "comments": [{"author_id": "usr_ann", "author_name": "Ann"}],
        "time_entries": [{"user_id": "usr_bob", "user_name": "Bob"}],
        "members": [{"user_id": "usr_eve", "name": "Eve"}],
    }

    assert collect_user_names(document) == {"usr_ann": "Ann", "usr_bob": "Bob", "usr_eve": "Eve"}
