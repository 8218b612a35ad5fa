"""The function that runs the readers gets its events late, twice, in another order or never, and loses nothing."""

import json
import random
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest

from app.job_runner import build_job_runner
from app.reader_runner import build_segment_builder
from aws.deadline import Deadline
from aws.reader_function import (
    MAX_DELAY_SECONDS,
    MIN_REMAINING_SECONDS,
    SWEEP_EVENT,
    ReaderFunction,
    UnknownEvent,
)
from kanban import jobs, users
from kanban.changes import Change
from kanban.feed_readers import LEASE_DURATION
from kanban.values import Event, FeedReader, Job, JobKind, JobState, Role
from readers.runner import Handled, Outcome, Removed, Retry, Runner, Sleep
from stores import open_store
from tests.flow_segment_size import patch_segment_size
from tests.stores.world import NOON, World

READER = "test:1"

VISIBILITY_TIMEOUT = timedelta(seconds=180)
"""When SQS sends a message once more that a function took and didn't finish."""


class Killed(BaseException):
    """Raised instead of ending a process: nothing that the product does afterwards catches it."""


class FakeQueue:
    """A queue that remembers what was sent."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str, int]] = []
        self.job_messages: list[tuple[str, str]] = []
        self.board_messages: list[str] = []

    def send(self, board_id: str, reader_name: str, delay_seconds: int = 0) -> None:
        """Remember a message."""
        assert 0 <= delay_seconds <= MAX_DELAY_SECONDS
        self.messages.append((board_id, reader_name, delay_seconds))

    def send_job(self, user_id: str, job_id: str) -> None:
        """Remember a message."""
        self.job_messages.append((user_id, job_id))

    def send_board(self, board_id: str) -> None:
        """Remember a message."""
        self.board_messages.append(board_id)


class Recorder:
    """A handler that takes one event at a time, and does with each what the test says."""

    def __init__(self) -> None:
        self.seqs: list[int] = []
        self.outcomes: list[Outcome | BaseException] = []

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
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


def build_stream_event(*board_ids: str, seq: int = 1) -> dict[str, Any]:
    """Build an event of the table's stream, with an event of each of these boards."""
    return {
        "Records": [
            {
                "eventID": f"c4ca4238a0b923820dcc509a6f75849{number}",
                "eventName": "INSERT",
                "eventVersion": "1.1",
                "eventSource": "aws:dynamodb",
                "awsRegion": "eu-central-1",
                "dynamodb": {
                    "ApproximateCreationDateTime": 1795262400.0,
                    "Keys": {"pk": {"S": f"B#{board_id}"}, "sk": {"S": f"E#{seq:020d}"}},
                    "SequenceNumber": f"4421584500000000017450439{number}",
                    "SizeBytes": 26,
                    "StreamViewType": "KEYS_ONLY",
                },
                "eventSourceARN": "arn:aws:dynamodb:eu-central-1:123456789012:table/tackboard-dev/stream/2026-11-20",
            }
            for number, board_id in enumerate(board_ids)
        ]
    }


def build_queue_event(*bodies: str) -> dict[str, Any]:
    """Build an event of the queue with messages of these bodies; their ids are m0, m1 and so on."""
    return {
        "Records": [
            {
                "messageId": f"m{number}",
                "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": "1795262400000",
                    "SenderId": "AIDAIENQZJOLO23YVJ4VO",
                    "ApproximateFirstReceiveTimestamp": "1795262400001",
                },
                "messageAttributes": {},
                "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:tackboard-dev-readers",
                "awsRegion": "eu-central-1",
            }
            for number, body in enumerate(bodies)
        ]
    }


class Scene:
    """A board with a reader, and the function."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.board_id = world.board_id
        self.queue = FakeQueue()
        self.recorder = Recorder()
        self.remaining_seconds = 30.0
        self.sweeps: list[datetime] = []
        self.store = world.store.feed_readers
        runner = Runner(self.store, {"test": self.recorder}, lambda: world.now, lambda: world.random_bytes(8).hex())
        self.function = self.build_function(runner)
        self.store.add_reader(FeedReader(world.board_id, READER, 0, due_at=world.now))

    def build_function(self, runner: Runner) -> ReaderFunction:
        """Return the function with that runner of readers."""
        job_runner = build_job_runner(
            self.world.store, clock=lambda: self.world.now, random_bytes=self.world.random_bytes
        )
        return ReaderFunction(
            self.store,
            runner,
            self.queue,
            Deadline(),
            lambda: self.world.now,
            job_runner=job_runner,
            segment_builder=build_segment_builder(self.world.store, clock=lambda: self.world.now),
            record_sweep=lambda: self.sweeps.append(self.world.now),
        )

    def call(self, event: object) -> dict[str, Any]:
        """Call the function as Lambda does."""
        return self.function(event, SimpleNamespace(get_remaining_time_in_millis=lambda: self.remaining_seconds * 1000))

    def stream(self, *board_ids: str) -> None:
        """Send a batch of the stream."""
        self.call(build_stream_event(*board_ids))

    def receive(self, *messages: tuple[str, str]) -> list[str]:
        """Send messages of the queue, by default one for the reader; return the ids of those that failed."""
        bodies = [
            json.dumps({"board_id": board_id, "reader": name})
            for board_id, name in messages or [(self.board_id, READER)]
        ]
        return [failure["itemIdentifier"] for failure in self.call(build_queue_event(*bodies))["batchItemFailures"]]

    def read_reader(self) -> FeedReader:
        """Return the reader as it is."""
        return next(reader for reader in self.store.list_readers(self.board_id) if reader.name == READER)

    def take_delays(self) -> list[int]:
        """Return the delays of the messages that were sent to the reader since the last time."""
        messages, self.queue.messages = self.queue.messages, []
        assert {message[:2] for message in messages} <= {(self.board_id, READER)}
        return [delay for _, _, delay in messages]


@pytest.fixture
def scene(tmp_path: Path, empty_database: Path) -> Iterator[Scene]:
    shutil.copy(empty_database, tmp_path / "tackboard.db")
    store = open_store(f"sqlite:///{tmp_path}/tackboard.db")
    yield Scene(World(store))
    store.close()


# The stream.


def test_the_stream_sends_one_message_for_each_reader_of_its_boards(scene: Scene) -> None:
    scene.store.add_reader(FeedReader(scene.board_id, "test:2", 0, due_at=scene.world.now))
    scene.stream(scene.board_id, scene.world.add_board("Without readers"), scene.board_id)

    assert scene.queue.messages == [(scene.board_id, READER, 0), (scene.board_id, "test:2", 0)]
    assert scene.recorder.seqs == []


def test_the_stream_leaves_readers_alone_that_sleep_wait_or_are_at_work(scene: Scene) -> None:
    scene.recorder.outcomes = [Retry(scene.world.now + timedelta(minutes=10)), Killed(), Sleep()]

    scene.receive()
    scene.take_delays()
    scene.stream(scene.board_id)
    assert scene.take_delays() == []
    scene.world.advance(minutes=10)
    with pytest.raises(Killed):
        scene.receive()
    scene.stream(scene.board_id)
    assert scene.take_delays() == []
    scene.world.now += LEASE_DURATION
    scene.receive()
    scene.stream(scene.board_id)
    assert scene.take_delays() == []


def test_what_is_no_event_of_a_board_is_left_out(scene: Scene) -> None:
    event = build_stream_event(scene.board_id)
    event["Records"][0]["dynamodb"]["Keys"]["pk"]["S"] = f"U#{scene.board_id}"
    scene.call(event)

    assert scene.take_delays() == []


# The queue.


def test_a_message_runs_the_reader_and_another_one_finds_nothing(scene: Scene) -> None:
    scene.world.add_card("One")
    message = (scene.board_id, READER)

    assert scene.receive(message, message, (scene.board_id, "test:none"), ("brd_none", READER)) == []
    assert scene.recorder.seqs == [1, 2]
    assert scene.take_delays() == []


@pytest.mark.parametrize(("seconds", "delays"), [(5, [6]), (600, [601]), (899, [900]), (900, []), (21_600, [])])
def test_a_reader_that_waits_gets_a_message_for_then_or_is_left_to_the_schedule(
    scene: Scene, seconds: int, delays: list[int]
) -> None:
    scene.recorder.outcomes = [Retry(scene.world.now + timedelta(seconds=seconds))]

    scene.receive()
    scene.receive()
    assert scene.take_delays() == delays
    scene.world.advance(seconds=seconds)
    assert scene.call(SWEEP_EVENT) == {"readers": 1, "jobs": 0, "boards": 0}
    scene.receive()
    assert scene.recorder.seqs == [1, 1]


def test_a_message_for_a_reader_at_work_ends_there(scene: Scene) -> None:
    scene.recorder.outcomes = [Killed()]
    with pytest.raises(Killed):
        scene.receive()

    assert scene.receive() == []
    assert scene.take_delays() == []
    # The message of the one that was killed.
    scene.world.now += VISIBILITY_TIMEOUT
    assert scene.receive() == []
    assert scene.recorder.seqs == [1, 1]


def test_a_reader_that_was_reset_during_a_call_goes_on_when_the_lease_has_ended(scene: Scene) -> None:
    class ResettingRecorder(Recorder):
        def handle(self, reader: FeedReader, events: Sequence[Event]) -> Outcome:
            if not self.seqs:
                scene.store.reset_reader(reader.board_id, reader.name, due_at=scene.world.now, after_seq=0)
            return super().handle(reader, events)

    recorder = ResettingRecorder()
    runner = Runner(scene.store, {"test": recorder}, lambda: scene.world.now, lambda: "owner")
    scene.function = scene.build_function(runner)
    scene.receive()

    assert scene.read_reader().after_seq == 0
    assert scene.take_delays() == [int(LEASE_DURATION.total_seconds()) + 1]
    scene.stream(scene.board_id)
    assert scene.take_delays() == [int(LEASE_DURATION.total_seconds()) + 1]
    scene.world.now += LEASE_DURATION
    scene.receive()
    assert recorder.seqs == [1, 1]


def test_what_there_is_no_time_for_goes_on_in_another_invocation(scene: Scene) -> None:
    for number in range(3):
        scene.world.add_card(f"Card {number}")
    handle = scene.recorder.handle

    def handle_slowly(reader: FeedReader, events: Sequence[Event]) -> Outcome:
        scene.remaining_seconds -= 6
        return handle(reader, events)

    scene.recorder.handle = handle_slowly  # type: ignore[method-assign]  # time passes
    scene.receive()

    assert scene.recorder.seqs == [1, 2]
    assert scene.take_delays() == [0]
    assert scene.receive() == ["m0"]
    assert scene.recorder.seqs == [1, 2]


def test_what_cannot_go_on_gets_no_message_again_and_again(scene: Scene) -> None:
    scene.store.remove_reader(scene.board_id, READER)
    # A later version may know it.
    scene.store.add_reader(FeedReader(scene.board_id, "later:1", 0, due_at=scene.world.now))

    assert scene.receive((scene.board_id, "later:1")) == []
    assert scene.queue.messages == []


def test_a_reader_that_is_gone_gets_no_message(scene: Scene) -> None:
    scene.recorder.outcomes = [Removed()]

    assert scene.receive() == []
    assert scene.take_delays() == []


def test_one_reader_that_fails_does_not_fail_the_others(scene: Scene) -> None:
    other = scene.world.add_board("Other")
    scene.store.add_reader(FeedReader(other, READER, 0, due_at=scene.world.now))
    scene.recorder.outcomes = [RuntimeError("a bug")]

    assert scene.receive((scene.board_id, READER), (other, READER)) == ["m0"]
    assert scene.recorder.seqs == [1, 1]


@pytest.mark.parametrize("body", ["", "x", "[]", "{}", '{"board_id": "brd_1"}'])
def test_a_message_of_somebody_else_fails_by_itself(scene: Scene, body: str) -> None:
    ours = json.dumps({"board_id": scene.board_id, "reader": READER})

    assert scene.call(build_queue_event(body, ours)) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert scene.recorder.seqs == [1]


# The schedule.


def test_the_schedule_sends_a_message_for_every_reader_that_is_due(scene: Scene) -> None:
    assert scene.call(SWEEP_EVENT) == {"readers": 1, "jobs": 0, "boards": 0}
    assert scene.take_delays() == [0]
    scene.receive()
    assert scene.call(SWEEP_EVENT) == {"readers": 0, "jobs": 0, "boards": 0}
    assert len(scene.sweeps) == 2


@pytest.mark.parametrize(
    "event", [None, [], {}, {"Records": []}, {"Records": [{"eventSource": "aws:s3"}]}, {"version": "2.0"}]
)
def test_other_events_are_refused(scene: Scene, event: object) -> None:
    with pytest.raises(UnknownEvent):
        scene.call(event)


# All of it together.


class Aws:
    """A stream and a queue that send what they have late, twice and in another order, and lose some of it."""

    def __init__(self, scene: Scene, chances: random.Random) -> None:
        self._scene = scene
        self._chances = chances
        self._records: list[str] = []
        self._messages: list[tuple[datetime, tuple[str, str]]] = []
        self._next_sweep = scene.world.now
        self.max_messages = 0

    def write(self) -> None:
        """Write to the board."""
        self._scene.world.add_card("Card")
        self._records.append(self._scene.board_id)

    def pass_time(self, seconds: float) -> None:
        """Let time pass, and the schedule do what it does meanwhile."""
        self._scene.world.advance(seconds=seconds)
        if self._scene.world.now >= self._next_sweep:
            self._next_sweep = self._scene.world.now + timedelta(minutes=5)
            self._scene.call(SWEEP_EVENT)
            self._collect()

    def send_records(self) -> None:
        """Send some records of the stream."""
        records, self._records = self._records, []
        self._chances.shuffle(records)
        for record in records:
            chance = self._chances.random()
            if chance < 0.2:
                self._records.append(record)
            elif chance > 0.25:
                self._scene.stream(*[record] * self._chances.choice([1, 1, 2]))
        self._collect()

    def send_messages(self) -> None:
        """Send the messages that are due, and those again that weren't finished in time."""
        now = self._scene.world.now
        due = [message for message in self._messages if message[0] <= now]
        self._messages = [message for message in self._messages if message[0] > now]
        self._chances.shuffle(due)
        for _, message in due:
            again = now + VISIBILITY_TIMEOUT, message
            try:
                if self._scene.receive(message):
                    self._messages.append(again)
            except Killed:
                self._messages.append(again)
            self._collect()
            if self._chances.random() < 0.1:
                self._messages.append((now, message))

    def _collect(self) -> None:
        now = self._scene.world.now
        for board_id, name, delay in self._scene.queue.messages:
            self._messages.append((now + timedelta(seconds=delay), (board_id, name)))
        self._scene.queue.messages = []
        self.max_messages = max(self.max_messages, len(self._messages))


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens_on_the_way_everything_is_done_in_order(scene: Scene, seed: int) -> None:
    chances = random.Random(seed)  # noqa: S311  (a test wants the same chances again)
    aws = Aws(scene, chances)
    for _ in range(150):
        scene.recorder.outcomes = chances.choice(
            [[], [], [Killed()], [RuntimeError("a bug")], [Retry(scene.world.now + timedelta(seconds=30))]]
        )
        chances.choice([aws.write, aws.send_records, aws.send_messages, aws.send_messages])()
        aws.pass_time(chances.choice([0, 1, 5, 40]))
    scene.recorder.outcomes = []
    for _ in range(20):
        aws.send_records()
        aws.send_messages()
        aws.pass_time(100)

    first_times = list(dict.fromkeys(scene.recorder.seqs))
    assert first_times == [*range(1, scene.world.read_board().board.seq + 1)]
    assert scene.call(SWEEP_EVENT) == {"readers": 0, "jobs": 0, "boards": 0}


def test_a_receiver_that_is_down_does_not_fill_the_queue(scene: Scene) -> None:
    aws = Aws(scene, random.Random(3))  # noqa: S311  (as above)
    for number in range(200):
        wait = timedelta(seconds=30) if number < 100 else timedelta(hours=6)
        scene.recorder.outcomes = [Retry(scene.world.now + wait)]
        aws.write()
        aws.send_records()
        aws.send_messages()
        aws.pass_time(5)

    assert aws.max_messages < 8
    assert replace(scene.read_reader(), attempts=0).after_seq == 0


# Jobs.


def build_job_stream_event(subject_id: str) -> dict[str, Any]:
    """Return an event of the stream that tells of a new job."""
    keys = {"pk": {"S": "Y"}, "sk": {"S": f"delete_user#{subject_id}"}}
    return {"Records": [{"eventSource": "aws:dynamodb", "dynamodb": {"Keys": keys}}]}


def add_job(scene: Scene) -> Job:
    """Start the deletion of a deactivated user who is on a board."""
    world = scene.world
    bob = world.add_user("Bob", id="bob")
    world.add_member(bob, Role.VIEWER)
    _, change = users.deactivate(bob, (world.ann.id,), world.context())
    assert change
    world.store.commit(change)
    job = jobs.create(JobKind.DELETE_USER, "bob", world.context())
    world.store.commit(Change(creates=(job,)))
    return job


def receive_job(scene: Scene, job: Job) -> list[str]:
    """Send the message of a job; return the ids of those that failed."""
    body = json.dumps({"user_id": job.user_id, "job_id": job.id})
    return [failure["itemIdentifier"] for failure in scene.call(build_queue_event(body))["batchItemFailures"]]


def read_state(scene: Scene, job: Job) -> JobState:
    """Return the state of a job."""
    stored = scene.world.store.jobs.read_job(job.user_id, job.id)
    assert stored
    return stored.state


def test_the_stream_sends_a_message_for_a_new_job_and_the_message_runs_it(scene: Scene) -> None:
    job = add_job(scene)

    scene.call(build_job_stream_event("bob"))

    assert scene.queue.job_messages == [(job.user_id, job.id)]
    assert receive_job(scene, job) == []
    assert read_state(scene, job) is JobState.DONE
    scene.call(build_job_stream_event("bob"))
    assert receive_job(scene, job) == []
    assert len(scene.queue.job_messages) == 1


def test_a_job_that_takes_longer_than_an_invocation_goes_on_in_the_next_one(scene: Scene) -> None:
    job = add_job(scene)
    function, times = scene.function, iter((30.0, 30.0, 1.0))
    with patch.object(function, "_has_time", lambda: next(times) > MIN_REMAINING_SECONDS):
        assert receive_job(scene, job) == []

    assert read_state(scene, job) is JobState.RUNNING
    assert scene.queue.job_messages == [(job.user_id, job.id)]
    assert receive_job(scene, job) == []
    assert read_state(scene, job) is JobState.DONE


def test_a_message_of_a_job_that_comes_too_late_in_an_invocation_comes_once_more(scene: Scene) -> None:
    job = add_job(scene)
    scene.remaining_seconds = MIN_REMAINING_SECONDS

    assert len(receive_job(scene, job)) == 1
    assert read_state(scene, job) is JobState.QUEUED


def test_the_schedule_finds_a_job_whose_message_was_lost(scene: Scene) -> None:
    job = add_job(scene)

    assert scene.call(SWEEP_EVENT)["jobs"] == 1
    assert scene.queue.job_messages == [(job.user_id, job.id)]


def test_the_last_event_of_a_segment_wakes_up_the_builder(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    patch_segment_size(monkeypatch, 3)
    world = scene.world
    for number in range(7):
        world.add_card(f"Card {number}")
    for seq in (1, 2, 3, 4):
        scene.call(build_stream_event(scene.board_id, seq=seq))
    assert scene.queue.board_messages == [scene.board_id]

    scene.remaining_seconds = MIN_REMAINING_SECONDS
    body = json.dumps({"segments_of": scene.board_id})
    assert scene.call(build_queue_event(body)) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    scene.remaining_seconds = 30.0
    assert scene.call(SWEEP_EVENT)["boards"] == 1
    assert scene.call(build_queue_event(body)) == {"batchItemFailures": []}
    assert scene.call(SWEEP_EVENT)["boards"] == 0

    assert [segment.seq for segment in world.store.flow_segments.list_since(scene.board_id, NOON)] == [3, 6]
    assert scene.queue.board_messages == [scene.board_id] * 2


def test_a_builder_that_runs_out_of_time_goes_on_later(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    patch_segment_size(monkeypatch, 3)
    for number in range(7):
        scene.world.add_card(f"Card {number}")
    remaining = iter([30.0, 30.0, MIN_REMAINING_SECONDS])
    monkeypatch.setattr(Deadline, "remaining", lambda _: next(remaining))

    scene.call(build_queue_event(json.dumps({"segments_of": scene.board_id})))

    assert scene.queue.board_messages == [scene.board_id]
    assert [segment.seq for segment in scene.world.store.flow_segments.list_since(scene.board_id, NOON)] == [6]
