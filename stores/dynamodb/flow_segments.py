"""Flow segments in a table: items of the board in the order of their times, and a list of boards that lack some."""

from base64 import b64decode
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from itertools import islice
from typing import Any

from kanban.flow.flow_segments import FlowSegment
from kanban.store import Busy
from kanban.timekeeping.timestamps import parse_utc
from kanban.views import Page, PageKey
from stores.dynamodb import keys
from stores.dynamodb.client import ConditionFailed, RetryingClient
from stores.dynamodb.keys import Item
from stores.dynamodb.reads import TableReader
from stores.dynamodb.writes import EXISTS, IS_NEW, Check, Delete, Put, to_transact_item

_FIRST_SORT_KEY, _LAST_SORT_KEY = "F#", "F$"
_SEGMENTS_PER_READ = 20


class DynamoFlowSegments:
    """A `kanban.flow.flow_segment_store.FlowSegmentStore` in a table. Threads may share it."""

    def __init__(self, client: RetryingClient, reader: TableReader, table: str) -> None:
        self._client = client
        self._reader = reader
        self._table = table

    def find_last_before(self, board_id: str, at: datetime) -> FlowSegment | None:
        last = f"F#{keys.format_timestamp(at)}"
        return next(self._query(board_id, _FIRST_SORT_KEY, last, page_size=1, backwards=True), None)

    def list_since(self, board_id: str, at: datetime) -> Iterator[FlowSegment]:
        first = f"F#{keys.format_timestamp(at)}"
        return self._query(board_id, first, _LAST_SORT_KEY, page_size=_SEGMENTS_PER_READ)

    def read_ends(self, board_id: str) -> tuple[FlowSegment, FlowSegment] | None:
        ends = [
            segment
            for backwards in (False, True)
            for segment in islice(
                self._query(board_id, _FIRST_SORT_KEY, _LAST_SORT_KEY, page_size=1, backwards=backwards), 1
            )
        ]
        return (ends[0], ends[1]) if ends else None

    def add_segment(self, segment: FlowSegment) -> int | None:
        # A purge may have erased the board.
        writes = (
            Put(segment_to_item(segment), condition=IS_NEW),
            Check(keys.head_key(segment.board_id), condition=EXISTS),
        )
        try:
            response = self._client(
                "transact_write_items",
                TransactItems=[to_transact_item(write, self._table) for write in writes],
                ReturnItemCollectionMetrics="SIZE",
            )
        except ConditionFailed:
            return None
        return _find_upper_size(response.get("ItemCollectionMetrics", {}).get(self._table, ()))

    def page_incomplete_boards(self, limit: int, after: PageKey | None = None) -> Page[str]:
        first = f"{after[0]}{keys.NEXT_KEY_SUFFIX}" if after else " "
        requests = [*islice(self._reader.query("F", first, "~", page_size=limit), limit)]
        board_ids = tuple(str(request["sk"]["S"]) for request in requests)
        return Page(board_ids, (board_ids[-1],) if len(board_ids) == limit else None)

    def request_segments(self, board_id: str) -> None:
        request = Put(keys.segment_request_key(board_id))
        with suppress(Busy):
            self._client("put_item", retries=False, **request.fields(self._table))

    def end_request(self, board_id: str) -> None:
        request = Delete(keys.segment_request_key(board_id))
        self._client("delete_item", **request.fields(self._table))

    def _query(
        self, board_id: str, first: str, last: str, *, page_size: int, backwards: bool = False
    ) -> Iterator[FlowSegment]:
        items = self._reader.query(f"B#{board_id}", first, last, page_size=page_size, backwards=backwards)
        return map(segment_from_item, items)


def segment_to_item(segment: FlowSegment) -> Item:
    """Return the item of a flow segment."""
    return keys.segment_key(segment.board_id, segment.at, segment.seq) | {"content": {"B": segment.content}}


def segment_from_item(item: Item) -> FlowSegment:
    """Return the flow segment in an item."""
    _, at, seq = item["sk"]["S"].split("#")
    return FlowSegment(item["pk"]["S"][2:], int(seq), parse_utc(at), b64decode(item["content"]["B"]))


def _find_upper_size(metrics: Any) -> int | None:
    """Return the upper end of DynamoDB's estimate of the size of a board, in gigabytes."""
    sizes = [int(entry["SizeEstimateRangeGB"][1]) for entry in metrics if "SizeEstimateRangeGB" in entry]
    return max(sizes, default=None)
