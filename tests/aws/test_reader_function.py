"""The function that runs the readers is rung by a stream, and nothing depends on how often or in which order."""

import json
import shutil
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from aws.reader_function import MAX_DELAY_SECONDS, SWEEP_EVENT, ReaderFunction, UnknownEvent
from kanban.feed_readers import LEASE_DURATION
from kanban.values import Event, FeedReader
from readers.runner import Handled, Outcome, Retry, Runner
from stores import open_store
from tests.stores.world import World


class FakeQueue:
    """A queue that remembers what was sent."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, int]] = []

    def send(self, board_id: str, delay_seconds: int = 0) -> None:
        """Remember a message."""
        self.messages.append((board_id, delay_seconds))


class Recorder:
    """A handler that takes one event at a time, and does with each what the test says."""

    def __init__(self) -> None:
        self.seqs: list[int] = []
        self.outcomes: list[Outcome | Exception] = []

    def choose_batch(self, reader: FeedReader, events: Sequence[Event]) -> int:
        """Take one."""
        assert reader.lease_owner is None or reader.lease_owner
        assert events
        return 1

    def handle(self, reader: FeedReader, events: Sequence[Event]) -> Outcome:
        """Record the event."""
        assert reader.lease_owner
        self.seqs += [event.seq for event in events]
        outcome = self.outcomes.pop(0) if self.outcomes else Handled()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


class Scene:
    """A board with a reader, and the function."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.queue = FakeQueue()
        self.recorder = Recorder()
        self.remaining_seconds = 60.0
        store = world.store.feed_readers
        runner = Runner(store, {"test": self.recorder}, lambda: world.now, lambda: world.random_bytes(8).hex())
        self.function = ReaderFunction(store, runner, self.queue, lambda: world.now, lambda: self.remaining_seconds)
        store.add_reader(FeedReader(world.board_id, "test:1", 0, due_at=world.now))

    def ring(self, *board_ids: str) -> None:
        """Send a batch of the stream."""
        records = [
            {
                "eventSource": "aws:dynamodb",
                "eventName": "INSERT",
                "dynamodb": {"Keys": {"pk": {"S": f"B#{board_id}"}, "sk": {"S": "E#00000000000000000001"}}},
            }
            for board_id in board_ids
        ]
        assert self.function({"Records": records}) == {"batchItemFailures": []}

    def receive(self, *board_ids: str) -> list[str]:
        """Send a batch of the queue; return the messages that failed."""
        records = [
            {"eventSource": "aws:sqs", "messageId": f"m{number}", "body": json.dumps({"board_id": board_id})}
            for number, board_id in enumerate(board_ids)
        ]
        return [failure["itemIdentifier"] for failure in self.function({"Records": records})["batchItemFailures"]]


@pytest.fixture
def scene(tmp_path: Path, empty_database: Path) -> Iterator[Scene]:
    shutil.copy(empty_database, tmp_path / "tackboard.db")
    store = open_store(f"sqlite:///{tmp_path}/tackboard.db")
    yield Scene(World(store))
    store.close()


def test_the_stream_rings_once_for_each_board_that_has_readers(scene: Scene) -> None:
    board_id = scene.world.board_id
    scene.ring(board_id, scene.world.add_board("Without readers"), board_id)

    assert scene.queue.messages == [(board_id, 0)]
    assert scene.recorder.seqs == []


def test_a_ring_runs_the_readers_and_another_one_finds_nothing(scene: Scene) -> None:
    scene.world.add_card("One")

    assert scene.receive(scene.world.board_id, scene.world.board_id, "brd_none") == []
    assert scene.recorder.seqs == [1, 2]
    assert scene.queue.messages == []


def test_a_reader_that_waits_is_rung_when_it_is_due(scene: Scene) -> None:
    scene.recorder.outcomes = [Retry(scene.world.now + timedelta(seconds=30)), Retry(scene.world.now + timedelta(1))]

    scene.receive(scene.world.board_id)
    scene.receive(scene.world.board_id)
    assert scene.recorder.seqs == [1]
    assert scene.queue.messages == [(scene.world.board_id, 31)] * 2
    scene.world.advance(seconds=31)
    scene.receive(scene.world.board_id)
    assert scene.queue.messages[2:] == [(scene.world.board_id, MAX_DELAY_SECONDS)]


def test_a_reader_that_somebody_works_for_is_rung_when_the_lease_would_have_ended(scene: Scene) -> None:
    scene.recorder.outcomes = [RuntimeError("killed")]

    assert scene.receive(scene.world.board_id) == ["m0"]
    assert scene.receive(scene.world.board_id) == []
    assert scene.queue.messages == [(scene.world.board_id, int(LEASE_DURATION.total_seconds()) + 1)]
    scene.world.now += LEASE_DURATION
    scene.receive(scene.world.board_id)
    assert scene.recorder.seqs == [1, 1]


def test_what_there_is_no_time_for_is_rung_again_at_once(scene: Scene) -> None:
    for number in range(3):
        scene.world.add_card(f"Card {number}")
    scene.remaining_seconds = 10.0
    scene.receive(scene.world.board_id)

    assert scene.recorder.seqs == [1]
    assert scene.queue.messages == [(scene.world.board_id, 0)]


def test_one_board_that_fails_does_not_fail_the_others(scene: Scene) -> None:
    first, scene.world.board_id = scene.world.board_id, scene.world.add_board("Other")
    scene.world.store.feed_readers.add_reader(FeedReader(scene.world.board_id, "test:2", 0, due_at=scene.world.now))
    scene.recorder.outcomes = [RuntimeError("a bug")]

    assert scene.receive(first, scene.world.board_id) == ["m0"]
    assert scene.recorder.seqs == [1, 1]


def test_the_schedule_rings_for_what_is_due(scene: Scene) -> None:
    assert scene.function(SWEEP_EVENT) == {"rings": 1}
    assert scene.queue.messages == [(scene.world.board_id, 0)]
    scene.receive(scene.world.board_id)
    assert scene.function(SWEEP_EVENT) == {"rings": 0}


@pytest.mark.parametrize("event", [{}, {"Records": []}, {"Records": [{"eventSource": "aws:s3"}]}, {"version": "2.0"}])
def test_other_events_are_refused(scene: Scene, event: dict[str, Any]) -> None:
    with pytest.raises(UnknownEvent):
        scene.function(event)
