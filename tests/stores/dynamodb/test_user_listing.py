"""The list of all users: those from before version 1.3 come into it by purges."""

from datetime import timedelta

from kanban.store import Store
from tests.engines.dynamodb_wire import Wire
from tests.stores.world import World


def forget_listing(wire: Wire, user_ids: list[str]) -> None:
    """Make the table one of a release that had no list of users."""
    for user_id in user_ids:
        wire.client("delete_item", TableName=wire.table, Key={"pk": {"S": "U"}, "sk": {"S": user_id}})
    wire.client(
        "update_item",
        TableName=wire.table,
        Key={"pk": {"S": "S"}, "sk": {"S": "owner"}},
        UpdateExpression="REMOVE users_listed",
    )


def list_ids(store: Store) -> list[str]:
    return [user.id for user in store.page_users(100).items]


def count_purge_steps(world: World, limit: int) -> int:
    steps = 0
    while world.store.purge(world.now - timedelta(days=31), limit):
        steps += 1
    return steps


def test_users_of_earlier_releases_are_listed_by_purges(wire: Wire) -> None:
    world = World(wire.store)
    ids = sorted([world.ann.id, *(world.add_user(f"User {number}", id=f"user-{number}").id for number in range(5))])
    forget_listing(wire, ids)
    assert list_ids(wire.store) == []
    world.add_user("Zoe", id="zoe")

    steps = count_purge_steps(world, 4)

    assert steps > 3
    assert list_ids(wire.store) == sorted([*ids, "zoe"])
    assert wire.store.read_installation_owner_ids() == (world.ann.id,)


def test_a_table_is_looked_through_once(wire: Wire) -> None:
    world = World(wire.store)
    forget_listing(wire, [world.ann.id])
    count_purge_steps(world, 1000)
    wire.operations.clear()

    assert count_purge_steps(world, 1000) == 0
    assert "scan" not in wire.operations


def test_a_new_table_is_never_looked_through(wire: Wire) -> None:
    world = World(wire.store)
    wire.operations.clear()

    assert count_purge_steps(world, 1000) == 0
    assert "scan" not in wire.operations
