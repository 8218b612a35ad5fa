"""The rate limiter."""

import gc
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import FrameType
from typing import Any

import pytest

from contract.rate_limit import MAX_CALLERS, RateLimiter


class ManualSeconds:
    """A clock in seconds that a test moves by hand."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.seconds


@pytest.fixture
def seconds() -> ManualSeconds:
    return ManualSeconds()


def test_a_burst_of_a_minutes_requests_passes_and_one_more_waits(seconds: ManualSeconds) -> None:
    limiter = RateLimiter(30, seconds)

    waits = [limiter.acquire("mina") for _ in range(31)]

    assert waits == [0.0] * 30 + [pytest.approx(2.0)]


def test_a_burst_passes_whole_at_a_time_of_today() -> None:
    limiter = RateLimiter(3_000, lambda: 1_795_183_200.3)

    assert [limiter.acquire("mina") for _ in range(3_000)] == [0.0] * 3_000
    assert limiter.get_wait("mina") == pytest.approx(0.02, abs=1e-3)


def test_a_caller_that_waits_as_told_passes(seconds: ManualSeconds) -> None:
    limiter = RateLimiter(7, seconds)
    while not (wait := limiter.acquire("mina")):
        pass

    seconds.seconds += wait

    assert limiter.acquire("mina") == 0.0
    assert limiter.acquire("mina") == pytest.approx(wait)


def test_a_rejected_request_does_not_extend_the_wait(seconds: ManualSeconds) -> None:
    limiter = RateLimiter(1, seconds)

    waits = [limiter.acquire("mina") for _ in range(5)]

    assert waits == [0.0, 60.0, 60.0, 60.0, 60.0]


def test_the_wait_is_known_without_a_request(seconds: ManualSeconds) -> None:
    limiter = RateLimiter(2, seconds)

    waits = [limiter.get_wait("mina"), limiter.get_wait("mina")]
    for _ in range(2):
        limiter.acquire("mina")
        waits.append(limiter.get_wait("mina"))
    seconds.seconds += 20
    waits += [limiter.get_wait("mina"), limiter.get_wait("omar")]

    assert waits == [0.0, 0.0, 0.0, pytest.approx(30.0), pytest.approx(10.0), 0.0]
    assert limiter.acquire("mina") == pytest.approx(10.0)
    seconds.seconds += 10
    assert limiter.get_wait("mina") == limiter.acquire("mina") == 0.0


def test_the_wait_is_at_most_a_minute_after_the_clock_was_set_back(seconds: ManualSeconds) -> None:
    limiter = RateLimiter(1, seconds)
    limiter.acquire("mina")
    seconds.seconds -= 3_600

    assert limiter.get_wait("mina") == 0.0


def test_a_steady_pace_below_the_limit_always_passes(seconds: ManualSeconds) -> None:
    limiter = RateLimiter(30, seconds)

    for _ in range(1_000):
        assert limiter.acquire("mina") == 0.0
        seconds.seconds += 2.0


def test_callers_have_independent_limits(seconds: ManualSeconds) -> None:
    limiter = RateLimiter(1, seconds)
    limiter.acquire("mina")

    assert limiter.acquire("omar") == 0.0


def test_a_clock_that_is_set_back_blocks_nobody_for_long(seconds: ManualSeconds) -> None:
    limiter = RateLimiter(1, seconds)
    limiter.acquire("mina")

    seconds.seconds -= 3_600

    assert limiter.acquire("mina") == 0.0
    assert limiter.acquire("mina") == 60.0


def count_instructions(call: Callable[[], object]) -> int:
    """Count the bytecode instructions of a call and its callees."""
    instructions = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal instructions
        frame.f_trace_opcodes = True
        instructions += event == "opcode"
        return trace

    before = sys.gettrace()
    # A collection in between would run callbacks of other libraries, which count too.
    gc.disable()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
        gc.enable()
    return instructions


def test_the_cost_of_a_request_does_not_grow_with_callers(seconds: ManualSeconds) -> None:
    limiter = RateLimiter(60, seconds)
    limiter.acquire("mina")
    first_cost = count_instructions(lambda: limiter.acquire("mina"))

    for number in range(100_000):
        limiter.acquire(f"usr_{number}")
    cost_among_many = max(count_instructions(partial(limiter.acquire, f"new_{number}")) for number in range(1_000))
    seconds.seconds += 120.0
    cost_after_idle = max(count_instructions(partial(limiter.acquire, f"late_{number}")) for number in range(1_000))

    assert max(cost_among_many, cost_after_idle) <= 2 * first_cost


def test_memory_is_bounded_and_inactive_callers_are_evicted(seconds: ManualSeconds) -> None:
    limiter = RateLimiter(60, seconds)
    for number in range(100_000):
        limiter.acquire(f"usr_{number}")
    callers_in_memory = len(limiter)

    seconds.seconds += 120.0
    for _ in range(MAX_CALLERS):
        limiter.acquire("mina")

    assert callers_in_memory == MAX_CALLERS
    assert len(limiter) == 1


def test_a_request_evicts_at_most_two_inactive_callers(seconds: ManualSeconds) -> None:
    limiter = RateLimiter(60, seconds)
    for number in range(10):
        limiter.acquire(f"usr_{number}")
    seconds.seconds += 120.0

    limiter.acquire("mina")

    assert len(limiter) == 10 + 1 - 2


def test_a_busy_caller_is_not_evicted_by_others(seconds: ManualSeconds) -> None:
    limiter = RateLimiter(30, seconds)
    waits = []

    for number in range(3 * MAX_CALLERS):
        limiter.acquire(f"usr_{number}")
        if number % 100 == 0:
            waits.append(limiter.acquire("mina"))

    assert waits == [0.0] * 30 + [pytest.approx(2.0)] * (len(waits) - 30)


@pytest.fixture
def _switch_threads_often() -> Iterator[None]:
    """Switch threads after a few instructions, so that races show soon."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("_switch_threads_often")
def test_threads_share_the_limit(seconds: ManualSeconds) -> None:
    for _ in range(20):
        limiter = RateLimiter(500, seconds)

        def count_passed(limiter: RateLimiter = limiter) -> int:
            return sum(limiter.acquire("mina") == 0.0 for _ in range(200))

        with ThreadPoolExecutor(8) as threads:
            passed = [thread.result() for thread in [threads.submit(count_passed) for _ in range(8)]]

        assert sum(passed) == 500


@pytest.mark.usefixtures("_switch_threads_often")
def test_threads_can_evict_callers_concurrently(seconds: ManualSeconds) -> None:
    limiter = RateLimiter(60, seconds)
    for number in range(MAX_CALLERS):
        limiter.acquire(f"usr_{number}")

    def count_passed(thread: int) -> int:
        return sum(limiter.acquire(f"new_{thread}_{number}") == 0.0 for number in range(2_000))

    with ThreadPoolExecutor(4) as threads:
        passed = list(threads.map(count_passed, range(4)))

    assert passed == [2_000] * 4
    assert len(limiter) == MAX_CALLERS
