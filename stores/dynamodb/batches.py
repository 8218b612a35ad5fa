"""Batch writes: many items without conditions or transaction, for what is not visible yet, or no longer."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from kanban.store import Busy
from stores.dynamodb.client import RetryingClient
from stores.dynamodb.keys import Item

_MAX_BATCH_WRITES = 25


class BatchWriter:
    """Writes batches to one table."""

    def __init__(self, client: RetryingClient, table: str, progress: Callable[[int], None] | None = None) -> None:
        """Create a writer; `progress` is called with the number of items that all calls together have written."""
        self._client = client
        self._table = table
        self._progress = progress
        self._count = 0

    def put(self, items: Iterable[Item]) -> None:
        """Put the items. No key may occur twice."""
        self._write({"PutRequest": {"Item": item}} for item in items)

    def delete(self, item_keys: Iterable[Item]) -> None:
        """Delete the items of those keys, as far as they are there. No key may occur twice."""
        self._write({"DeleteRequest": {"Key": key}} for key in item_keys)

    def _write(self, requests: Iterator[dict[str, Any]]) -> None:
        while batch := [*islice(requests, _MAX_BATCH_WRITES)]:
            unprocessed: dict[str, Any] = {self._table: batch}
            started_at, attempts = self._client.monotonic(), 0
            while unprocessed:
                response = self._client("batch_write_item", RequestItems=unprocessed)
                left = response.get("UnprocessedItems") or {}
                if left and len(left[self._table]) < len(unprocessed[self._table]):
                    # Time for retries is over only when nothing is written any more.
                    started_at, attempts = self._client.monotonic(), 0
                unprocessed = left
                if unprocessed:
                    attempts += 1
                    self._client.back_off(attempts, started_at, Busy("DynamoDB has too much to do."))
            self._count += len(batch)
            if self._progress:
                self._progress(self._count)
