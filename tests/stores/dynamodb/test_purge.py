"""Purges leave nothing in the table of what was deleted."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from kanban import boards
from kanban.changes import build_change
from kanban.values import Card, Checklist, ChecklistItem, Comment, Role
from tests.engines import dynamodb_wire as faults
from tests.engines.dynamodb_wire import Wire
from tests.stores.world import World

Keys = set[tuple[str, str]]


def read_keys(wire: Wire) -> Keys:
    """Return the keys of all items of the table."""
    return {(item["pk"]["S"], item["sk"]["S"]) for item in wire.read_items()}


def list_new_keys(wire: Wire, before: Keys) -> list[tuple[str, str]]:
    """Return the keys that were added and are not of events, nor of the user Bob, whom no purge erases."""
    return sorted(
        (pk, sk) for pk, sk in read_keys(wire) - before if not sk.startswith("E#") and pk != "U#bob" and sk != "bob"
    )


def add_full_card(world: World, list_name: str = "To do", **fields: Any) -> Card:
    """Add a card that has everything that a card can have."""
    card = world.add_card("Full", list_name, **{"external_id": "x-1", **fields})
    member = next(member for member in world.read_board().members if member.user_id == world.ann.id)
    times = {"created_at": world.now, "updated_at": world.now}
    item = ChecklistItem("itm_1", "Do it", done=False, assignee_id=None, due_at=None, version=1, **times)
    checklist = Checklist("chk_1", card.board_id, card.id, "Steps", "a0", (item,), 1, world.now, world.now)
    comments = [
        Comment(f"cmt_{n}", card.board_id, card.id, world.ann.id, "Hm.", 1, world.now, world.now) for n in range(30)
    ]
    counted = replace(card, assignee_ids=(member.id,), comment_count=30, item_count=1)
    world.write(creates=(checklist, *comments), updates=(counted,))
    return counted


def purge_all(world: World, limit: int = 1000) -> int:
    """Erase all that is to be erased; return how many steps that took."""
    steps = 0
    while world.store.purge(world.now, limit):
        steps += 1
    return steps


def delete_card(world: World) -> None:
    world.delete_card(add_full_card(world))


def delete_list(world: World) -> None:
    world.add_list("Old", external_id="old")
    add_full_card(world, "Old")
    world.delete_list("Old")


def delete_board(world: World) -> None:
    first_board_id, world.board_id = world.board_id, world.add_board("Old")
    world.add_member(world.add_user("Bob", id="bob"), Role.EDITOR)
    add_full_card(world)
    world.store.commit(boards.delete(world.read_board(), world.context()))
    world.board_id = first_board_id


DELETIONS: dict[str, Callable[[World], None]] = {
    "a card": delete_card,
    "a list": delete_list,
    "a board": delete_board,
}


@pytest.mark.parametrize("limit", [1, 7, 1000])
@pytest.mark.parametrize("what", DELETIONS)
def test_a_purge_leaves_nothing_but_the_events(wire: Wire, world: World, what: str, limit: int) -> None:
    before = read_keys(wire)
    DELETIONS[what](world)
    world.advance(days=31)

    steps = purge_all(world, limit)

    assert list_new_keys(wire, before) == []
    assert read_keys(wire) >= before
    assert steps <= 45 // limit + 2


@pytest.mark.parametrize("taken_over", [True, False])
def test_cards_of_one_external_id_are_erased_together_with_its_claim(
    wire: Wire, world: World, *, taken_over: bool
) -> None:
    before = read_keys(wire)
    world.add_list("Old")
    world.advance(seconds=10)
    world.delete_card(world.add_card("First", "Old", external_id="x-1"))
    world.add_card("Second", "Old", external_id="x-1")
    # The clock of another process is behind: the tombstone of the list comes before that of its card.
    world.advance(seconds=-5)
    world.delete_list("Old")
    if taken_over:
        world.add_card("Third", external_id="x-1")
    world.advance(days=31)

    purge_all(world)

    left = {sk[:2] for pk, sk in read_keys(wire) - before if not sk.startswith("E#")}
    assert left == ({"C#", "X#"} if taken_over else set())


def test_recent_deletions_are_kept(wire: Wire, world: World) -> None:
    delete_card(world)
    before = read_keys(wire)

    assert world.store.purge(world.now, 100) == 0
    assert read_keys(wire) == before


def test_what_was_restored_is_kept_and_its_tombstone_is_deleted(wire: Wire, world: World) -> None:
    card = add_full_card(world)
    world.delete_card(card)
    deleted = world.store.read_deleted(world.board_id, world.ann.id, card_ids=[card.id])
    assert deleted is not None
    restored = replace(deleted.cards[card.id], deleted_at=None)
    world.store.commit(build_change(deleted, world.context(), "card.restored", updates=(restored,)))
    world.advance(days=31)

    assert world.store.purge(world.now, 100) == 0

    assert world.read_card(card) == restored
    assert not [sk for pk, sk in read_keys(wire) if pk == "D"]


def test_what_is_restored_during_a_purge_is_kept(wire: Wire, world: World) -> None:
    card = add_full_card(world)
    world.delete_card(card)
    world.advance(days=31)
    other = wire.another_process(world)

    def write_meanwhile() -> None:
        deleted = other.store.read_deleted(world.board_id, world.ann.id, card_ids=[card.id])
        assert deleted is not None
        restored = replace(deleted.cards[card.id], deleted_at=None)
        other.store.commit(build_change(deleted, other.context(), "card.restored", updates=(restored,)))

    wire.faults["TransactWriteItems"] = iter([faults.run_first(write_meanwhile)])

    assert world.store.purge(world.now, 100) == 0
    assert world.read_card(card).deleted_at is None


@pytest.mark.parametrize("operation", ["TransactWriteItems", "BatchWriteItem", "PutItem"])
@pytest.mark.parametrize("what", DELETIONS)
def test_a_purge_with_lost_responses_continues(wire: Wire, world: World, what: str, operation: str) -> None:
    before = read_keys(wire)
    DELETIONS[what](world)
    world.advance(days=31)
    wire.faults[operation] = iter([faults.lose_response, faults.lose_response])

    purge_all(world)

    assert list_new_keys(wire, before) == []
