"""Many items written at once, each for itself: for what nobody sees yet, or nobody sees any more."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from kanban.store import Busy
from stores.dynamodb_client import Calls
from stores.dynamodb_keys import Item

_MOST_AT_ONCE = 25


class Batches:
    """Writes to one table, without conditions."""

    def __init__(self, calls: Calls, table: str, progress: Callable[[int], None] | None = None) -> None:
        """`progress` is told how many items all calls together have written."""
        self._calls = calls
        self.table = table
        self._progress = progress
        self._written = 0

    def put(self, items: Iterable[Item]) -> None:
        """Put them there. No key may come twice."""
        self._write({"PutRequest": {"Item": each}} for each in items)

    def delete(self, keys: Iterable[Item]) -> None:
        """Delete what is there. No key may come twice."""
        self._write({"DeleteRequest": {"Key": each}} for each in keys)

    def _write(self, requests: Iterator[dict[str, Any]]) -> None:
        while batch := [*islice(requests, _MOST_AT_ONCE)]:
            asked: dict[str, Any] = {self.table: batch}
            began, tries = self._calls.now(), 0
            while asked:
                asked = self._calls("batch_write_item", RequestItems=asked).get("UnprocessedItems") or {}
                if asked:
                    tries += 1
                    self._calls.wait(tries, began, Busy("DynamoDB has too much to do."))
            self._written += len(batch)
            if self._progress:
                self._progress(self._written)
