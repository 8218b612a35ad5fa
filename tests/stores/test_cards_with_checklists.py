"""All active cards with their checklists are read as of one moment, so that a busy board can be copied."""

import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from app.factory import create_app
from kanban import archive
from kanban.store import CardQuery, CardsWithChecklists, Store
from kanban.values import Card, Checklist
from tests.api.client import Client
from tests.stores.conftest import OpenStore
from tests.stores.part_builders import add_full_card, make_checklist, make_comment, make_item
from tests.stores.world import World

FEW_CARDS, MANY_CARDS = 3, 14
"""Numbers of cards with checklists: DynamoDB reads few card by card, and many at once."""


def read_all(world: World, list_id: str | None = None) -> CardsWithChecklists:
    result = world.store.read_cards_with_checklists(world.board_id, world.ann.id, list_id)
    assert result is not None
    view, content = result
    assert view == replace(world.read_board(), cards={}, parts={})
    return content


def add_card_with_checklists(world: World, list_name: str = "To do") -> tuple[Card, list[Checklist]]:
    """Add a card with a comment, two checklists and an empty one; return it and the two in their order."""
    card = replace(world.add_card("Steps", list_name), item_count=3, comment_count=1)
    second = make_checklist(world, card, "a2", make_item(world, "C"))
    empty = make_checklist(world, card, "a1")
    first = make_checklist(world, card, "a0", make_item(world, "B"), make_item(world, "A"))
    world.write(creates=(second, empty, first, make_comment(world, card, "Said")), updates=(card,))
    return card, [first, second]


@pytest.mark.parametrize("count", [FEW_CARDS, MANY_CARDS])
def test_all_active_cards_are_read_by_position_with_their_checklists(world: World, count: int) -> None:
    full = add_full_card(world, "Done")
    steps = dict(add_card_with_checklists(world, ("To do", "Done")[number % 2]) for number in range(count))
    world.add_card("Top", position="top")
    shelved, deleted = add_card_with_checklists(world)[0], add_card_with_checklists(world)[0]
    world.apply(archive.archive_card, shelved.id)
    world.delete_card(deleted)
    for name in ("Archived", "Deleted"):
        world.add_list(name)
        add_card_with_checklists(world, name)
    archived_list = world.apply(archive.archive_list, list_id=world.find_list("Archived").id, running_cards=())
    world.delete_list("Deleted")

    content = read_all(world)

    assert [*content.cards] == world.list_cards(CardQuery())
    assert len(content.cards) == count + 2
    assert content.checklists.keys() == {card.id for card in steps} | {full.id}
    for card, checklists in steps.items():
        assert [*content.checklists[card.id]] == checklists
    assert len(read_all(world, archived_list.id).cards) == 1


def test_the_cards_of_one_list_are_read(world: World) -> None:
    card, steps = add_card_with_checklists(world)
    other, _ = add_card_with_checklists(world, "Done")
    list_id = card.list_id

    content = read_all(world, list_id)

    assert ([*content.cards], dict(content.checklists)) == ([card], {card.id: steps})
    world.delete_list("Done")
    assert read_all(world, other.list_id) == CardsWithChecklists([], {})
    assert read_all(world, "lst_none") == CardsWithChecklists([], {})


class BusyStore:
    """A store where another process writes to the board before each read of it."""

    def __init__(self, store: Store, write: Callable[[], object]) -> None:
        self._store = store
        self._write = write

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        def write_and_read(*args: Any, **fields: Any) -> Any:
            self._write()
            return method(*args, **fields)

        return write_and_read if "board_id" in getattr(getattr(Store, name), "__annotations__", {}) else method


def test_a_board_and_a_list_are_copied_while_others_write_to_them_all_the_time(
    world: World, open_again: OpenStore
) -> None:
    for number in range(FEW_CARDS):
        add_card_with_checklists(world, ("To do", "Done")[number % 2])
    wanderer, others = world.add_card("Wanderer"), World.__new__(World)
    others.__dict__.update(world.__dict__, store=open_again())
    list_ids = itertools.cycle([list_.id for list_ in world.read_board().lists])
    busy_store = BusyStore(world.store, lambda: others.move_card(wanderer, next(list_ids)))
    application = create_app(
        cast("Store", busy_store), clock=lambda: world.now, random_bytes=world.random_bytes, sleep=lambda _: None
    )
    client = Client(application, world.add_token_text())
    board = f"/boards/{world.board_id}"

    for number in range(3):
        copy = client.post(f"{board}/copy", {"name": f"Copy {number}"})

        assert copy.status == 201, copy.raw
        cards = client.get(f"/boards/{copy.json['id']}/cards").json["items"]
        assert Counter(card["title"] for card in cards) == {"Steps": FEW_CARDS, "Wanderer": 1}
        assert {card["checklist_progress"]["total"] for card in cards if card["title"] == "Steps"} == {3}
    assert client.post(f"{board}/lists/{world.find_list('To do').id}/copy", {}).status == 201
