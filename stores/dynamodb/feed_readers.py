"""The readers of the feed in a table: an item on the board of each, and one in a list of them all."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from itertools import islice

from kanban.feed_readers import LEASE_DURATION, MAX_CLOCK_SKEW, Backlog, LeaseLost, is_due, is_leased
from kanban.store import BEYOND_ALL_SEQS
from kanban.values import Event, FeedReader, ReaderRemoval, ReaderReset
from kanban.views import Page, PageKey
from stores.dynamodb import keys
from stores.dynamodb.attributes import to_number, to_string, to_timestamp
from stores.dynamodb.client import ConditionFailed, RetryingClient
from stores.dynamodb.event_items import event_from_item
from stores.dynamodb.keys import Item
from stores.dynamodb.reads import MAX_BATCH_KEYS, TableReader
from stores.dynamodb.webhook_items import build_reset, create_reader, delete_reader, reader_attributes, reader_from_item
from stores.dynamodb.writes import Update, UpdateBuilder, Write, to_transact_item

_OPTIONAL_FIELDS = ("batch_to", "failing_since", "due_at", "lease_owner", "lease_until")


class DynamoFeedReaders:
    """A `kanban.feed_readers.FeedReaderStore` in a table. Threads may share it."""

    def __init__(self, client: RetryingClient, reader: TableReader, table: str) -> None:
        self._client = client
        self._reader = reader
        self._table = table

    def add_reader(self, reader: FeedReader) -> None:
        with suppress(ConditionFailed):
            self._transact(create_reader(reader))

    def remove_reader(self, board_id: str, name: str) -> None:
        self._transact(delete_reader(ReaderRemoval(board_id, name)))

    def reset_reader(
        self, board_id: str, name: str, *, due_at: datetime | None, after_seq: int | None = None
    ) -> FeedReader | None:
        try:
            return self._update(build_reset(ReaderReset(board_id, name, due_at, after_seq)))
        except ConditionFailed:
            return None

    def list_readers(self, board_id: str) -> Sequence[FeedReader]:
        items = self._reader.query(f"B#{board_id}", "R#", "R$", page_size=MAX_BATCH_KEYS)
        return [reader_from_item(item) for item in items]

    def page_due_readers(self, now: datetime, limit: int, after: PageKey | None = None) -> Page[FeedReader]:
        first = "#".join(map(str, after)) + keys.NEXT_KEY_SUFFIX if after else " "
        listed = [*islice(self._reader.query("R", first, "~", page_size=limit), limit)]
        readers, seqs = self._read_states([keys.parse_listed_reader(item) for item in listed])
        last = keys.parse_listed_reader(listed[-1]) if len(listed) == limit else None
        return Page(
            tuple(
                reader
                for reader in readers
                if is_due(reader, now)
                and not is_leased(reader, now)
                and self._read_seq(reader.board_id, seqs) > reader.after_seq
            ),
            last,
        )

    def measure_backlog(self) -> Backlog | None:
        # It would read each reader, and an event for each.
        return None

    def lease_reader(self, reader: FeedReader, owner: str, batch_to: int, now: datetime) -> FeedReader | None:
        if reader.due_at is None:
            return None
        update = UpdateBuilder()
        update.set("#batch_to", to_number(batch_to))
        update.set("#lease_owner", to_string(owner))
        update.set("#lease_until", to_timestamp(now + LEASE_DURATION))
        update.require("#after_seq = :seen", seen=to_number(reader.after_seq))
        update.require("#due_at = :due", due=to_timestamp(reader.due_at))
        if reader.batch_to is None:
            update.require("attribute_not_exists(#batch_to)")
        else:
            update.require("#batch_to = :batch", batch=to_number(reader.batch_to))
        update.require(
            "(attribute_not_exists(#lease_until) OR #lease_until <= :now OR #lease_until > :latest)",
            now=to_timestamp(now),
            latest=to_timestamp(now + LEASE_DURATION + MAX_CLOCK_SKEW),
        )
        try:
            return self._update(update.build(keys.reader_key(reader.board_id, reader.name)))
        except ConditionFailed as error:
            # No two leases have the same owner: it tells whether an attempt whose response was lost was carried out.
            current = self._read_after(error, reader)
            return current if current and current.lease_owner == owner else None

    def update_reader(self, reader: FeedReader, owner: str) -> None:
        attributes = reader_attributes(reader)
        update = UpdateBuilder()
        for name, value in attributes.items():
            update.set(f"#{name}", value)
        for name in _OPTIONAL_FIELDS:
            if name not in attributes:
                update.remove(f"#{name}")
        update.require("#lease_owner = :owner", owner=to_string(owner))
        try:
            self._update(update.build(keys.reader_key(reader.board_id, reader.name)))
        except ConditionFailed as error:
            if self._read_after(error, reader) != reader:
                raise LeaseLost(f"The lease of a reader is no longer that of {owner}.") from None

    def read_feed(self, board_id: str, after_seq: int, limit: int) -> Sequence[Event]:
        first, last = keys.event_sort_key(after_seq + 1), keys.event_sort_key(BEYOND_ALL_SEQS)
        items = islice(self._reader.query(f"B#{board_id}", first, last, page_size=limit), limit)
        events: list[Event] = []
        for event in map(event_from_item, items):
            # The writes of a transaction become visible one by one: what follows a gap is for the next time.
            if event.seq != after_seq + len(events) + 1:
                break
            events.append(event)
        return events

    def _read_states(self, names: Sequence[tuple[str, str]]) -> tuple[list[FeedReader], dict[str, int]]:
        """Return the readers of those boards and names in their order, and the seqs of boards that have a tip."""
        item_keys = [keys.reader_key(*name) for name in names]
        item_keys += [keys.tip_key(board_id) for board_id in dict.fromkeys(board_id for board_id, _ in names)]
        readers, seqs = [], {}
        for start in range(0, len(item_keys), MAX_BATCH_KEYS):
            for item in self._reader.batch_get(item_keys[start : start + MAX_BATCH_KEYS]):
                if item["sk"]["S"] == keys.TIP_SORT_KEY:
                    seqs[item["pk"]["S"][2:]] = int(item["seq"]["N"])
                else:
                    readers.append(reader_from_item(item))
        return sorted(readers, key=lambda reader: (reader.board_id, reader.name)), seqs

    def _read_seq(self, board_id: str, seqs: dict[str, int]) -> int:
        """Return the seq of a board, which is in its head if no version since 1.3 has written to it."""
        if board_id not in seqs:
            head = self._reader.get_head(board_id)
            seqs[board_id] = head.board.seq if head else 0
        return seqs[board_id]

    def _read_after(self, error: ConditionFailed, reader: FeedReader) -> FeedReader | None:
        """Return the reader as it is if an earlier attempt may have succeeded, otherwise None."""
        if not error.may_have_succeeded:
            return None
        item = self._reader.get_item(keys.reader_key(reader.board_id, reader.name))
        return reader_from_item(item) if item else None

    def _update(self, update: Update) -> FeedReader:
        fields = update.fields(self._table)
        attributes: Item = self._client("update_item", ReturnValues="ALL_NEW", **fields)["Attributes"]
        return reader_from_item(attributes)

    def _transact(self, writes: Sequence[Write]) -> None:
        items = [to_transact_item(write, self._table) for write in writes]
        self._client("transact_write_items", TransactItems=items)
