"""A card that moves to another board: its parts come along, however many, and nothing is left or lost."""

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kanban.changes import Change, build_change
from kanban.store import AlreadyExists, Busy, CardQuery, StaleRead, Store, StoredResponse
from kanban.values import Card, Comment, Part
from kanban.views import BoardView
from tests.engines import dynamodb_wire as wire
from tests.engines.dynamodb_wire import Wire
from tests.stores.part_builders import make_checklist, make_item
from tests.stores.world import World, collect_pages

FEW, MANY = 5, 250


@pytest.fixture
def store(line: Wire) -> Store:
    """The store behind the wire."""
    return line.store


def commented(world: World, count: int) -> Card:
    """A card of Ann's with so many comments, and a time entry."""
    card = world.add_card("Traveller", "Doing", external_id="x-1")
    (place,) = world.read_board().members
    for start in range(0, count, 50):
        comments = [
            Comment(
                world.context().new_id("comment"), card.board_id, card.id, world.ann.id, "Hm.", 1, world.now, world.now
            )
            for _ in range(start, min(start + 50, count))
        ]
        world.write(creates=tuple(comments))
    card = replace(world.read_card(card), comment_count=count, assignee_ids=(place.id,))
    world.write(updates=(card,))
    return card


def viewed(world: World, board_id: str, *card_ids: str) -> BoardView:
    view = world.store.read_board(board_id, world.ann.id, card_ids=card_ids)
    assert view is not None
    return view


def moved(world: World, card: Card, target_id: str) -> Change:
    """The card goes to the first list of another board of Ann's."""
    home, target = viewed(world, card.board_id, card.id), viewed(world, target_id)
    (place,) = target.members
    arrived = replace(home.get_card(card.id), board_id=target_id, list_id=target.lists[0].id, assignee_ids=(place.id,))
    if arrived.running:
        arrived = replace(arrived, running=replace(arrived.running, board_id=target_id))
    left = build_change(home, world.context(), "card.left", card_id=card.id)
    return replace(
        build_change(target, world.context(), "card.arrived", updates=(arrived,), card_id=card.id), departure=left
    )


def comments_of(world: World, card: Card) -> list[Comment]:
    def page(after: Any) -> Any:
        found = world.store.page_comments(card.board_id, world.ann.id, card.id, 100, after)
        return found and found[1]

    return collect_pages(page, 100)


def remembered(world: World) -> StoredResponse:
    return StoredResponse("key", world.ann.id, "op", "f", 201, (), b"{}", world.now, world.now + timedelta(hours=24))


def strays(line: Wire, board_id: str, card: Card) -> set[str]:
    """What a board's partition holds of a card."""
    found = line.client("query", TableName=line.table, **at(f"B#{board_id}"))["Items"]
    return {each["sk"]["S"] for each in found if card.id in each["sk"]["S"]}


def at(pk: str) -> dict[str, Any]:
    return {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": pk}}}


@pytest.mark.parametrize("count", [FEW, MANY])
def test_a_card_moves_with_all_its_parts(line: Wire, world: World, count: int) -> None:
    card = commented(world, count)
    target_id = world.add_board("Elsewhere")
    change = moved(world, card, target_id)
    line.operations.clear()

    world.store.commit(change, remembered(world))

    read, written = ["TransactGetItems", "Query", "Query"], ["TransactWriteItems"]
    # Many are sent ahead, under a tombstone and a nonce. The last write cannot guard them all where they were: it
    # guards the head, and each of them is read once more by its key.
    ahead = ["PutItem", "PutItem", *["TransactWriteItems"] * 3, *["TransactGetItems"] * 3]
    assert line.operations == [*read, *([] if count == FEW else ahead), *written]
    there = viewed(world, target_id, card.id).get_card(card.id)
    assert there == change.updates[1]
    comments = comments_of(world, there)
    assert len(comments) == count
    assert {each.board_id for each in comments} == {target_id}
    entries = world.store.page_time_entries(target_id, world.ann.id, card.id, 10)
    assert entries is not None
    assert entries[1].items == (there.running,)
    assert card.id not in viewed(world, card.board_id, card.id).cards
    assert [found.id for _, found in world.store.page_assigned_cards(world.ann.id, CardQuery(), 10).items] == [card.id]
    assert world.store.read_stored_response(world.ann.id, "op", "key", world.now) is not None


@pytest.mark.parametrize("count", [FEW, MANY])
def test_items_of_checklists_stay_their_members_however_many_parts_there_are(world: World, count: int) -> None:
    card = commented(world, count)
    (place,) = world.read_board().members
    steps = make_checklist(
        world, card, "a0", make_item(world, "Schritt 1", assignee_id=place.id), make_item(world, "2")
    )
    card = replace(card, item_count=2)
    world.write(creates=(steps,), updates=(card,))
    target_id = world.add_board("Elsewhere")
    (there,) = viewed(world, target_id).members

    world.store.commit(replace(moved(world, card, target_id), membership_ids={place.id: there.id}))

    found = world.store.read_checklists(target_id, world.ann.id, card.id)
    assert found is not None
    items = (replace(steps.items[0], assignee_id=there.id), steps.items[1])
    assert found[1] == (replace(steps, board_id=target_id, items=items),)


@pytest.mark.parametrize("count", [FEW, MANY])
def test_where_a_card_was_nothing_is_left_after_a_purge(line: Wire, world: World, count: int) -> None:
    card = commented(world, count)
    target_id = world.add_board("Elsewhere")
    world.store.commit(moved(world, card, target_id))
    world.advance(days=31)

    while world.store.purge(world.now, 60):
        pass

    assert strays(line, card.board_id, card) == set()
    assert len(comments_of(world, replace(card, board_id=target_id))) == count
    assert not [each for each in line.read_items() if each["pk"]["S"] == "D"]


@pytest.mark.parametrize("count", [FEW, MANY])
def test_a_card_that_comes_back_has_what_it_left_with_and_no_more(line: Wire, world: World, count: int) -> None:
    card = commented(world, count)
    target_id = world.add_board("Elsewhere")
    world.store.commit(moved(world, card, target_id))
    there = replace(card, board_id=target_id)
    gone, *_ = comments_of(world, there)
    view = viewed(world, target_id, card.id)
    fewer = replace(view.get_card(card.id), comment_count=count - 1)
    world.store.commit(build_change(view, world.context(), "comment.deleted", updates=(fewer,), deletes=(gone,)))

    world.store.commit(moved(world, there, card.board_id))

    assert gone.id not in {each.id for each in comments_of(world, card)}
    assert len(comments_of(world, card)) == count - 1
    world.advance(days=31)
    while world.store.purge(world.now, 60):
        pass
    assert len(comments_of(world, card)) == count - 1
    assert strays(line, target_id, card) == set()


@pytest.mark.parametrize("board", ["home", "target"])
@pytest.mark.parametrize("count", [FEW, MANY])
def test_of_two_decisions_from_one_view_of_either_board_the_second_is_stale(
    line: Wire, world: World, count: int, board: str
) -> None:
    card = commented(world, count)
    target_id = world.add_board("Elsewhere")
    change = moved(world, card, target_id)
    view = viewed(world, {"home": card.board_id, "target": target_id}[board])
    world.store.commit(build_change(view, world.context(), "test.written"))

    with pytest.raises(StaleRead):
        world.store.commit(change)

    assert viewed(world, card.board_id, card.id).get_card(card.id) == card
    assert len(comments_of(world, card)) == count
    assert card.id not in viewed(world, target_id, card.id).cards
    world.advance(days=31)
    while world.store.purge(world.now, 60):
        pass
    assert strays(line, target_id, card) == set()
    assert len(comments_of(world, card)) == count


@pytest.mark.parametrize("count", [FEW, MANY])
def test_a_known_key_is_told_when_the_card_has_long_moved(world: World, count: int) -> None:
    card = commented(world, count)
    change = moved(world, card, world.add_board("Elsewhere"))
    world.store.commit(change, remembered(world))

    with pytest.raises(AlreadyExists) as error:
        world.store.commit(change, remembered(world))

    assert error.value.constraint == "idempotency_key"


@pytest.mark.parametrize("fault", [wire.lose_response, wire.truncate_response, wire.apply_then_fail])
@pytest.mark.parametrize("count", [FEW, MANY])
def test_a_card_whose_acknowledgements_are_lost_moves_once(
    line: Wire, world: World, count: int, fault: wire.Fault
) -> None:
    card = commented(world, count)
    target_id = world.add_board("Elsewhere")
    change = moved(world, card, target_id)
    line.faults["TransactWriteItems"] = itertools.cycle([fault, wire.forget_request_token])
    line.faults["PutItem"] = iter([fault])

    world.store.commit(change)

    line.faults.clear()
    assert len(comments_of(world, replace(card, board_id=target_id))) == count
    assert card.id not in viewed(world, card.board_id, card.id).cards


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_card_whose_parts_were_sent_ahead_in_vain_stays_where_it_is(line: Wire, world: World, after: int) -> None:
    card = commented(world, MANY)
    target_id = world.add_board("Elsewhere")
    change = moved(world, card, target_id)
    line.faults["TransactWriteItems"] = itertools.chain(
        itertools.repeat(wire.pass_through, after), itertools.repeat(wire.drop_connection)
    )

    with pytest.raises(Busy):
        world.store.commit(change)

    line.faults.clear()
    assert viewed(world, card.board_id, card.id).get_card(card.id) == card
    world.advance(days=31)
    while world.store.purge(world.now, 60):
        pass
    assert strays(line, target_id, card) == set()
    assert len(comments_of(world, card)) == MANY


def test_a_purge_that_comes_between_makes_the_mover_decide_again(line: Wire, world: World) -> None:
    card = commented(world, MANY)
    target_id = world.add_board("Elsewhere")
    change = moved(world, card, target_id)
    beside = line.another_process(world)

    def overtaken(request: Any, send: wire.Send) -> Any:
        beside.store.purge(world.now + timedelta(days=31), 60)
        return send(request)

    line.faults["TransactWriteItems"] = iter([wire.pass_through, overtaken])

    with pytest.raises(StaleRead):
        world.store.commit(change)
    world.store.commit(moved(world, card, target_id))

    assert len(comments_of(world, replace(card, board_id=target_id))) == MANY


CROWD, REST = 100, 40
"""More comments than fit into one transaction, and fewer."""


def thinned(world: World, card: Card) -> None:
    """All comments of the card but REST are deleted."""
    gone = comments_of(world, card)[REST:]
    view = viewed(world, card.board_id, card.id)
    fewer = replace(view.get_card(card.id), comment_count=REST)
    world.store.commit(build_change(view, world.context(), "comment.deleted", updates=(fewer,), deletes=tuple(gone)))


@pytest.mark.parametrize("overtaken_at", [("PutItem", 0), ("PutItem", 1), ("TransactWriteItems", 0)])
def test_who_sends_parts_of_a_card_that_has_arrived_changes_nothing_there(
    line: Wire, world: World, overtaken_at: tuple[str, int]
) -> None:
    card = commented(world, CROWD)
    target_id = world.add_board("Elsewhere")
    there = replace(card, board_id=target_id)
    change = moved(world, card, target_id)
    beside = line.another_process(world)

    def overtaken(request: Any, send: wire.Send) -> Any:
        thinned(beside, card)
        beside.store.commit(moved(beside, card, target_id))
        edited = replace(comments_of(beside, there)[0], text="Edited.", version=2)
        beside.store.commit(
            build_change(viewed(beside, target_id), beside.context(), "comment.updated", updates=(edited,))
        )
        return send(request)

    operation, after = overtaken_at
    line.faults[operation] = itertools.chain(itertools.repeat(wire.pass_through, after), [overtaken])

    with pytest.raises(StaleRead):
        world.store.commit(change)

    assert [each.text for each in comments_of(world, there)] == ["Edited.", *["Hm."] * (REST - 1)]
    assert viewed(world, target_id, card.id).get_card(card.id).comment_count == REST


def test_parts_that_somebody_else_sends_at_the_last_moment_do_not_come_along(line: Wire, world: World) -> None:
    card = commented(world, CROWD)
    target_id = world.add_board("Elsewhere")
    change = moved(world, card, target_id)
    beside = Wire(line.address, line.table)

    def overtaken(request: Any, send: wire.Send) -> Any:
        thinned(world, card)
        decided = moved(world, card, target_id)
        late: list[Any] = []

        def just_before(last: Any, send_last: wire.Send) -> Any:
            late.append(send(request))
            return send_last(last)

        beside.faults["TransactWriteItems"] = iter([just_before])
        beside.store.commit(decided)
        return late[0]

    line.faults["TransactWriteItems"] = iter([overtaken])

    with pytest.raises(StaleRead):
        world.store.commit(change)

    beside.close()
    assert len(comments_of(world, replace(card, board_id=target_id))) == REST


@pytest.mark.parametrize("fault", [wire.pass_through, wire.lose_response])
@pytest.mark.parametrize("count", [REST, CROWD])
def test_a_card_arrives_where_somebody_else_was_sending_parts(
    line: Wire, world: World, count: int, fault: wire.Fault
) -> None:
    card = commented(world, CROWD)
    target_id = world.add_board("Elsewhere")
    change = moved(world, card, target_id)
    line.faults["TransactWriteItems"] = itertools.chain([wire.pass_through], itertools.repeat(wire.drop_connection))
    with pytest.raises(Busy):
        world.store.commit(change)
    line.faults.clear()
    if count == REST:
        thinned(world, card)
    line.faults["PutItem"] = iter([wire.pass_through, fault])

    world.store.commit(moved(world, card, target_id))

    assert len(comments_of(world, replace(card, board_id=target_id))) == count
    assert f"N#{card.id}" not in strays(line, target_id, card)
    world.advance(days=31)
    while world.store.purge(world.now, 60):
        pass
    assert strays(line, card.board_id, card) == set()
    assert len(comments_of(world, replace(card, board_id=target_id))) == count
    assert not [each for each in line.read_items() if each["pk"]["S"] == "D"]


def test_parts_that_the_change_itself_writes_are_not_overwritten_by_copies(world: World) -> None:
    card = commented(world, FEW)
    target_id = world.add_board("Elsewhere")
    change = moved(world, card, target_id)
    entry = card.running
    assert entry is not None
    closed: Part = replace(entry, board_id=target_id, ended_at=world.now, note="Until here.", version=2)
    arrived = change.updates[1]
    assert isinstance(arrived, Card)

    world.store.commit(replace(change, updates=(change.updates[0], replace(arrived, running=None), closed)))

    entries = world.store.page_time_entries(target_id, world.ann.id, card.id, 10)
    assert entries is not None
    assert entries[1].items == (closed,)
