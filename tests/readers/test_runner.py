"""The runner gives each reader its events in order and at least once, whatever happens to whoever runs it."""

import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from kanban.feed_readers import LEASE_DURATION
from kanban.store import Store
from kanban.values import Event, FeedReader
from readers.runner import Handled, Outcome, Removed, Retry, Runner, Sleep
from stores import open_store
from tests.stores.world import World


class Killed(BaseException):
    """Raised where a process ends."""


Reaction = Outcome | Callable[[], Outcome]


@dataclass
class Recorder:
    """A handler that records what it is given, and does what the test says next.

    Attributes:
        batches: The seqs of each batch.
        reactions: What to do with the next batches: an outcome, or a call that returns one.
        max_events: How many events it takes at once.
    """

    batches: list[tuple[int, ...]] = field(default_factory=list)
    reactions: list[Reaction] = field(default_factory=list)
    max_events: int = 3

    def choose_batch(self, reader: FeedReader, events: Sequence[Event]) -> int:
        """Take as many as the test says."""
        assert reader.batch_to is None
        return min(self.max_events, len(events))

    def handle(self, reader: FeedReader, events: Sequence[Event]) -> Outcome:
        """Record the batch."""
        assert reader.lease_owner
        assert (reader.after_seq + 1, reader.batch_to) == (events[0].seq, events[-1].seq)
        self.batches.append(tuple(event.seq for event in events))
        reaction = self.reactions.pop(0) if self.reactions else Handled()
        return reaction() if callable(reaction) else reaction


@pytest.fixture
def store(tmp_path: Path, empty_database: Path) -> Iterator[Store]:
    shutil.copy(empty_database, tmp_path / "tackboard.db")
    opened = open_store(f"sqlite:///{tmp_path}/tackboard.db")
    yield opened
    opened.close()


@pytest.fixture
def world(store: Store) -> World:
    """Return a board with eight events and a reader that has seen the first."""
    world = World(store)
    for number in range(7):
        world.add_card(f"Card {number}")
    store.feed_readers.add_reader(FeedReader(world.board_id, "test:1", 1, due_at=world.now))
    return world


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def make_runner(world: World, recorder: Recorder) -> Runner:
    return Runner(world.store.feed_readers, {"test": recorder}, lambda: world.now, lambda: world.random_bytes(8).hex())


def run_due(world: World, recorder: Recorder, *, batches: int = 1_000) -> None:
    """Run what is due, as far as so many batches."""
    runner = make_runner(world, recorder)
    for reader in runner.list_due():
        runner.run(reader, lambda: len(recorder.batches) < batches)


def read_reader(world: World) -> FeedReader:
    (reader,) = world.store.feed_readers.list_readers(world.board_id)
    return reader


def test_a_reader_gets_all_events_in_order_and_the_lease_is_released(world: World, recorder: Recorder) -> None:
    run_due(world, recorder)

    assert recorder.batches == [(2, 3, 4), (5, 6, 7), (8,)]
    assert read_reader(world) == FeedReader(world.board_id, "test:1", 8, calls=3, due_at=world.now)
    run_due(world, recorder)
    assert len(recorder.batches) == 3
    world.add_card("News")
    run_due(world, recorder)
    assert recorder.batches[3:] == [(9,)]


def test_a_batch_that_failed_comes_once_more_and_nothing_overtakes_it(world: World, recorder: Recorder) -> None:
    recorder.reactions = [Handled(), Retry(world.now + timedelta(seconds=5))]
    run_due(world, recorder)
    world.add_card("News")
    run_due(world, recorder)

    assert recorder.batches == [(2, 3, 4), (5, 6, 7)]
    failed = read_reader(world)
    assert (failed.attempts, failed.failing_since, failed.batch_to, failed.lease_until) == (1, world.now, 7, None)
    world.advance(seconds=5)
    began, recorder.reactions = failed.failing_since, [Retry(world.now + timedelta(seconds=30))]
    run_due(world, recorder)
    assert (read_reader(world).attempts, read_reader(world).failing_since) == (2, began)
    world.advance(seconds=30)
    run_due(world, recorder)
    assert recorder.batches[2:] == [(5, 6, 7), (5, 6, 7), (8, 9)]
    assert read_reader(world) == FeedReader(world.board_id, "test:1", 9, calls=5, due_at=world.now)


def test_a_reader_sleeps_until_it_is_woken_and_has_lost_nothing(world: World, recorder: Recorder) -> None:
    recorder.reactions = [Sleep()]
    run_due(world, recorder)
    world.advance(days=100)
    run_due(world, recorder)

    assert recorder.batches == [(2, 3, 4)]
    world.store.feed_readers.reset_reader(world.board_id, "test:1", due_at=world.now)
    run_due(world, recorder)
    assert recorder.batches[1:] == [(2, 3, 4), (5, 6, 7), (8,)]


def test_a_reader_that_is_no_more_is_removed(world: World, recorder: Recorder) -> None:
    recorder.reactions = [Removed()]
    run_due(world, recorder)

    assert world.store.feed_readers.list_readers(world.board_id) == []


def test_readers_of_an_unknown_kind_are_left_alone(world: World, recorder: Recorder) -> None:
    unknown = FeedReader(world.board_id, "other:1", 0, due_at=world.now)
    world.store.feed_readers.add_reader(unknown)
    run_due(world, recorder)

    assert world.store.feed_readers.list_readers(world.board_id)[0] == unknown


def test_a_runner_that_is_stopped_finishes_the_batch_and_releases_the_lease(world: World, recorder: Recorder) -> None:
    run_due(world, recorder, batches=1)

    assert recorder.batches == [(2, 3, 4)]
    assert read_reader(world) == FeedReader(world.board_id, "test:1", 4, calls=1, due_at=world.now)


def test_the_batch_of_a_runner_that_was_killed_comes_once_more(world: World, recorder: Recorder) -> None:
    def die() -> Outcome:
        raise Killed

    recorder.reactions = [Handled(), die]
    with suppress(Killed):
        run_due(world, recorder)
    world.add_card("News")
    run_due(world, recorder)

    assert recorder.batches == [(2, 3, 4), (5, 6, 7)]
    world.now += LEASE_DURATION
    recorder.max_events = 100
    run_due(world, recorder)
    assert recorder.batches[2:] == [(5, 6, 7), (8, 9)]


def test_two_runners_do_not_work_for_one_reader(world: World, recorder: Recorder) -> None:
    (reader,) = make_runner(world, recorder).list_due()

    def run_another() -> Outcome:
        make_runner(world, recorder).run(reader, lambda: True)
        make_runner(world, recorder).run(read_reader(world), lambda: True)
        run_due(world, recorder)
        return Handled()

    recorder.reactions = [run_another]
    make_runner(world, recorder).run(reader, lambda: True)
    assert recorder.batches == [(2, 3, 4), (5, 6, 7), (8,)]


def test_a_runner_that_is_late_does_not_set_the_cursor_back(world: World, recorder: Recorder) -> None:
    def sleep_too_long() -> Outcome:
        world.now += LEASE_DURATION
        run_due(world, recorder, batches=3)
        return Handled()

    recorder.reactions = [sleep_too_long]
    run_due(world, recorder)

    assert recorder.batches == [(2, 3, 4), (2, 3, 4), (5, 6, 7)]
    assert read_reader(world) == FeedReader(world.board_id, "test:1", 7, calls=2, due_at=world.now)


def test_a_clock_that_is_set_back_stops_nothing(world: World, recorder: Recorder) -> None:
    def die() -> Outcome:
        raise Killed

    recorder.reactions = [die]
    with suppress(Killed):
        run_due(world, recorder)
    world.advance(days=-400)
    run_due(world, recorder)

    assert recorder.batches == [(2, 3, 4), (2, 3, 4), (5, 6, 7), (8,)]


def test_a_reader_that_is_reset_meanwhile_goes_on_where_it_was_put(world: World, recorder: Recorder) -> None:
    def be_reset() -> Outcome:
        world.store.feed_readers.reset_reader(world.board_id, "test:1", due_at=world.now, after_seq=0)
        return Handled()

    recorder.reactions = [be_reset]
    run_due(world, recorder)
    assert recorder.batches == [(2, 3, 4)]
    run_due(world, recorder)
    assert len(recorder.batches) == 1  # One call at a time: the one before may still be under way.
    world.now += LEASE_DURATION
    run_due(world, recorder)
    assert recorder.batches[1:] == [(1, 2, 3), (4, 5, 6), (7, 8)]


@pytest.mark.parametrize("seed", range(20))
def test_no_event_is_lost_or_out_of_order_in_any_mixture_of_faults(world: World, recorder: Recorder, seed: int) -> None:
    """Runners fail, die before and after they have told, sleep too long, and meet; and clocks are set back."""
    chance = random.Random(seed)  # noqa: S311 - the same faults in every run.

    def die() -> Outcome:
        raise Killed

    def sleep_too_long() -> Outcome:
        world.now += LEASE_DURATION
        recorder.reactions = []
        run_due(world, recorder, batches=len(recorder.batches) + chance.randrange(3))
        return Handled() if chance.random() < 0.5 else Retry(world.now)

    for _ in range(30):
        if chance.random() < 0.5:
            world.add_card("News")
        recorder.max_events = chance.randint(1, 4)
        reactions: list[Reaction] = [Handled(), Retry(world.now + timedelta(seconds=5)), Sleep(), die, sleep_too_long]
        recorder.reactions = [chance.choice(reactions)]
        with suppress(Killed):
            run_due(world, recorder)
        world.advance(seconds=chance.choice([0, 5, 31, -40]))
        if read_reader(world).due_at is None:
            world.store.feed_readers.reset_reader(world.board_id, "test:1", due_at=world.now)
    world.now = max(world.now, *filter(None, [read_reader(world).due_at, read_reader(world).lease_until]))
    recorder.reactions = []
    run_due(world, recorder)

    first_times = list(dict.fromkeys(seq for batch in recorder.batches for seq in batch))
    last_seq = world.read_board().board.seq
    assert first_times == list(range(2, last_seq + 1))
    assert read_reader(world) == replace(read_reader(world), after_seq=last_seq, batch_to=None, attempts=0)
    # What begins with the same event has the same contents, whoever sends it.
    assert len({batch[0] for batch in recorder.batches}) == len(set(recorder.batches))


def test_what_was_no_call_counts_neither_as_one_nor_as_a_failure(world: World, recorder: Recorder) -> None:
    later = world.now + timedelta(seconds=5)
    recorder.reactions = [Handled(is_call=False), Retry(later, is_call=False)]
    run_due(world, recorder)
    waiting = read_reader(world)
    assert (waiting.after_seq, waiting.due_at) == (4, later)
    world.advance(seconds=5)
    recorder.reactions = [Sleep(is_call=False)]
    run_due(world, recorder)
    sleeping = read_reader(world)
    assert (sleeping.after_seq, sleeping.due_at) == (4, None)
    for reader in (waiting, sleeping):
        assert (reader.calls, reader.attempts, reader.failing_since) == (0, 0, None)
