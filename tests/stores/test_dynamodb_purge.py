"""What is left in the table of what was deleted: nothing, once it is purged."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from kanban import boards
from kanban.changes import build_change
from kanban.store import Store
from kanban.values import Card, Checklist, ChecklistItem, Comment, Role
from tests.engines import dynamodb_wire as wire
from tests.engines.dynamodb_wire import Wire
from tests.stores.world import World

Keys = set[tuple[str, str]]


@pytest.fixture
def store(line: Wire) -> Store:
    """The store behind the wire."""
    return line.store


def keys(line: Wire) -> Keys:
    """Where something is in the table."""
    return {(each["pk"]["S"], each["sk"]["S"]) for each in line.read_items()}


def full_card(world: World, list_name: str = "To do", **wishes: Any) -> Card:
    """A card with all that a card can have beside itself."""
    card = world.add_card("Full", list_name, **{"external_id": "x-1", **wishes})
    place = next(each for each in world.read_board().members if each.user_id == world.ann.id)
    times = {"created_at": world.now, "updated_at": world.now}
    item = ChecklistItem("itm_1", "Do it", done=False, assignee_id=None, due_at=None, version=1, **times)
    checklist = Checklist("chk_1", card.board_id, card.id, "Steps", "a0", (item,), 1, world.now, world.now)
    comments = [
        Comment(f"cmt_{n}", card.board_id, card.id, world.ann.id, "Hm.", 1, world.now, world.now) for n in range(30)
    ]
    counted = replace(card, assignee_ids=(place.id,), comment_count=30, item_count=1)
    world.write(creates=(checklist, *comments), updates=(counted,))
    return counted


def purge(world: World, limit: int = 1000) -> int:
    """All that is to be erased, in steps; how many there were."""
    steps = 0
    while world.store.purge(world.now, limit):
        steps += 1
    return steps


def delete_card(world: World) -> None:
    world.delete_card(full_card(world))


def delete_list(world: World) -> None:
    world.add_list("Old", external_id="old")
    full_card(world, "Old")
    world.delete_list("Old")


def delete_board(world: World) -> None:
    home, world.board_id = world.board_id, world.add_board("Old")
    world.add_member(world.add_user("Bob", id="bob"), Role.EDITOR)
    full_card(world)
    world.store.commit(boards.delete(world.read_board(), world.context()))
    world.board_id = home


DELETIONS: dict[str, Callable[[World], None]] = {
    "a card": delete_card,
    "a list": delete_list,
    "a board": delete_board,
}


@pytest.mark.parametrize("limit", [1, 7, 1000])
@pytest.mark.parametrize("what", DELETIONS)
def test_of_what_was_deleted_nothing_is_left_but_the_events(line: Wire, world: World, what: str, limit: int) -> None:
    before = keys(line)
    DELETIONS[what](world)
    world.advance(days=31)

    steps = purge(world, limit)

    left = {key for key in keys(line) - before if not key[1].startswith("E#") and key[0] != "U#bob"}
    assert left == set()
    assert keys(line) >= before
    assert steps <= 45 // limit + 2


@pytest.mark.parametrize("taken_over", [True, False])
def test_cards_of_one_external_id_are_erased_together_with_its_claim(
    line: Wire, world: World, *, taken_over: bool
) -> None:
    before = keys(line)
    world.add_list("Old")
    world.advance(seconds=10)
    world.delete_card(world.add_card("First", "Old", external_id="x-1"))
    world.add_card("Second", "Old", external_id="x-1")
    # The clock of another process is behind: the list stands before its card among what is to be erased.
    world.advance(seconds=-5)
    world.delete_list("Old")
    if taken_over:
        world.add_card("Third", external_id="x-1")
    world.advance(days=31)

    purge(world)

    left = {sk[:2] for pk, sk in keys(line) - before if not sk.startswith("E#")}
    assert left == ({"C#", "X#"} if taken_over else set())


def test_what_was_deleted_lately_is_kept(line: Wire, world: World) -> None:
    delete_card(world)
    before = keys(line)

    assert world.store.purge(world.now, 100) == 0
    assert keys(line) == before


def test_what_came_back_is_kept_and_its_tombstone_is_not(line: Wire, world: World) -> None:
    card = full_card(world)
    world.delete_card(card)
    deleted = world.store.read_deleted(world.board_id, world.ann.id, card_ids=[card.id])
    assert deleted is not None
    back = replace(deleted.cards[card.id], deleted_at=None)
    world.store.commit(build_change(deleted, world.context(), "card.restored", updates=(back,)))
    world.advance(days=31)

    assert world.store.purge(world.now, 100) == 0

    assert world.read_card(card) == back
    assert not [sk for pk, sk in keys(line) if pk == "D"]


def test_what_comes_back_while_it_is_looked_at_is_kept(line: Wire, world: World) -> None:
    card = full_card(world)
    world.delete_card(card)
    world.advance(days=31)
    beside = line.another_process(world)

    def overtaken(request: Any, send: wire.Send) -> Any:
        deleted = beside.store.read_deleted(world.board_id, world.ann.id, card_ids=[card.id])
        assert deleted is not None
        back = replace(deleted.cards[card.id], deleted_at=None)
        beside.store.commit(build_change(deleted, beside.context(), "card.restored", updates=(back,)))
        return send(request)

    line.faults["TransactWriteItems"] = iter([overtaken])

    assert world.store.purge(world.now, 100) == 0
    assert world.read_card(card).deleted_at is None


@pytest.mark.parametrize("operation", ["TransactWriteItems", "BatchWriteItem", "PutItem"])
@pytest.mark.parametrize("what", DELETIONS)
def test_a_purge_whose_answers_are_lost_goes_on(line: Wire, world: World, what: str, operation: str) -> None:
    before = keys(line)
    DELETIONS[what](world)
    world.advance(days=31)
    line.faults[operation] = iter([wire.lose_response, wire.lose_response])

    purge(world)

    assert not [key for key in keys(line) - before if not key[1].startswith("E#") and key[0] != "U#bob"]
