"""Cards that move to another board, with all their parts.

A card and its parts stand in the partition of their board, so the parts are copied. As many as fit go in the
transaction that writes both heads and the card. Where they are more, they are sent ahead: nobody sees parts whose card
is not there. Whoever writes such parts, or erases them, first puts a nonce of its own at the card's place for
newcomers, and writes only while it is there. A mover looks at that place before it reads what stands there of earlier
visits: if somebody is at it, it takes the place over, and its last transaction leaves the place empty, on condition
that nobody was at it meanwhile. So a purge and a mover, or two movers, never mix what they write.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from kanban.changes import Change
from kanban.store import Busy, StaleRead
from kanban.timekeeping.card_clock import count_entry_seconds
from kanban.values import Card, Checklist, Comment, Event, Part, TimeEntry
from stores.dynamodb import keys
from stores.dynamodb.attributes import to_string
from stores.dynamodb.card_items import (
    AssigneeUsers,
    assignee_users_from_item,
    card_from_item,
    part_from_item,
    transferred_part_item,
)
from stores.dynamodb.client import ConditionFailed, RetryingClient
from stores.dynamodb.expressions import MAX_TRANSACTION_BYTES, Write, key_request, of_type, put_request
from stores.dynamodb.keys import Item
from stores.dynamodb.reads import BoardSnapshot, TableReader

_MAX_GUARDED_WRITES = 99
_PART_PAGE_SIZE = 1000
_MAX_PART_READS = 4


@dataclass(slots=True)
class TransferParts:
    """What comes along with a card.

    `home` is the board that it leaves, as it was when that was decided; `parts` are its parts as they are there, and
    `copies` as they shall stand on the new board; `strays` what stands there of an earlier visit. `nonce` is at the
    card's place for newcomers, once this mover has taken it; `is_written_ahead` tells that the parts are there.
    """

    card: Card
    source: BoardSnapshot
    board_id: str
    timestamp: str
    parts: Sequence[Item] = ()
    copies: Sequence[Item] = ()
    orphans: Sequence[Item] = ()
    lock_nonce: str | None = None
    is_written_ahead: bool = False

    @property
    def assignee_users(self) -> AssigneeUsers:
        """Who was assigned to the card on the board that it leaves."""
        return self.source.assignee_users[self.card.id]


class PartTransfer:
    """Moves parts of cards within one table."""

    def __init__(self, client: RetryingClient, reader: TableReader, table: str) -> None:
        self._client = client
        self._reader = reader
        self._table = table

    def prepare(self, change: Change, event: Event) -> TransferParts:
        """What the card of that change has with it. Raises Stale when its board has changed since."""
        left = change.departure.event if change.departure else None
        arriving = arriving_card(change)
        if left is None or arriving is None:
            raise ValueError("A card that moves to another board stands in the updates, with an event of both boards.")
        home_id, card_id = left.board_id, arriving.id
        place = keys.transfer_lock_key(event.board_id, card_id)
        head, (item, newcomer) = self._reader.get_consistent(home_id, [keys.card_key(home_id, card_id), place])
        if head is None or item is None or head.board.seq != left.seq - 1:
            raise StaleRead
        card = card_from_item(item)
        luggage = TransferParts(
            card,
            BoardSnapshot(head, {card_id: assignee_users_from_item(item)}),
            event.board_id,
            keys.format_timestamp(event.at),
        )
        if newcomer is not None:
            # Whoever is at the place writes nothing any more: the strays that are read next are all that there will be.
            self._acquire_lock(luggage, newcomer)
        parts = self._read_all_parts(card)
        strays = {each["sk"]["S"]: each for each in self._query_parts(event.board_id, card_id)}
        for each in parts:
            strays.pop(each["sk"]["S"], None)
        luggage.parts = parts
        luggage.copies = [transferred_part_item(each, event.board_id, change.membership_ids) for each in parts]
        luggage.orphans = [*strays.values()]
        return luggage

    def build_writes(self, transfer: TransferParts, other_writes: Sequence[Write]) -> list[Write]:
        """The parts of the last transaction that bring the luggage, beside what is written anyway."""
        known = {each.key for each in other_writes}
        copies = [each for each in transfer.copies if (each["pk"]["S"], each["sk"]["S"]) not in known]
        arrivals = [*(self._put(each) for each in copies), *(self._delete(_key_of(each)) for each in transfer.orphans)]
        old = [self._source_deletion(each) for each in transfer.parts]
        room = _MAX_GUARDED_WRITES + 1 - len(other_writes)
        size = len(arrivals) + len(self._lock_release(transfer)) + 1
        if transfer.is_written_ahead or size > room or sum(each.size for each in arrivals) > MAX_TRANSACTION_BYTES:
            self._write_ahead(transfer, arrivals)
            arrivals = []
        arrivals += self._lock_release(transfer)
        if len(arrivals) + len(old) > room or sum(each.size for each in (*arrivals, *old)) > MAX_TRANSACTION_BYTES:
            self._ensure_unchanged(transfer)
            old = [self._put(self._tombstone(transfer, transfer.card.board_id))]
        return [*arrivals, *old]

    def _source_deletion(self, part: Item) -> Write:
        """The part is no longer on the board that the card leaves, on condition that it was as it was copied."""
        condition, values = "#version = :version", {":version": part["version"]}
        if "items" in part:
            # A checklist keeps its version when its items change, or when another one is moved.
            condition += " AND #rank = :rank AND #items = :items"
            values |= {":rank": part["rank"], ":items": part["items"]}
        return Write("Delete", key_request(self._table, _key_of(part), condition, values), _stale)

    def _ensure_unchanged(self, transfer: TransferParts) -> None:
        """Raise Stale if the parts are not as they were copied, where the last transaction has no room to tell."""
        head, found = self._reader.get_consistent(transfer.card.board_id, [*map(_key_of, transfer.parts)])
        if head is None or head.board.seq != transfer.source.head.board.seq or found != transfer.parts:
            raise StaleRead

    def _lock_release(self, transfer: TransferParts) -> list[Write]:
        """Leaves nobody at the card's place for newcomers, on condition that nobody else was at it."""
        place = self._lock_key(transfer)
        if transfer.lock_nonce is None:
            return [Write("Delete", key_request(self._table, place, "attribute_not_exists(#pk)"), _stale)]
        own = key_request(self._table, place, "#nonce = :nonce", {":nonce": to_string(transfer.lock_nonce)})
        return [Write("Delete", own, _stale), self._delete(self._tombstone(transfer, transfer.board_id))]

    def _write_ahead(self, transfer: TransferParts, arrivals: Sequence[Write]) -> None:
        """Write the parts on the new board, once. Raises Stale when the card is there, or somebody else is at it."""
        if transfer.is_written_ahead:
            return
        nonce = transfer.lock_nonce or self._acquire_lock(transfer, None)
        own = self._lock_key(transfer) | {"nonce": to_string(nonce)}
        # A mover that is late, and whose card has long arrived, must not write over what became of the parts.
        key = keys.card_key(transfer.board_id, transfer.card.id)
        absent = key_request(self._table, key, "attribute_not_exists(#pk)")
        try:
            write_under_lock(self._client, self._table, own, arrivals, {"ConditionCheck": absent})
        except ConditionFailed as cancelled:
            raise StaleRead from cancelled
        transfer.is_written_ahead = True

    def _acquire_lock(self, transfer: TransferParts, expected_lock: Item | None) -> str:
        """Put a nonce at the card's place for newcomers, where that other one is, or none. Raises Stale if it is not.

        A tombstone comes first: if this mover gets no further, a purge finds what is left there.
        """
        nonce = secrets.token_hex(16)
        own = self._lock_key(transfer) | {"nonce": to_string(nonce)}
        condition = "#nonce = :before" if expected_lock else "attribute_not_exists(#pk)"
        values = {":before": expected_lock["nonce"]} if expected_lock else None
        self._client("put_item", TableName=self._table, Item=self._tombstone(transfer, transfer.board_id))
        try:
            self._client("put_item", **put_request(self._table, own, condition, values))
        except ConditionFailed as cancelled:
            # The condition also fails because the same write, whose answer was lost, has been carried out.
            if cancelled.reasons[0].get("Item") != own:
                raise StaleRead from cancelled
        transfer.lock_nonce = nonce
        return nonce

    def _read_all_parts(self, card: Card) -> Sequence[Item]:
        """The parts of the card where it is.

        A query may come between the parts of the last write, which the head is of already. That is over soon: what
        does not add up then never will, and nobody is kept from moving such a card.
        """
        began = self._client.monotonic()
        for tries in range(1, _MAX_PART_READS):
            parts = self._query_parts(card.board_id, card.id)
            if _counts_match(card, [*map(part_from_item, parts)]):
                return parts
            self._client.back_off(tries, began, Busy("The card changes too often to be moved."))
        return self._query_parts(card.board_id, card.id)

    def _query_parts(self, board_id: str, card_id: str) -> Sequence[Item]:
        return [*self._reader.query(f"B#{board_id}", f"P#{card_id}#", f"P#{card_id}$", wanted=_PART_PAGE_SIZE)]

    def _lock_key(self, transfer: TransferParts) -> Item:
        return keys.transfer_lock_key(transfer.board_id, transfer.card.id)

    @staticmethod
    def _tombstone(transfer: TransferParts, board_id: str) -> Item:
        return keys.tombstone_key(transfer.timestamp, "parts", board_id, transfer.card.id)

    def _put(self, item: Item) -> Write:
        return Write("Put", {"TableName": self._table, "Item": item}, _stale)

    def _delete(self, key: Item) -> Write:
        return Write("Delete", {"TableName": self._table, "Key": key}, _stale)


def arriving_card(change: Change) -> Card | None:
    """The card that comes from another board."""
    if change.departure is None or change.departure.event is None:
        return None
    named = change.departure.event.card_id
    return next((each for each in of_type(Card, change.updates) if named in (None, each.id)), None)


def write_under_lock(
    client: RetryingClient, table: str, lock: Item, writes: Sequence[Write], *checks: dict[str, Any]
) -> None:
    """Carry them out for as long as that nonce is at the place for newcomers. Raises Cancelled when it is not."""
    own = key_request(table, _key_of(lock), "#nonce = :nonce", {":nonce": lock["nonce"]})
    guards = [{"ConditionCheck": own}, *checks]
    left = [*writes]
    while left:
        bytes_so_far = accumulate(each.size for each in left)
        count = sum(size <= MAX_TRANSACTION_BYTES for size in bytes_so_far) or 1
        batch = left[: min(count, _MAX_GUARDED_WRITES + 1 - len(guards))]
        client("transact_write_items", TransactItems=[*guards, *(each.transact_item for each in batch)])
        left = left[len(batch) :]


def _counts_match(card: Card, parts: Sequence[Part]) -> bool:
    """Whether these are as many comments, items of checklists, and as much time, as the card has."""
    entries = of_type(TimeEntry, parts)
    closed = [each for each in entries if each.ended_at]
    seconds = [count_entry_seconds(each, each.ended_at or each.started_at) for each in closed]
    return (
        card.comment_count == len(of_type(Comment, parts))
        and card.item_count == sum(len(each.items) for each in of_type(Checklist, parts))
        and card.tracked_seconds == sum(seconds)
        and card.tracked_cost == sum(each.rate_minor * spent for each, spent in zip(closed, seconds, strict=True))
        and ([card.running] if card.running else []) == [each for each in entries if not each.ended_at]
    )


def _key_of(item: Item) -> Item:
    return {"pk": item["pk"], "sk": item["sk"]}


def _stale(_: Item | None) -> StaleRead:
    return StaleRead()
