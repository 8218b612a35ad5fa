"""Deactivated users, on every engine: no request that was under way writes anything once the response is there."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest

from app.factory import create_app
from kanban import boards, users
from kanban.store import StaleRead, Store
from kanban.values import Role, Scope, User
from tests.api.client import Client, HttpResponse
from tests.stores.world import World
from usecases import user_boards


class HoldingStore:
    """A store that calls something, once, before the next call of one of its methods."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._method: str | None = None
        self._action: Callable[[], object] = lambda: None

    def hold(self, method: str, action: Callable[[], object]) -> None:
        """Call the action before the next call of the method."""
        self._method, self._action = method, action

    def __getattr__(self, name: str) -> Any:
        """Return the method of the store, after the action if it is its time."""
        if name == self._method:
            self._method = None
            self._action()
        return getattr(self._store, name)


class Scene:
    """Ann, who owns the installation and the board, and Bob, an editor whose request is held."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.bob = world.add_user("Bob", id="bob")
        world.add_member(self.bob, Role.EDITOR)
        self.card = world.add_card("One")
        self.held = HoldingStore(world.store)
        held = cast("Store", self.held)
        self.ann_client = self._connect(world.store, world.ann)
        self.bob_client = self._connect(held, self.bob)
        world.advance(seconds=10)
        self.board_path = f"/boards/{world.board_id}"

    def _connect(self, store: Store, user: User) -> Client:
        application = create_app(
            store,
            clock=lambda: self.world.now,
            random_bytes=self.world.random_bytes,
            sleep=lambda _: None,
            open_signup=True,
        )
        _, text = self.world._issue_token(user, scopes=tuple(Scope))  # noqa: SLF001 - the text is needed.
        return Client(application).with_token(text)

    def deactivate(self) -> None:
        """Let Ann deactivate Bob."""
        response = self.ann_client.post("/users/bob/deactivate")
        assert response.status == 200, response.json

    def count_events(self) -> int:
        """Return the number of events of the board."""
        return len(self.world.list_events())


@pytest.fixture
def scene(world: World) -> Scene:
    return Scene(world)


REQUESTS: dict[str, Callable[[Scene], HttpResponse]] = {
    "create_card": lambda scene: scene.bob_client.post(f"{scene.board_path}/cards", {"title": "Two"}),
    "start_card": lambda scene: scene.bob_client.post(f"{scene.board_path}/cards/{scene.card.id}/start"),
    "update_card": lambda scene: scene.bob_client.patch(
        f"{scene.board_path}/cards/{scene.card.id}", {"title": "Other"}, **{"If-Match": "*"}
    ),
    "leave": lambda scene: scene.bob_client.delete(f"{scene.board_path}/members/bob"),
    "create_board": lambda scene: scene.bob_client.post("/boards", {"name": "Own"}),
    "copy_board": lambda scene: scene.bob_client.post(f"{scene.board_path}/copy", {"cards": True}),
    "create_token": lambda scene: scene.bob_client.post("/users/me/tokens", {"name": "More", "scopes": ["read"]}),
    "update_me": lambda scene: scene.bob_client.patch("/users/me", {"name": "Bobby"}, **{"If-Match": "*"}),
    "create_sign_in_code": lambda scene: scene.bob_client.post("/users/me/sign-in-codes"),
}


@contextmanager
def ensure_nothing_written(scene: Scene) -> Iterator[None]:
    yield
    events = scene.world.list_events()
    assert [(event.type, event.actor_id) for event in events if event.actor_id == "bob"] == []
    bob = scene.world.store.read_user("bob")
    assert bob
    assert (bob.name, bob.version, bob.deactivated_at is not None) == ("Bob", 2, True)
    assert len(scene.world.store.page_boards("bob", 10).items) == 1
    assert len(scene.world.store.page_tokens("bob", 10).items) == 1
    assert [*scene.world.store.sign_in.list_codes("bob")] == []


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_that_is_held_before_its_commit_writes_nothing(scene: Scene, name: str) -> None:
    with ensure_nothing_written(scene):
        scene.held.hold("commit", scene.deactivate)
        response = REQUESTS[name](scene)

        assert (response.status, response.json["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_that_is_held_after_its_authentication_writes_nothing(scene: Scene, name: str) -> None:
    first_read = {
        "create_board": "commit",
        "create_token": "read_token",
        "update_me": "read_user",
        "create_sign_in_code": "read_token",
        "leave": "page_cards",
        "copy_board": "read_cards_with_checklists",
    }.get(name, "read_board")
    with ensure_nothing_written(scene):
        scene.held.hold(first_read, scene.deactivate)
        response = REQUESTS[name](scene)

        assert (response.status, response.json["code"]) == (401, "unauthenticated")


def test_every_board_of_the_user_has_an_event_and_its_clocks_are_stopped(scene: Scene) -> None:
    scene.bob_client.post(f"{scene.board_path}/cards/{scene.card.id}/start")
    scene.world.advance(minutes=5)

    scene.deactivate()

    *_, event = scene.world.list_events()
    card = scene.world.read_card(scene.card)
    elapsed = scene.ann_client.get(f"{scene.board_path}/cards/{scene.card.id}").json["elapsed_seconds"]
    members = {
        member["user_id"]: member["state"]
        for member in scene.ann_client.get(f"{scene.board_path}/members").json["items"]
    }
    assert (event.type, event.actor_id, event.data) == (
        "member.updated",
        scene.world.ann.id,
        {"user_id": "bob", "role": "editor"},
    )
    assert card.running is None
    assert elapsed == 300
    assert members == {scene.world.ann.id: "active", "bob": "deactivated"}


def test_a_reactivated_user_can_write_again_with_a_new_token_only(scene: Scene) -> None:
    scene.deactivate()
    scene.world.advance(seconds=10)

    response = scene.ann_client.post("/users/bob/reactivate")

    old = scene.bob_client
    new = scene._connect(scene.world.store, scene.bob)  # noqa: SLF001 - it is the same as at the beginning.
    assert (response.status, response.json["state"]) == (200, "active")
    assert old.get("/users/me").status == 401
    assert new.post(f"{scene.board_path}/cards", {"title": "Two"}).status == 201
    assert len(new.get("/users/me/tokens").json["items"]) == 1


def test_a_membership_that_is_deactivated_allows_no_commit(scene: Scene) -> None:
    _, change = users.deactivate(scene.bob, ("ann",), scene.world.context())
    assert change
    scene.world.store.commit(change)
    for step in user_boards.build_deactivation_steps(scene.world.store, "bob", scene.world.context()):
        user_boards.commit_step(scene.world.store, step)
    events = scene.count_events()

    _, renaming = boards.update(scene.world.read_board(), {"name": "Bob's"}, scene.world.context(scene.bob))
    assert renaming

    with pytest.raises(StaleRead):
        scene.world.store.commit(renaming)

    assert scene.count_events() == events
