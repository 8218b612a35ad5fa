"""Every kind of write with every fault: it is carried out once or not at all."""

import pytest

from kanban.store import AlreadyExists, Busy, StaleRead
from tests.engines.dynamodb_wire import Connect, Wire, connect_http_client, connect_sdk_client
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

SDK_WRITES = ("create card", "move card to another board", "create board", "rename user")
"""One write of each shape: the SDK's client differs in how it reports a fault, not in what is written."""

CASES = [
    *(pytest.param(connect_http_client, write, fault, id=f"{write}-{fault}") for write in WRITES for fault in FAULTS),
    *(
        pytest.param(connect_sdk_client, write, fault, id=f"SDK-{write}-{fault}")
        for write in SDK_WRITES
        for fault in FAULTS
    ),
]


@pytest.fixture
def connect_wire(request: pytest.FixtureRequest) -> Connect:
    """Return what connects the wire of this case."""
    connect: Connect = request.param
    return connect


@pytest.mark.parametrize(("connect_wire", "write", "fault"), CASES, indirect=["connect_wire"])
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
