"""Requests that write to one board take turns within a process, in the order in which they came."""

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from app import board_turns
from app.board_turns import BoardTurns
from app.commits import MAX_ATTEMPTS, PATIENCE_SECONDS, IdempotentCommit
from app.problems import to_problem
from contract.messages import Response
from contract.operations import Call
from contract.request_context import RequestContext, start_request_context
from contract.responses import ContractBreach
from kanban.access import Caller
from kanban.changes import ActionContext
from kanban.store import Busy, StaleRead, Store
from kanban.values import Scope, TokenLimits
from tests.api.manual_clock import ManualClock

DEADLINE = 30.0
"""After how many seconds a thread that should have gone on fails the test."""


@dataclass(frozen=True)
class BoardWrite:
    """A change: a board, and the version that it is based on."""

    board_id: str | None
    version: int
    active_user_id: str | None = field(default=None, compare=False)
    steps: tuple[()] = ()
    creates: tuple[()] = ()
    updates: tuple[()] = ()
    deletes: tuple[()] = ()


def build_no_context(_: Call) -> ActionContext:
    """Say who acts for the audit log, which is about nothing that is written here."""
    raise AssertionError


class VersionedStore:
    """A store with nothing but versions of boards, and no users."""

    def __init__(self) -> None:
        self.versions: dict[str | None, int] = {}
        self.stale_reads = 0

    def read(self, board_id: str | None) -> BoardWrite:
        """Return a change of the board as it is."""
        return BoardWrite(board_id, self.versions.get(board_id, 0))

    def read_user(self, _: str) -> None:
        """Return no user."""

    def commit(self, change: BoardWrite, _: None) -> None:
        """Write a change, unless something was written since it was read."""
        if self.read(change.board_id) != change:
            self.stale_reads += 1
            raise StaleRead
        self.versions[change.board_id] = change.version + 1


class Writers:
    """Requests that write, one in each thread."""

    def __init__(self, turn_seconds: float = DEADLINE, monotonic_clock: Callable[[], float] = lambda: 0.0) -> None:
        self.store = VersionedStore()
        self._commit = IdempotentCommit(
            cast("Store", self.store),
            ManualClock(),
            lambda _: None,
            lambda: 0.0,
            build_context=build_no_context,
            turn_seconds=turn_seconds,
            monotonic_clock=monotonic_clock,
        )

    def write(
        self,
        board_id: str | None,
        between: Callable[[], object] = lambda: None,
        *,
        method: str = "POST",
        is_heavy: bool = False,
        caller: Caller | None = None,
    ) -> None:
        """Read a board, do something else, and commit a change; with GET, commit none."""

        def handle() -> Response:
            change = self.store.read(board_id)
            between()
            return Response(200, (), b"", None if method == "GET" else change)

        operation = SimpleNamespace(extensions={}, is_heavy=is_heavy)
        request = SimpleNamespace(method=method, context=RequestContext())
        arguments = {} if board_id is None else {"board_id": board_id}
        call = SimpleNamespace(
            operation=operation,
            request=request,
            arguments=arguments,
            caller=caller,
            idempotency_key=None,
            is_dry_run=False,
        )
        self._commit(cast("Call", call), handle)

    def write_elsewhere(self, board_id: str | None, **options: Any) -> None:
        """Write in another thread, and wait for it."""
        finish(start(lambda: self.write(board_id, **options)))


class Thread(threading.Thread):
    """A thread that keeps its error."""

    error: BaseException | None = None

    def run(self) -> None:
        """Run the target."""
        try:
            super().run()
        except BaseException as error:  # noqa: BLE001 - `finish` raises it.
            self.error = error


def start(target: Callable[[], object]) -> Thread:
    thread = Thread(target=target, daemon=True)
    thread.start()
    return thread


def finish(thread: Thread) -> None:
    thread.join(DEADLINE)
    assert not thread.is_alive()
    if thread.error:
        raise thread.error


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    """Return a semaphore that is released by each thread that begins to wait for its turn."""
    waiting = threading.Semaphore(0)
    lock_of_threading = threading.Lock

    class Lock:
        def __init__(self) -> None:
            self._lock = lock_of_threading()
            self.release = self._lock.release

        def __enter__(self) -> bool:
            return self._lock.acquire()

        def __exit__(self, *error: object) -> None:
            self._lock.release()

        def acquire(self, timeout: float = -1) -> bool:
            if timeout >= 0:
                waiting.release()
            return self._lock.acquire(timeout=timeout)

    monkeypatch.setattr(board_turns, "threading", SimpleNamespace(Lock=Lock))
    return waiting


def test_two_writers_of_one_board_never_meet_a_stale_read(waiting: threading.Semaphore) -> None:
    writers = Writers()
    others: list[Thread] = []

    def let_another_come() -> None:
        others.append(start(lambda: writers.write("board", between=waiting.release)))
        # It waits for its turn, or would have read by now.
        assert waiting.acquire(timeout=DEADLINE)

    writers.write("board", between=let_another_come)
    finish(others[0])

    assert writers.store.versions == {"board": 2}
    assert writers.store.stale_reads == 0


def test_writers_of_two_boards_do_not_wait_for_each_other() -> None:
    writers = Writers()

    writers.write("board", between=lambda: writers.write_elsewhere("other"))

    assert writers.store.versions == {"board": 1, "other": 1}


@pytest.mark.parametrize("is_heavy", [False, True])
def test_requests_that_write_to_no_board_do_not_wait_for_each_other(*, is_heavy: bool) -> None:
    writers = Writers()

    with pytest.raises(Busy):
        writers.write(None, between=lambda: writers.write_elsewhere(None), is_heavy=is_heavy)

    # Without turns, every attempt was stale.
    assert writers.store.stale_reads == MAX_ATTEMPTS


@pytest.mark.parametrize(("is_heavy", "attempts"), [(False, 3), (True, MAX_ATTEMPTS)])
def test_attempts_end_when_patience_does(*, is_heavy: bool, attempts: int) -> None:
    # Each attempt takes two thirds of it.
    seconds = itertools.count(step=PATIENCE_SECONDS * 2 / 3)
    writers = Writers(monotonic_clock=lambda: next(seconds))

    with pytest.raises(Busy):
        writers.write(None, between=lambda: writers.store.commit(writers.store.read(None), None), is_heavy=is_heavy)

    assert writers.store.stale_reads == attempts


def test_a_second_attempt_is_made_however_long_the_first_one_took() -> None:
    seconds = itertools.count(step=PATIENCE_SECONDS * 10)
    writers = Writers(monotonic_clock=lambda: next(seconds))

    with pytest.raises(Busy):
        writers.write(None, between=lambda: writers.store.commit(writers.store.read(None), None))

    assert writers.store.stale_reads == 2


def test_readers_do_not_wait_for_a_writer() -> None:
    writers = Writers()

    writers.write("board", between=lambda: writers.write_elsewhere("board", method="GET"))

    assert writers.store.versions == {"board": 1}


def test_a_writer_whose_turn_does_not_come_gets_503_and_a_time_to_retry() -> None:
    writers = Writers(turn_seconds=0)
    errors: list[Busy] = []

    def fail_elsewhere() -> None:
        with pytest.raises(Busy) as error:
            writers.write_elsewhere("board")
        errors.append(error.value)

    writers.write("board", between=fail_elsewhere)
    writers.write("board")

    (problem,) = map(to_problem, errors)
    assert problem
    assert (problem.status, problem.code, problem.headers["Retry-After"]) == (503, "busy", "1")
    assert writers.store.versions == {"board": 2}


def test_a_token_that_does_not_reach_a_board_does_not_wait_for_its_writers() -> None:
    writers = Writers(turn_seconds=0)
    stranger, member = (
        Caller("usr_ann", "tok_1", (Scope.WRITE,), limits=TokenLimits(board_ids=(board_id,)))
        for board_id in ("other", "board")
    )

    attempts: list[int] = []

    def write_elsewhere_once() -> None:
        attempts.append(1)
        if len(attempts) == 1:
            with pytest.raises(Busy):
                writers.write_elsewhere("board", caller=member)
            # A handler would find no such board. This one writes, which shows that it had no turn to wait for.
            writers.write_elsewhere("board", caller=stranger)

    writers.write("board", between=write_elsewhere_once)

    assert len(attempts) == 2
    assert writers.store.versions == {"board": 2}


def test_nobody_waits_for_the_first_attempt_of_a_heavy_request() -> None:
    writers = Writers()
    attempts: list[int] = []

    def write_once_elsewhere() -> None:
        attempts.append(1)
        if len(attempts) == 1:
            writers.write_elsewhere("board")

    writers.write("board", between=write_once_elsewhere, is_heavy=True)

    assert writers.store.versions == {"board": 2}
    assert (len(attempts), writers.store.stale_reads) == (2, 1)


def test_the_second_attempt_of_a_heavy_request_takes_a_turn(waiting: threading.Semaphore) -> None:
    writers = Writers()
    others: list[Thread] = []

    def let_another_come() -> None:
        others.append(start(lambda: writers.write("board", between=waiting.release)))
        assert waiting.acquire(timeout=DEADLINE)
        if len(others) == 1:
            finish(others[0])

    writers.write("board", between=let_another_come, is_heavy=True)
    finish(others[1])

    assert writers.store.versions == {"board": 3}
    assert writers.store.stale_reads == 1


# The turns by themselves


def take(turns: BoardTurns, then: Callable[[], object]) -> None:
    with turns.take("board"):
        then()


def test_turns_come_in_the_order_of_the_threads(waiting: threading.Semaphore) -> None:
    turns = BoardTurns(DEADLINE)
    order: list[int] = []
    threads: list[Thread] = []

    with turns.take("board"):
        for number in range(5):
            threads.append(start(lambda number=number: take(turns, lambda: order.append(number))))  # type: ignore[misc]
            assert waiting.acquire(timeout=DEADLINE)
    for thread in threads:
        finish(thread)

    assert order == [0, 1, 2, 3, 4]


def test_the_time_until_a_turn_is_a_part_of_the_request(waiting: threading.Semaphore) -> None:
    turns = BoardTurns(DEADLINE)
    contexts: list[RequestContext] = []

    def take_in_request() -> None:
        contexts.append(start_request_context())
        take(turns, lambda: None)

    with turns.take("board"):
        thread = start(take_in_request)
        assert waiting.acquire(timeout=DEADLINE)
    finish(thread)
    take_in_request()

    assert contexts[0].turn_seconds > 0
    assert contexts[1].turn_seconds == 0


def test_a_turn_ends_with_an_error() -> None:
    turns = BoardTurns(0)

    with pytest.raises(ZeroDivisionError), turns.take("board"):
        raise ZeroDivisionError

    take(turns, lambda: None)


def test_boards_at_which_nobody_has_the_turn_take_no_memory() -> None:
    turns = BoardTurns(0)

    with turns.take("board"), turns.take("other"):
        for _ in range(2):
            with pytest.raises(Busy):
                take(turns, lambda: None)
        assert len(turns) == 2

    assert len(turns) == 0


def test_a_turn_that_comes_just_when_somebody_gives_up_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = BoardTurns(0)
    first = turns.take("board")
    lock_of_threading = threading.Lock

    class LateLock:
        """A lock that is released too late for whoever waits: between the end of the wait and what follows it."""

        def __init__(self) -> None:
            self.release = lock_of_threading().release

        def acquire(self, timeout: float = -1) -> bool:
            self.release = lambda: None
            if timeout >= 0:
                first.__exit__(None, None, None)
            return timeout < 0

    first.__enter__()
    monkeypatch.setattr(board_turns, "threading", SimpleNamespace(Lock=LateLock))
    with pytest.raises(Busy):
        take(turns, lambda: None)
    monkeypatch.undo()

    take(turns, lambda: None)
    assert len(turns) == 0


def test_a_read_that_wants_to_commit_a_change_is_a_bug() -> None:
    store = cast("Store", VersionedStore())
    commit = IdempotentCommit(store, ManualClock(), lambda _: None, lambda: 0.0, build_context=build_no_context)
    request = SimpleNamespace(method="GET", context=RequestContext())
    operation = SimpleNamespace(id="get_board", extensions={})
    call = SimpleNamespace(operation=operation, request=request, caller=None, is_dry_run=False)

    with pytest.raises(ContractBreach, match="get_board is a GET"):
        commit(cast("Call", call), lambda: Response(200, (), b"", ("brd_1", 0)))
