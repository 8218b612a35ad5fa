"""Many items written at once, each for itself: for what nobody sees yet, or nobody sees any more."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from kanban.store import Busy
from stores.dynamodb.client import RetryingClient
from stores.dynamodb.keys import Item

_MAX_BATCH_WRITES = 25


class BatchWriter:
    """Writes to one table, without conditions."""

    def __init__(self, client: RetryingClient, table: str, progress: Callable[[int], None] | None = None) -> None:
        """`progress` is told how many items all calls together have written."""
        self._client = client
        self.table = table
        self._progress = progress
        self._count = 0

    def put(self, items: Iterable[Item]) -> None:
        """Put them there. No key may come twice."""
        self._write({"PutRequest": {"Item": each}} for each in items)

    def delete(self, item_keys: Iterable[Item]) -> None:
        """Delete what is there. No key may come twice."""
        self._write({"DeleteRequest": {"Key": each}} for each in item_keys)

    def _write(self, requests: Iterator[dict[str, Any]]) -> None:
        while batch := [*islice(requests, _MAX_BATCH_WRITES)]:
            asked: dict[str, Any] = {self.table: batch}
            began, tries = self._client.monotonic(), 0
            while asked:
                asked = self._client("batch_write_item", RequestItems=asked).get("UnprocessedItems") or {}
                if asked:
                    tries += 1
                    self._client.back_off(tries, began, Busy("DynamoDB has too much to do."))
            self._count += len(batch)
            if self._progress:
                self._progress(self._count)
