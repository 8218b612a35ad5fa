"""The job that deletes a user, on every engine: killed at each write it goes on, and no store keeps the name."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, cast

import pytest

from app.factory import create_app
from app.job_runner import build_job_runner
from kanban import boards, jobs, webhooks
from kanban.changes import Change
from kanban.store import Store
from kanban.values import (
    Board,
    Identity,
    InstallationRole,
    Job,
    JobState,
    NewBoard,
    Role,
    Scope,
    User,
    WebhookDelivery,
)
from kanban.views import BoardView
from kanban.webhooks import NewWebhook
from readers.jobs import JobRunner
from tests.api.client import Client
from tests.stores.part_builders import find_member
from tests.stores.test_purge import read_raw
from tests.stores.world import World


class Killed(BaseException):
    """Raised instead of ending a process: nothing that the product does afterwards catches it."""


class MortalStore:
    """A store whose process is killed before or after its n-th write."""

    WRITES = frozenset({"commit", "erase_user", "write_job", "erase_deliveries"})

    def __init__(self, store: object, kill_at: float, when: str, counter: list[int] | None = None) -> None:
        self._store = store
        self._kill_at = kill_at
        self._when = when
        self._counter = [0] if counter is None else counter

    @property
    def count(self) -> int:
        """Return how many writes there were."""
        return self._counter[0]

    def __getattr__(self, name: str) -> Any:
        """Return what the store has of that name, mortal."""
        value = getattr(self._store, name)
        if name in {"jobs", "webhooks"}:
            return MortalStore(value, self._kill_at, self._when, self._counter)
        return self._make_mortal(value) if name in self.WRITES else value

    def _make_mortal(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            self._counter[0] += 1
            is_last = self._counter[0] == self._kill_at
            if is_last and self._when == "before":
                raise Killed
            result = write(*arguments)
            if is_last:
                raise Killed
            return result

        return call


class Scene:
    """Ann, who owns the installation, and calls it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.application = create_app(
            world.store,
            clock=lambda: world.now,
            random_bytes=world.random_bytes,
            sleep=lambda _: None,
            open_signup=True,
        )
        self.ann = self.connect(world.ann)

    def connect(self, user: User) -> Client:
        """Return a client of a user."""
        _, text = self.world._issue_token(user, scopes=tuple(Scope))  # noqa: SLF001 - the text is needed.
        return Client(self.application).with_token(text)

    def add_member(self, board_id: str, user_id: str, role: Role) -> None:
        """Add a user to a board of Ann's."""
        response = self.ann.put(f"/boards/{board_id}/members/{user_id}", {"role": str(role)})
        assert response.status == 201, response.json

    def deactivate(self, user_id: str) -> None:
        """Deactivate a user, in a request whose response is stored."""
        self.world.advance(seconds=1)
        response = self.ann.post(f"/users/{user_id}/deactivate", **{"Idempotency-Key": f"key-of-{user_id}"})
        assert response.status == 200, response.json

    def start(self, user_id: str) -> Job:
        """Start the job that deletes a user."""
        response = self.ann.delete(f"/users/{user_id}")
        assert response.status == 202, response.json
        return self.read_job(response.json["id"])

    def read_job(self, job_id: str) -> Job:
        """Return a job of Ann's."""
        job = self.world.store.jobs.read_job(self.world.ann.id, job_id)
        assert job
        return job

    def build_runner(self, store: object = None) -> JobRunner:
        """Return the runner of a process."""
        return build_job_runner(
            cast("Store", store or self.world.store),
            clock=lambda: self.world.now,
            random_bytes=self.world.random_bytes,
        )

    def run(self, job: Job, store: object = None, should_go_on: Callable[[], bool] = lambda: True) -> Job:
        """Run a job; return it as it is after that."""
        self.build_runner(store).run(self.read_job(job.id), should_go_on)
        return self.read_job(job.id)

    def delete(self, user_id: str) -> Job:
        """Deactivate and delete a user."""
        self.deactivate(user_id)
        return self.run(self.start(user_id))

    def read_any_board(self, board_id: str) -> BoardView:
        """Return a live or deleted board of Ann's."""
        view = self.world.store.read_deleted(board_id, self.world.ann.id)
        assert view
        return view


@pytest.fixture
def scene(world: World) -> Scene:
    return Scene(world)


def add_board_with_external_id(world: World, name: str) -> str:
    """Create a board as an import does; return its id."""
    view, change = boards.create(world.context(), NewBoard(name))
    board, *others = change.creates
    assert isinstance(board, Board)
    world.store.commit(replace(change, creates=(replace(board, external_id=name), *others)))
    return view.board.id


def add_user_with_everything(scene: Scene) -> tuple[User, str, str]:
    """Create a user whose name is stored wherever it can be; return a deleted and an archived board of theirs, too."""
    world = scene.world
    bob = world.add_user("Canary Bob", id="bob")
    scene.add_member(world.board_id, "bob", Role.EDITOR)
    client = scene.connect(bob)
    card = world.add_card("Kept")
    path = f"/boards/{world.board_id}/cards/{card.id}"
    assert client.put(f"{path}/assignees/bob").status == 200
    assert client.post(f"{path}/start").status == 200
    assert client.post(f"{path}/comments", {"text": "It stays."}, **{"Idempotency-Key": "canary"}).status == 201
    made = client.post("/users/me/tokens", {"name": "Canary's laptop", "scopes": ["read"]})
    assert made.status == 201
    bot = client.post("/users/me/bots", {"id": "bot-of-bob", "name": "Canary's bot", "scopes": ["read"]})
    assert bot.status == 201
    scene.add_member(world.board_id, "bot-of-bob", Role.EDITOR)
    world.store.record_token_use(bot.json["token"]["id"], world.now, "canary of an address")
    code = client.post("/users/me/sign-in-codes").json["code"]
    assert Client(scene.application).post("/sessions", {"code": code, "name": "Canary's phone"}).status == 201
    client.post("/users/me/sign-in-codes")
    world.store.record_token_use(made.json["token"]["id"], world.now, "canary of an address")
    identity = Identity(world.context().new_id("identity"), "bob", "https://id.example", "canary", world.now)
    world.store.commit(Change(creates=(identity,)))
    deleted_id, archived_id = add_board_with_external_id(world, "Deleted"), world.add_board("Archived")
    for board_id in (deleted_id, archived_id):
        scene.add_member(board_id, "bob", Role.OWNER)
    add_delivery(world, archived_id, bob)
    world.store.commit(boards.delete(scene.read_any_board(deleted_id), world.context(), []))
    scene.ann.post(f"/boards/{archived_id}/archive")
    return bob, deleted_id, archived_id


def add_delivery(world: World, board_id: str, owner: User) -> None:
    view = world.store.read_board(board_id, owner.id)
    assert view
    webhook, change = webhooks.create(view, [], world.context(owner), NewWebhook("https://example.com"))
    world.store.commit(change)
    world.store.webhooks.put_delivery(
        WebhookDelivery(board_id, webhook.id, 1, "msg_1", 1, 1, 1, 1, world.now, 20, 200, "Hello, Canary Bob")
    )


def test_nothing_that_is_stored_names_a_deleted_user(scene: Scene) -> None:
    world = scene.world
    add_user_with_everything(scene)
    scene.deactivate("bob")
    assert "canary" in read_raw(world).lower()
    # DynamoDB holds the bodies of stored responses as bytes, encoded once more.
    job = scene.run(scene.start("bob"))

    assert (job.state, job.done, job.total) == (JobState.DONE, 4, 4)
    raw = read_raw(world).lower()
    assert raw.count("canary") == 0
    for operation_id, key in (("deactivate_user", "key-of-bob"), ("create_comment", "canary")):
        for user_id in ("bob", world.ann.id):
            assert world.store.read_stored_response(user_id, operation_id, key, world.now) is None


def test_what_they_did_stays_and_their_part_in_it_ends(scene: Scene) -> None:
    world = scene.world
    _, deleted_id, archived_id = add_user_with_everything(scene)
    member = find_member(world, "bob")
    before = {board_id: scene.read_any_board(board_id).board.seq for board_id in (deleted_id, archived_id)}
    deleted_at = scene.read_any_board(deleted_id).board.deleted_at
    world.advance(minutes=10)

    scene.delete("bob")

    (card,) = world.list_cards()
    path = f"/boards/{world.board_id}"
    (comment,) = scene.ann.get(f"{path}/cards/{card.id}/comments").json["items"]
    (entry,) = scene.ann.get(f"{path}/cards/{card.id}/time").json["items"]
    *_, event = world.list_events()
    assert (comment["text"], comment["author_id"]) == ("It stays.", "bob")
    assert (entry["user_id"], entry["elapsed_seconds"]) == ("bob", 601)
    assert card.running is None
    assert member.id not in {other.id for other in world.read_board().members}
    assert scene.ann.get(f"{path}/cards/{card.id}").json["assignee_ids"] == []
    assert (event.type, event.actor_id, event.data) == ("member.removed", world.ann.id, {"user_id": "bob"})
    for board_id, seq in before.items():
        view = scene.read_any_board(board_id)
        # On the archived board, the deactivation was another event.
        assert view.board.seq == seq + (2 if board_id == archived_id else 1)
        assert [other.user_id for other in view.members] == [world.ann.id]
    assert scene.read_any_board(deleted_id).board.deleted_at == deleted_at
    assert scene.ann.post(f"/boards/{deleted_id}/restore").status == 200


def test_a_tombstone_is_left_and_the_id_stays_taken(scene: Scene) -> None:
    world = scene.world
    bob, *_ = add_user_with_everything(scene)
    old = scene.connect(bob)

    scene.delete("bob")

    user = scene.ann.get("/users/bob").json
    assert (user["id"], user["name"], user["state"]) == ("bob", "Former member", "deleted")
    assert Client(scene.application).post("/users", {"id": "bob", "name": "New"}).json["code"] == "id_taken"
    assert old.get("/users/me").status == 401
    assert [item["id"] for item in scene.ann.get("/users").json["items"]] == [world.ann.id]
    assert scene.ann.post("/users/bob/reactivate").json["code"] == "user_deleted"
    entries = scene.ann.get("/audit-entries?type=user.deleted").json["items"]
    assert [(entry["user_id"], entry["actor_id"]) for entry in entries] == [
        ("bob", world.ann.id),
        ("bot-of-bob", world.ann.id),
    ]
    member = scene.ann.put(f"/boards/{world.board_id}/members/bob", {"role": "editor"})
    assert (member.status, member.json["code"]) == (409, "user_deleted")
    assert "Canary" not in str(scene.ann.get(f"/boards/{world.board_id}/export").json)


def test_the_account_at_a_provider_can_be_used_again(scene: Scene) -> None:
    world = scene.world
    add_user_with_everything(scene)
    scene.delete("bob")
    eve = world.add_user("Eve", id="eve")
    again = Identity(world.context().new_id("identity"), eve.id, "https://id.example", "canary", world.now)

    world.store.commit(Change(creates=(again,)))

    assert world.store.sign_in.read_identity("https://id.example", "canary") == again
    assert [*world.store.sign_in.list_identities("bob")] == []


def add_small_user(scene: Scene, number: int) -> str:
    """Create a deactivated user with a board, a webhook and a token; return the id."""
    world = scene.world
    user = world.add_user(f"Canary {number}", id=f"user{number}")
    board_id = world.add_board(f"Board {number}")
    scene.add_member(board_id, user.id, Role.OWNER)
    add_delivery(world, board_id, user)
    world.add_token(user)
    scene.deactivate(user.id)
    return user.id


def list_deaths() -> Iterator[tuple[str, int]]:
    for when in ("before", "after"):
        for kill_at in range(1, 15):
            yield when, kill_at


def test_a_job_that_is_killed_at_any_write_goes_on(scene: Scene) -> None:
    world = scene.world
    home_seq = world.read_board().board.seq
    survivors = 0
    for number, (when, kill_at) in enumerate(list_deaths()):
        job = scene.start(add_small_user(scene, number))
        mortal = MortalStore(world.store, kill_at, when)
        try:
            scene.run(job, mortal)
        except Killed:
            assert scene.build_runner().list_due() == [] or kill_at == 1 or scene.read_job(job.id).lease_until is None
        else:
            survivors += 1
        world.advance(seconds=jobs.LEASE_DURATION.total_seconds())
        for due in scene.build_runner().list_due():
            scene.run(due)
        ended = scene.read_job(job.id)
        assert (ended.state, ended.done, ended.total) == (JobState.DONE, 1, 1), (when, kill_at)
        (board, _), *_ = world.store.page_boards(world.ann.id, 1).items
        removals = [
            event
            for event in scene.ann.get(f"/boards/{board.id}/events").json["items"]
            if event["type"] == "member.removed"
        ]
        assert len(removals) == 1, (when, kill_at)
    # The range of deaths goes beyond the last write.
    assert survivors >= 2
    assert "canary" not in read_raw(world).lower()
    assert world.read_board().board.seq == home_seq


def test_a_user_with_many_clocks_is_removed_when_all_have_stopped(scene: Scene) -> None:
    world = scene.world
    world.add_user("Bob", id="bob")
    scene.add_member(world.board_id, "bob", Role.EDITOR)
    scene.deactivate("bob")
    doing = world.find_list("Doing").id
    started = [world.add_card(str(number)) for number in range(31)]
    for card in started:
        world.move_card(card, doing)
    give_clocks(world, "bob")

    job = scene.run(scene.start("bob"))

    assert job.state is JobState.DONE
    assert [card.running for card in world.list_cards()] == [None] * 31
    assert [event.type for event in world.list_events()[-2:]] == ["member.updated", "member.removed"]


def give_clocks(world: World, user_id: str) -> None:
    """Let all clocks run in the name of a user, as if a deactivation had been interrupted."""
    for card in world.list_cards():
        assert card.running
        entry = replace(card.running, user_id=user_id, version=card.running.version + 1)
        world.write(updates=(replace(card, running=entry, version=card.version + 1), entry))


def test_two_runners_do_nothing_twice(scene: Scene) -> None:
    world = scene.world
    job = scene.start(add_small_user(scene, 1))
    slow, read = scene.build_runner(), scene.read_job(job.id)

    def lose_the_lease() -> bool:
        # The worker is suspended for longer than its lease, and another one does everything.
        world.advance(seconds=jobs.LEASE_DURATION.total_seconds())
        scene.run(job)
        return True

    slow.run(read, lose_the_lease)

    ended = scene.read_job(job.id)
    assert (ended.state, ended.done) == (JobState.DONE, 1)
    (board, _), *_ = world.store.page_boards(world.ann.id, 1).items
    types = [event["type"] for event in scene.ann.get(f"/boards/{board.id}/events").json["items"]]
    assert types.count("member.removed") == 1
    slow.run(read, lambda: True)
    assert scene.read_job(job.id) == ended


def test_a_job_that_is_stopped_in_between_is_due_at_once(scene: Scene) -> None:
    job = scene.start(add_small_user(scene, 1))
    turns = iter((True, False))

    stopped = scene.run(job, should_go_on=lambda: next(turns))

    assert (stopped.state, stopped.total, stopped.lease_until) == (JobState.RUNNING, 1, None)
    assert [due.id for due in scene.build_runner().list_due()] == [job.id]
    assert scene.run(job).state is JobState.DONE


def test_a_cancelled_job_does_no_further_step_and_another_one_does_the_rest(scene: Scene) -> None:
    user_id = add_small_user(scene, 1)
    job = scene.start(user_id)

    def cancel() -> bool:
        assert scene.ann.post(f"/jobs/{job.id}/cancel").json["state"] == "cancelled"
        return True

    assert scene.run(job, should_go_on=cancel).state is JobState.CANCELLED
    assert scene.ann.get(f"/users/{user_id}").json["name"] == "Canary 1"
    assert scene.run(scene.start(user_id)).state is JobState.DONE
    assert scene.ann.get(f"/users/{user_id}").json["name"] == "Former member"


def test_a_user_who_is_reactivated_meanwhile_is_kept(scene: Scene) -> None:
    user_id = add_small_user(scene, 1)
    job = scene.start(user_id)
    assert scene.ann.post(f"/users/{user_id}/reactivate").status == 200

    ended = scene.run(job)

    assert (ended.state, ended.problem_code) == (JobState.FAILED, "user_active")
    assert scene.ann.get(f"/users/{user_id}").json["state"] == "active"


def test_a_board_that_loses_its_other_owner_meanwhile_ends_the_job(scene: Scene) -> None:
    world = scene.world
    eve = world.add_user("Eve", id="eve")
    bob = world.add_user("Bob", id="bob")
    board_id = world.add_board("Of two", owner=bob)
    view = world.store.read_board(board_id, bob.id)
    assert view
    scene.connect(bob).put(f"/boards/{board_id}/members/eve", {"role": "owner"})
    scene.deactivate("bob")
    job = scene.start("bob")
    scene.deactivate(eve.id)

    ended = scene.run(job)

    assert (ended.state, ended.problem_code) == (JobState.FAILED, "boards_without_owner")
    assert scene.ann.post("/users/bob/transfer-boards", {"to_user_id": world.ann.id}).status == 200
    assert scene.run(scene.start("bob")).state is JobState.DONE


def test_a_step_that_always_fails_ends_the_job(scene: Scene) -> None:
    job = scene.start(add_small_user(scene, 1))
    for _ in range(jobs.MAX_ATTEMPTS):
        with pytest.raises(Killed):
            scene.run(job, MortalStore(scene.world.store, 2, "before"))
        scene.world.advance(seconds=jobs.LEASE_DURATION.total_seconds())

    ended = scene.run(job)

    assert (ended.state, ended.problem_code) == (JobState.FAILED, "internal_error")


def test_an_owner_of_the_installation_can_be_deleted_like_everybody(scene: Scene) -> None:
    world = scene.world
    world.add_user("Eve", id="eve")
    scene.ann.patch("/users/eve", {"installation_role": str(InstallationRole.OWNER)}, **{"If-Match": "*"})

    assert scene.delete("eve").state is JobState.DONE
    assert world.store.read_installation_owner_ids() == (world.ann.id,)
