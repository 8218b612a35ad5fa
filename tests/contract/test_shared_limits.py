"""A limit across processes: how far they exceed it together, and how often they report.

The processes are simulated: each has a limiter of its own, and all share a clock and a store in memory, whose responses
take a while.
"""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate, count
from random import Random

import pytest

from contract.rate_limit import WINDOW_SECONDS, Learn, RateLimiter

TOLERATED = 1.1
LATENCY_SECONDS = 0.02
START = 1_800_000_000.0


@dataclass
class Processes:
    """Processes that limit one caller together."""

    limit: int
    number: int
    random: Random
    is_store_up: bool = True
    now: float = START
    writes: int = 0
    _arrival_time: float = 0.0
    _responses: list[tuple[float, int, Callable[[], object]]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.limiters = [RateLimiter(self.limit, lambda: self.now, self._report) for _ in range(self.number)]

    def _report(self, caller: str, seconds: float, now: float, learn: Learn) -> None:
        assert caller == "mina"
        if not self.is_store_up:
            learn(None)
            return
        self.writes += 1
        self._arrival_time = max(self._arrival_time, now) + seconds
        respond: Callable[[], object] = partial(learn, (self._arrival_time, self.writes))
        heapq.heappush(self._responses, (now + LATENCY_SECONDS, next(self._numbers), respond))

    def advance(self, seconds: float) -> None:
        """Let time pass, and responses arrive."""
        self.now += seconds
        while self._responses and self._responses[0][0] <= self.now:
            heapq.heappop(self._responses)[2]()

    def send(self, per_minute: float, seconds: float, weights: list[float]) -> tuple[int, float]:
        """Send requests at random times to random processes.

        Return how many were admitted, and how full a bucket became that all of them count in: 1.0 is the limit.
        """
        admitted, arrival_time, fullest = 0, self.now, 0.0
        end, cumulated = self.now + seconds, [*accumulate(weights)]
        while self.now < end:
            self.advance(self.random.expovariate(per_minute / 60))
            (limiter,) = self.random.choices(self.limiters, cum_weights=cumulated)
            if not limiter.acquire("mina"):
                admitted += 1
                arrival_time = max(arrival_time, self.now) + WINDOW_SECONDS / self.limit
                fullest = max(fullest, (arrival_time - self.now) / WINDOW_SECONDS)
        return admitted, fullest


DISTRIBUTIONS: dict[str, Callable[[int], list[float]]] = {
    "even": lambda number: [1.0] * number,
    "uneven": lambda number: [1 / (index + 1) for index in range(number)],
    "nearly all to a few": lambda number: [0.7**index for index in range(number)],
}


@pytest.fixture
def random() -> Random:
    return Random(7)  # noqa: S311 - a test repeats the same sequence.


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize("times", [1.2, 3, 20])
@pytest.mark.parametrize("number", [1, 4, 16, 64])
def test_processes_exceed_a_limit_by_less_than_a_tenth(
    random: Random, number: int, times: float, distribution: str
) -> None:
    processes = Processes(3_000, number, random)

    seconds = {1.2: 360, 3: 60, 20: 15}[times]
    admitted, fullest = processes.send(3_000 * times, seconds, DISTRIBUTIONS[distribution](number))

    assert 0.9 < fullest < TOLERATED
    assert processes.writes <= admitted * {1: 0.022, 4: 0.03, 16: 0.1, 64: 0.45}[number]


@pytest.mark.parametrize("number", [1, 4, 16])
def test_processes_exceed_a_small_limit_by_less_than_a_tenth(random: Random, number: int) -> None:
    _, fullest = Processes(300, number, random).send(6_000, 60, [1.0] * number)

    assert 0.9 < fullest < TOLERATED


@pytest.mark.parametrize("share", [0.005, 0.1, 0.5])
def test_a_burst_after_a_steady_pace_is_limited_as_well(random: Random, share: float) -> None:
    processes = Processes(3_000, 64, random)
    even = DISTRIBUTIONS["even"](64)

    admitted, _ = processes.send(3_000 * share, 240 if share < 0.5 else 60, even)
    _, fullest = processes.send(60_000, 10, DISTRIBUTIONS["uneven"](64))

    assert admitted > 3_000 * share * 0.5
    assert fullest < TOLERATED


def test_a_pace_just_below_the_limit_of_each_process_is_limited(random: Random) -> None:
    # Each process alone sees a caller who is idle again before each request.
    processes = Processes(3_000, 16, random)

    admitted, _ = processes.send(16 * 2_000, 120, DISTRIBUTIONS["even"](16))

    assert admitted < TOLERATED * 3_000 * 3


def test_callers_far_below_the_limit_are_seldom_reported(random: Random) -> None:
    page_that_polls = Processes(3_000, 1, random)
    admitted, _ = page_that_polls.send(12, 3_600, [1.0])
    rare = Processes(3_000, 64, random)
    rare.send(60, 3_600, DISTRIBUTIONS["even"](64))

    assert page_that_polls.writes <= 0.03 * admitted
    assert rare.writes <= 0.2 * 3_600


def test_each_process_goes_on_alone_while_the_store_is_down_and_shares_again_later(random: Random) -> None:
    processes = Processes(600, 2, random, is_store_up=False)
    admitted, _ = processes.send(6_000, 30, [1.0, 1.0])

    assert 1_200 <= admitted <= 1_900
    processes.is_store_up = True
    processes.advance(120)
    _, fullest = processes.send(6_000, 60, [1.0, 1.0])
    assert fullest < TOLERATED


def test_a_refused_request_is_not_reported(random: Random) -> None:
    processes = Processes(60, 1, random)
    for _ in range(60):
        processes.limiters[0].acquire("mina")
        processes.advance(0.0)
    writes = processes.writes

    assert all(processes.limiters[0].acquire("mina") for _ in range(1_000))
    assert processes.writes == writes


def test_a_report_that_gets_no_response_is_not_followed_by_others() -> None:
    reports: list[Learn] = []
    limiter = RateLimiter(6_000, lambda: START, lambda *report: reports.append(report[3]))

    for _ in range(1_000):
        limiter.acquire("mina")

    assert len(reports) == 1


def test_a_cost_counts_as_so_many_requests() -> None:
    limiter = RateLimiter(30, lambda: START)

    assert limiter.count("mina", 10)[:2] == (0.0, 20)
    assert limiter.count("mina", 100).wait_seconds == pytest.approx(20.0)
    assert limiter.count("omar", 100)[:2] == (0.0, 0)
