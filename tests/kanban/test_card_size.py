"""The size of a card: its text, and the folded lines that are stored for search."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kanban import card_size, cards
from kanban.card_size import CardTooLong
from kanban.values import Link, NewCard
from tests.kanban.fake_store import FakeStore

WIDE = "𐐀"
"""A capital letter of the Deseret alphabet: four bytes, and four more for its lower case."""


@pytest.mark.parametrize(
    ("title", "description", "links", "size"),
    [
        ("title", "x" * 10, [], 5 + 10),
        ("Title", "x" * 10, [], 5 + 10 + 5),
        ("title", "Ab\ncd\nef", [], 5 + 8 + 2),
        ("漢字", "漢\nA漢", [], 6 + 8 + 4),
        ("title", "", [Link("https://example.org/", 'a"b')], 5 + 20 + 3 + 9),
    ],
)
def test_a_line_with_upper_case_is_stored_twice(title: str, description: str, links: list[Link], size: int) -> None:
    assert card_size.compute_stored_bytes(title, description, links) == size


@pytest.mark.parametrize("description", ["x" * 20_000, "X" * 20_000, "Ж" * 20_000, "漢" * 20_000, "👩" * 20_000])
def test_the_longest_description_fits_in_nearly_every_script(store: FakeStore, description: str) -> None:
    card, _ = cards.create(store.view(), store.context, NewCard(title="Fix the login page", description=description))

    assert card.description == description


def test_the_maximum_of_links_fits_with_the_longest_plain_text(store: FakeStore) -> None:
    links = [Link("https://example.org/" + "x" * 1740, "Plan" * 50)] * 20

    card, _ = cards.create(
        store.view(), store.context, NewCard(title="Fix the login page", description="X" * 20_000, links=links)
    )

    assert card.links == tuple(links)


def test_a_card_that_is_too_large_is_not_created(store: FakeStore) -> None:
    with pytest.raises(CardTooLong, match="would take 160005 bytes, and at most 86000 can be kept"):
        cards.create(store.view(), store.context, NewCard(title="title", description=WIDE * 20_000))


def test_an_existing_card_that_is_too_large_can_change_other_fields_and_be_shortened(store: FakeStore) -> None:
    card, change = cards.create(store.view(), store.context, NewCard(title="title"))
    store.apply(change)
    view = replace(store.view(card.id), cards={card.id: replace(card, description=WIDE * 20_000)})

    for patch in ({"description": WIDE * 11_000}, {"title": "Title"}, {"due_at": store.now}):
        with pytest.raises(CardTooLong):
            cards.update(view, card.id, patch, store.context)
    changed, _ = cards.update(view, card.id, {"external_id": "x"}, store.context)
    shorter, _ = cards.update(view, card.id, {"description": WIDE * 10_000, "due_at": store.now}, store.context)

    assert changed.external_id == "x"
    assert shorter.due_at == store.now


def test_an_existing_card_that_is_too_large_can_change_or_lose_its_due_date(store: FakeStore) -> None:
    card, change = cards.create(store.view(), store.context, NewCard(title="title", due_at=store.now))
    store.apply(change)
    view = replace(store.view(card.id), cards={card.id: replace(card, description=WIDE * 20_000)})

    later, _ = cards.update(view, card.id, {"due_at": store.now + timedelta(days=1)}, store.context)
    never, _ = cards.update(view, card.id, {"due_at": None}, store.context)

    assert (later.due_at, never.due_at) == (store.now + timedelta(days=1), None)


def test_quotes_and_backslashes_in_links_count_twice() -> None:
    plain, escaped = ([Link("https://example.org/", title)] for title in ("abcd", 'a"\\d'))

    assert card_size.compute_stored_bytes("t", "", escaped) - card_size.compute_stored_bytes("t", "", plain) == 2


def test_a_card_of_exactly_the_maximum_size_fits(store: FakeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    size = card_size.compute_stored_bytes("title", "x" * 100, ())
    card = cards.create(store.view(), store.context, NewCard(title="title", description="x" * 100))[0]

    monkeypatch.setattr(card_size, "MAX_STORED_BYTES", size)
    card_size.ensure_card_fits(card)
    monkeypatch.setattr(card_size, "MAX_STORED_BYTES", size - 1)
    with pytest.raises(CardTooLong, match=f"would take {size} bytes, and at most {size - 1}"):
        card_size.ensure_card_fits(card)


def test_the_characters_of_title_description_and_links_count(store: FakeStore) -> None:
    links = (Link("https://x.y", "ab"), Link("https://z", "漢"))
    card, _ = cards.create(store.view(), store.context, NewCard(title="title", description="text", links=links))

    assert card_size.count_characters(card) == 5 + 4 + 11 + 2 + 9 + 1
