"""Erasing what was deleted long ago, in steps that anybody may interrupt and go on with.

A deletion leaves a tombstone, in the same transaction. The first step takes the thing itself away, if it is still
deleted, and notes at the tombstone what else belongs to it: from then on nobody can bring it back, and all the rest may
be erased in any order, without conditions. The tombstone goes last.
"""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import islice
from typing import Any

from kanban.store import StaleRead
from stores.dynamodb import keys
from stores.dynamodb.attributes import to_number, to_string
from stores.dynamodb.batches import BatchWriter
from stores.dynamodb.board_items import head_from_item
from stores.dynamodb.card_items import assignee_users_from_item
from stores.dynamodb.client import CONDITION_FAILED, ConditionFailed, RetryingClient
from stores.dynamodb.expressions import Write, key_request
from stores.dynamodb.keys import Item
from stores.dynamodb.reads import TableReader
from stores.dynamodb.transfers import write_under_lock

_CARD_BATCH_SIZE = 25


class Purge:
    """Erases in one table."""

    def __init__(self, client: RetryingClient, reader: TableReader, table: str) -> None:
        self._client = client
        self._reader = reader
        self._table = table
        self._batches = BatchWriter(client, table)

    def step(self, before: datetime, limit: int) -> int:
        """Erase about so many things that were deleted before that moment; how many they were."""
        erased = dropped = 0
        for tombstone in self._reader.query("D", " ", keys.format_timestamp(before), wanted=limit):
            if erased + dropped >= limit:
                # What came back left a tombstone that says nothing; there may be more to erase behind it.
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

    # Taking it out of sight

    def _ensure_started(self, tombstone: Item) -> bool:
        """Take the thing itself away, unless that was done. False if there is nothing to erase."""
        if "begun" in tombstone:
            return True
        try:
            found = self._start(tombstone)
        except ConditionFailed:
            # It came back just now; or our own write went through, and its answer was lost; or somebody else was first.
            found = self._reader.get_item(_key_of(tombstone))
        if found is None or "begun" not in found:
            return False
        tombstone |= found
        return True

    def _start(self, tombstone: Item) -> Item | None:
        at, kind, *ids = tombstone["sk"]["S"].split("#")
        if kind == "board":
            return self._start_board(ids[0], at, tombstone)
        if kind == "list":
            return self._delete_and_mark(
                keys.list_key(ids[0], ids[1]), tombstone, [], "#deleted_at = :was", to_string(at)
            )
        if kind == "card":
            return self._start_card(ids[0], ids[1], at, tombstone)
        if kind == "parts":
            return self._start_orphaned_parts(ids[0], ids[1], tombstone)
        return self._start_unfinished_board(ids[0], tombstone)

    def _start_board(self, board_id: str, at: str, tombstone: Item) -> Item | None:
        item = self._reader.get_item(keys.head_key(board_id))
        head = head_from_item(item) if item else None
        if head is None or head.board.deleted_at is None or keys.format_timestamp(head.board.deleted_at) != at:
            return None
        return self._delete_and_mark(
            keys.head_key(board_id), tombstone, [*head.members], "#seq = :was", to_number(head.board.seq)
        )

    def _start_card(self, board_id: str, card_id: str, at: str, tombstone: Item) -> Item | None:
        item = self._reader.get_item(keys.card_key(board_id, card_id))
        if item is None or item.get("deleted_at") != to_string(at):
            return None
        if "external_id" in item:
            tombstone["external_id"] = item["external_id"]
        users = [each for each in assignee_users_from_item(item).values() if each]
        return self._delete_and_mark(
            keys.card_key(board_id, card_id), tombstone, users, "#deleted_at = :was", to_string(at)
        )

    def _start_unfinished_board(self, board_id: str, tombstone: Item) -> Item | None:
        """A board that was not made to its end. Whoever still makes it cannot end it any more."""
        begun = tombstone | {"begun": {"BOOL": True}}
        self._client("put_item", TableName=self._table, Item=begun, ConditionExpression="attribute_exists(pk)")
        return begun if self._reader.get_item(keys.head_key(board_id)) is None else None

    def _start_orphaned_parts(self, board_id: str, card_id: str, tombstone: Item) -> Item | None:
        """Parts without a card: it left the board, or never arrived. Whoever still sends some must stop."""
        place = keys.transfer_lock_key(board_id, card_id) | {"nonce": to_string(secrets.token_hex(16))}
        self._client("put_item", TableName=self._table, Item=place)
        if self._reader.get_item(keys.card_key(board_id, card_id)) is not None:
            self._batches.delete([_key_of(place)])
            return None
        return tombstone | {"begun": {"BOOL": True}, "nonce": place["nonce"]}

    def _delete_and_mark(self, key: Item, tombstone: Item, users: list[str], condition: str, expected: Item) -> Item:
        begun = tombstone | {"begun": {"BOOL": True}, "users": {"L": [to_string(each) for each in users]}}
        parts: list[dict[str, Any]] = [
            {"Delete": key_request(self._table, key, condition, {":was": expected})},
            {"Put": {"TableName": self._table, "Item": begun}},
        ]
        self._client("transact_write_items", TransactItems=parts)
        return begun

    def _delete_tombstone(self, tombstone: Item) -> None:
        self._batches.delete([{"pk": tombstone["pk"], "sk": tombstone["sk"]}])

    # Erasing the rest

    def _erase_dependents(self, tombstone: Item, budget: int) -> tuple[int, bool]:
        """Erase about so many things that belong to it; how many, and whether that was all."""
        _, kind, board_id, *rest = tombstone["sk"]["S"].split("#")
        users = [each["S"] for each in tombstone.get("users", {"L": []})["L"]]
        if kind == "list":
            return self._erase_cards(board_id, rest[0], budget)
        if kind == "parts":
            return self._erase_orphaned_parts(board_id, rest[0], tombstone, budget)
        if kind == "card":
            (card_id,) = rest
            count, is_done = self._erase_parts(board_id, card_id, budget)
            if is_done:
                self._batches.delete(keys.assignment_key(each, board_id, card_id) for each in users)
                self._withdraw_claims(board_id, [tombstone | keys.card_key(board_id, card_id)])
            return count, is_done
        count, is_done = self._erase_partition(board_id, budget)
        if is_done:
            self._batches.delete(keys.membership_key(each, board_id) for each in users)
        return count, is_done

    def _erase_partition(self, board_id: str, budget: int) -> tuple[int, bool]:
        """All of a board's partition."""
        count = 0
        for batch, more in self._reader.query_batches(
            f"B#{board_id}", " ", "~", wanted=budget, projection="pk, sk, #assigned", names={"#assigned": "assigned"}
        ):
            self._batches.delete(_assignment_keys(board_id, batch))
            self._batches.delete(map(_key_of, batch))
            count += len(batch)
            if more and count >= budget:
                return count, False
        return count, True

    def _erase_parts(self, board_id: str, card_id: str, budget: int) -> tuple[int, bool]:
        found = self._reader.query_batches(
            f"B#{board_id}", f"P#{card_id}#", f"P#{card_id}$", wanted=budget, projection="pk, sk"
        )
        count = 0
        for batch, more in found:
            self._batches.delete(map(_key_of, batch))
            count += len(batch)
            if more and count >= budget:
                return count, False
        return count, True

    def _erase_orphaned_parts(self, board_id: str, card_id: str, tombstone: Item, budget: int) -> tuple[int, bool]:
        """Parts without a card, unless it has come by now, or somebody sends it."""
        found = self._reader.query(f"B#{board_id}", f"P#{card_id}#", f"P#{card_id}$", wanted=budget + 1)
        strays = [*islice(found, budget + 1)]
        place = keys.transfer_lock_key(board_id, card_id) | {"nonce": tombstone["nonce"]}
        absent = key_request(self._table, keys.card_key(board_id, card_id), "attribute_not_exists(#pk)")
        deletes = [
            Write("Delete", {"TableName": self._table, "Key": _key_of(each)}, lambda _: StaleRead())
            for each in strays[:budget]
        ]
        try:
            write_under_lock(self._client, self._table, place, deletes, {"ConditionCheck": absent})
        except ConditionFailed:
            deletes, strays = [], []
        if len(strays) <= budget:
            with suppress(ConditionFailed):
                own = key_request(self._table, _key_of(place), "#nonce = :nonce", {":nonce": place["nonce"]})
                self._client("delete_item", **own)
        return len(deletes), len(strays) <= budget

    def _erase_cards(self, board_id: str, list_id: str, budget: int) -> tuple[int, bool]:
        """The cards of a list, each after its parts: what is interrupted finds the card again."""
        found = self._reader.query(f"B#{board_id}", f"{list_id}#", f"{list_id}$", index="place", wanted=budget)
        count = 0
        while batch := [*islice(found, _CARD_BATCH_SIZE)]:
            for card in batch:
                if count >= budget:
                    return count, False
                erased, is_done = self._erase_parts(board_id, card["sk"]["S"][2:], budget - count)
                count += erased
                if not is_done:
                    return count, False
            self._withdraw_claims(board_id, batch)
            self._batches.delete(_assignment_keys(board_id, batch))
            self._batches.delete(map(_key_of, batch))
            count += len(batch)
        return count, True

    def _withdraw_claims(self, board_id: str, cards: Iterable[Item]) -> None:
        """Withdraw the claims of cards to external ids, where no other card has taken them over."""
        # A card that was deleted keeps the external id that another one of its list has taken over.
        claimants: dict[str, list[str]] = {}
        for card in cards:
            if "external_id" in card:
                claimants.setdefault(card["external_id"]["S"], []).append(card["sk"]["S"][2:])
        claims = [{"Delete": self._claim_deletion(board_id, *each)} for each in claimants.items()]
        while claims:
            try:
                self._client("transact_write_items", TransactItems=claims)
            except ConditionFailed as cancelled:
                codes = [reason.get("Code") for reason in cancelled.reasons]
                claims = [claim for claim, code in zip(claims, codes, strict=True) if code != CONDITION_FAILED]
            else:
                return

    def _claim_deletion(self, board_id: str, external_id: str, card_ids: Sequence[str]) -> dict[str, Any]:
        """Takes the claim to an external id away, if it is that of one of these cards."""
        signs = {f":card{number}": to_string(card_id) for number, card_id in enumerate(card_ids)}
        return key_request(
            self._table, keys.card_claim_key(board_id, external_id), f"#card_id IN ({', '.join(signs)})", signs
        )


def _key_of(item: Item) -> Item:
    return {"pk": item["pk"], "sk": item["sk"]}


def _assignment_keys(board_id: str, items: Iterable[Item]) -> Iterator[Item]:
    for item in items:
        for user_id in {*assignee_users_from_item(item).values()} - {""}:
            yield keys.assignment_key(user_id, board_id, item["sk"]["S"][2:])
