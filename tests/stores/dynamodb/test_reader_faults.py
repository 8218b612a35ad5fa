"""A lease and a cursor are right whatever gets lost on the wire."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from kanban.feed_readers import LeaseLost
from kanban.store import Busy
from kanban.values import FeedReader
from tests.engines import dynamodb_wire as faults
from tests.engines.dynamodb_wire import Fault, Wire
from tests.stores.test_feed_readers import add_reader, lease, read_reader
from tests.stores.world import World

FAULTS: dict[str, Callable[[], list[Fault]]] = {
    "request lost": lambda: [faults.drop_connection],
    "response lost": lambda: [faults.lose_response],
    "throttled": lambda: [faults.error_response("ThrottlingException")],
    "fails but is carried out": lambda: [faults.apply_then_fail],
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_lease_is_gained_in_spite_of_a_fault(wire: Wire, world: World, fault: str) -> None:
    reader = add_reader(world)
    wire.faults["UpdateItem"] = iter(FAULTS[fault]())

    assert lease(world, reader) == read_reader(world)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_lease_is_released_in_spite_of_a_fault(wire: Wire, world: World, fault: str) -> None:
    leased = lease(world, add_reader(world))
    released = replace(leased, after_seq=1, batch_to=None, lease_owner=None, lease_until=None)
    wire.faults["UpdateItem"] = iter(FAULTS[fault]())

    world.store.feed_readers.update_reader(released, "me")

    assert read_reader(world) == released


def test_a_lease_that_another_has_got_meanwhile_is_lost(wire: Wire, world: World) -> None:
    leased = lease(world, add_reader(world))
    other = wire.another_process(world).store.feed_readers

    def steal() -> None:
        other.reset_reader(leased.board_id, leased.name, due_at=world.now)

    wire.faults["UpdateItem"] = iter([faults.run_first(steal, faults.drop_connection)])
    with pytest.raises(LeaseLost):
        world.store.feed_readers.update_reader(replace(leased, after_seq=1), "me")
    assert read_reader(world).after_seq == 0


def test_events_after_a_gap_are_not_read_yet(wire: Wire, world: World) -> None:
    for title in ("One", "Two", "Three"):
        world.add_card(title)
    missing = wire.read_item("E#00000000000000000003")
    key = {"pk": missing["pk"], "sk": missing["sk"]}
    store = world.store
    store._client("delete_item", TableName=store._table, Key=key)  # type: ignore[attr-defined]  # noqa: SLF001

    assert [event.seq for event in store.feed_readers.read_feed(world.board_id, 0, 100)] == [1, 2]
    assert list(store.feed_readers.read_feed(world.board_id, 2, 100)) == []


def test_a_reader_can_not_be_leased_while_dynamodb_is_away(wire: Wire, world: World) -> None:
    reader: FeedReader = add_reader(world)
    wire.faults["UpdateItem"] = iter([faults.drop_connection] * 9)

    with pytest.raises(Busy):
        world.store.feed_readers.lease_reader(reader, "me", 1, world.now)
