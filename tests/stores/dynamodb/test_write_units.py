"""What a write, and a question for news, consume on boards of several sizes."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from kanban import cards, lists
from kanban.store import EventQuery
from kanban.values import Card, Color, Label, Member, NewCard, Role, Stage
from stores import open_store
from tests.engines.dynamodb_meter import Meter, run_meter
from tests.engines.dynamodb_server import create_table_url
from tests.stores.part_builders import make_checklist, make_comment, make_item, make_time_entry
from tests.stores.world import World

Size = tuple[int, int, int]
"""How many lists, members and labels a board has."""

WRITES: dict[Size, tuple[float, float]] = {
    (3, 2, 3): (6, 8),
    (10, 10, 20): (6, 18),
    (50, 30, 60): (10, 52),
    (100, 100, 200): (14, 132),
}
"""The write units of any write to a card or its parts, and of one to a list, without those of index entries."""

NEWS: dict[Size, float] = {(3, 2, 3): 1, (10, 10, 20): 1, (50, 30, 60): 1, (100, 100, 200): 2}
"""The read units of a question for news, when this process knows the board's head."""


@pytest.fixture(scope="module")
def meter(dynoxide: str) -> Iterator[Meter]:
    with run_meter(dynoxide) as meter:
        yield meter


@pytest.fixture(params=WRITES, ids=str)
def size(request: pytest.FixtureRequest) -> Any:
    """Return one size after the other."""
    return request.param


@pytest.fixture
def world(meter: Meter, size: Size) -> Iterator[World]:
    """Return a board of that size, with cards in every list."""
    store = open_store(create_table_url(meter.address))
    world = World(store)
    list_count, member_count, label_count = size
    for number in range(3, list_count):
        world.add_list(f"Name of list {number}", stage=Stage.TODO)
    new_id, now = world.context().new_id, world.now
    members = [
        Member(new_id("member"), world.board_id, new_id("user"), Role.EDITOR, 1, now, now)
        for _ in range(1, member_count)
    ]
    labels = [
        Label(new_id("label"), world.board_id, f"Label {number}", Color.GREEN, 1, now, now)
        for number in range(label_count)
    ]
    for start in range(0, 200, 50):
        new = (*members[start : start + 50], *labels[start : start + 50])
        if new:
            world.write(creates=new)
    counted = [
        replace(list_, card_count=1, first_rank="a0001", last_rank="a0001") for list_ in world.read_board().lists
    ]
    world.write(updates=tuple(counted))
    yield world
    store.close()


ORDINARY: dict[str, Callable[[World, Card], Any]] = {
    "a card is created": lambda world, _: world.apply(cards.create, new=NewCard("New")),
    "a card is updated": lambda world, card: world.apply(cards.update, card.id, patch={"title": "New"}),
    "a card is moved": lambda world, card: world.move_card(card, world.find_list("Done").id),
    "a comment is written": lambda world, card: world.write(creates=(make_comment(world, card, "Hm."),)),
    "a checklist is written": lambda world, card: world.write(
        creates=(make_checklist(world, card, "a0", make_item(world, "Look")),)
    ),
    "a time entry is written": lambda world, card: world.write(creates=(make_time_entry(world, card, 0, 30),)),
}


def test_a_write_to_a_card_consumes_what_the_card_and_the_tip_do_and_only_others_what_the_head_does(
    meter: Meter, world: World, size: Size
) -> None:
    card = world.add_card("Card")

    def measure(action: Callable[[], Any]) -> float:
        before = meter.units.table_writes
        action()
        return meter.units.table_writes - before

    ordinary = {name: measure(lambda write=write: write(world, card)) for name, write in ORDINARY.items()}  # type: ignore[misc]  # a lambda has no types
    renaming = measure(lambda: world.apply(lists.update, world.find_list("Done").id, patch={"name": "Finished"}))

    assert (ordinary, renaming) == (dict.fromkeys(ORDINARY, WRITES[size][0]), WRITES[size][1])


def test_a_question_for_news_consumes_what_the_tip_does(meter: Meter, world: World, size: Size) -> None:
    seq = world.read_board().board.seq
    before = meter.units.reads

    assert world.store.page_events(world.board_id, world.ann.id, EventQuery(seq), 1)

    assert meter.units.reads - before == NEWS[size]
