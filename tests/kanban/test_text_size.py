"""The bytes of text that a card, a checklist or a comment takes on a page."""

from dataclasses import replace

import pytest

from kanban import cards
from kanban.text_size import count_text_bytes
from kanban.values import Checklist, ChecklistItem, Comment, Link, NewCard
from tests.kanban.fake_store import NOON, FakeStore

ITEM_TEXT, CHECKLIST_NAME = "Buy Käse", "Einkäufe"


@pytest.mark.parametrize(
    ("title", "description", "links", "size"),
    [
        ("title", "", [], 5),
        ("Title", "x" * 10, [], 5 + 10),
        ("Käse", "漢字", [], 5 + 6),
        ("title", "", [Link("https://example.org/", "Plän"), Link("https://example.org/", "")], 5 + 20 + 5 + 20),
    ],
)
def test_a_card_takes_its_title_its_description_and_its_links(
    store: FakeStore, title: str, description: str, links: list[Link], size: int
) -> None:
    card, _ = cards.create(store.view(), store.context, NewCard(title=title, description=description, links=links))

    assert count_text_bytes(card) == size


@pytest.mark.parametrize(("text", "size"), [("", 0), ("plain", 5), ("Käse", 5), ("👩", 4)])
def test_a_comment_takes_its_text(text: str, size: int) -> None:
    assert count_text_bytes(Comment("cmt_1", "brd_1", "crd_1", "usr_1", text, 1, NOON, NOON)) == size


def test_a_checklist_takes_its_name_and_the_texts_of_its_items() -> None:
    item = ChecklistItem(
        "itm_1", ITEM_TEXT, done=False, assignee_id=None, due_at=None, version=1, created_at=NOON, updated_at=NOON
    )
    checklist = Checklist("chl_1", "brd_1", "crd_1", CHECKLIST_NAME, "V", (), 1, NOON, NOON)

    assert count_text_bytes(checklist) == 9
    assert count_text_bytes(replace(checklist, items=(item, item))) == 9 + 2 * 9
