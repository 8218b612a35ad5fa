"""Bots, on every engine: which a person has is decided once, and none outlives its person."""

from typing import cast

import pytest

from app.factory import create_app
from kanban import bots, users
from kanban.changes import Change
from kanban.store import AlreadyExists, StaleRead, Store
from kanban.values import Role, Scope, User
from tests.api.client import Client
from tests.stores.test_deactivated_users import HoldingStore
from tests.stores.world import World
from usecases.bots import list_bots


def read_user(world: World, user_id: str) -> User:
    user = world.store.read_user(user_id)
    assert user
    return user


def create(world: World, person_id: str, bot_id: str) -> Change:
    return bots.create(read_user(world, person_id), world.context(), name="Robot", id=bot_id)[1]


def hand_over(world: World, bot_id: str, person_id: str) -> Change:
    bot = read_user(world, bot_id)
    owner, new_owner = read_user(world, bot.owner_id or ""), read_user(world, person_id)
    _, change = bots.update(bot, world.context(), owner=owner, new_owner=new_owner)
    assert change
    return change


def deactivate(world: World, user_id: str) -> Change:
    user = read_user(world, user_id)
    _, change = users.deactivate(user, (world.ann.id,), world.context(), list_bots(world.store, user))
    assert change
    return change


def list_ids(world: World, person_id: str) -> list[str]:
    return [bot.id for bot in list_bots(world.store, read_user(world, person_id))]


@pytest.fixture(autouse=True)
def bob(world: World) -> User:
    return world.add_user("Bob", id="bob")


def test_a_person_finds_their_bots_in_the_order_in_which_they_came(world: World) -> None:
    for bot_id in ("second", "first", "other"):
        world.store.commit(create(world, "bob", bot_id))
    world.store.commit(hand_over(world, "second", world.ann.id))

    assert (list_ids(world, "bob"), list_ids(world, world.ann.id)) == (["first", "other"], ["second"])
    assert read_user(world, "second").owner_id == world.ann.id
    assert (read_user(world, "bob").bot_ids, read_user(world, "bob").owner_id) == (("first", "other"), None)


def test_a_token_of_a_bot_names_its_person_and_its_digest_leads_to_both(world: World) -> None:
    world.store.commit(create(world, "bob", "robot"))
    token = world.add_token(read_user(world, "robot"))

    pair = world.store.read_token_by_digest(token.digest)

    assert pair
    assert (pair[0].user_id, pair[1].id, pair[1].owner_id) == ("robot", "robot", "bob")


def test_an_id_that_is_taken_leaves_the_person_as_they_were(world: World) -> None:
    with pytest.raises(AlreadyExists, match="user"):
        world.store.commit(create(world, "bob", world.ann.id))

    assert (read_user(world, "bob").version, list_ids(world, "bob")) == (1, [])


def test_of_two_changes_of_the_bots_of_a_person_one_is_stale(world: World) -> None:
    world.store.commit(create(world, "bob", "robot"))
    changes = [create(world, "bob", "another"), hand_over(world, "robot", world.ann.id), deactivate(world, "bob")]

    world.store.commit(changes[0])

    for change in changes[1:]:
        with pytest.raises(StaleRead):
            world.store.commit(change)
    assert list_ids(world, "bob") == ["robot", "another"]
    assert read_user(world, "bob").deactivated_at is None


def test_a_bot_is_neither_created_nor_given_to_who_is_deactivated_meanwhile(world: World) -> None:
    world.store.commit(create(world, world.ann.id, "robot"))
    changes = [create(world, "bob", "another"), hand_over(world, "robot", "bob")]

    world.store.commit(deactivate(world, "bob"))

    for change in changes:
        with pytest.raises(StaleRead):
            world.store.commit(change)
    assert read_user(world, "robot").owner_id == world.ann.id
    assert world.store.read_user("another") is None


def test_a_person_is_deactivated_with_as_many_bots_as_they_may_have(world: World) -> None:
    bot_ids = [f"robot-{number}" for number in range(20)]
    for bot_id in bot_ids:
        world.store.commit(create(world, "bob", bot_id))

    world.store.commit(deactivate(world, "bob"))

    assert all(read_user(world, user_id).deactivated_at == world.now for user_id in ("bob", *bot_ids))


@pytest.mark.parametrize("method", ["read_board", "commit"])
def test_a_request_of_a_bot_that_is_under_way_ends_with_its_person(world: World, method: str) -> None:
    world.store.commit(create(world, "bob", "robot"))
    robot = read_user(world, "robot")
    world.add_member(robot, Role.EDITOR)
    held = HoldingStore(world.store)

    def connect(store: object, user: User) -> Client:
        application = create_app(cast("Store", store), clock=lambda: world.now, sleep=lambda _: None)
        _, text = world._issue_token(user, scopes=tuple(Scope))  # noqa: SLF001 - the text is needed.
        return Client(application).with_token(text)

    ann, robot_client = connect(world.store, world.ann), connect(held, robot)
    world.advance(seconds=10)
    events = len(world.list_events())
    held.hold(method, lambda: ann.post("/users/bob/deactivate"))

    response = robot_client.post(f"/boards/{world.board_id}/cards", {"title": "Too late"})

    assert (response.status, response.json["code"]) == (401, "unauthenticated")
    # That of the membership of the bot.
    assert [event.type for event in world.list_events()[events:]] == ["member.updated"]
