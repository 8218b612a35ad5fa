"""Faults of the network and of DynamoDB: every error has its name, and partial responses are completed."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kanban import cards
from kanban.changes import Change
from kanban.store import AlreadyExists, Busy, CardQuery, StaleRead, Unavailable
from kanban.values import Card, NewCard
from stores.dynamodb.client import MAX_RETRY_SECONDS
from stores.dynamodb.resolutions import TooLarge
from tests.engines import dynamodb_wire as faults
from tests.engines.dynamodb_wire import Connect, Fault, Wire, connect_each_wire
from tests.stores.dynamodb.write_scenarios import (
    CONFLICT,
    FAILING,
    FAULTS,
    FOR_EVER,
    THROTTLED,
    WRITE,
    make_stored_response,
    prepare,
    read_state,
)
from tests.stores.world import NOON, World

__all__ = ["connect_each_wire"]


@pytest.fixture
def connect_wire(connect_each_wire: Connect) -> Connect:
    """Return what connects a wire, once for each client."""
    return connect_each_wire


@pytest.mark.parametrize("fault", FAULTS)
def test_a_read_succeeds_or_the_store_is_busy(wire: Wire, world: World, fault: str) -> None:
    prepare(world)
    before = read_state(world)
    (card, *_) = world.list_cards()
    operations = ["GetItem", "BatchGetItem", "TransactGetItems", "Query"]

    for operation in operations:
        wire.faults[operation] = iter(step for step in FAULTS[fault] if step is not faults.forget_request_token)
        try:
            result = read_state(world), world.read_board(card.id)
        except Busy:
            assert fault in FOR_EVER
        else:
            assert fault not in FOR_EVER
            assert result == (before, world.read_board(card.id))
        wire.faults.clear()


def test_retries_end_after_the_maximum_time(wire: Wire, world: World) -> None:
    _, change = cards.create(world.read_board(), world.context(), NewCard(title="New"))
    wire.faults[WRITE] = itertools.repeat(THROTTLED)

    with pytest.raises(Busy):
        world.store.commit(change)

    assert MAX_RETRY_SECONDS / 2 < wire.elapsed <= MAX_RETRY_SECONDS


def test_an_unreachable_server_is_unavailable_after_three_attempts(wire: Wire, world: World) -> None:
    wire.operations.clear()
    wire.faults["GetItem"] = itertools.repeat(faults.drop_connection)

    with pytest.raises(Unavailable):
        world.store.check_ready()

    assert wire.operations == ["GetItem"] * 3


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException", "UnrecognizedClientException"])
def test_an_error_that_only_an_operator_can_fix_is_unavailable_at_once(wire: Wire, world: World, code: str) -> None:
    wire.operations.clear()
    wire.faults["GetItem"] = itertools.repeat(faults.error_response(code))

    with pytest.raises(Unavailable, match=code):
        world.store.check_ready()

    assert wire.operations == ["GetItem"]


def test_a_board_that_has_grown_too_large_is_unavailable(wire: Wire, world: World) -> None:
    _, change = cards.create(world.read_board(), world.context(), NewCard(title="New"))
    wire.faults[WRITE] = iter([faults.cancellation("None", "ItemCollectionSizeLimitExceeded", "None")])

    with pytest.raises(Unavailable, match="grown"):
        world.store.commit(change)


# Lost responses


def test_a_commit_with_a_lost_response_is_recognised_after_others_have_written(wire: Wire, world: World) -> None:
    other = wire.another_process(world)
    _, change = cards.create(world.read_board(), world.context(), NewCard(title="New"))

    late_repeat = faults.run_first(lambda: other.add_card("Newer"), faults.forget_request_token)

    wire.faults[WRITE] = iter([faults.lose_response, late_repeat])
    world.store.commit(change)

    assert world.list_titles("To do") == ["New", "Newer"]


def test_a_commit_with_a_lost_response_is_recognised_when_only_the_head_fails(wire: Wire, world: World) -> None:
    _, change = cards.create(world.read_board(), world.context(), NewCard(title="New"))
    wire.faults[WRITE] = iter([faults.lose_response, faults.cancellation("ConditionalCheckFailed", "None", "None")])

    world.store.commit(change)

    assert world.list_titles("To do") == ["New"]


def test_a_lost_request_is_stale_when_somebody_else_wrote_first(wire: Wire, world: World) -> None:
    other = wire.another_process(world)
    _, change = cards.create(world.read_board(), world.context(), NewCard(title="New"))

    def write_meanwhile() -> None:
        other.add_card("Newer")

    wire.faults[WRITE] = iter([faults.time_out, faults.run_first(write_meanwhile)])
    with pytest.raises(StaleRead):
        world.store.commit(change)

    assert world.list_titles("To do") == ["Newer"]


def test_an_equal_response_of_an_earlier_request_does_not_count_as_proof(wire: Wire, world: World) -> None:
    response = make_stored_response(world)
    world.store.commit(Change(), response)
    wire.faults[WRITE] = iter([faults.time_out])

    with pytest.raises(AlreadyExists):
        world.store.commit(Change(), response)


def test_the_first_secret_that_was_stored_is_kept(wire: Wire, world: World) -> None:
    other = wire.another_process(world).store

    def write_meanwhile() -> None:
        other.read_secret()

    wire.faults["PutItem"] = iter([faults.run_first(write_meanwhile)])

    assert wire.store.read_secret() == other.read_secret()


def test_a_secret_whose_response_was_lost_is_kept(wire: Wire) -> None:
    wire.faults["PutItem"] = iter([faults.lose_response])

    assert len(wire.store.read_secret()) == 32
    assert wire.operations.count("PutItem") == 2


@pytest.mark.parametrize("fault", [THROTTLED, faults.drop_connection, faults.lose_response, FAILING])
def test_the_last_use_of_a_token_is_noted_without_waiting_or_not_at_all(wire: Wire, world: World, fault: Fault) -> None:
    token = world.add_token()
    wire.operations.clear()
    wire.faults["UpdateItem"] = iter([fault])

    world.store.record_token_use(token.id, NOON + timedelta(hours=1))

    assert wire.operations.count("UpdateItem") == 1
    assert wire.elapsed == 0


# Partial responses


def test_unprocessed_keys_are_read_again(wire: Wire, world: World) -> None:
    board_ids = [world.add_board(f"Board {number}") for number in range(4)]
    wire.faults["BatchGetItem"] = itertools.repeat(faults.leave_unprocessed)

    page = world.store.page_boards(world.ann.id, 10)

    assert [board.id for board, _ in page.items] == [*reversed(board_ids), world.board_id]


def test_keys_that_stay_unprocessed_make_the_store_busy(wire: Wire, world: World) -> None:
    wire.faults["BatchGetItem"] = itertools.repeat(faults.return_nothing)

    with pytest.raises(Busy):
        world.store.page_boards(world.ann.id, 10)


def test_an_empty_response_with_a_last_key_is_not_the_end(wire: Wire, world: World) -> None:
    cards_before = [world.add_card(f"Card {number}") for number in range(3)]
    todo = world.find_list("To do")

    def empty(_request: Any, _send: faults.Send) -> Any:
        key = {
            "pk": f"B#{world.board_id}",
            "sk": f"C#{cards_before[0].id}",
            "place": f"{todo.id}#{cards_before[0].rank}",
        }
        last = {name: {"S": value} for name, value in key.items()}
        return faults.make_response(200, {"Items": [], "Count": 0, "ScannedCount": 3, "LastEvaluatedKey": last})

    wire.faults["Query"] = iter([empty])

    result = world.store.page_cards(world.board_id, world.ann.id, CardQuery(), 10)

    assert result is not None
    assert [card.title for card in result[1].items] == ["Card 1", "Card 2"]


def test_a_page_is_read_again_when_the_board_changes_meanwhile(wire: Wire, world: World) -> None:
    card = world.add_card("Card")
    other = wire.another_process(world)

    def write_after_reading(request: Any, send: faults.Send) -> Any:
        response = send(request)
        other.move_card(card, other.find_list("Done").id)
        return response

    wire.faults["Query"] = iter([write_after_reading])

    result = world.store.page_cards(world.board_id, world.ann.id, CardQuery(), 10)

    assert result is not None
    view, page = result
    assert [card.list_id for card in page.items] == [view.lists[2].id]
    assert [list_.card_count for list_ in view.lists] == [0, 0, 1]


def test_a_board_that_changes_at_every_read_is_busy(wire: Wire, world: World) -> None:
    other = wire.another_process(world)

    def write_meanwhile() -> None:
        other.add_card("More")

    world.add_card("Card")
    wire.faults["Query"] = itertools.repeat(faults.run_first(write_meanwhile))

    with pytest.raises(Busy):
        world.store.page_cards(world.board_id, world.ann.id, CardQuery(), 10)


# Time


@pytest.fixture
def wire_and_seconds(dynoxide: str, table_url: str) -> Iterator[tuple[Wire, list[float]]]:
    """Return a wire, and the number of seconds that its user has, which a test may change."""
    seconds = [100.0]
    wires: list[Wire] = []
    wires.append(Wire(dynoxide, faults.table_name(table_url), lambda: seconds[0] - wires[0].elapsed))
    yield wires[0], seconds
    wires[0].close()


def test_no_call_is_begun_with_too_little_time_remaining(wire_and_seconds: tuple[Wire, list[float]]) -> None:
    wire, seconds = wire_and_seconds
    world = World(wire.store)
    _, change = cards.create(world.read_board(), world.context(), NewCard(title="New"))
    wire.operations.clear()
    seconds[0] = 2.4

    with pytest.raises(Busy):
        world.store.commit(change)
    with pytest.raises(Busy):
        world.read_board()

    assert wire.operations == []


def test_a_transaction_in_conflict_is_sent_again_only_after_a_lost_response(wire: Wire, world: World) -> None:
    _, change = cards.create(world.read_board(), world.context(), NewCard(title="New"))
    wire.faults[WRITE] = iter([CONFLICT])
    wire.operations.clear()

    with pytest.raises(StaleRead):
        world.store.commit(change)
    assert wire.operations.count(WRITE) == 1

    wire.faults[WRITE] = iter([faults.lose_response, CONFLICT])
    world.store.commit(change)
    assert wire.operations.count(WRITE) == 4
    assert world.list_titles("To do") == ["New"]


def test_retries_end_while_the_caller_has_time_to_respond(wire_and_seconds: tuple[Wire, list[float]]) -> None:
    wire, seconds = wire_and_seconds
    world = World(wire.store)
    _, change = cards.create(world.read_board(), world.context(), NewCard(title="New"))
    wire.faults[WRITE] = itertools.repeat(THROTTLED)
    seconds[0] = 3.0

    with pytest.raises(Busy):
        world.store.commit(change)

    assert wire.elapsed <= 0.5
    seconds[0] = 100.0
    wire.faults.clear()
    assert world.list_titles("To do") == []


def test_a_closed_store_is_unavailable(wire: Wire) -> None:
    wire.store.close()

    with pytest.raises(Unavailable):
        wire.store.check_ready()


def test_a_change_with_too_many_writes_is_refused_with_their_number(world: World) -> None:
    todo = world.find_list("To do")
    view = world.read_board()
    _, change = cards.create(view, world.context(), NewCard(title="One"))
    (card,) = (value for value in change.creates if isinstance(value, Card))
    copies = tuple(replace(card, id=f"crd_{number}", rank=f"b{number:02d}") for number in range(99))

    with pytest.raises(TooLarge, match="at most 100 items at once, not 101"):
        world.write(creates=copies, updates=(todo,))

    assert world.read_board() == view
