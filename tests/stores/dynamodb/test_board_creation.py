"""Creation of a board that is larger than a transaction: as a whole, or not at all."""

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from kanban import boards
from kanban.changes import Change
from kanban.ordering import ranks
from kanban.store import AlreadyExists, Busy, CardQuery, StaleRead, StoredResponse, Unavailable
from kanban.values import Board, Card, Comment, Event, NewBoard
from tests.engines import dynamodb_wire as faults
from tests.engines.dynamodb_wire import Wire
from tests.stores.world import World, collect_pages, make_card


def build_large_board(world: World, count: int = 300, **fields: object) -> tuple[str, Change]:
    """Return a change that creates a board of so many cards, and the board's id.

    Each card has a comment and is assigned to Ann. The history has an event for each.
    """
    view, change = boards.create(world.context(), NewBoard(name="Large"))
    (member,) = view.members
    todo = view.lists[0]
    card_ranks = ranks.sequence_after("", count)
    values: list[Card | Comment] = []
    for number, rank in enumerate(card_ranks):
        card_fields = {"external_id": f"x-{number}", **fields}
        card = make_card(
            world, todo, rank, title=f"Card {number}", assignee_ids=(member.id,), comment_count=1, **card_fields
        )
        comment_id = world.context().new_id("comment")
        values.append(card)
        values.append(Comment(comment_id, card.board_id, card.id, world.ann.id, "Hm.", 1, world.now, world.now))
    counted = replace(todo, card_count=count, first_rank=card_ranks[0], last_rank=card_ranks[-1])
    creates = [counted if value == todo else value for value in change.creates]
    history = tuple(Event(view.board.id, seq, "card.created", world.now, world.ann.id) for seq in range(1, count + 1))
    creates = [replace(value, seq=count + 1) if isinstance(value, Board) else value for value in creates]
    assert change.event is not None
    event = replace(change.event, seq=count + 1)
    return view.board.id, replace(change, creates=(*creates, *values), event=event, history=history)


def make_stored_response(world: World) -> StoredResponse:
    return StoredResponse("key", world.ann.id, "op", "f", 201, (), b"{}", world.now, world.now + timedelta(hours=24))


def is_absent(board_id: str, wire: Wire) -> bool:
    """Tell whether no item has to do with that board."""
    return not any(board_id in str(item) for item in wire.read_items())


def test_a_large_board_is_created_with_all_that_belongs_to_it(wire: Wire, world: World) -> None:
    board_id, change = build_large_board(world)

    wire.operations.clear()
    world.store.commit(change, make_stored_response(world))

    assert wire.operations[:2] + wire.operations[-1:] == ["GetItem", "GetItem", "TransactWriteItems"]
    world.board_id = board_id
    cards = world.list_cards()
    assert {card.id: card for card in cards} == {card.id: card for card in change.creates if isinstance(card, Card)}
    assert [event.seq for event in world.list_events()] == [*range(1, 302)]
    assigned = collect_pages(lambda after: world.store.page_assigned_cards(world.ann.id, CardQuery(), 50, after), 50)
    assert [card.id for _, card in assigned] == [card.id for card in cards]
    comments = world.store.page_comments(board_id, world.ann.id, cards[7].id, 10)
    assert comments is not None
    assert [comment.text for comment in comments[1].items] == ["Hm."]
    assert world.store.read_stored_response(world.ann.id, "op", "key", world.now) is not None
    assert not [item for item in wire.read_items() if item["pk"]["S"] == "D"]


@pytest.mark.parametrize("after", [0, 1, 17, 40])
def test_an_unfinished_large_board_is_invisible_and_purged(wire: Wire, world: World, after: int) -> None:
    board_id, change = build_large_board(world)
    wire.faults["BatchWriteItem"] = itertools.chain(
        itertools.repeat(faults.pass_through, after), itertools.repeat(faults.drop_connection)
    )

    with pytest.raises(Unavailable):
        world.store.commit(change, make_stored_response(world))

    wire.faults.clear()
    assert world.store.read_board(board_id, world.ann.id) is None
    assert [board.id for board, _ in world.store.page_boards(world.ann.id, 10).items] == [world.board_id]
    assert world.store.page_assigned_cards(world.ann.id, CardQuery(), 50).items == ()
    assert world.store.read_stored_response(world.ann.id, "op", "key", world.now) is None
    world.advance(days=31)
    while world.store.purge(world.now, 100):
        pass
    assert is_absent(board_id, wire)


def test_a_large_board_whose_responses_are_lost_is_created_once(wire: Wire, world: World) -> None:
    board_id, change = build_large_board(world)
    wire.faults["BatchWriteItem"] = iter(
        [
            faults.lose_response,
            faults.leave_unprocessed,
            faults.error_response("ThrottlingException"),
            faults.lose_response,
        ]
    )
    wire.faults["TransactWriteItems"] = iter([faults.lose_response, faults.forget_request_token])

    world.store.commit(change, make_stored_response(world))

    world.board_id = board_id
    assert len(world.list_cards()) == 300


def test_a_large_board_cannot_be_finished_once_its_purge_has_begun(wire: Wire, world: World) -> None:
    board_id, change = build_large_board(world)
    other = wire.another_process(world)

    def write_meanwhile() -> None:
        other.store.purge(world.now + timedelta(days=31), 10)

    wire.faults["TransactWriteItems"] = iter([faults.run_first(write_meanwhile)])

    with pytest.raises(StaleRead):
        world.store.commit(change)

    world.advance(days=62)
    while world.store.purge(world.now, 1000):
        pass
    assert is_absent(board_id, wire)


def test_a_known_key_is_reported_before_a_large_board_is_begun(wire: Wire, world: World) -> None:
    world.store.commit(Change(), make_stored_response(world))
    board_id, change = build_large_board(world)

    with pytest.raises(AlreadyExists) as error:
        world.store.commit(change, make_stored_response(world))

    assert error.value.constraint == "idempotency_key"
    assert is_absent(board_id, wire)


def test_a_large_board_never_overwrites_another(wire: Wire, world: World) -> None:
    _, change = build_large_board(world)
    world.store.commit(change)
    before = wire.read_items()

    with pytest.raises(AlreadyExists) as error:
        world.store.commit(change)

    assert error.value.constraint == "board"
    assert wire.read_items() == before


def test_an_external_id_is_unique_on_a_large_board_too(wire: Wire, world: World) -> None:
    board_id, change = build_large_board(world, external_id="same")

    with pytest.raises(AlreadyExists) as error:
        world.store.commit(change)

    assert error.value.constraint == "card.external_id"
    assert is_absent(board_id, wire)


def test_with_too_little_time_a_large_board_is_busy(wire: Wire, world: World) -> None:
    board_id, change = build_large_board(world)
    wire.faults["BatchWriteItem"] = itertools.repeat(faults.error_response("ThrottlingException"))

    with pytest.raises(Busy):
        world.store.commit(change)

    assert world.store.read_board(board_id, world.ann.id) is None
