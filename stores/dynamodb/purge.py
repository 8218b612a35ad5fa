"""Purge: erase what was deleted long ago, in steps that may be interrupted anywhere and continued by any process.

A deletion leaves a tombstone, in the same transaction. The first step deletes the thing's own item, if it is still
deleted, and notes in the tombstone what else belongs to it: from then on it can't be restored, and all the rest may be
erased in any order, without conditions. The tombstone goes last.
"""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import islice

from kanban.field_changes import erase_values
from kanban.store import BEYOND_ALL_SEQS
from kanban.values import Event
from stores.dynamodb import keys
from stores.dynamodb.attributes import to_boolean, to_string
from stores.dynamodb.batches import BatchWriter
from stores.dynamodb.board_writes import delete_board
from stores.dynamodb.card_items import assignee_users_from_item
from stores.dynamodb.client import CONDITION_FAILED, ConditionFailed, RetryingClient
from stores.dynamodb.event_items import event_from_item, event_to_item
from stores.dynamodb.keys import Item, key_of
from stores.dynamodb.reads import TableReader
from stores.dynamodb.transfers import write_under_lock
from stores.dynamodb.writes import Check, Delete, Put, Write, to_transact_item

_CARD_BATCH_SIZE = 25
_EVENTS_PER_QUERY = 100


class Purge:
    """Erases in one table."""

    def __init__(self, client: RetryingClient, reader: TableReader, table: str) -> None:
        self._client = client
        self._reader = reader
        self._table = table
        self._batches = BatchWriter(client, table)

    def step(self, before: datetime, limit: int) -> int:
        """Erase about `limit` things that were deleted before that moment; return how many were erased."""
        erased = dropped = 0
        for tombstone in self._reader.query("D", " ", keys.format_timestamp(before), page_size=limit):
            if erased + dropped >= limit:
                # Dropped tombstones of restored things count if nothing was erased: 0 would mean that nothing is left.
                return erased or dropped
            if not self._ensure_started(tombstone):
                self._delete_tombstone(tombstone)
                dropped += 1
                continue
            count, is_done = self._erase_dependents(tombstone, limit - erased - dropped)
            erased += count
            if is_done:
                self._delete_tombstone(tombstone)
                erased += 1
        return erased

    # The first step of each

    def _ensure_started(self, tombstone: Item) -> bool:
        """Delete the thing's own item, unless that was done. Return False if there is nothing to erase."""
        if "begun" in tombstone:
            return True
        try:
            started = self._start(tombstone)
        except ConditionFailed:
            # It was restored just now; or our own write was carried out, and its response got lost; or another purge
            # was first.
            started = self._reader.get_item(key_of(tombstone))
        if started is None or "begun" not in started:
            return False
        tombstone |= started
        return True

    def _start(self, tombstone: Item) -> Item | None:
        """Start to erase; return the tombstone as it is then, None if there is nothing to erase."""
        timestamp, kind, *ids = tombstone["sk"]["S"].split("#")
        if kind == "board":
            return self._start_board(ids[0], timestamp, tombstone)
        if kind == "list":
            still_deleted = _build_deletion(keys.list_key(ids[0], ids[1]), timestamp)
            return self._delete_and_mark([still_deleted], tombstone, [])
        if kind == "card":
            return self._start_card(ids[0], ids[1], timestamp, tombstone)
        if kind == "parts":
            return self._start_orphaned_parts(ids[0], ids[1], tombstone)
        return self._start_unfinished_board(ids[0], tombstone)

    def _start_board(self, board_id: str, timestamp: str, tombstone: Item) -> Item | None:
        head = self._reader.get_head(board_id)
        deleted_at = head.board.deleted_at if head else None
        if head is None or deleted_at is None or keys.format_timestamp(deleted_at) != timestamp:
            return None
        return self._delete_and_mark(delete_board(head), tombstone, [*head.members])

    def _start_card(self, board_id: str, card_id: str, timestamp: str, tombstone: Item) -> Item | None:
        item = self._reader.get_item(keys.card_key(board_id, card_id))
        if item is None or item.get("deleted_at") != to_string(timestamp):
            return None
        if "external_id" in item:
            tombstone["external_id"] = item["external_id"]
        user_ids = [user_id for user_id in assignee_users_from_item(item).values() if user_id]
        still_deleted = _build_deletion(keys.card_key(board_id, card_id), timestamp)
        return self._delete_and_mark([still_deleted], tombstone, user_ids)

    def _start_unfinished_board(self, board_id: str, tombstone: Item) -> Item | None:
        """Start to erase a board whose creation was interrupted: it can't be finished any more."""
        started = tombstone | _begun_mark()
        put = Put(started, condition="attribute_exists(#pk)")
        self._client("put_item", **put.fields(self._table))
        return started if self._reader.get_item(keys.head_key(board_id)) is None else None

    def _start_orphaned_parts(self, board_id: str, card_id: str, tombstone: Item) -> Item | None:
        """Start to erase parts whose card left the board or never arrived: a transfer under way must stop."""
        lock = keys.transfer_lock_key(board_id, card_id) | {"nonce": to_string(secrets.token_hex(16))}
        self._client("put_item", **Put(lock).fields(self._table))
        if self._reader.get_item(keys.card_key(board_id, card_id)) is not None:
            self._batches.delete([key_of(lock)])
            return None
        return tombstone | _begun_mark() | {"nonce": lock["nonce"]}

    def _delete_and_mark(self, deletions: Sequence[Delete], tombstone: Item, user_ids: list[str]) -> Item:
        """Delete the thing's own items, and mark the tombstone, which then names the users to whom it belonged."""
        started = tombstone | _begun_mark() | {"users": {"L": [to_string(user_id) for user_id in user_ids]}}
        writes: list[Write] = [*deletions, Put(started)]
        items = [to_transact_item(write, self._table) for write in writes]
        self._client("transact_write_items", TransactItems=items)
        return started

    def _delete_tombstone(self, tombstone: Item) -> None:
        self._batches.delete([key_of(tombstone)])

    # The steps that follow

    def _erase_dependents(self, tombstone: Item, budget: int) -> tuple[int, bool]:
        """Erase about `budget` things that belong to it; return how many, and whether that was all."""
        _, kind, board_id, *rest = tombstone["sk"]["S"].split("#")
        user_ids = [user["S"] for user in tombstone.get("users", {"L": []})["L"]]
        if kind == "list":
            return self._erase_cards(board_id, rest[0], budget)
        if kind == "parts":
            return self._erase_orphaned_parts(board_id, rest[0], tombstone, budget)
        if kind == "card":
            (card_id,) = rest
            count, is_done = self._erase_what_was_written(board_id, card_id, budget)
            if is_done:
                self._batches.delete(keys.assignment_key(user_id, board_id, card_id) for user_id in user_ids)
                self._withdraw_claims(board_id, [tombstone | keys.card_key(board_id, card_id)])
            return count, is_done
        count, is_done = self._erase_partition(board_id, budget)
        if is_done:
            self._batches.delete(keys.membership_key(user_id, board_id) for user_id in user_ids)
        return count, is_done

    def _erase_partition(self, board_id: str, budget: int) -> tuple[int, bool]:
        """Erase all of a board's partition."""
        count = 0
        for batch, last_key in self._reader.query_batches(
            f"B#{board_id}", " ", "~", page_size=budget, projection="pk, sk, #assigned"
        ):
            self._batches.delete(_assignment_keys(board_id, batch))
            self._batches.delete(_listed_reader_keys(board_id, batch))
            self._batches.delete(map(key_of, batch))
            count += len(batch)
            if last_key and count >= budget:
                return count, False
        return count, True

    def _erase_what_was_written(self, board_id: str, card_id: str, budget: int) -> tuple[int, bool]:
        """Erase the parts of a card, and what its events say about it."""
        count, is_done = self._erase_parts(board_id, card_id, budget)
        if not is_done:
            return count, False
        erased, is_done = self._erase_event_values(board_id, card_id, budget - count)
        return count + erased, is_done

    def _erase_event_values(self, board_id: str, card_id: str, budget: int) -> tuple[int, bool]:
        count = 0
        board_ids = [board_id]
        for event in self._walk_card_events(board_ids, card_id):
            from_board_id = event.data.get("from_board_id")
            if event.type == "card.arrived" and from_board_id not in board_ids:
                board_ids.append(str(from_board_id))
            erased = erase_values(event)
            if erased is event:
                continue
            if count >= budget:
                return count, False
            put = Put(event_to_item(erased), condition="attribute_exists(#pk)")
            # Without the event, the whole board is erased by now.
            with suppress(ConditionFailed):
                self._client("put_item", **put.fields(self._table))
            count += 1
        return count, True

    def _walk_card_events(self, board_ids: Iterable[str], card_id: str) -> Iterator[Event]:
        """Yield the events of a card on boards. While they are read, boards may be added from which it came."""
        first, last = (keys.card_event_index_key(card_id, seq) for seq in (0, BEYOND_ALL_SEQS))
        for board_id in board_ids:
            items = self._reader.query(f"B#{board_id}", first, last, index="recent", page_size=_EVENTS_PER_QUERY)
            yield from map(event_from_item, items)

    def _erase_parts(self, board_id: str, card_id: str, budget: int) -> tuple[int, bool]:
        batches = self._reader.query_batches(
            f"B#{board_id}", f"P#{card_id}#", f"P#{card_id}$", page_size=budget, projection="pk, sk"
        )
        count = 0
        for batch, last_key in batches:
            self._batches.delete(map(key_of, batch))
            count += len(batch)
            if last_key and count >= budget:
                return count, False
        return count, True

    def _erase_orphaned_parts(self, board_id: str, card_id: str, tombstone: Item, budget: int) -> tuple[int, bool]:
        """Erase parts without a card, unless it has arrived by now, or is being transferred."""
        items = self._reader.query(f"B#{board_id}", f"P#{card_id}#", f"P#{card_id}$", page_size=budget + 1)
        orphans = [*islice(items, budget + 1)]
        lock = keys.transfer_lock_key(board_id, card_id) | {"nonce": tombstone["nonce"]}
        card_is_absent = Check(keys.card_key(board_id, card_id), condition="attribute_not_exists(#pk)")
        deletions: list[Write] = [Delete(key_of(orphan)) for orphan in orphans[:budget]]
        if not write_under_lock(self._client, self._table, lock, deletions, card_is_absent):
            deletions, orphans = [], []
        if len(orphans) <= budget:
            own = Delete(key_of(lock), condition="#nonce = :nonce", values={":nonce": lock["nonce"]})
            with suppress(ConditionFailed):
                self._client("delete_item", **own.fields(self._table))
        return len(deletions), len(orphans) <= budget

    def _erase_cards(self, board_id: str, list_id: str, budget: int) -> tuple[int, bool]:
        """Erase the cards of a list, each after its parts, so that the next step finds the card again."""
        items = self._reader.query(f"B#{board_id}", f"{list_id}#", f"{list_id}$", index="place", page_size=budget)
        count = 0
        while batch := [*islice(items, _CARD_BATCH_SIZE)]:
            for card in batch:
                if count >= budget:
                    return count, False
                erased, is_done = self._erase_what_was_written(board_id, card["sk"]["S"][2:], budget - count)
                count += erased
                if not is_done:
                    return count, False
            self._withdraw_claims(board_id, batch)
            self._batches.delete(_assignment_keys(board_id, batch))
            self._batches.delete(map(key_of, batch))
            count += len(batch)
        return count, True

    def _withdraw_claims(self, board_id: str, cards: Iterable[Item]) -> None:
        """Withdraw the claims of cards to external ids, where no other card has taken them over."""
        # A deleted card keeps its external id even if another card of its list has taken the claim over.
        claimant_ids: dict[str, list[str]] = {}
        for card in cards:
            if "external_id" in card:
                claimant_ids.setdefault(card["external_id"]["S"], []).append(card["sk"]["S"][2:])
        deletions = [
            to_transact_item(_build_claim_deletion(board_id, external_id, card_ids), self._table)
            for external_id, card_ids in claimant_ids.items()
        ]
        while deletions:
            try:
                self._client("transact_write_items", TransactItems=deletions)
            except ConditionFailed as error:
                codes = [reason.get("Code") for reason in error.reasons]
                deletions = [
                    deletion for deletion, code in zip(deletions, codes, strict=True) if code != CONDITION_FAILED
                ]
            else:
                return


def _build_deletion(key: Item, timestamp: str) -> Delete:
    """Return the deletion of an item on condition that it is marked as deleted since then."""
    return Delete(key, condition="#deleted_at = :timestamp", values={":timestamp": to_string(timestamp)})


def _build_claim_deletion(board_id: str, external_id: str, card_ids: Sequence[str]) -> Delete:
    """Return the deletion of the claim to an external id, on condition that it is that of one of these cards."""
    values = {f":card{index}": to_string(card_id) for index, card_id in enumerate(card_ids)}
    key = keys.card_claim_key(board_id, external_id)
    return Delete(key, condition=f"#card_id IN ({', '.join(values)})", values=values)


def _begun_mark() -> Item:
    return {"begun": to_boolean(True)}  # noqa: FBT003  (it is the value)


def _assignment_keys(board_id: str, items: Iterable[Item]) -> Iterator[Item]:
    for item in items:
        for user_id in {*assignee_users_from_item(item).values()} - {""}:
            yield keys.assignment_key(user_id, board_id, item["sk"]["S"][2:])


def _listed_reader_keys(board_id: str, items: Iterable[Item]) -> Iterator[Item]:
    for item in items:
        if item["sk"]["S"].startswith("R#"):
            yield keys.listed_reader_key(board_id, item["sk"]["S"][2:])
