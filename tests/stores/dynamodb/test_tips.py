"""The tip of a board beside its head: read together, taken over from boards that have none, never written past."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from kanban import archive, boards, cards, lists
from kanban.changes import Change
from kanban.store import CardQuery, EventQuery, StaleRead
from kanban.values import NewCard, Role
from stores.dynamodb import keys
from stores.dynamodb.client import ConditionFailed
from stores.dynamodb.read_attempts import MAX_FREE_ATTEMPTS
from tests.engines import dynamodb_wire as faults
from tests.engines.boards_without_tips import remove_tip
from tests.engines.dynamodb_wire import Wire
from tests.stores.part_builders import find_member
from tests.stores.world import World


def item_at(wire: Wire, key: Any) -> Any:
    """Return the item of that key, None if there is none."""
    return wire.client("get_item", TableName=wire.table, Key=key, ConsistentRead=True).get("Item")


def tip_of(wire: Wire, world: World) -> Any:
    return item_at(wire, keys.tip_key(world.board_id))


def head_of(wire: Wire, world: World) -> Any:
    return item_at(wire, keys.head_key(world.board_id))


@pytest.fixture
def old_board(wire: Wire, world: World) -> World:
    """Return a world whose board is as version 1.2 wrote it, with a card."""
    world.add_card("Card")
    remove_tip(wire.client, wire.table, world.board_id)
    return world


# Reads


def test_a_new_board_has_a_tip_that_belongs_to_its_head(wire: Wire, world: World) -> None:
    head, tip = head_of(wire, world), tip_of(wire, world)

    assert tip["head_seq"] == head["head_seq"] == tip["seq"] == {"N": "1"}
    assert not head.keys() & {"seq", "last", "held_until", "rests_until"}


def test_a_write_of_cards_leaves_the_head_as_it_is(wire: Wire, world: World) -> None:
    before = head_of(wire, world)

    card = world.add_card("Card")
    world.move_card(card, world.find_list("Done").id)

    assert head_of(wire, world) == before
    assert world.read_board().board.seq == 3
    assert [list_.card_count for list_ in world.read_board().lists] == [0, 0, 1]


def repeat_item(old: Any) -> faults.Fault:
    """Return a fault that answers a batch with an older version of one item in it."""

    def answer(request: Any, send: faults.Send) -> Any:
        body = json.loads(send(request).body)
        (table,) = body["Responses"]
        items = [old if item["sk"] == old["sk"] else item for item in body["Responses"][table]]
        return faults.make_response(200, {**body, "Responses": {table: items}})

    return answer


@pytest.mark.parametrize("read_old", [head_of, tip_of])
def test_a_head_that_is_written_between_the_reads_of_the_two_is_read_again_together_with_the_tip(
    wire: Wire, world: World, read_old: Callable[[Wire, World], Any]
) -> None:
    old = read_old(wire, world)
    world.apply(lists.update, world.find_list("Done").id, patch={"name": "Finished"})
    world.add_card("Card")
    wire.faults["BatchGetItem"] = iter([repeat_item(old)])
    wire.operations.clear()

    view = world.read_board()

    assert wire.operations == ["BatchGetItem", "TransactGetItems"]
    assert (view.board.seq, [list_.name for list_ in view.lists]) == (3, ["To do", "Doing", "Finished"])


@pytest.mark.parametrize(("read_old", "seq"), [(head_of, 1), (tip_of, 2)])
def test_a_board_in_a_list_of_boards_is_never_shown_with_the_seq_of_another_head(
    wire: Wire, world: World, read_old: Callable[[Wire, World], Any], seq: int
) -> None:
    old = read_old(wire, world)
    world.store.commit(boards.update(world.read_board(), {"name": "New"}, world.context())[1] or Change())
    world.add_card("Card")
    wire.faults["BatchGetItem"] = iter([repeat_item(old)])

    ((board, _),) = world.store.page_boards(world.ann.id, 10).items

    assert (board.name, board.seq) == (("Website", 1) if seq == 1 else ("New", 2))


def test_many_boards_are_shown_with_their_seqs(wire: Wire, world: World) -> None:
    for number in range(60):
        world.add_board(f"Board {number}")
    world.add_card("Card")
    wire.operations.clear()

    page = world.store.page_boards(world.ann.id, 100)

    assert wire.operations == ["Query", "BatchGetItem", "BatchGetItem"]
    assert {board.id: board.seq for board, _ in page.items}[world.board_id] == 2
    assert len(page.items) == 61


# Questions for news


def poll(world: World, user_id: str | None = None) -> Any:
    """Ask for all events."""
    return world.store.page_events(world.board_id, user_id or world.ann.id, EventQuery(), 100)


def test_a_question_for_news_reads_the_head_again_only_when_it_was_written(wire: Wire, world: World) -> None:
    other = wire.another_process(world)
    world.read_board()
    wire.operations.clear()
    other.add_card("Card")

    view, page = poll(world)

    assert wire.operations == ["Query"]
    assert (view.board.seq, len(page.items), view.lists[0].card_count) == (2, 2, 1)

    other.apply(lists.update, other.find_list("Done").id, patch={"name": "Finished"})
    wire.operations.clear()

    assert poll(world)[0].lists[-1].name == "Finished"
    assert wire.operations == ["Query", "BatchGetItem"]
    wire.operations.clear()
    poll(world)
    assert wire.operations == ["Query"]


@pytest.mark.parametrize("has_tip", [True, False])
def test_who_is_no_longer_a_member_sees_nothing_from_that_moment_on(wire: Wire, world: World, has_tip: bool) -> None:
    eve = world.add_user("Eve")
    world.add_member(eve, Role.EDITOR)
    if not has_tip:
        remove_tip(wire.client, wire.table, world.board_id)
    other = wire.another_process(world)
    assert poll(world, eve.id)

    other.write(deletes=(find_member(other, eve.id),))

    assert poll(world, eve.id) is None
    wire.operations.clear()
    assert poll(world, eve.id) is None
    assert wire.operations == ["GetItem"]


def test_a_deleted_board_has_no_events_from_that_moment_on(wire: Wire, world: World) -> None:
    other = wire.another_process(world)
    assert poll(world)

    other.store.commit(boards.delete(other.read_board(), other.context()))

    assert poll(world) is None


def test_the_events_of_a_board_without_a_tip_come_with_its_head_in_one_call(wire: Wire, old_board: World) -> None:
    old_board.read_board()
    wire.operations.clear()

    view, page = poll(old_board)

    assert wire.operations == ["Query"]
    assert (view.board.seq, len(page.items)) == (2, 2)


def test_a_question_for_news_sees_that_a_board_was_taken_over(wire: Wire, old_board: World) -> None:
    other = wire.another_process(old_board)
    old_board.read_board()
    other.add_card("Another")

    view, page = poll(old_board)

    assert (view.board.seq, len(page.items), view.lists[0].card_count) == (3, 3, 2)


# Boards without a tip


def test_the_first_write_takes_a_board_over_in_one_transaction(wire: Wire, old_board: World) -> None:
    assert tip_of(wire, old_board) is None
    before = old_board.read_board()
    _, change = cards.create(before, old_board.context(), NewCard("Another"))
    wire.operations.clear()

    old_board.store.commit(change)

    assert wire.operations == ["TransactWriteItems"]
    head, tip = head_of(wire, old_board), tip_of(wire, old_board)
    assert tip["seq"] == tip["head_seq"] == head["head_seq"] == {"N": "3"}
    assert not head.keys() & {"seq", "last", "held_until", "rests_until"}
    after = old_board.read_board()
    assert (after.board, after.members, after.labels) == (
        replace(before.board, seq=3),
        before.members,
        before.labels,
    )
    assert [list_.card_count for list_ in after.lists] == [2, 0, 0]
    assert [event.seq for event in old_board.list_events()] == [1, 2, 3]


def write_as_1_2(wire: Wire, world: World, seq: int, name: str) -> None:
    """Write a board and its event on the conditions that version 1.2 has, after a read of that seq."""
    update = {
        "TableName": wire.table,
        "Key": keys.head_key(world.board_id),
        "UpdateExpression": "SET #seq = :v0, #name = :v1",
        "ConditionExpression": "#seq = :before AND (attribute_not_exists(#held_until) OR #held_until <= :now OR "
        "#held_until > :latest) AND attribute_not_exists(#deleted_at) AND #members.#n0.#role IN (:editor, :owner)",
        "ExpressionAttributeNames": {"#n0": world.ann.id}
        | {f"#{name}": name for name in ("seq", "name", "held_until", "deleted_at", "members", "role")},
        "ExpressionAttributeValues": {
            ":v0": {"N": str(seq + 1)},
            ":v1": {"S": name},
            ":before": {"N": str(seq)},
            ":now": {"N": "1"},
            ":latest": {"N": "2001"},
            ":editor": {"S": "editor"},
            ":owner": {"S": "owner"},
        },
    }
    event = keys.event_key(world.board_id, seq + 1) | {
        "type": {"S": "test.written"},
        "at": {"S": "2026-11-20T12:00:00Z"},
        "actor_id": {"S": world.ann.id},
        "data": {"S": "{}"},
    }
    put = {"TableName": wire.table, "Item": event, "ConditionExpression": "attribute_not_exists(pk)"}
    wire.client("transact_write_items", TransactItems=[{"Update": update}, {"Put": put}])


def test_a_process_of_version_1_2_cannot_write_to_a_board_that_was_taken_over(wire: Wire, old_board: World) -> None:
    old_board.add_card("Another")
    items = wire.read_items()

    for seq in range(5):
        with pytest.raises(ConditionFailed):
            write_as_1_2(wire, old_board, seq, "Lost")

    assert wire.read_items() == items


def test_a_board_is_not_taken_over_past_a_write_of_version_1_2(wire: Wire, old_board: World) -> None:
    _, change = cards.create(old_board.read_board(), old_board.context(), NewCard("Another"))

    write_as_1_2(wire, old_board, 2, "Written by 1.2")

    with pytest.raises(StaleRead):
        old_board.store.commit(change)
    assert tip_of(wire, old_board) is None
    old_board.add_card("Another")
    view = old_board.read_board()
    assert (view.board.name, view.board.seq) == ("Written by 1.2", 4)
    assert [event.seq for event in old_board.list_events()] == [1, 2, 3, 4]


def test_one_of_two_processes_takes_a_board_over(wire: Wire, old_board: World) -> None:
    other = wire.another_process(old_board)
    changes = [
        cards.create(process.read_board(), process.context(), NewCard("New"))[1] for process in (old_board, other)
    ]

    old_board.store.commit(changes[0])

    with pytest.raises(StaleRead):
        other.store.commit(changes[1])
    assert len(old_board.list_events()) == 3


def test_a_board_that_is_taken_over_while_a_reader_asks_for_a_hold_is_read_under_one(
    wire: Wire, old_board: World
) -> None:
    other, outside = wire.another_process(old_board), Wire(wire.address, wire.table)
    old_board.read_board()

    def disturb() -> None:
        other.add_card("Another")
        remove_tip(outside.client, wire.table, old_board.board_id)

    wire.faults["BatchGetItem"] = iter([faults.run_first(disturb)] * MAX_FREE_ATTEMPTS)
    wire.faults["UpdateItem"] = iter([faults.run_first(lambda: other.add_card("Taken over"))])
    wire.operations.clear()

    result = old_board.store.page_cards(old_board.board_id, old_board.ann.id, CardQuery(), 10)

    assert result is not None
    assert len(result[1].items) == result[0].lists[0].card_count == 2 + MAX_FREE_ATTEMPTS
    assert wire.operations[2 * MAX_FREE_ATTEMPTS :] == [
        "UpdateItem",
        "BatchGetItem",
        "UpdateItem",
        "Query",
        "BatchGetItem",
    ]
    assert "held_until" in tip_of(wire, old_board)
    outside.close()


@pytest.mark.parametrize("has_tip", [True, False])
def test_a_purge_leaves_neither_head_nor_tip(wire: Wire, world: World, has_tip: bool) -> None:
    world.add_card("Card")
    world.store.commit(boards.delete(world.read_board(), world.context()))
    if not has_tip:
        remove_tip(wire.client, wire.table, world.board_id)
    world.advance(days=40)

    while world.store.purge(world.now, 100):
        pass

    assert not [item for item in wire.read_items() if item["pk"]["S"] == f"B#{world.board_id}"]


def test_a_board_that_is_being_purged_takes_no_write_that_was_decided_before(wire: Wire, world: World) -> None:
    world.store.commit(boards.delete(world.read_board(), world.context()))
    view = world.store.read_deleted(world.board_id, world.ann.id)
    assert view is not None
    _, change = archive.restore_board(view, world.context())
    assert change is not None
    world.advance(days=40)
    assert world.store.purge(world.now, 1)

    with pytest.raises(StaleRead):
        world.store.commit(change)

    assert (head_of(wire, world), tip_of(wire, world)) == (None, None)
