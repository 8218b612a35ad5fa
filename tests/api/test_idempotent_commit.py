"""What the step that commits decides: when it tries again, replays or reports a duplicate, and what it hides."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast

import pytest

from app import commits
from app.commits import FIRST_DELAY_SECONDS, MAX_ATTEMPTS, MAX_DOUBLINGS, PATIENCE_SECONDS, IdempotentCommit
from contract.messages import Response
from contract.operations import Call
from contract.request_context import RequestContext
from kanban.access import Caller
from kanban.changes import BoardStep, Change
from kanban.errors import ExternalIdTaken, IdTaken, UnknownReference
from kanban.store import AlreadyExists, Busy, StaleRead, Store, StoredResponse
from kanban.tokens import TokenChanged
from kanban.values import UNLIMITED, Scope, TokenLimits, User

NOW = datetime(2026, 11, 20, 14, tzinfo=UTC)
CHANGE = Change(active_user_id="ann")


@dataclass
class ScriptedStore:
    """A store whose commits fail as a test says, one after the other, and that keeps what is committed."""

    failures: list[Exception] = field(default_factory=list)
    commits: list[tuple[Change, StoredResponse | None]] = field(default_factory=list)
    stored: StoredResponse | None = None
    user: User | None = None

    def commit(self, change: Change, response: StoredResponse | None = None) -> None:
        """Fail, or keep what is committed."""
        if self.failures:
            raise self.failures.pop(0)
        self.commits.append((change, response))

    def read_user(self, _: str) -> User | None:
        """Return the caller."""
        return self.user

    def read_stored_response(self, *_: object) -> StoredResponse | None:
        """Return the response that is stored for every key."""
        return self.stored


@dataclass
class Step:
    """The step on a scripted store, with what it slept for and a clock."""

    store: ScriptedStore = field(default_factory=ScriptedStore)
    delays: list[float] = field(default_factory=list)
    times: Iterator[float] | None = None
    context: RequestContext = field(default_factory=RequestContext)

    def run(
        self,
        handle: Callable[[], Response],
        *,
        scopes: tuple[Scope, ...] = tuple(Scope),
        limits: TokenLimits = UNLIMITED,
        key: str | None = None,
        is_dry_run: bool = False,
    ) -> Response:
        """Run a handler for a request of Ann's."""
        step = IdempotentCommit(
            cast("Store", self.store),
            lambda: NOW,
            self.delays.append,
            lambda: 1.0,
            build_context=lambda _: pytest.fail("Nothing here is about users."),
            monotonic_clock=lambda: next(self.times) if self.times else 0.0,
        )
        call = SimpleNamespace(
            operation=SimpleNamespace(id="create_card", extensions={}, is_heavy=False),
            request=SimpleNamespace(method="POST", context=self.context),
            arguments={},
            caller=Caller("ann", "tok_1", scopes, 1, limits),
            idempotency_key=key,
            is_dry_run=is_dry_run,
            compute_fingerprint=lambda audience=None: f"for {audience}",
        )
        return step(cast("Call", call), handle)


@pytest.fixture
def step() -> Step:
    return Step()


def respond(change: Change | None = CHANGE, headers: tuple[tuple[str, str], ...] = ()) -> Callable[[], Response]:
    return lambda: Response(201, headers, b"new", change)


def fail(error: Exception) -> Callable[[], Response]:
    def handle() -> Response:
        raise error

    return handle


def store_response(step: Step, fingerprint: str = "for None") -> None:
    """Let there be a stored response."""
    step.store.stored = StoredResponse("key", "ann", "create_card", fingerprint, 201, (), b"stored", NOW, NOW)


# Trying again


def test_each_attempt_waits_up_to_twice_as_long_as_the_one_before(step: Step) -> None:
    step.store.failures = [StaleRead() for _ in range(MAX_ATTEMPTS)]

    with pytest.raises(Busy):
        step.run(respond())

    assert step.delays == [FIRST_DELAY_SECONDS * 2 ** min(number, MAX_DOUBLINGS) for number in range(MAX_ATTEMPTS)]


@pytest.mark.parametrize(("seconds", "attempts"), [(PATIENCE_SECONDS, 3), (PATIENCE_SECONDS + 0.001, 2)])
def test_attempts_end_when_more_time_than_the_limit_has_passed(step: Step, seconds: float, attempts: int) -> None:
    step.store.failures = [StaleRead(), StaleRead()]
    # No time passes before the first attempt: heavy requests make none, and the patience of others begins twice.
    step.times = iter((0.0, 0.0, *(seconds for _ in range(MAX_ATTEMPTS))))

    if attempts == 3:
        assert step.run(respond()).status == 201
    else:
        with pytest.raises(Busy):
            step.run(respond())
    assert step.context.retries == 2


def test_a_caller_who_was_deactivated_meanwhile_is_not_tried_again(step: Step) -> None:
    step.store.failures = [StaleRead()]
    step.store.user = User("ann", "Ann", 1, NOW, NOW, deactivated_at=NOW)

    with pytest.raises(TokenChanged):
        step.run(respond())


# What is written


@pytest.mark.parametrize(("active_user_id", "expected"), [(None, "ann"), ("bob", "bob")])
def test_the_caller_must_be_active_unless_the_change_names_another_user(
    step: Step, active_user_id: str | None, expected: str
) -> None:
    step.run(respond(Change(active_user_id=active_user_id)))

    ((change, _),) = step.store.commits
    assert change.active_user_id == expected


@pytest.mark.parametrize("key", [None, "key"])
def test_steps_follow_the_change_and_the_stored_response_comes_last(
    step: Step, monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    first, second = (cast("BoardStep", SimpleNamespace(board_id=board_id)) for board_id in ("brd_1", "brd_2"))

    def commit_step(store: ScriptedStore, board_step: BoardStep, _: object) -> None:
        store.commit(Change(active_user_id=board_step.board_id))

    monkeypatch.setattr(commits, "commit_step", commit_step)

    step.run(respond(replace(CHANGE, steps=(first, second))), key=key)

    written = [(change.active_user_id, response and response.key) for change, response in step.store.commits]
    assert written == [("ann", None), ("brd_1", None), ("brd_2", None), *([(None, "key")] if key else [])]


@pytest.mark.parametrize(
    ("limits", "expected"), [(UNLIMITED, "for None"), (TokenLimits(board_ids=("brd_1",)), "for Caller")]
)
def test_a_response_is_stored_for_callers_with_the_same_limits(
    step: Step, monkeypatch: pytest.MonkeyPatch, limits: TokenLimits, expected: str
) -> None:
    monkeypatch.setattr(Caller, "audience", "Caller", raising=True)

    step.run(respond(), key="key", limits=limits)

    ((_, response),) = step.store.commits
    assert response is not None
    assert response.fingerprint == expected


# Duplicates


@pytest.mark.parametrize(
    ("constraint", "holder_id"),
    [("card.external_id", "crd_9"), ("list.external_id", None), ("board.external_id", None)],
)
def test_the_card_that_has_the_external_id_is_named(
    step: Step, monkeypatch: pytest.MonkeyPatch, constraint: str, holder_id: str | None
) -> None:
    monkeypatch.setattr(commits, "find_card_with_external_id", lambda *_: "crd_9")
    step.store.failures = [AlreadyExists(constraint)]

    with pytest.raises(ExternalIdTaken) as raised:
        step.run(respond())

    assert raised.value.holder_id == holder_id


def test_another_duplicate_names_no_card(step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commits, "find_card_with_external_id", lambda *_: pytest.fail("It isn't about a card."))
    step.store.failures = [AlreadyExists("card")]

    with pytest.raises(IdTaken) as raised:
        step.run(respond())

    assert not hasattr(raised.value, "holder_id")


@pytest.mark.parametrize(("scopes", "holder_id"), [((Scope.READ, Scope.WRITE), "crd_9"), ((Scope.WRITE,), None)])
def test_a_token_that_may_not_read_learns_no_id_of_another_card(
    step: Step, scopes: tuple[Scope, ...], holder_id: str | None
) -> None:
    with pytest.raises(ExternalIdTaken) as raised:
        step.run(fail(ExternalIdTaken("card", "crd_9")), scopes=scopes)

    assert raised.value.holder_id == holder_id


def test_a_dry_run_finds_duplicates(step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    def ensure_no_duplicates(*_: object) -> None:
        raise ExternalIdTaken("card")

    monkeypatch.setattr(commits, "ensure_no_duplicates", ensure_no_duplicates)

    with pytest.raises(ExternalIdTaken):
        step.run(respond(), is_dry_run=True)


def test_a_dry_run_names_no_location(step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commits, "ensure_no_duplicates", lambda *_: None)

    response = step.run(respond(headers=(("location", "/v1/cards/crd_1"), ("etag", '"1"'))), is_dry_run=True)

    assert response.headers == (("etag", '"1"'), ("preference-applied", "dry-run"))


# Replays


def test_a_key_that_was_taken_meanwhile_is_replayed(step: Step) -> None:
    store_response(step)
    step.store.failures = [AlreadyExists("idempotency_key")]

    assert step.run(respond(), key="key").body == b"stored"


@pytest.mark.parametrize(("reference", "is_replayed"), [("list_id", True), ("board_id", False)])
def test_who_has_left_the_board_that_the_body_names_sees_no_stored_response(
    step: Step, reference: str, is_replayed: bool
) -> None:
    store_response(step)

    if is_replayed:
        assert step.run(fail(UnknownReference(reference)), key="key").body == b"stored"
    else:
        with pytest.raises(UnknownReference):
            step.run(fail(UnknownReference(reference)), key="key")
