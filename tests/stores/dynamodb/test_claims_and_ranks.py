"""Claims to external ids, and ranks."""

import json
from dataclasses import replace
from typing import Any

import pytest

from kanban import cards, lists
from kanban.ordering import ranks
from kanban.store import AlreadyExists, CardQuery, NeighbourOf
from stores.dynamodb.rebalance import NEIGHBOURS_PER_SIDE
from tests.engines import dynamodb_wire as faults
from tests.engines.dynamodb_wire import Wire
from tests.stores.world import World, make_card

# External ids


def test_an_external_id_that_a_card_has_given_up_can_be_taken(world: World) -> None:
    first = world.add_card("First", external_id="x")
    second = world.add_card("Second")
    world.apply(cards.update, first.id, patch={"external_id": "y"})

    world.apply(cards.update, second.id, patch={"external_id": "x"})

    with pytest.raises(AlreadyExists):
        world.apply(cards.update, first.id, patch={"external_id": "x"})
    with pytest.raises(AlreadyExists):
        world.add_card("Third", external_id="y")


def test_an_external_id_that_a_list_has_given_up_can_be_taken(world: World) -> None:
    first = world.add_list("First", external_id="x")
    world.apply(lists.update, first.id, patch={"external_id": "y"})

    second = world.add_list("Second", external_id="x")

    assert world.read_board().get_list(second.id).external_id == "x"
    assert world.read_board().get_list(first.id).external_id == "y"


def test_two_cards_of_one_change_cannot_have_the_same_external_id(world: World) -> None:
    todo = world.find_list("To do")
    new_cards = tuple(make_card(world, todo, rank, external_id="x") for rank in ("a0", "a1"))

    with pytest.raises(AlreadyExists) as error:
        world.write(creates=new_cards)

    assert error.value.constraint == "card.external_id"


def test_a_card_that_vanished_with_its_list_loses_its_external_id(wire: Wire, world: World) -> None:
    card = world.add_card("Copy", "Doing", external_id="x")
    world.delete_list("Doing")

    world.add_card("Again", external_id="x")

    assert "external_id" not in wire.read_item(f"C#{card.id}")


def test_an_external_id_is_not_taken_from_a_board_that_changed_meanwhile(wire: Wire, world: World) -> None:
    card = world.add_card("First", external_id="x")
    world.delete_card(card)
    other = wire.another_process(world)

    def write_meanwhile() -> None:
        other.add_card("Second", external_id="x")

    wire.faults["TransactGetItems"] = iter([faults.run_first(write_meanwhile)])
    with pytest.raises(AlreadyExists):
        world.add_card("Third", external_id="x")

    assert world.list_titles("To do") == ["Second"]


# Ranks


def test_a_rank_next_to_a_card_that_was_just_written_is_right_before_a_query_shows_the_card(
    wire: Wire, world: World
) -> None:
    todo = world.find_list("To do")
    first, last = world.add_card("First"), world.add_card("Last")

    def leave_out_last(request: Any, send: faults.Send) -> Any:
        body = json.loads(send(request).body)
        body["Items"] = [item for item in body["Items"] if item["title"]["S"] != "Between"]
        return faults.make_response(200, body)

    between = world.move_card(world.add_card("Between"), todo.id, after=first.id)
    wire.faults["Query"] = iter([leave_out_last, leave_out_last])

    assert world.read_board(neighbour_of=NeighbourOf(first.id, "after")).adjacent_rank == between.rank
    assert world.read_board(neighbour_of=NeighbourOf(last.id, "before")).adjacent_rank == between.rank


@pytest.mark.parametrize("position", ["top", "middle", "bottom"])
def test_a_rebalance_of_a_large_list_shortens_the_ranks_around_the_long_one(world: World, position: str) -> None:
    todo = world.find_list("To do")
    count = 3 * NEIGHBOURS_PER_SIDE
    old_ranks = ranks.sequence_after("", count)
    index = {"top": 2, "middle": count // 2, "bottom": count - 2}[position]
    low, high = old_ranks[index - 1], old_ranks[index]
    old_cards = [make_card(world, todo, rank, title=f"Card {number:03d}") for number, rank in enumerate(old_ranks)]
    world.write(creates=tuple(old_cards[:80]))
    long_cards = [
        make_card(world, todo, f"{low}{'0' * ranks.MAX_RANK_LENGTH}{digit}", title=f"Long {digit}") for digit in "12"
    ]
    counted = replace(todo, card_count=count + 2, first_rank=old_ranks[0], last_rank=old_ranks[-1])
    world.write(creates=(*old_cards[80:], *long_cards), updates=(counted,))
    mover = world.add_card("Mover", "Done")
    expected = world.list_titles("To do")
    before = {card.id: card.rank for card in world.list_cards(CardQuery(todo.id))}

    world.move_card(mover, todo.id, before=long_cards[1].id)

    expected.insert(index + 1, "Mover")
    assert world.list_titles("To do") == expected
    after = {card.id: card.rank for card in world.list_cards(CardQuery(todo.id))}
    assert max(map(len, after.values())) < 10
    assert (
        sum(before[card_id] != rank for card_id, rank in after.items() if card_id in before) <= 2 * NEIGHBOURS_PER_SIDE
    )
    assert low < high
    todo_after = world.find_list("To do")
    assert all(todo_after.first_rank <= rank <= todo_after.last_rank for rank in after.values())


def test_a_commit_leaves_out_a_rebalance_that_cannot_be_done(wire: Wire, world: World) -> None:
    todo = world.find_list("To do")
    prefix = "a0" + "0" * ranks.MAX_RANK_LENGTH
    old_cards = world.add_cards_with_ranks("To do", [f"{prefix}{digit}" for digit in "12"])
    mover = world.add_card("Mover", "Done")

    def move_cards_in_response(request: Any, send: faults.Send) -> Any:
        body = json.loads(send(request).body)
        for item in body["Items"]:
            item["rank"] = {"S": item["rank"]["S"] + "1"}
        return faults.make_response(200, body)

    world.read_board(mover.id, neighbour_of=NeighbourOf(old_cards[1].id, "before"))
    view = world.read_board(mover.id, neighbour_of=NeighbourOf(old_cards[1].id, "before"))
    _, change = cards.move(view, mover.id, world.context(), list_id=todo.id, before=old_cards[1].id)
    assert change is not None
    assert change.rebalance_list_id == todo.id
    wire.faults["Query"] = iter([move_cards_in_response, move_cards_in_response])
    world.store.commit(change)

    assert world.list_titles("To do") == ["Card 0", "Mover", "Card 1"]
    assert world.read_card(old_cards[0]).rank == old_cards[0].rank
