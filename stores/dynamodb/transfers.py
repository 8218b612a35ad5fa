"""Cards that move to another board, with all their parts.

A card and its parts are in the partition of their board, so the parts are copied. As many as fit go in the transaction
that writes both heads and the card. If they are more, they are written ahead: parts are not visible while their card is
not there.

A process that writes such parts, or erases them, first puts a nonce of its own into the card's transfer lock on that
board, and writes only while it is there. A move looks at that lock before it reads what earlier moves have left there:
if another process has it, the move takes it over, and its last transaction releases it, on condition that no other
process has taken it meanwhile. So a purge and a move, or two moves, never mix what they write.
"""

import secrets
from collections.abc import Sequence
from itertools import accumulate

from kanban.changes import Change
from kanban.store import Busy
from kanban.timekeeping.card_clock import count_entry_seconds
from kanban.values import Card, Checklist, Comment, Event, Part, TimeEntry
from stores.dynamodb import keys
from stores.dynamodb.attributes import to_string
from stores.dynamodb.card_items import assignee_users_from_item, card_from_item, part_from_item, transferred_part_item
from stores.dynamodb.changes import get_arriving_card, of_type
from stores.dynamodb.client import ConditionFailed, RetryingClient
from stores.dynamodb.keys import Item, key_of
from stores.dynamodb.reads import TableReader
from stores.dynamodb.snapshots import BoardSnapshot, TransferParts
from stores.dynamodb.writes import (
    MAX_TRANSACTION_BYTES,
    MAX_TRANSACTION_ITEMS,
    Check,
    Put,
    Write,
    estimate_bytes,
    to_transact_item,
)

_PART_PAGE_SIZE = 1000
_MAX_PART_READS = 4


class PartTransfer:
    """Reads the parts of cards that move to another board, and writes ahead what doesn't fit into a transaction."""

    def __init__(self, client: RetryingClient, reader: TableReader, table: str) -> None:
        self._client = client
        self._reader = reader
        self._table = table

    def read(self, change: Change, event: Event) -> TransferParts | None:
        """Return the parts of the card that the change moves; None if the board that it leaves has changed since.

        If another process has the transfer lock of the card, this move takes it over.
        """
        left = change.departure.event if change.departure else None
        arriving = get_arriving_card(change)
        if left is None or arriving is None:
            raise ValueError("A card that moves to another board is in the updates, with an event of both boards.")
        source_id, card_id = left.board_id, arriving.id
        lock_key = keys.transfer_lock_key(event.board_id, card_id)
        head, items = self._reader.get_with_head(source_id, [keys.card_key(source_id, card_id), lock_key])
        item, lock = items or (None, None)
        if head is None or item is None or head.board.seq != left.seq - 1:
            return None
        card = card_from_item(item)
        transfer = TransferParts(
            card,
            BoardSnapshot(head, {card_id: assignee_users_from_item(item)}),
            event.board_id,
            keys.format_timestamp(event.at),
            parts=(),
            copies=(),
            orphans=(),
            lock_nonce=secrets.token_hex(16),
            has_lock=lock is not None,
        )
        # The process that had the lock can't write any more, so the orphans that are read next are complete.
        if lock is not None and not self._acquire_lock(transfer, lock):
            return None
        parts = self._read_all_parts(card)
        part_keys = {part["sk"]["S"] for part in parts}
        on_target = self._query_parts(event.board_id, card_id)
        return transfer._replace(
            parts=parts,
            copies=[transferred_part_item(part, event.board_id, change.membership_ids) for part in parts],
            orphans=[item for item in on_target if item["sk"]["S"] not in part_keys],
        )

    def write_ahead(self, transfer: TransferParts, writes: Sequence[Write]) -> TransferParts | None:
        """Write parts on the new board before the card arrives. Return None if it is there, or the lock is another's.

        A repeated move, whose card has arrived before, must not overwrite parts that have changed since.
        """
        if not transfer.has_lock and not self._acquire_lock(transfer, None):
            return None
        card_is_absent = Check(
            keys.card_key(transfer.board_id, transfer.card.id), condition="attribute_not_exists(#pk)"
        )
        is_done = write_under_lock(self._client, self._table, _lock_of(transfer), writes, card_is_absent)
        return transfer._replace(has_lock=True, is_written_ahead=True) if is_done else None

    def is_unchanged(self, transfer: TransferParts) -> bool:
        """Tell whether the parts are as they were copied, and the board of the card is as it was."""
        head, parts = self._reader.get_with_head(transfer.card.board_id, [*map(key_of, transfer.parts)])
        return head is not None and head.board.seq == transfer.source.head.board.seq and parts == transfer.parts

    def _acquire_lock(self, transfer: TransferParts, expected: Item | None) -> bool:
        """Put this move's nonce into the transfer lock, if that is as expected; tell whether it is there.

        A tombstone is put first: if this move is interrupted, a purge finds what it has written.
        """
        own = _lock_of(transfer)
        condition = "#nonce = :expected" if expected else "attribute_not_exists(#pk)"
        values = {":expected": expected["nonce"]} if expected else {}
        tombstone = Put(keys.tombstone_key(transfer.timestamp, "parts", transfer.board_id, transfer.card.id))
        self._client("put_item", **tombstone.fields(self._table))
        try:
            self._client("put_item", **Put(own, condition=condition, values=values).fields(self._table))
        except ConditionFailed as error:
            # The condition also fails because the same write, whose response was lost, has been carried out.
            return bool(error.reasons[0].get("Item") == own)
        return True

    def _read_all_parts(self, card: Card) -> Sequence[Item]:
        """Return the parts of the card where it is.

        A query may come between the writes of the last transaction, which the head shows already. That is over soon:
        if the counts of the card don't match after a few reads, they never will, and the card moves all the same.
        """
        started_at = self._client.monotonic()
        for attempts in range(1, _MAX_PART_READS):
            parts = self._query_parts(card.board_id, card.id)
            if _counts_match(card, [*map(part_from_item, parts)]):
                return parts
            self._client.back_off(attempts, started_at, Busy("The card changes too often to be moved."))
        return self._query_parts(card.board_id, card.id)

    def _query_parts(self, board_id: str, card_id: str) -> Sequence[Item]:
        return [*self._reader.query(f"B#{board_id}", f"P#{card_id}#", f"P#{card_id}$", page_size=_PART_PAGE_SIZE)]


def write_under_lock(client: RetryingClient, table: str, lock: Item, writes: Sequence[Write], *checks: Check) -> bool:
    """Carry out the writes in as many transactions as they take, for as long as the lock is as given.

    Returns:
        False when the lock is no longer so, or a check fails: the writes before that are carried out.
    """
    own = Check(key_of(lock), condition="#nonce = :nonce", values={":nonce": lock["nonce"]})
    guards = [to_transact_item(check, table) for check in (own, *checks)]
    left = [*writes]
    while left:
        sizes = accumulate(estimate_bytes([write]) for write in left)
        count = sum(size <= MAX_TRANSACTION_BYTES for size in sizes) or 1
        batch = left[: min(count, MAX_TRANSACTION_ITEMS - len(guards))]
        items = [to_transact_item(write, table) for write in batch]
        try:
            client("transact_write_items", TransactItems=[*guards, *items])
        except ConditionFailed:
            return False
        left = left[len(batch) :]
    return True


def _lock_of(transfer: TransferParts) -> Item:
    key = keys.transfer_lock_key(transfer.board_id, transfer.card.id)
    return key | {"nonce": to_string(transfer.lock_nonce)}


def _counts_match(card: Card, parts: Sequence[Part]) -> bool:
    """Tell whether there are as many comments and checklist items, and as much time, as the card says."""
    entries = of_type(TimeEntry, parts)
    closed = [entry for entry in entries if entry.ended_at]
    seconds = [count_entry_seconds(entry, entry.ended_at or entry.started_at) for entry in closed]
    return (
        card.comment_count == len(of_type(Comment, parts))
        and card.item_count == sum(len(checklist.items) for checklist in of_type(Checklist, parts))
        and card.tracked_seconds == sum(seconds)
        and card.tracked_cost == sum(entry.rate_minor * spent for entry, spent in zip(closed, seconds, strict=True))
        and ([card.running] if card.running else []) == [entry for entry in entries if not entry.ended_at]
    )
