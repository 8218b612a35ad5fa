"""The Lambda function that runs the readers of the feed: a stream of the table rings, a queue keeps the rings.

The stream tells that a board has a new event, and nothing about it: what a reader gets comes from the table. So a ring
may come late, twice or in another order. Rings go through a queue, because a slow receiver must not hold up the stream,
which has the events of many boards.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from kanban.feed_readers import FeedReaderStore, is_due, is_leased
from kanban.values import FeedReader
from readers.runner import Runner

log = logging.getLogger("tackboard")

SWEEP_EVENT = {"source": "tackboard.schedule", "task": "readers"}
"""The event of the schedule that rings for every board with a reader that is due, in case that a ring was lost."""

MAX_DELAY_SECONDS = 900
"""How long SQS delays a message at most. Who is due later gets another ring then."""

MIN_REMAINING_SECONDS = 20.0
"""No batch is begun with less time left: a call takes ten seconds, and its outcome must be written."""

_KEY_PREFIX = "B#"


class UnknownEvent(Exception):
    """Raised for an event that this function doesn't handle."""


class RingQueue(Protocol):
    """The queue of rings."""

    def send(self, board_id: str, delay_seconds: int = 0) -> None:
        """Let this function run the readers of a board, after so many seconds."""


class ReaderFunction:
    """Handles the events of the stream, of the queue and of the schedule."""

    def __init__(
        self,
        store: FeedReaderStore,
        runner: Runner,
        queue: RingQueue,
        now: Callable[[], datetime],
        remaining_seconds: Callable[[], float],
    ) -> None:
        """`now` returns the present time, and `remaining_seconds` how long the invocation may still take."""
        self._store = store
        self._runner = runner
        self._queue = queue
        self._now = now
        self._remaining_seconds = remaining_seconds

    def __call__(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Handle an event. Raises UnknownEvent."""
        if event == SWEEP_EVENT:
            return self._sweep()
        records = event.get("Records") or ()
        sources = {record.get("eventSource") for record in records}
        if sources == {"aws:dynamodb"}:
            return self._ring(records)
        if sources == {"aws:sqs"}:
            return self._run(records)
        raise UnknownEvent("The event is neither one of the stream, nor of the queue, nor of the schedule.")

    def _ring(self, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Ring for the boards of these records that have readers."""
        board_ids = dict.fromkeys(_board_ids(records))
        for board_id in board_ids:
            # To look costs less than a message that nobody needs, and most boards have no readers.
            if self._store.list_readers(board_id):
                self._queue.send(board_id)
        return {"batchItemFailures": []}

    def _run(self, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Run the readers of the boards of these messages; those that fail come once more."""
        failures = []
        for record in records:
            try:
                self._run_board(json.loads(record["body"])["board_id"])
            except Exception:
                # One message must not fail the others of its batch.
                log.exception("The readers of a board failed")
                failures.append({"itemIdentifier": record["messageId"]})
        return {"batchItemFailures": failures}

    def _run_board(self, board_id: str) -> None:
        readers = self._runner.run_board(board_id, lambda: self._remaining_seconds() > MIN_REMAINING_SECONDS)
        delays = [delay for reader in readers if (delay := self._compute_delay(reader)) is not None]
        if delays:
            self._queue.send(board_id, min(*delays, MAX_DELAY_SECONDS))

    def _compute_delay(self, reader: FeedReader) -> int | None:
        """Return after how many seconds a reader needs another ring; None if the next event will ring for it."""
        now = self._now()
        if reader.due_at is None:
            return None
        if is_leased(reader, now) and reader.lease_until is not None:
            # Whoever works for it may have been killed.
            return int((reader.lease_until - now).total_seconds()) + 1
        if not is_due(reader, now):
            return int((reader.due_at - now).total_seconds()) + 1
        return 0 if self._store.read_feed(reader.board_id, reader.after_seq, 1) else None

    def _sweep(self) -> dict[str, Any]:
        """Ring for every board with a reader that is due."""
        board_ids = dict.fromkeys(reader.board_id for reader in self._runner.list_due())
        for board_id in board_ids:
            self._queue.send(board_id)
        return {"rings": len(board_ids)}


def _board_ids(records: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for record in records:
        partition_key = record["dynamodb"]["Keys"]["pk"]["S"]
        if partition_key.startswith(_KEY_PREFIX):
            yield partition_key.removeprefix(_KEY_PREFIX)
