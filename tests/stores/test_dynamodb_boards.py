"""What a board's partition holds besides what is seen: claims to external ids, and ranks."""

import json
from dataclasses import replace
from typing import Any

import pytest

from kanban import cards, lists
from kanban.ordering import ranks
from kanban.store import AlreadyExists, CardQuery, NeighbourOf, Store
from stores.dynamodb.rebalance import NEIGHBOURS_PER_SIDE
from tests.engines import dynamodb_wire as wire
from tests.engines.dynamodb_wire import Wire
from tests.stores.world import World, make_card


@pytest.fixture
def store(line: Wire) -> Store:
    """The store behind the wire."""
    return line.store


# External ids


def test_an_external_id_that_was_given_up_can_be_taken(world: World) -> None:
    first = world.add_card("First", external_id="x")
    second = world.add_card("Second")
    world.apply(cards.update, first.id, patch={"external_id": "y"})

    world.apply(cards.update, second.id, patch={"external_id": "x"})

    with pytest.raises(AlreadyExists):
        world.apply(cards.update, first.id, patch={"external_id": "x"})
    with pytest.raises(AlreadyExists):
        world.add_card("Third", external_id="y")


def test_an_external_id_that_a_list_gave_up_can_be_taken(world: World) -> None:
    first = world.add_list("First", external_id="x")
    world.apply(lists.update, first.id, patch={"external_id": "y"})

    second = world.add_list("Second", external_id="x")

    assert world.read_board().get_list(second.id).external_id == "x"
    assert world.read_board().get_list(first.id).external_id == "y"


def test_two_cards_of_one_change_cannot_have_the_same_external_id(world: World) -> None:
    todo = world.find_list("To do")
    pair = tuple(make_card(world, todo, rank, external_id="x") for rank in ("a0", "a1"))

    with pytest.raises(AlreadyExists) as error:
        world.write(creates=pair)

    assert error.value.constraint == "card.external_id"


def test_a_card_that_vanished_with_its_list_loses_its_external_id(line: Wire, world: World) -> None:
    card = world.add_card("Copy", "Doing", external_id="x")
    world.delete_list("Doing")

    world.add_card("Again", external_id="x")

    assert "external_id" not in line.read_item(f"C#{card.id}")


def test_an_external_id_is_not_taken_from_a_board_that_changed_meanwhile(line: Wire, world: World) -> None:
    card = world.add_card("First", external_id="x")
    world.delete_card(card)
    beside = line.another_process(world)

    def overtaken(request: Any, send: wire.Send) -> Any:
        beside.add_card("Second", external_id="x")
        return send(request)

    before_reading = iter([overtaken])
    line.faults["TransactGetItems"] = before_reading
    with pytest.raises(AlreadyExists):
        world.add_card("Third", external_id="x")

    assert world.list_titles("To do") == ["Second"]


# Ranks


def test_a_place_next_to_what_was_just_written_is_right_before_a_query_shows_it(line: Wire, world: World) -> None:
    todo = world.find_list("To do")
    first, last = world.add_card("First"), world.add_card("Last")

    def outdated(request: Any, send: wire.Send) -> Any:
        body = json.loads(send(request).content)
        body["Items"] = [each for each in body["Items"] if each["title"]["S"] != "Between"]
        return wire.make_response(request, 200, body)

    between = world.move_card(world.add_card("Between"), todo.id, after=first.id)
    line.faults["Query"] = iter([outdated, outdated])

    assert world.read_board(beside=NeighbourOf(first.id, "after")).adjacent_rank == between.rank
    assert world.read_board(beside=NeighbourOf(last.id, "before")).adjacent_rank == between.rank


@pytest.mark.parametrize("where", ["top", "middle", "bottom"])
def test_in_a_large_list_the_ranks_around_a_long_one_get_shorter(world: World, where: str) -> None:
    todo = world.find_list("To do")
    count = 3 * NEIGHBOURS_PER_SIDE
    places = ranks.sequence_after("", count)
    place = {"top": 2, "middle": count // 2, "bottom": count - 2}[where]
    low, high = places[place - 1], places[place]
    crowd = [make_card(world, todo, rank, title=f"Card {number:03d}") for number, rank in enumerate(places)]
    world.write(creates=tuple(crowd[:80]))
    long = [
        make_card(world, todo, f"{low}{'0' * ranks.MAX_RANK_LENGTH}{digit}", title=f"Long {digit}") for digit in "12"
    ]
    counted = replace(todo, card_count=count + 2, first_rank=places[0], last_rank=places[-1])
    world.write(creates=(*crowd[80:], *long), updates=(counted,))
    mover = world.add_card("Mover", "Done")
    expected = world.list_titles("To do")
    before = {card.id: card.rank for card in world.list_cards(CardQuery(todo.id))}

    world.move_card(mover, todo.id, before=long[1].id)

    expected.insert(place + 1, "Mover")
    assert world.list_titles("To do") == expected
    held = {card.id: card.rank for card in world.list_cards(CardQuery(todo.id))}
    assert max(map(len, held.values())) < 10
    assert (
        sum(before[card_id] != rank for card_id, rank in held.items() if card_id in before) <= 2 * NEIGHBOURS_PER_SIDE
    )
    assert low < high
    bounds = world.find_list("To do")
    assert all(bounds.first_rank <= rank <= bounds.last_rank for rank in held.values())


def test_a_rebalance_that_cannot_be_done_is_left_out(line: Wire, world: World) -> None:
    todo = world.find_list("To do")
    prefix = "a0" + "0" * ranks.MAX_RANK_LENGTH
    crowd = world.add_cards_with_ranks("To do", [f"{prefix}{digit}" for digit in "12"])
    mover = world.add_card("Mover", "Done")

    def elsewhere(request: Any, send: wire.Send) -> Any:
        body = json.loads(send(request).content)
        for item in body["Items"]:
            item["rank"] = {"S": item["rank"]["S"] + "1"}
        return wire.make_response(request, 200, body)

    world.read_board(mover.id, beside=NeighbourOf(crowd[1].id, "before"))
    view = world.read_board(mover.id, beside=NeighbourOf(crowd[1].id, "before"))
    _, change = cards.move(view, mover.id, world.context(), list_id=todo.id, before=crowd[1].id)
    assert change is not None
    assert change.rebalance_list_id == todo.id
    line.faults["Query"] = iter([elsewhere, elsewhere])
    world.store.commit(change)

    assert world.list_titles("To do") == ["Crowd 0", "Mover", "Crowd 1"]
    assert world.read_card(crowd[0]).rank == crowd[0].rank
