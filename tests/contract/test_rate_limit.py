"""The rate limiter."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import FrameType
from typing import Any

import pytest

from contract.rate_limit import MAX_CALLERS, RateLimiter


class Watch:
    """A clock in seconds that a test moves by hand."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.seconds


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_a_burst_of_a_minutes_requests_passes_and_one_more_waits(watch: Watch) -> None:
    limit = RateLimiter(30, watch)

    waits = [limit.acquire("mina") for _ in range(31)]

    assert waits == [0.0] * 30 + [pytest.approx(2.0)]


def test_a_caller_that_waits_as_told_passes(watch: Watch) -> None:
    limit = RateLimiter(7, watch)
    while not (wait := limit.acquire("mina")):
        pass

    watch.seconds += wait

    assert limit.acquire("mina") == 0.0
    assert limit.acquire("mina") == pytest.approx(wait)


def test_a_rejected_request_does_not_extend_the_wait(watch: Watch) -> None:
    limit = RateLimiter(1, watch)

    waits = [limit.acquire("mina") for _ in range(5)]

    assert waits == [0.0, 60.0, 60.0, 60.0, 60.0]


def test_a_steady_pace_below_the_limit_always_passes(watch: Watch) -> None:
    limit = RateLimiter(30, watch)

    for _ in range(1_000):
        assert limit.acquire("mina") == 0.0
        watch.seconds += 2.0


def test_callers_have_independent_limits(watch: Watch) -> None:
    limit = RateLimiter(1, watch)
    limit.acquire("mina")

    assert limit.acquire("omar") == 0.0


def test_a_clock_that_is_set_back_blocks_nobody_for_long(watch: Watch) -> None:
    limit = RateLimiter(1, watch)
    limit.acquire("mina")

    watch.seconds -= 3_600

    assert limit.acquire("mina") == 0.0
    assert limit.acquire("mina") == 60.0


def steps_of(call: Callable[[], object]) -> int:
    """Count the bytecode instructions of a call and its callees."""
    steps = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal steps
        frame.f_trace_opcodes = True
        steps += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return steps


def test_the_cost_of_a_request_does_not_grow_with_callers(watch: Watch) -> None:
    limit = RateLimiter(60, watch)
    limit.acquire("mina")
    alone = steps_of(lambda: limit.acquire("mina"))

    for number in range(100_000):
        limit.acquire(f"usr_{number}")
    among_many = max(steps_of(partial(limit.acquire, f"new_{number}")) for number in range(1_000))
    watch.seconds += 120.0
    after_all_were_quiet = max(steps_of(partial(limit.acquire, f"late_{number}")) for number in range(1_000))

    assert max(among_many, after_all_were_quiet) <= 2 * alone


def test_memory_is_bounded_and_inactive_callers_are_evicted(watch: Watch) -> None:
    limit = RateLimiter(60, watch)
    for number in range(100_000):
        limit.acquire(f"usr_{number}")
    among_many = len(limit)

    watch.seconds += 120.0
    for _ in range(MAX_CALLERS):
        limit.acquire("mina")

    assert among_many == MAX_CALLERS
    assert len(limit) == 1


def test_a_busy_caller_is_not_evicted_by_others(watch: Watch) -> None:
    limit = RateLimiter(30, watch)
    waits = []

    for number in range(3 * MAX_CALLERS):
        limit.acquire(f"usr_{number}")
        if number % 100 == 0:
            waits.append(limit.acquire("mina"))

    assert waits == [0.0] * 30 + [pytest.approx(2.0)] * (len(waits) - 30)


@pytest.fixture
def _hasty_threads() -> Iterator[None]:
    """Switch threads after a few instructions, so that races show soon."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("_hasty_threads")
def test_threads_share_the_limit(watch: Watch) -> None:
    for _ in range(20):
        limit = RateLimiter(500, watch)

        def ask(limit: RateLimiter = limit) -> int:
            return sum(limit.acquire("mina") == 0.0 for _ in range(200))

        with ThreadPoolExecutor(8) as threads:
            passed = [thread.result() for thread in [threads.submit(ask) for _ in range(8)]]

        assert sum(passed) == 500


@pytest.mark.usefixtures("_hasty_threads")
def test_threads_can_evict_callers_concurrently(watch: Watch) -> None:
    limit = RateLimiter(60, watch)
    for number in range(MAX_CALLERS):
        limit.acquire(f"usr_{number}")

    def ask(thread: int) -> int:
        return sum(limit.acquire(f"new_{thread}_{number}") == 0.0 for number in range(2_000))

    with ThreadPoolExecutor(4) as threads:
        passed = list(threads.map(ask, range(4)))

    assert passed == [2_000] * 4
    assert len(limit) == MAX_CALLERS
