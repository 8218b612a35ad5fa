"""The Lambda function that runs what follows the feed, and the jobs: the table's stream wakes it up through a queue.

The stream says that a board has a new event, and nothing about it: what a reader gets comes from the table. So a
message may come late, twice or in another order, and a lost one delays what the schedule finds. The queue is there
because a slow receiver must not hold up the stream, which has the events of many boards.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from aws.deadline import Deadline
from kanban.feed_readers import FeedReaderStore, is_due, is_leased
from kanban.flow.flow_segments import EVENTS_PER_SEGMENT
from kanban.values import FeedReader
from readers.flow_segments import FlowSegmentBuilder
from readers.jobs import JobRunner
from readers.runner import Runner

log = logging.getLogger("tackboard")

SWEEP_EVENT = {"source": "tackboard.schedule", "task": "readers"}
"""The event of the schedule that wakes up every reader that is due (infrastructure/resources/readers.yml)."""

MAX_DELAY_SECONDS = 900
"""How long SQS delays a message at most. Readers that are due later are left to the schedule."""

MIN_REMAINING_SECONDS = 20.0
"""No batch is begun with less time left: a call takes ten seconds, and its outcome must be written."""

_KEY_PREFIX = "B#"

_JOBS_KEY = "Y"
"""The partition with an entry for each job that is under way."""


class UnknownEvent(Exception):
    """Raised for an event that this function doesn't handle."""


class OutOfTime(Exception):
    """Raised when a message comes too late in an invocation, and has to come once more."""


class WakeUpQueue(Protocol):
    """The queue whose messages each tell this function to run a reader."""

    def send(self, board_id: str, reader_name: str, delay_seconds: int = 0) -> None:
        """Send a message that arrives after so many seconds, up to `MAX_DELAY_SECONDS`."""

    def send_job(self, user_id: str, job_id: str) -> None:
        """Send a message to run a job."""

    def send_board(self, board_id: str) -> None:
        """Send a message to build the flow segments of a board."""


class ReaderFunction:
    """Handles the events of the stream, of the queue and of the schedule."""

    def __init__(
        self,
        store: FeedReaderStore,
        runner: Runner,
        queue: WakeUpQueue,
        deadline: Deadline,
        now: Callable[[], datetime],
        *,
        job_runner: JobRunner,
        segment_builder: FlowSegmentBuilder,
        record_sweep: Callable[[], object] = lambda: None,
    ) -> None:
        """`record_sweep` is called whenever the schedule's event has been handled."""
        self._store = store
        self._runner = runner
        self._queue = queue
        self._deadline = deadline
        self._now = now
        self._job_runner = job_runner
        self._record_sweep = record_sweep
        self._segment_builder = segment_builder

    def __call__(self, event: object, context: object) -> dict[str, Any]:
        """Handle an event. Raises UnknownEvent, and Busy if the table can't be used: then AWS sends it once more."""
        self._deadline.begin(context)
        try:
            return self._dispatch(event)
        finally:
            self._deadline.end()

    def _dispatch(self, event: object) -> dict[str, Any]:
        if event == SWEEP_EVENT:
            return self._sweep()
        records = event.get("Records", ()) if isinstance(event, dict) else ()
        sources = {record.get("eventSource") for record in records}
        if sources == {"aws:dynamodb"}:
            return self._wake_up(records)
        if sources == {"aws:sqs"}:
            return self._run(records)
        raise UnknownEvent("The event is neither one of the stream, nor of the queue, nor of the schedule.")

    def _wake_up(self, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Send messages for readers of these boards that are to go on, new jobs, and boards with a whole segment."""
        if any(record["dynamodb"]["Keys"]["pk"]["S"] == _JOBS_KEY for record in records):
            self._wake_up_jobs()
        for board_id in dict.fromkeys(_board_ids(records, ends_segment=True)):
            self._queue.send_board(board_id)
        for board_id in dict.fromkeys(_board_ids(records)):
            for reader in self._store.list_readers(board_id):
                # One that waits for another attempt has a message under way already, or is left to the schedule:
                # each further one would only go round for as long as its receiver is down.
                if is_due(reader, self._now()) and (delay := self._compute_delay(reader)) is not None:
                    self._queue.send(board_id, reader.name, delay)
        return {}

    def _run(self, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Do what these messages say; those that fail come once more."""
        failures = []
        for record in records:
            kind = "A reader of the feed"
            try:
                message = json.loads(record["body"])
                if "job_id" in message:
                    kind = "A job"
                    self._run_job(message["user_id"], message["job_id"])
                elif "segments_of" in message:
                    kind = "A builder of flow segments"
                    self._build_segments(message["segments_of"])
                else:
                    self._run_reader(message["board_id"], message["reader"])
            except Exception:
                # One message must not fail the others of its batch.
                log.exception("%s failed", kind)
                failures.append({"itemIdentifier": record["messageId"]})
        return {"batchItemFailures": failures}

    def _run_reader(self, board_id: str, name: str) -> None:
        """Run a reader, if it is due, and let it go on later. Raises OutOfTime, and what the runner raises."""
        reader = self._find_reader(board_id, name)
        if reader is None or not is_due(reader, self._now()):
            return
        if not is_leased(reader, self._now()):
            if not self._has_time():
                raise OutOfTime("Too little time remains to begin a batch.")
            self._runner.run(reader, self._has_time)
            before, reader = reader, self._find_reader(board_id, name)
            # If nothing came of it, it would be the same the next moment.
            if reader is None or reader == before or not self._has_more(reader):
                return
        if (delay := self._compute_delay(reader)) is not None:
            self._queue.send(board_id, name, delay)

    def _run_job(self, user_id: str, job_id: str) -> None:
        """Run a job, if it is due, and let it go on later. Raises OutOfTime, and what the runner raises."""
        job = self._job_runner.find_due(user_id, job_id)
        if job is None:
            return
        if not self._has_time():
            raise OutOfTime("Too little time remains to begin a step.")
        self._job_runner.run(job, self._has_time)
        if self._job_runner.find_due(user_id, job_id):
            self._queue.send_job(user_id, job_id)

    def _build_segments(self, board_id: str) -> None:
        """Build the flow segments of a board, and go on later. Raises OutOfTime, and what the builder raises."""
        if not self._has_time():
            raise OutOfTime("Too little time remains to build a segment.")
        if not self._segment_builder.run(board_id, self._has_time):
            self._queue.send_board(board_id)

    def _wake_up_jobs(self) -> int:
        """Send a message for every job that is due; return how many there are."""
        jobs = self._job_runner.list_due()
        for job in jobs:
            self._queue.send_job(job.user_id, job.id)
        return len(jobs)

    def _has_more(self, reader: FeedReader) -> bool:
        """Tell whether there is anything for the reader, now or when it is due."""
        return bool(self._store.read_feed(reader.board_id, reader.after_seq, 1))

    def _compute_delay(self, reader: FeedReader) -> int | None:
        """Return after how many seconds the reader needs a message; None if it needs none from here."""
        now = self._now()
        if reader.due_at is None:
            return None
        if is_leased(reader, now) and reader.lease_until is not None:
            # The worker that holds the lease looks for more events at its end. If it dies, SQS delivers its message
            # once more. After a reset there is no worker, but the lease still has to end.
            return None if reader.lease_owner else _count_seconds(now, reader.lease_until)
        if is_due(reader, now):
            return 0
        delay = _count_seconds(now, reader.due_at)
        return delay if delay <= MAX_DELAY_SECONDS else None

    def _find_reader(self, board_id: str, name: str) -> FeedReader | None:
        readers = self._store.list_readers(board_id)
        return next((reader for reader in readers if reader.name == name), None)

    def _has_time(self) -> bool:
        return self._deadline.remaining() > MIN_REMAINING_SECONDS

    def _sweep(self) -> dict[str, Any]:
        """Send a message for all that is due: readers that wait for long, and what the message was lost of."""
        readers = self._runner.list_due()
        for reader in readers:
            self._queue.send(reader.board_id, reader.name)
        board_ids = self._segment_builder.list_due()
        for board_id in board_ids:
            self._queue.send_board(board_id)
        jobs = self._wake_up_jobs()
        self._record_sweep()
        return {"readers": len(readers), "jobs": jobs, "boards": len(board_ids)}


def _count_seconds(now: datetime, until: datetime) -> int:
    """Return how many seconds later it is surely over, also if clocks differ a little."""
    return int((until - now).total_seconds()) + 1


def _board_ids(records: Sequence[Mapping[str, Any]], *, ends_segment: bool = False) -> Iterator[str]:
    """Yield the boards of new events; with `ends_segment`, of those that are the last ones of a flow segment."""
    for record in records:
        key = record["dynamodb"]["Keys"]
        if key["pk"]["S"].startswith(_KEY_PREFIX):
            seq = int(key["sk"]["S"].removeprefix("E#"))
            if not ends_segment or seq % EVENTS_PER_SEGMENT == 0:
                yield key["pk"]["S"].removeprefix(_KEY_PREFIX)
