"""Labels, links, checklists and comments of Trello: as many as fit, each of them whole."""

from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from kanban import cards
from kanban.changes import ActionContext
from kanban.interchange import trello_mapping
from kanban.interchange.import_report import ImportReport
from kanban.limits import MAX_CHECKLISTS_PER_CARD, MAX_COMMENTS_PER_CARD, MAX_ITEMS_PER_CHECKLIST, MAX_LABELS_PER_BOARD
from kanban.values import Card, NewCard
from tests.kanban.fake_store import NOON, FakeStore


@pytest.fixture
def card(store: FakeStore) -> Card:
    """Create a card without parts."""
    return cards.create(store.view(), store.context, NewCard(title="Copy"))[0]


def context() -> ActionContext:
    """Ann imports at noon."""
    numbers = count(1)
    return ActionContext("usr_ann", NOON, lambda kind: f"{kind}_{next(numbers):05d}")


def lines(report: ImportReport) -> list[tuple[str, str, str]]:
    return [(line.kind, line.name, line.message) for line in report.lines]


def a_comment(number: int) -> dict[str, Any]:
    """Build a comment of Lou's; later ones have higher numbers."""
    text = {"text": str(number)}
    return {
        "date": f"2020-09-01T10:{number // 60:02}:{number % 60:02}Z",
        "data": text,
        "memberCreator": {"fullName": "Lou"},
    }


@pytest.mark.parametrize("extra", [0, 1])
def test_a_board_gets_as_many_labels_as_it_can_have(extra: int) -> None:
    report = ImportReport()
    trello_labels = [{"id": f"{n}", "name": f"L{n}", "color": "red"} for n in range(MAX_LABELS_PER_BOARD + extra)]

    mapped = trello_mapping.map_labels({"labels": trello_labels}, "brd_1", context(), report)

    assert len(mapped.labels) == len(mapped.ids_by_trello_id) == report.counts["labels"] == 200
    assert {label.version for label in mapped.labels} == {1}
    assert lines(report) == ([("labels", "", "A board has at most 200 labels: 1 were left out.")] if extra else [])


def test_labels_of_one_name_are_numbered_from_two() -> None:
    report = ImportReport()
    trello_labels = [
        {"id": str(number), "name": name, "color": "red"} for number, name in enumerate(("A", "a", "A", "x" * 46))
    ]

    mapped = trello_mapping.map_labels({"labels": trello_labels}, "brd_1", context(), report)

    assert [label.name for label in mapped.labels] == ["A", "a 2", "A 3", "x" * 45]
    assert [name for _, name, _ in lines(report)] == ["a 2", "A 3", "x" * 45]


@pytest.mark.parametrize("extra", [0, 1])
def test_a_card_gets_as_many_links_as_it_can_have(extra: int) -> None:
    report = ImportReport()
    attachments = [{"name": "x" * 201, "url": f"https://example.com/{number}"} for number in range(20 + extra)]

    links = trello_mapping.map_links({"attachments": attachments}, "t" * 61, report)

    assert [link.url for link in links] == [f"https://example.com/{number}" for number in range(20)]
    assert {link.title for link in links} == {"x" * 200}
    left_out = ("attachment", "x" * 200, f"A card has at most 20 links: left out of '{'t' * 60}'.")
    assert lines(report) == [left_out] * extra


@pytest.mark.parametrize(("key", "url"), [("upload", "https://x"), ("attachment", "ftp://x")])
def test_lines_about_attachments_name_the_card_by_sixty_characters(key: str, url: str) -> None:
    report = ImportReport()

    trello_mapping.map_links({"attachments": [{"name": "Plan", "url": url, "isUpload": True}]}, "t" * 61, report)

    ((kind, _, message),) = lines(report)
    assert (kind, f"'{'t' * 60}'" in message) == (key, True)


@pytest.mark.parametrize("extra", [0, 1])
def test_a_card_gets_as_many_checklists_as_it_can_have(card: Card, extra: int) -> None:
    report = ImportReport()
    trello_checklists = [{"name": "x" * 201, "pos": number} for number in range(MAX_CHECKLISTS_PER_CARD + extra)]

    made = trello_mapping.map_checklists(trello_checklists, card, context(), report)

    assert [(len(checklist.name), checklist.version, checklist.items) for checklist in made] == [(200, 1, ())] * 20
    assert [checklist.rank for checklist in made] == sorted({checklist.rank for checklist in made})
    left_out = ("checklists", "Copy", "A card has at most 20 checklists: 1 were left out.")
    assert lines(report) == [left_out] * extra


@pytest.mark.parametrize("extra", [0, 1])
def test_a_checklist_gets_as_many_items_as_it_can_have(card: Card, extra: int) -> None:
    report = ImportReport()
    steps = [
        {"name": "x" * 501, "pos": number, "state": "complete"} for number in range(MAX_ITEMS_PER_CHECKLIST + extra)
    ]

    (made,) = trello_mapping.map_checklists([{"name": "Steps", "checkItems": steps}], card, context(), report)

    assert [(len(item.text), item.version, item.done) for item in made.items] == [(500, 1, True)] * 100
    left_out = ("checklist", "Steps", "A checklist has at most 100 items: 1 were left out.")
    assert lines(report) == [left_out] * extra


@pytest.mark.parametrize("extra", [0, 1])
def test_a_card_gets_its_latest_comments_as_many_as_it_can_have(card: Card, extra: int) -> None:
    report = ImportReport()
    actions = [a_comment(number) for number in reversed(range(MAX_COMMENTS_PER_CARD + extra))]

    made = trello_mapping.map_comments(actions, card, context(), report)

    assert [comment.text for comment in made] == [f"Lou:\n\n{number}" for number in range(extra, 1_000 + extra)]
    assert {comment.version for comment in made} == {1}
    assert (
        lines(report) == [("comments", "Copy", "A card has at most 1000 comments: 1 old ones were left out.")] * extra
    )


@pytest.mark.parametrize(
    ("author", "name"),
    [
        ({"fullName": "Lou Lee", "username": "lou"}, "Lou Lee"),
        ({"username": "lou"}, "lou"),
        ({"fullName": "x" * 101}, "x" * 100),
        ({}, "Someone"),
        (None, "Someone"),
    ],
)
def test_a_comment_begins_with_the_name_of_its_author(card: Card, author: object, name: str) -> None:
    action = {"data": {"text": "Yes."}, "memberCreator": author}

    (made,) = trello_mapping.map_comments([action], card, context(), ImportReport())

    assert (made.text, made.created_at) == (f"{name}:\n\nYes.", NOON)


def test_a_comment_is_not_from_the_future(card: Card) -> None:
    action = a_comment(1) | {"date": "2027-01-01T00:00:00Z"}

    (made,) = trello_mapping.map_comments([action], replace(card, title="x"), context(), ImportReport())

    assert (made.created_at, made.updated_at) == (NOON, NOON)
