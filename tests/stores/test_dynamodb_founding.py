"""A board that is larger than a transaction: there as a whole, or not at all."""

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kanban import boards
from kanban.changes import Change
from kanban.ordering import ranks
from kanban.store import AlreadyExists, Busy, CardQuery, StaleRead, Store, StoredResponse, Unavailable
from kanban.values import Board, Card, Comment, Event
from tests.engines import dynamodb_wire as wire
from tests.engines.dynamodb_wire import Wire
from tests.stores.world import World, collect_pages, make_card


@pytest.fixture
def store(line: Wire) -> Store:
    """The store behind the wire."""
    return line.store


def large(world: World, count: int = 300, **wishes: object) -> tuple[str, Change]:
    """A board of so many cards, each with a comment, assigned to Ann, with events from before; not written yet."""
    view, change = boards.create(world.context(), name="Large")
    (place,) = view.members
    todo = view.lists[0]
    places = ranks.sequence_after("", count)
    made: list[Card | Comment] = []
    for number, rank in enumerate(places):
        wished = {"external_id": f"x-{number}", **wishes}
        card = make_card(world, todo, rank, title=f"Card {number}", assignee_ids=(place.id,), comment_count=1, **wished)
        comment_id = world.context().new_id("comment")
        made += [card, Comment(comment_id, card.board_id, card.id, world.ann.id, "Hm.", 1, world.now, world.now)]
    counted = replace(todo, card_count=count, first_rank=places[0], last_rank=places[-1])
    creates = [counted if each == todo else each for each in change.creates]
    history = tuple(Event(view.board.id, seq, "card.created", world.now, world.ann.id) for seq in range(1, count + 1))
    creates = [replace(each, seq=count + 1) if isinstance(each, Board) else each for each in creates]
    assert change.event is not None
    event = replace(change.event, seq=count + 1)
    return view.board.id, replace(change, creates=(*creates, *made), event=event, history=history)


def remembered(world: World) -> StoredResponse:
    return StoredResponse("key", world.ann.id, "op", "f", 201, (), b"{}", world.now, world.now + timedelta(hours=24))


def nothing_of(board_id: str, line: Wire) -> bool:
    """Whether no item tells of that board."""
    return not [each for each in line.read_items() if board_id in str(each)]


def test_a_large_board_is_there_with_all_that_belongs_to_it(line: Wire, world: World) -> None:
    board_id, change = large(world)

    line.operations.clear()
    world.store.commit(change, remembered(world))

    assert line.operations[:2] + line.operations[-1:] == ["GetItem", "GetItem", "TransactWriteItems"]
    world.board_id = board_id
    cards = world.list_cards()
    assert {each.id: each for each in cards} == {each.id: each for each in change.creates if isinstance(each, Card)}
    assert [event.seq for event in world.list_events()] == [*range(1, 302)]
    mine = collect_pages(lambda after: world.store.page_assigned_cards(world.ann.id, CardQuery(), 50, after), 50)
    assert [card.id for _, card in mine] == [card.id for card in cards]
    comments = world.store.page_comments(board_id, world.ann.id, cards[7].id, 10)
    assert comments is not None
    assert [each.text for each in comments[1].items] == ["Hm."]
    assert world.store.read_stored_response(world.ann.id, "op", "key", world.now) is not None
    assert not [each for each in line.read_items() if each["pk"]["S"] == "D"]


@pytest.mark.parametrize("after", [0, 1, 17, 40])
def test_of_a_large_board_that_was_not_made_to_its_end_nothing_is_seen_and_the_purge_finds_all(
    line: Wire, world: World, after: int
) -> None:
    board_id, change = large(world)
    line.faults["BatchWriteItem"] = itertools.chain(
        itertools.repeat(wire.pass_through, after), itertools.repeat(wire.drop_connection)
    )

    with pytest.raises(Unavailable):
        world.store.commit(change, remembered(world))

    line.faults.clear()
    assert world.store.read_board(board_id, world.ann.id) is None
    assert [board.id for board, _ in world.store.page_boards(world.ann.id, 10).items] == [world.board_id]
    assert world.store.page_assigned_cards(world.ann.id, CardQuery(), 50).items == ()
    assert world.store.read_stored_response(world.ann.id, "op", "key", world.now) is None
    world.advance(days=31)
    while world.store.purge(world.now, 100):
        pass
    assert nothing_of(board_id, line)


def test_a_large_board_whose_answers_are_lost_is_made_once(line: Wire, world: World) -> None:
    board_id, change = large(world)
    line.faults["BatchWriteItem"] = iter(
        [wire.lose_response, wire.leave_unprocessed, wire.error_response("ThrottlingException"), wire.lose_response]
    )
    line.faults["TransactWriteItems"] = iter([wire.lose_response, wire.forget_request_token])

    world.store.commit(change, remembered(world))

    world.board_id = board_id
    assert len(world.list_cards()) == 300


def test_a_large_board_that_is_being_purged_cannot_be_made_any_more(line: Wire, world: World) -> None:
    board_id, change = large(world)
    beside = line.another_process(world)

    def overtaken(request: Any, send: wire.Send) -> Any:
        beside.store.purge(world.now + timedelta(days=31), 10)
        return send(request)

    line.faults["TransactWriteItems"] = iter([overtaken])

    with pytest.raises(StaleRead):
        world.store.commit(change)

    world.advance(days=62)
    while world.store.purge(world.now, 1000):
        pass
    assert nothing_of(board_id, line)


def test_a_known_key_is_told_before_a_large_board_is_begun(line: Wire, world: World) -> None:
    world.store.commit(Change(), remembered(world))
    board_id, change = large(world)

    with pytest.raises(AlreadyExists) as error:
        world.store.commit(change, remembered(world))

    assert error.value.constraint == "idempotency_key"
    assert nothing_of(board_id, line)


def test_a_large_board_is_never_written_over_another(line: Wire, world: World) -> None:
    _, change = large(world)
    world.store.commit(change)
    before = line.read_items()

    with pytest.raises(AlreadyExists) as error:
        world.store.commit(change)

    assert error.value.constraint == "board"
    assert line.read_items() == before


def test_an_external_id_is_given_once_on_a_large_board_too(line: Wire, world: World) -> None:
    board_id, change = large(world, external_id="same")

    with pytest.raises(AlreadyExists) as error:
        world.store.commit(change)

    assert error.value.constraint == "card.external_id"
    assert nothing_of(board_id, line)


def test_with_too_little_time_a_large_board_is_busy(line: Wire, world: World) -> None:
    board_id, change = large(world)
    line.faults["BatchWriteItem"] = itertools.repeat(wire.error_response("ThrottlingException"))

    with pytest.raises(Busy):
        world.store.commit(change)

    assert world.store.read_board(board_id, world.ann.id) is None
