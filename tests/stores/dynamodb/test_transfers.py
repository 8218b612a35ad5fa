"""A card that moves to another board: its parts come along, however many, and nothing is left or lost."""

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kanban.changes import Change, build_change
from kanban.store import AlreadyExists, Busy, CardQuery, StaleRead, StoredResponse
from kanban.values import Card, Comment, Part
from kanban.views import BoardView
from tests.engines import dynamodb_wire as faults
from tests.engines.dynamodb_wire import Wire
from tests.stores.part_builders import make_checklist, make_item
from tests.stores.world import World, collect_pages

FEW, MANY = 5, 250


def add_commented_card(world: World, count: int) -> Card:
    """Add a card with so many comments and a running time entry, assigned to Ann; return it."""
    card = world.add_card("Traveller", "Doing", external_id="x-1")
    (member,) = world.read_board().members
    for start in range(0, count, 50):
        comments = [
            Comment(
                world.context().new_id("comment"), card.board_id, card.id, world.ann.id, "Hm.", 1, world.now, world.now
            )
            for _ in range(start, min(start + 50, count))
        ]
        world.write(creates=tuple(comments))
    card = replace(world.read_card(card), comment_count=count, assignee_ids=(member.id,))
    world.write(updates=(card,))
    return card


def read_board(world: World, board_id: str, *card_ids: str) -> BoardView:
    view = world.store.read_board(board_id, world.ann.id, card_ids=card_ids)
    assert view is not None
    return view


def transfer(world: World, card: Card, target_id: str) -> Change:
    """Return a change that moves the card to the first list of another board."""
    source, target = read_board(world, card.board_id, card.id), read_board(world, target_id)
    (member,) = target.members
    card_there = replace(
        source.get_card(card.id), board_id=target_id, list_id=target.lists[0].id, assignee_ids=(member.id,)
    )
    if card_there.running:
        card_there = replace(card_there, running=replace(card_there.running, board_id=target_id))
    departure = build_change(source, world.context(), "card.left", card_id=card.id)
    return replace(
        build_change(target, world.context(), "card.arrived", updates=(card_there,), card_id=card.id),
        departure=departure,
    )


def read_comments(world: World, card: Card) -> list[Comment]:
    def page(after: Any) -> Any:
        result = world.store.page_comments(card.board_id, world.ann.id, card.id, 100, after)
        return result and result[1]

    return collect_pages(page, 100)


def make_stored_response(world: World) -> StoredResponse:
    return StoredResponse("key", world.ann.id, "op", "f", 201, (), b"{}", world.now, world.now + timedelta(hours=24))


def read_sort_keys(wire: Wire, board_id: str, card: Card) -> set[str]:
    """Return the sort keys of all items of a card in a board's partition."""
    items = wire.client("query", TableName=wire.table, **partition_query(f"B#{board_id}"))["Items"]
    return {item["sk"]["S"] for item in items if card.id in item["sk"]["S"]}


def partition_query(pk: str) -> dict[str, Any]:
    return {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": pk}}}


@pytest.mark.parametrize("count", [FEW, MANY])
def test_a_card_moves_with_all_its_parts(wire: Wire, world: World, count: int) -> None:
    card = add_commented_card(world, count)
    target_id = world.add_board("Elsewhere")
    change = transfer(world, card, target_id)
    wire.operations.clear()

    world.store.commit(change, make_stored_response(world))

    read, written = ["TransactGetItems", "Query", "Query"], ["TransactWriteItems"]
    # Many are written ahead, under a tombstone and the transfer lock. The last transaction has no room for a condition
    # on each of them: it has one on the head, and each part is read once more by its key.
    ahead = ["PutItem", "PutItem", *["TransactWriteItems"] * 3, *["TransactGetItems"] * 3]
    assert wire.operations == [*read, *([] if count == FEW else ahead), *written]
    moved = read_board(world, target_id, card.id).get_card(card.id)
    assert moved == change.updates[1]
    comments = read_comments(world, moved)
    assert len(comments) == count
    assert {comment.board_id for comment in comments} == {target_id}
    entries = world.store.page_time_entries(target_id, world.ann.id, card.id, 10)
    assert entries is not None
    assert entries[1].items == (moved.running,)
    assert card.id not in read_board(world, card.board_id, card.id).cards
    assert [assigned.id for _, assigned in world.store.page_assigned_cards(world.ann.id, CardQuery(), 10).items] == [
        card.id
    ]
    assert world.store.read_stored_response(world.ann.id, "op", "key", world.now) is not None


@pytest.mark.parametrize("count", [FEW, MANY])
def test_checklist_items_keep_their_assignees_however_many_parts_there_are(world: World, count: int) -> None:
    card = add_commented_card(world, count)
    (member,) = world.read_board().members
    checklist = make_checklist(
        world, card, "a0", make_item(world, "Schritt 1", assignee_id=member.id), make_item(world, "2")
    )
    card = replace(card, item_count=2)
    world.write(creates=(checklist,), updates=(card,))
    target_id = world.add_board("Elsewhere")
    (target_member,) = read_board(world, target_id).members

    world.store.commit(replace(transfer(world, card, target_id), membership_ids={member.id: target_member.id}))

    result = world.store.read_checklists(target_id, world.ann.id, card.id)
    assert result is not None
    items = (replace(checklist.items[0], assignee_id=target_member.id), checklist.items[1])
    assert result[1] == (replace(checklist, board_id=target_id, items=items),)


@pytest.mark.parametrize("count", [FEW, MANY])
def test_a_purge_leaves_nothing_where_a_card_was(wire: Wire, world: World, count: int) -> None:
    card = add_commented_card(world, count)
    target_id = world.add_board("Elsewhere")
    world.store.commit(transfer(world, card, target_id))
    world.advance(days=31)

    while world.store.purge(world.now, 60):
        pass

    assert read_sort_keys(wire, card.board_id, card) == set()
    assert len(read_comments(world, replace(card, board_id=target_id))) == count
    assert not [item for item in wire.read_items() if item["pk"]["S"] == "D"]


@pytest.mark.parametrize("count", [FEW, MANY])
def test_a_card_that_moves_back_has_only_the_parts_it_left_with(wire: Wire, world: World, count: int) -> None:
    card = add_commented_card(world, count)
    target_id = world.add_board("Elsewhere")
    world.store.commit(transfer(world, card, target_id))
    moved = replace(card, board_id=target_id)
    deleted, *_ = read_comments(world, moved)
    view = read_board(world, target_id, card.id)
    fewer = replace(view.get_card(card.id), comment_count=count - 1)
    world.store.commit(build_change(view, world.context(), "comment.deleted", updates=(fewer,), deletes=(deleted,)))

    world.store.commit(transfer(world, moved, card.board_id))

    assert deleted.id not in {comment.id for comment in read_comments(world, card)}
    assert len(read_comments(world, card)) == count - 1
    world.advance(days=31)
    while world.store.purge(world.now, 60):
        pass
    assert len(read_comments(world, card)) == count - 1
    assert read_sort_keys(wire, target_id, card) == set()


@pytest.mark.parametrize("board", ["home", "target"])
@pytest.mark.parametrize("count", [FEW, MANY])
def test_a_move_is_stale_when_either_board_has_changed(wire: Wire, world: World, count: int, board: str) -> None:
    card = add_commented_card(world, count)
    target_id = world.add_board("Elsewhere")
    change = transfer(world, card, target_id)
    view = read_board(world, {"home": card.board_id, "target": target_id}[board])
    world.store.commit(build_change(view, world.context(), "test.written"))

    with pytest.raises(StaleRead):
        world.store.commit(change)

    assert read_board(world, card.board_id, card.id).get_card(card.id) == card
    assert len(read_comments(world, card)) == count
    assert card.id not in read_board(world, target_id, card.id).cards
    world.advance(days=31)
    while world.store.purge(world.now, 60):
        pass
    assert read_sort_keys(wire, target_id, card) == set()
    assert len(read_comments(world, card)) == count


@pytest.mark.parametrize("count", [FEW, MANY])
def test_a_known_key_is_reported_after_the_card_has_moved(world: World, count: int) -> None:
    card = add_commented_card(world, count)
    change = transfer(world, card, world.add_board("Elsewhere"))
    world.store.commit(change, make_stored_response(world))

    with pytest.raises(AlreadyExists) as error:
        world.store.commit(change, make_stored_response(world))

    assert error.value.constraint == "idempotency_key"


@pytest.mark.parametrize("fault", [faults.lose_response, faults.truncate_response, faults.apply_then_fail])
@pytest.mark.parametrize("count", [FEW, MANY])
def test_a_card_whose_responses_are_lost_moves_once(wire: Wire, world: World, count: int, fault: faults.Fault) -> None:
    card = add_commented_card(world, count)
    target_id = world.add_board("Elsewhere")
    change = transfer(world, card, target_id)
    wire.faults["TransactWriteItems"] = itertools.cycle([fault, faults.forget_request_token])
    wire.faults["PutItem"] = iter([fault])

    world.store.commit(change)

    wire.faults.clear()
    assert len(read_comments(world, replace(card, board_id=target_id))) == count
    assert card.id not in read_board(world, card.board_id, card.id).cards


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_card_stays_where_it_is_when_its_move_is_interrupted(wire: Wire, world: World, after: int) -> None:
    card = add_commented_card(world, MANY)
    target_id = world.add_board("Elsewhere")
    change = transfer(world, card, target_id)
    wire.faults["TransactWriteItems"] = itertools.chain(
        itertools.repeat(faults.pass_through, after), itertools.repeat(faults.drop_connection)
    )

    with pytest.raises(Busy):
        world.store.commit(change)

    wire.faults.clear()
    assert read_board(world, card.board_id, card.id).get_card(card.id) == card
    world.advance(days=31)
    while world.store.purge(world.now, 60):
        pass
    assert read_sort_keys(wire, target_id, card) == set()
    assert len(read_comments(world, card)) == MANY


def test_a_purge_during_a_move_makes_the_move_stale(wire: Wire, world: World) -> None:
    card = add_commented_card(world, MANY)
    target_id = world.add_board("Elsewhere")
    change = transfer(world, card, target_id)
    other = wire.another_process(world)

    def write_meanwhile() -> None:
        other.store.purge(world.now + timedelta(days=31), 60)

    wire.faults["TransactWriteItems"] = iter([faults.pass_through, faults.run_first(write_meanwhile)])

    with pytest.raises(StaleRead):
        world.store.commit(change)
    world.store.commit(transfer(world, card, target_id))

    assert len(read_comments(world, replace(card, board_id=target_id))) == MANY


MANY_COMMENTS, FEW_LEFT = 100, 40
"""More comments than fit into one transaction, and fewer."""


def delete_comments(world: World, card: Card) -> None:
    """Delete all comments of the card but FEW_LEFT."""
    deleted = read_comments(world, card)[FEW_LEFT:]
    view = read_board(world, card.board_id, card.id)
    fewer = replace(view.get_card(card.id), comment_count=FEW_LEFT)
    world.store.commit(build_change(view, world.context(), "comment.deleted", updates=(fewer,), deletes=tuple(deleted)))


@pytest.mark.parametrize("interrupted_at", [("PutItem", 0), ("PutItem", 1), ("TransactWriteItems", 0)])
def test_a_late_move_changes_nothing_where_the_card_has_arrived(
    wire: Wire, world: World, interrupted_at: tuple[str, int]
) -> None:
    card = add_commented_card(world, MANY_COMMENTS)
    target_id = world.add_board("Elsewhere")
    moved = replace(card, board_id=target_id)
    change = transfer(world, card, target_id)
    other = wire.another_process(world)

    def write_meanwhile() -> None:
        delete_comments(other, card)
        other.store.commit(transfer(other, card, target_id))
        edited = replace(read_comments(other, moved)[0], text="Edited.", version=2)
        other.store.commit(
            build_change(read_board(other, target_id), other.context(), "comment.updated", updates=(edited,))
        )

    operation, after = interrupted_at
    wire.faults[operation] = itertools.chain(
        itertools.repeat(faults.pass_through, after), [faults.run_first(write_meanwhile)]
    )

    with pytest.raises(StaleRead):
        world.store.commit(change)

    assert [comment.text for comment in read_comments(world, moved)] == ["Edited.", *["Hm."] * (FEW_LEFT - 1)]
    assert read_board(world, target_id, card.id).get_card(card.id).comment_count == FEW_LEFT


def test_parts_of_another_move_at_the_last_moment_are_not_taken_over(wire: Wire, world: World) -> None:
    card = add_commented_card(world, MANY_COMMENTS)
    target_id = world.add_board("Elsewhere")
    change = transfer(world, card, target_id)
    other = Wire(wire.address, wire.table)

    def finish_another_move(request: Any, send: faults.Send) -> Any:
        delete_comments(world, card)
        other_change = transfer(world, card, target_id)
        late: list[Any] = []

        def send_late(last: Any, send_last: faults.Send) -> Any:
            late.append(send(request))
            return send_last(last)

        other.faults["TransactWriteItems"] = iter([send_late])
        other.store.commit(other_change)
        return late[0]

    wire.faults["TransactWriteItems"] = iter([finish_another_move])

    with pytest.raises(StaleRead):
        world.store.commit(change)

    other.close()
    assert len(read_comments(world, replace(card, board_id=target_id))) == FEW_LEFT


@pytest.mark.parametrize("fault", [faults.pass_through, faults.lose_response])
@pytest.mark.parametrize("count", [FEW_LEFT, MANY_COMMENTS])
def test_a_card_arrives_where_an_earlier_move_was_interrupted(
    wire: Wire, world: World, count: int, fault: faults.Fault
) -> None:
    card = add_commented_card(world, MANY_COMMENTS)
    target_id = world.add_board("Elsewhere")
    change = transfer(world, card, target_id)
    wire.faults["TransactWriteItems"] = itertools.chain([faults.pass_through], itertools.repeat(faults.drop_connection))
    with pytest.raises(Busy):
        world.store.commit(change)
    wire.faults.clear()
    if count == FEW_LEFT:
        delete_comments(world, card)
    wire.faults["PutItem"] = iter([faults.pass_through, fault])

    world.store.commit(transfer(world, card, target_id))

    assert len(read_comments(world, replace(card, board_id=target_id))) == count
    assert f"N#{card.id}" not in read_sort_keys(wire, target_id, card)
    world.advance(days=31)
    while world.store.purge(world.now, 60):
        pass
    assert read_sort_keys(wire, card.board_id, card) == set()
    assert len(read_comments(world, replace(card, board_id=target_id))) == count
    assert not [item for item in wire.read_items() if item["pk"]["S"] == "D"]


def test_copies_do_not_overwrite_parts_that_the_change_writes(world: World) -> None:
    card = add_commented_card(world, FEW)
    target_id = world.add_board("Elsewhere")
    change = transfer(world, card, target_id)
    entry = card.running
    assert entry is not None
    closed: Part = replace(entry, board_id=target_id, ended_at=world.now, note="Until here.", version=2)
    card_there = change.updates[1]
    assert isinstance(card_there, Card)

    world.store.commit(replace(change, updates=(change.updates[0], replace(card_there, running=None), closed)))

    entries = world.store.page_time_entries(target_id, world.ann.id, card.id, 10)
    assert entries is not None
    assert entries[1].items == (closed,)
