"""Users and owners of the installation, on every engine."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from kanban import installation
from kanban.changes import Change
from kanban.store import StaleRead
from kanban.values import InstallationRole, Role, User
from kanban.views import Page, PageKey
from tests.stores.conftest import OpenStore
from tests.stores.world import World, collect_pages

OWNER, MEMBER = InstallationRole.OWNER, InstallationRole.MEMBER


def decide(world: World, user: User, role: InstallationRole) -> Change:
    present = world.store.read_user(user.id)
    assert present
    _, change = installation.set_role(present, role, world.store.read_installation_owner_ids(), world.context())
    assert change
    return change


def test_the_first_user_owns_the_installation_and_can_hand_it_over(world: World) -> None:
    bob = world.add_user("Bob", id="bob")
    assert world.store.read_installation_owner_ids() == (world.ann.id,)

    world.store.commit(decide(world, bob, OWNER))
    assert world.store.read_installation_owner_ids() == (world.ann.id, "bob")
    world.store.commit(decide(world, world.ann, MEMBER))

    assert world.store.read_installation_owner_ids() == ("bob",)
    owner = world.store.read_installation_owner()
    assert owner
    assert (owner.id, owner.version) == ("bob", 2)


def test_a_later_user_does_not_become_an_owner_by_being_created(world: World) -> None:
    world.store.commit(decide(world, world.add_user("Bob", id="bob"), OWNER))
    world.store.commit(decide(world, world.ann, MEMBER))
    world.add_user("Cid", id="cid")

    assert world.store.read_installation_owner_ids() == ("bob",)


def test_two_owners_do_not_both_lose_the_role(world: World, open_again: OpenStore) -> None:
    bob = world.add_user("Bob", id="bob")
    world.store.commit(decide(world, bob, OWNER))
    changes = [decide(world, user, MEMBER) for user in (world.ann, bob)]
    stores = [world.store, open_again()]

    def commit(index: int) -> bool:
        try:
            stores[index].commit(changes[index])
        except StaleRead:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        succeeded = [*pool.map(commit, range(2))]

    assert sorted(succeeded) == [False, True]
    assert len(world.store.read_installation_owner_ids()) == 1


def test_a_change_of_owners_that_is_stale_changes_nothing(world: World) -> None:
    bob, cid = world.add_user("Bob", id="bob"), world.add_user("Cid", id="cid")
    first, second = decide(world, bob, OWNER), decide(world, cid, OWNER)
    world.store.commit(first)

    with pytest.raises(StaleRead):
        world.store.commit(second)

    assert world.store.read_installation_owner_ids() == (world.ann.id, "bob")
    user = world.store.read_user("cid")
    assert user
    assert user.version == 1


def test_all_users_are_listed_by_id(world: World) -> None:
    ids = {world.ann.id, *(world.add_user(f"User {number}", id=f"user-{number}").id for number in range(5))}

    def page(after: PageKey | None) -> Page[User]:
        return world.store.page_users(2, after)

    assert [user.id for user in collect_pages(page, 2)] == sorted(ids)
    assert [user.id for user in world.store.page_users(100).items] == sorted(ids)


def test_fellows_are_the_members_of_the_newest_boards(world: World) -> None:
    bob, cid = world.add_user("Bob", id="bob"), world.add_user("Cid", id="cid")
    first = world.board_id
    world.add_member(bob, Role.VIEWER)
    world.advance(seconds=1)
    second = world.add_board("Second", cid)

    assert {key: {*ids} for key, ids in world.store.read_fellow_ids("bob", 100).items()} == {
        first: {world.ann.id, "bob"}
    }
    assert {key: {*ids} for key, ids in world.store.read_fellow_ids("cid", 100).items()} == {second: {"cid"}}
    assert dict(world.store.read_fellow_ids("dan", 100)) == {}


def test_only_so_many_boards_are_looked_through_and_no_deleted_ones(world: World) -> None:
    boards = [world.board_id]
    for number in range(3):
        world.advance(seconds=1)
        boards.append(world.add_board(f"Board {number}"))

    assert {*world.store.read_fellow_ids(world.ann.id, 2)} == {*boards[-2:]}
