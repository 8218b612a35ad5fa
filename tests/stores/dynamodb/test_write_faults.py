"""Every kind of write with every fault: it is carried out once or not at all."""

import pytest

from kanban.store import AlreadyExists, Busy, StaleRead
from tests.engines.dynamodb_wire import Connect, Wire, connect_each_wire
from tests.stores.dynamodb.write_scenarios import (
    FAULTS,
    FOR_EVER,
    STALE,
    WRITE,
    WRITES,
    make_stored_response,
    prepare,
    read_state,
)
from tests.stores.world import World

__all__ = ["connect_each_wire"]


@pytest.fixture
def connect_wire(connect_each_wire: Connect) -> Connect:
    """Return what connects a wire, once for each client."""
    return connect_each_wire


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("write", WRITES)
def test_a_write_is_done_once_or_not_at_all(wire: Wire, world: World, write: str, fault: str) -> None:
    prepare(world)
    change = WRITES[write](world)
    before = read_state(world)
    response = make_stored_response(world)
    wire.faults[WRITE] = iter(FAULTS[fault])

    acknowledged = True
    try:
        world.store.commit(change, response)
    except Busy:
        acknowledged = False
    except StaleRead:
        acknowledged = False
        assert fault in STALE

    wire.faults.clear()
    after = read_state(world)
    assert acknowledged == (fault not in FOR_EVER | STALE)
    assert (after != before) == (acknowledged or fault == "response lost for ever")
    if after == before:
        world.store.commit(change, response)
        after = read_state(world)
    with pytest.raises(AlreadyExists) as error:
        world.store.commit(change, response)
    assert error.value.constraint == "idempotency_key"
    assert after == read_state(world)
    assert after["stored response"] == response
    if after["view"]:
        assert after["view"].board.seq == len(after["events"])
