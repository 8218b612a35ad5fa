"""What happens when many processes write to one board on DynamoDB: a simulation for docs/scale.md.

Every request runs in a process of its own, as on Lambda, and times are those of a table in the same region. A write
reads the board, decides, and sends a transaction, which DynamoDB judges and then holds the board's items until it is
written. Attempts, pauses and deadlines are the product's. What AWS does not document is assumed: how long items are
held, and that a refused transaction consumes as much as one that is carried out.
"""

import heapq
import random
import statistics
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from itertools import count
from math import inf

from app import commits
from stores.dynamodb import client
from tests.deployment.scale_model import render_table

SECONDS = 40
SEEDS = range(5)
OFFERED_PER_SECOND = (10, 20, 30, 40, 60)
UNITS_PER_WRITE, UNITS_BEFORE_1_3 = 14, 24
"""Write units of a transaction that moves a card, on a board with ten lists, ten members and twenty labels."""
PARTITION_UNITS_PER_SECOND, PARTITION_BURST_UNITS = 1_000, 3_000

READ_SECONDS, DECIDE_SECONDS, UNTIL_JUDGED_SECONDS, HELD_SECONDS, REFUSED_SECONDS = 0.006, 0.006, 0.005, 0.010, 0.003
SLOW_SHARE, SLOW_SECONDS, SPREAD = 0.005, 0.2, 0.45
"""One call in 200 takes 200 ms. The others are spread like a logarithmic normal distribution."""
REQUEST_SECONDS = 15 - client.MIN_REMAINING_SECONDS
"""How long a request goes on trying, in a function with a timeout of 15 seconds, as it was before version 1.3."""

Steps = Generator[float, None, str]
"""A process: it yields the seconds for which it waits, and returns how it ended."""


@dataclass
class Board:
    """One board, and the partition that it lies in.

    Attributes:
        is_before_1_3: Whether a transaction in conflict is sent again as it is, a request has no limit of time but its
            own, and every write writes the board's head, as before version 1.3.
    """

    is_before_1_3: bool
    random: random.Random
    now: float = 0.0
    seq: int = 0
    held_until: float = 0.0
    consumed: float = 0.0
    latencies: list[float] = field(default_factory=list)
    busy: int = 0
    _available: float = PARTITION_BURST_UNITS
    _available_at: float = 0.0

    def request(self) -> Steps:
        """Write once: read, decide and send until it is done or given up (`app.commits`)."""
        began = self.now
        gives_up_at = inf if self.is_before_1_3 else began + commits.PATIENCE_SECONDS
        for attempt in range(commits.MAX_ATTEMPTS):
            outcome = yield from self._retry(self._read, began)
            seq = self.seq
            if outcome == "done":
                yield DECIDE_SECONDS
                outcome = yield from self._retry(lambda seq=seq: self._transact(seq), began)  # type: ignore[misc]
            if outcome == "done":
                self.latencies.append(self.now - began)
                return outcome
            if outcome == "late" or (attempt and self.now > gives_up_at):
                break
            yield self.random.random() * commits.FIRST_DELAY_SECONDS * 2 ** min(attempt, commits.MAX_DOUBLINGS)
        self.busy += 1
        return "busy"

    def _retry(self, call: Callable[[], Steps], began: float) -> Steps:
        """Call with retries as `RetryingClient` does. Return 'late' if time is over."""
        started_at = self.now
        for attempts in count(1):
            if self.now - began > REQUEST_SECONDS:
                return "late"
            outcome = yield from call()
            if outcome == "conflict" and call is not self._read and not self.is_before_1_3:
                return "stale"
            if outcome not in ("conflict", "throttled"):
                return outcome
            pause = self.random.random() * min(client.MAX_BACKOFF, client.FIRST_BACKOFF * 2**attempts)
            if self.now + pause - started_at > client.MAX_RETRY_SECONDS:
                return "late"
            yield pause
        raise AssertionError

    def _read(self) -> Steps:
        """Read the board in a transaction, which is refused while another one holds it."""
        yield self._spread(READ_SECONDS)
        return "done" if self.now >= self.held_until else "conflict"

    def _transact(self, seq: int) -> Steps:
        yield self._spread(UNTIL_JUDGED_SECONDS)
        if not self._consume():
            outcome = "throttled"
        elif self.now < self.held_until:
            outcome = "conflict"
        elif self.seq != seq:
            outcome = "stale"
        else:
            seconds = self._spread(HELD_SECONDS)
            self.held_until = self.now + seconds
            self.seq += 1
            yield seconds
            return "done"
        yield self._spread(REFUSED_SECONDS)
        return outcome

    def _consume(self) -> bool:
        units = UNITS_BEFORE_1_3 if self.is_before_1_3 else UNITS_PER_WRITE
        refilled = self._available + (self.now - self._available_at) * PARTITION_UNITS_PER_SECOND
        self._available, self._available_at = min(PARTITION_BURST_UNITS, refilled), self.now
        if self._available < units:
            return False
        self._available -= units
        self.consumed += units
        return True

    def _spread(self, seconds: float) -> float:
        is_slow = self.random.random() < SLOW_SHARE
        return SLOW_SECONDS if is_slow else seconds * self.random.lognormvariate(0, SPREAD)


def simulate(offered_per_second: float, seed: int, *, is_before_1_3: bool) -> Board:
    """Return the board after some time in which so many requests a second write to it."""
    board = Board(is_before_1_3, random.Random(seed))  # noqa: S311 - a simulation.
    arrivals = random.Random(f"arrivals {seed}")  # noqa: S311 - as above.
    numbers = count()
    waiting: list[tuple[float, int, Steps]] = []
    at = arrivals.expovariate(offered_per_second)
    while at < SECONDS:
        heapq.heappush(waiting, (at, next(numbers), board.request()))
        at += arrivals.expovariate(offered_per_second)
    while waiting:
        board.now, _, process = heapq.heappop(waiting)
        try:
            heapq.heappush(waiting, (board.now + next(process), next(numbers), process))
        except StopIteration:
            continue
    return board


def describe(offered_per_second: float, *, is_before_1_3: bool) -> tuple[str, str, str, str]:
    """Return what is written in a second, the share of 503, the time that 95 of 100 writes take, and their units."""
    boards = [simulate(offered_per_second, seed, is_before_1_3=is_before_1_3) for seed in SEEDS]
    written = statistics.mean(len(board.latencies) for board in boards)
    refused = statistics.mean(board.busy / (board.busy + len(board.latencies)) for board in boards)
    seconds = statistics.mean(statistics.quantiles(board.latencies, n=20)[-1] for board in boards)
    units = statistics.mean(board.consumed for board in boards) / written
    return f"{written / SECONDS:.0f}", f"{refused:.0%}", f"{seconds:.1f} s", f"{units:.0f}"


def render_table_of_page() -> str:
    """Return the table of docs/scale.md: what becomes of the writes that are offered, and what became before 1.3."""
    columns = ("written", "503", "95 of 100 within", "write units each")
    rows = []
    for offered in OFFERED_PER_SECOND:
        pairs = zip(describe(offered, is_before_1_3=False), describe(offered, is_before_1_3=True), strict=True)
        rows.append((str(offered), *(f"{now} ({before})" for now, before in pairs)))
    return render_table(("writes offered a second", *columns), rows)
