"""The room that a card takes: its texts as they are kept, and what they are searched by."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kanban import card_size, cards
from kanban.card_size import CardTooLong
from kanban.values import Link
from tests.kanban.fake_store import FakeStore

WIDE = "𐐀"
"""A capital letter of Deseret: four bytes, and four more in small."""


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
def test_a_line_with_upper_case_is_kept_twice(title: str, description: str, links: list[Link], size: int) -> None:
    assert card_size.compute_stored_bytes(title, description, links) == size


@pytest.mark.parametrize("description", ["x" * 20_000, "X" * 20_000, "Ж" * 20_000, "漢" * 20_000, "👩" * 20_000])
def test_the_longest_description_in_nearly_every_script_is_kept(desk: FakeStore, description: str) -> None:
    card, _ = cards.create(desk.view(), desk.context, title="Fix the login page", description=description)

    assert card.description == description


def test_the_most_links_are_kept_beside_the_longest_plain_text(desk: FakeStore) -> None:
    links = [Link("https://example.org/" + "x" * 1740, "Plan" * 50)] * 20

    card, _ = cards.create(desk.view(), desk.context, title="Fix the login page", description="X" * 20_000, links=links)

    assert card.links == tuple(links)


def test_a_card_that_takes_more_room_than_it_may_is_not_made(desk: FakeStore) -> None:
    with pytest.raises(CardTooLong, match="would take 160005 bytes, and at most 86000 can be kept"):
        cards.create(desk.view(), desk.context, title="title", description=WIDE * 20_000)


def test_a_card_of_before_that_takes_more_room_than_it_may_can_be_marked_and_made_shorter(desk: FakeStore) -> None:
    card, change = cards.create(desk.view(), desk.context, title="title")
    desk.apply(change)
    view = replace(desk.view(card.id), cards={card.id: replace(card, description=WIDE * 20_000)})

    for patch in ({"description": WIDE * 11_000}, {"title": "Title"}, {"due_at": desk.now}):
        with pytest.raises(CardTooLong):
            cards.update(view, card.id, patch, desk.context)
    marked, _ = cards.update(view, card.id, {"external_id": "x"}, desk.context)
    shorter, _ = cards.update(view, card.id, {"description": WIDE * 10_000, "due_at": desk.now}, desk.context)

    assert marked.external_id == "x"
    assert shorter.due_at == desk.now


def test_a_card_of_before_that_takes_more_room_than_it_may_can_be_due_later_or_no_more(desk: FakeStore) -> None:
    card, change = cards.create(desk.view(), desk.context, title="title", due_at=desk.now)
    desk.apply(change)
    view = replace(desk.view(card.id), cards={card.id: replace(card, description=WIDE * 20_000)})

    later, _ = cards.update(view, card.id, {"due_at": desk.now + timedelta(days=1)}, desk.context)
    never, _ = cards.update(view, card.id, {"due_at": None}, desk.context)

    assert (later.due_at, never.due_at) == (desk.now + timedelta(days=1), None)
