"""What network and DynamoDB do wrong beside writes: every error has a name, and pieces are put together."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kanban import cards
from kanban.changes import Change
from kanban.store import AlreadyExists, Busy, CardQuery, StaleRead, Store, Unavailable
from kanban.values import Card
from stores.dynamodb.client import MAX_RETRY_SECONDS
from stores.dynamodb.plan import TooLarge
from tests.engines import dynamodb_wire as wire
from tests.engines.dynamodb_wire import Fault, Wire
from tests.stores.test_dynamodb_write_faults import (
    CONFLICT,
    FAILING,
    FAULTS,
    FOR_EVER,
    THROTTLED,
    WRITE,
    prepared,
    remembered,
    state,
)
from tests.stores.world import NOON, World


@pytest.fixture
def store(line: Wire) -> Store:
    """The store behind the wire."""
    return line.store


@pytest.mark.parametrize("fault", FAULTS)
def test_a_read_is_answered_or_named_busy(line: Wire, world: World, fault: str) -> None:
    prepared(world)
    before = state(world)
    (card, *_) = world.list_cards()
    operations = ["GetItem", "BatchGetItem", "TransactGetItems", "Query"]

    for operation in operations:
        line.faults[operation] = iter(each for each in FAULTS[fault] if each is not wire.forget_request_token)
        try:
            found = state(world), world.read_board(card.id)
        except Busy:
            assert fault in FOR_EVER
        else:
            assert fault not in FOR_EVER
            assert found == (before, world.read_board(card.id))
        line.faults.clear()


def test_patience_has_an_end(line: Wire, world: World) -> None:
    _, change = cards.create(world.read_board(), world.context(), title="New")
    line.faults[WRITE] = itertools.repeat(THROTTLED)

    with pytest.raises(Busy):
        world.store.commit(change)

    assert MAX_RETRY_SECONDS / 2 < line.elapsed <= MAX_RETRY_SECONDS


def test_what_cannot_be_reached_is_unavailable_after_three_tries(line: Wire, world: World) -> None:
    line.operations.clear()
    line.faults["GetItem"] = itertools.repeat(wire.drop_connection)

    with pytest.raises(Unavailable):
        world.store.check_ready()

    assert line.operations == ["GetItem"] * 3


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException", "UnrecognizedClientException"])
def test_what_only_an_operator_can_mend_is_unavailable_at_once(line: Wire, world: World, code: str) -> None:
    line.operations.clear()
    line.faults["GetItem"] = itertools.repeat(wire.error_response(code))

    with pytest.raises(Unavailable, match=code):
        world.store.check_ready()

    assert line.operations == ["GetItem"]


def test_a_board_that_has_grown_too_large_is_unavailable(line: Wire, world: World) -> None:
    _, change = cards.create(world.read_board(), world.context(), title="New")
    line.faults[WRITE] = iter([wire.cancellation("None", "ItemCollectionSizeLimitExceeded", "None")])

    with pytest.raises(Unavailable, match="grown"):
        world.store.commit(change)


# Lost answers


def test_a_lost_answer_is_recognised_though_others_have_written_since(line: Wire, world: World) -> None:
    beside = line.another_process(world)
    _, change = cards.create(world.read_board(), world.context(), title="New")

    def overtaken(request: Any, send: wire.Send) -> Any:
        beside.add_card("Newer")
        return wire.forget_request_token(request, send)

    line.faults[WRITE] = iter([wire.lose_response, overtaken])
    world.store.commit(change)

    assert world.list_titles("To do") == ["New", "Newer"]


def test_a_lost_answer_is_recognised_even_when_only_the_board_is_named_as_the_reason(line: Wire, world: World) -> None:
    _, change = cards.create(world.read_board(), world.context(), title="New")
    line.faults[WRITE] = iter([wire.lose_response, wire.cancellation("ConditionalCheckFailed", "None", "None")])

    world.store.commit(change)

    assert world.list_titles("To do") == ["New"]


def test_a_lost_request_that_somebody_else_overtook_is_stale(line: Wire, world: World) -> None:
    beside = line.another_process(world)
    _, change = cards.create(world.read_board(), world.context(), title="New")

    def overtaken(request: Any, send: wire.Send) -> Any:
        beside.add_card("Newer")
        return send(request)

    line.faults[WRITE] = iter([wire.time_out, overtaken])
    with pytest.raises(StaleRead):
        world.store.commit(change)

    assert world.list_titles("To do") == ["Newer"]


def test_the_answer_to_an_earlier_request_with_the_same_content_is_not_taken_for_ones_own(
    line: Wire, world: World
) -> None:
    record = remembered(world)
    world.store.commit(Change(), record)
    line.faults[WRITE] = iter([wire.time_out])

    with pytest.raises(AlreadyExists):
        world.store.commit(Change(), record)


def test_the_secret_is_the_one_that_was_kept_first(line: Wire, world: World) -> None:
    other = line.another_process(world).store

    def overtaken(request: Any, send: wire.Send) -> Any:
        other.read_secret()
        return send(request)

    line.faults["PutItem"] = iter([overtaken])

    assert line.store.read_secret() == other.read_secret()


def test_a_secret_whose_acknowledgement_was_lost_is_kept(line: Wire) -> None:
    line.faults["PutItem"] = iter([wire.lose_response])

    assert len(line.store.read_secret()) == 32
    assert line.operations.count("PutItem") == 2


@pytest.mark.parametrize("fault", [THROTTLED, wire.drop_connection, wire.lose_response, FAILING])
def test_the_last_use_of_a_token_is_noted_without_waiting_or_not_at_all(line: Wire, world: World, fault: Fault) -> None:
    token = world.add_token()
    line.operations.clear()
    line.faults["UpdateItem"] = iter([fault])

    world.store.touch_token(token.id, NOON + timedelta(hours=1))

    assert line.operations.count("UpdateItem") == 1
    assert line.elapsed == 0


# Answers in pieces


def test_keys_that_were_left_out_are_asked_for_again(line: Wire, world: World) -> None:
    made = [world.add_board(f"Board {number}") for number in range(4)]
    line.faults["BatchGetItem"] = itertools.repeat(wire.leave_unprocessed)

    found = world.store.page_boards(world.ann.id, 10)

    assert [board.id for board, _ in found.items] == [*reversed(made), world.board_id]


def test_keys_that_are_left_out_for_ever_are_busy(line: Wire, world: World) -> None:
    line.faults["BatchGetItem"] = itertools.repeat(wire.return_nothing)

    with pytest.raises(Busy):
        world.store.page_boards(world.ann.id, 10)


def test_an_empty_answer_with_more_behind_it_is_no_end(line: Wire, world: World) -> None:
    made = [world.add_card(f"Card {number}") for number in range(3)]
    todo = world.find_list("To do")

    def empty(request: Any, _: wire.Send) -> Any:
        key = {"pk": f"B#{world.board_id}", "sk": f"C#{made[0].id}", "place": f"{todo.id}#{made[0].rank}"}
        last = {name: {"S": value} for name, value in key.items()}
        return wire.make_response(request, 200, {"Items": [], "Count": 0, "ScannedCount": 3, "LastEvaluatedKey": last})

    line.faults["Query"] = iter([empty])

    found = world.store.page_cards(world.board_id, world.ann.id, CardQuery(), 10)

    assert found is not None
    assert [card.title for card in found[1].items] == ["Card 1", "Card 2"]


def test_a_page_is_read_again_when_the_board_changes_meanwhile(line: Wire, world: World) -> None:
    card = world.add_card("Card")
    beside = line.another_process(world)

    def overtaken(request: Any, send: wire.Send) -> Any:
        response = send(request)
        response.content  # noqa: B018  (it is read now, before the board changes)
        beside.move_card(card, beside.find_list("Done").id)
        return response

    line.faults["Query"] = iter([overtaken])

    found = world.store.page_cards(world.board_id, world.ann.id, CardQuery(), 10)

    assert found is not None
    view, page = found
    assert [each.list_id for each in page.items] == [view.lists[2].id]
    assert [each.card_count for each in view.lists] == [0, 0, 1]


def test_a_board_that_changes_at_every_look_is_busy(line: Wire, world: World) -> None:
    beside = line.another_process(world)

    def overtaken(request: Any, send: wire.Send) -> Any:
        beside.add_card("More")
        return send(request)

    world.add_card("Card")
    line.faults["Query"] = itertools.repeat(overtaken)

    with pytest.raises(Busy):
        world.store.page_cards(world.board_id, world.ann.id, CardQuery(), 10)


# Time


@pytest.fixture
def hurried(dynoxide: str, table_url: str) -> Iterator[tuple[Wire, list[float]]]:
    """A wire, and the seconds that remain to whoever uses it."""
    left = [100.0]
    wires: list[Wire] = []
    wires.append(Wire(dynoxide, wire.table_name(table_url), lambda: left[0] - wires[0].elapsed))
    yield wires[0], left
    wires[0].close()


def test_with_too_little_time_nothing_is_begun(hurried: tuple[Wire, list[float]]) -> None:
    line, left = hurried
    world = World(line.store)
    _, change = cards.create(world.read_board(), world.context(), title="New")
    line.operations.clear()
    left[0] = 2.4

    with pytest.raises(Busy):
        world.store.commit(change)
    with pytest.raises(Busy):
        world.read_board()

    assert line.operations == []


def test_trying_again_ends_while_there_is_time_to_answer(hurried: tuple[Wire, list[float]]) -> None:
    line, left = hurried
    world = World(line.store)
    _, change = cards.create(world.read_board(), world.context(), title="New")
    line.faults[WRITE] = itertools.repeat(CONFLICT)
    left[0] = 3.0

    with pytest.raises(Busy):
        world.store.commit(change)

    assert line.elapsed <= 0.5
    left[0] = 100.0
    line.faults.clear()
    assert world.list_titles("To do") == []


def test_a_closed_store_is_unavailable(line: Wire) -> None:
    line.store.close()

    with pytest.raises(Unavailable):
        line.store.check_ready()


def test_a_change_with_too_many_parts_is_refused_by_name(world: World) -> None:
    todo = world.find_list("To do")
    view = world.read_board()
    one = cards.create(view, world.context(), title="One")[1]
    (card,) = (each for each in one.creates if isinstance(each, Card))
    many = tuple(replace(card, id=f"crd_{number}", rank=f"b{number:02d}") for number in range(99))

    with pytest.raises(TooLarge, match="at most 100 items at once, not 101"):
        world.write(creates=many, updates=(todo,))

    assert world.read_board() == view
