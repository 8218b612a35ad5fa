"""When the texts of a user's boards are counted, and what is admitted until then."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from queue import Full
from typing import cast

import pytest

from kanban.boards import TooManyBytes
from kanban.store import Busy, Store
from kanban.values import Board
from usecases.text_counts import MIN_SECONDS_BETWEEN_COUNTS, RECOUNT_SECONDS, TextCounts

MAXIMUM = 1_000


@dataclass
class Fixture:
    """Counts of a store whose boards hold what a test says, and which runs what it is to run later when asked."""

    totals: dict[str, int] = field(default_factory=lambda: {"one": 300})
    seqs: dict[str, int] = field(default_factory=lambda: {"one": 1})
    now: float = 0.0
    error: Exception | None = None
    is_full: bool = False
    waiting: list[Callable[[], None]] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.counts = TextCounts(cast("Store", self), MAXIMUM, self.read_boards, lambda: self.now, self.run)

    def run(self, function: Callable[[], None]) -> None:
        """Keep a function for later."""
        if self.is_full:
            raise Full
        self.waiting.append(function)

    def run_all(self) -> None:
        """Run what is waiting."""
        while self.waiting:
            self.waiting.pop(0)()

    def read_boards(self, _: Store, user_id: str) -> Iterator[Board]:
        """Yield the boards of a user."""
        assert user_id == "ann"
        for board_id, seq in self.seqs.items():
            board = object.__new__(Board)
            object.__setattr__(board, "id", board_id)
            object.__setattr__(board, "seq", seq)
            yield board

    def sum_text_bytes(self, board_id: str) -> int:
        """Return what a board holds."""
        if self.error:
            raise self.error
        self.reads.append(board_id)
        return self.totals[board_id]

    def add(self, number: int | None = 10) -> int:
        """Add so much; return how many counts are waiting then."""
        self.counts.ensure_room("ann", number)
        return len(self.waiting)


@pytest.fixture
def world() -> Fixture:
    return Fixture()


def test_everything_is_admitted_until_the_first_count(world: Fixture) -> None:
    world.totals["one"] = MAXIMUM

    assert [world.add(10_000), world.add(None)] == [1, 1]
    world.run_all()

    with pytest.raises(TooManyBytes, match="take 1,000 bytes of text, and 1,000 are the most"):
        world.add()


def test_one_byte_below_the_maximum_there_is_room(world: Fixture) -> None:
    world.totals["one"] = MAXIMUM - 1
    world.add()
    world.run_all()

    assert world.add() == 0


def test_it_is_counted_again_after_ten_minutes(world: Fixture) -> None:
    world.add()
    world.run_all()

    world.now = RECOUNT_SECONDS - 1
    assert world.add() == 0
    world.now = RECOUNT_SECONDS
    assert world.add() == 1
    assert world.add() == 1


@pytest.mark.parametrize("added", [700, None])
def test_it_is_counted_again_after_a_minute_if_what_was_added_may_reach_the_maximum(
    world: Fixture, added: int | None
) -> None:
    world.add()
    world.run_all()
    assert world.add(added) == 0

    world.now = MIN_SECONDS_BETWEEN_COUNTS - 1
    assert world.add(0) == 0
    world.now = MIN_SECONDS_BETWEEN_COUNTS
    assert world.add(0) == 1


def test_what_was_added_below_the_maximum_waits_for_ten_minutes(world: Fixture) -> None:
    world.add()
    world.run_all()
    world.add(698)

    world.now = MIN_SECONDS_BETWEEN_COUNTS

    assert world.add(1) == 0


def test_what_was_deleted_counts_after_a_minute(world: Fixture) -> None:
    world.totals["one"] = MAXIMUM
    world.add()
    world.run_all()
    world.totals["one"], world.seqs["one"] = 0, 2

    world.now = MIN_SECONDS_BETWEEN_COUNTS
    with pytest.raises(TooManyBytes):
        world.add()
    world.run_all()

    assert world.add() == 0


def test_only_boards_that_have_changed_are_read_again(world: Fixture) -> None:
    world.totals["two"], world.seqs["two"] = 5, 1
    world.add()
    world.run_all()

    world.seqs["two"] = 2
    world.now = RECOUNT_SECONDS
    world.add()
    world.run_all()

    assert world.reads == ["one", "two", "two"]


@pytest.mark.parametrize("error", [Busy(), RuntimeError("a bug")])
def test_a_count_that_fails_is_tried_again_after_a_minute(world: Fixture, error: Exception) -> None:
    world.add()
    world.error = error
    world.run_all()
    world.error = None

    assert world.add() == 0
    world.now = MIN_SECONDS_BETWEEN_COUNTS
    assert world.add() == 1


def test_a_count_that_fails_keeps_the_one_before(world: Fixture) -> None:
    world.totals["one"] = MAXIMUM
    world.add()
    world.run_all()
    world.now, world.seqs["one"], world.error = RECOUNT_SECONDS, 2, Busy()
    with pytest.raises(TooManyBytes):
        world.add()
    world.run_all()

    with pytest.raises(TooManyBytes):
        world.add()


def test_a_count_for_which_there_is_no_place_is_asked_for_again(world: Fixture) -> None:
    world.is_full = True
    assert world.add() == 0
    world.is_full = False

    assert world.add() == 1
