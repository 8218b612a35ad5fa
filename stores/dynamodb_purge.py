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
from stores import dynamodb_keys as keys
from stores.dynamodb_attributes import number, text
from stores.dynamodb_batches import Batches
from stores.dynamodb_cards import assigned_of
from stores.dynamodb_client import CONDITION_FAILED, Calls, Cancelled
from stores.dynamodb_expressions import Write, delete
from stores.dynamodb_heads import head_of
from stores.dynamodb_keys import Item
from stores.dynamodb_reading import Reading
from stores.dynamodb_transfer import guarded

_CARDS_AT_ONCE = 25


class Purge:
    """Erases in one table."""

    def __init__(self, calls: Calls, reading: Reading, table: str) -> None:
        self._calls = calls
        self._reading = reading
        self._table = table
        self._batches = Batches(calls, table)

    def step(self, before: datetime, limit: int) -> int:
        """Erase about so many things that were deleted before that moment; how many they were."""
        erased = dropped = 0
        for tombstone in self._reading.between("D", " ", keys.format_timestamp(before), wanted=limit):
            if erased + dropped >= limit:
                # What came back left a tombstone that says nothing; there may be more to erase behind it.
                return erased or dropped
            if not self._is_begun(tombstone):
                self._forget(tombstone)
                dropped += 1
                continue
            count, is_done = self._erase(tombstone, limit - erased - dropped)
            erased += count
            if is_done:
                self._forget(tombstone)
                erased += 1
        return erased

    # Taking it out of sight

    def _is_begun(self, tombstone: Item) -> bool:
        """Take the thing itself away, unless that was done. False if there is nothing to erase."""
        if "begun" in tombstone:
            return True
        try:
            found = self._begin(tombstone)
        except Cancelled:
            # It came back just now; or our own write went through, and its answer was lost; or somebody else was first.
            found = self._reading.item(_key(tombstone))
        if found is None or "begun" not in found:
            return False
        tombstone |= found
        return True

    def _begin(self, tombstone: Item) -> Item | None:
        at, kind, *ids = tombstone["sk"]["S"].split("#")
        if kind == "board":
            return self._begin_board(ids[0], at, tombstone)
        if kind == "list":
            return self._take(keys.list_key(ids[0], ids[1]), tombstone, [], "#deleted_at = :was", text(at))
        if kind == "card":
            return self._begin_card(ids[0], ids[1], at, tombstone)
        if kind == "parts":
            return self._begin_parts(ids[0], ids[1], tombstone)
        return self._begin_new(ids[0], tombstone)

    def _begin_board(self, board_id: str, at: str, tombstone: Item) -> Item | None:
        item = self._reading.item(keys.head_key(board_id))
        head = head_of(item) if item else None
        if head is None or head.board.deleted_at is None or keys.format_timestamp(head.board.deleted_at) != at:
            return None
        return self._take(keys.head_key(board_id), tombstone, [*head.members], "#seq = :was", number(head.board.seq))

    def _begin_card(self, board_id: str, card_id: str, at: str, tombstone: Item) -> Item | None:
        item = self._reading.item(keys.card_key(board_id, card_id))
        if item is None or item.get("deleted_at") != text(at):
            return None
        if "external_id" in item:
            tombstone["external_id"] = item["external_id"]
        users = [each for each in assigned_of(item).values() if each]
        return self._take(keys.card_key(board_id, card_id), tombstone, users, "#deleted_at = :was", text(at))

    def _begin_new(self, board_id: str, tombstone: Item) -> Item | None:
        """A board that was not made to its end. Whoever still makes it cannot end it any more."""
        begun = tombstone | {"begun": {"BOOL": True}}
        self._calls("put_item", TableName=self._table, Item=begun, ConditionExpression="attribute_exists(pk)")
        return begun if self._reading.item(keys.head_key(board_id)) is None else None

    def _begin_parts(self, board_id: str, card_id: str, tombstone: Item) -> Item | None:
        """Parts without a card: it left the board, or never arrived. Whoever still sends some must stop."""
        place = keys.newcomer_key(board_id, card_id) | {"nonce": text(secrets.token_hex(16))}
        self._calls("put_item", TableName=self._table, Item=place)
        if self._reading.item(keys.card_key(board_id, card_id)) is not None:
            self._batches.delete([_key(place)])
            return None
        return tombstone | {"begun": {"BOOL": True}, "nonce": place["nonce"]}

    def _take(self, key: Item, tombstone: Item, users: list[str], condition: str, was: Item) -> Item:
        begun = tombstone | {"begun": {"BOOL": True}, "users": {"L": [text(each) for each in users]}}
        parts: list[dict[str, Any]] = [
            {"Delete": delete(self._table, key, condition, {":was": was})},
            {"Put": {"TableName": self._table, "Item": begun}},
        ]
        self._calls("transact_write_items", TransactItems=parts)
        return begun

    def _forget(self, tombstone: Item) -> None:
        self._batches.delete([{"pk": tombstone["pk"], "sk": tombstone["sk"]}])

    # Erasing the rest

    def _erase(self, tombstone: Item, room: int) -> tuple[int, bool]:
        """Erase about so many things that belong to it; how many, and whether that was all."""
        _, kind, board_id, *rest = tombstone["sk"]["S"].split("#")
        users = [each["S"] for each in tombstone.get("users", {"L": []})["L"]]
        if kind == "list":
            return self._erase_cards(board_id, rest[0], room)
        if kind == "parts":
            return self._erase_strays(board_id, rest[0], tombstone, room)
        if kind == "card":
            (card_id,) = rest
            count, is_done = self._erase_parts(board_id, card_id, room)
            if is_done:
                self._batches.delete(keys.assignment_key(each, board_id, card_id) for each in users)
                self._unclaim(board_id, [tombstone | keys.card_key(board_id, card_id)])
            return count, is_done
        count, is_done = self._erase_all(board_id, room)
        if is_done:
            self._batches.delete(keys.membership_key(each, board_id) for each in users)
        return count, is_done

    def _erase_all(self, board_id: str, room: int) -> tuple[int, bool]:
        """All of a board's partition."""
        count = 0
        for batch, more in self._reading.batches(
            f"B#{board_id}", " ", "~", wanted=room, projection="pk, sk, #assigned", names={"#assigned": "assigned"}
        ):
            self._batches.delete(_assignments(board_id, batch))
            self._batches.delete(map(_key, batch))
            count += len(batch)
            if more and count >= room:
                return count, False
        return count, True

    def _erase_parts(self, board_id: str, card_id: str, room: int) -> tuple[int, bool]:
        found = self._reading.batches(
            f"B#{board_id}", f"P#{card_id}#", f"P#{card_id}$", wanted=room, projection="pk, sk"
        )
        count = 0
        for batch, more in found:
            self._batches.delete(map(_key, batch))
            count += len(batch)
            if more and count >= room:
                return count, False
        return count, True

    def _erase_strays(self, board_id: str, card_id: str, tombstone: Item, room: int) -> tuple[int, bool]:
        """Parts without a card, unless it has come by now, or somebody sends it."""
        found = self._reading.between(f"B#{board_id}", f"P#{card_id}#", f"P#{card_id}$", wanted=room + 1)
        strays = [*islice(found, room + 1)]
        place = keys.newcomer_key(board_id, card_id) | {"nonce": tombstone["nonce"]}
        absent = delete(self._table, keys.card_key(board_id, card_id), "attribute_not_exists(#pk)")
        deletes = [
            Write("Delete", {"TableName": self._table, "Key": _key(each)}, lambda _: StaleRead())
            for each in strays[:room]
        ]
        try:
            guarded(self._calls, self._table, place, deletes, {"ConditionCheck": absent})
        except Cancelled:
            deletes, strays = [], []
        if len(strays) <= room:
            with suppress(Cancelled):
                own = delete(self._table, _key(place), "#nonce = :nonce", {":nonce": place["nonce"]})
                self._calls("delete_item", **own)
        return len(deletes), len(strays) <= room

    def _erase_cards(self, board_id: str, list_id: str, room: int) -> tuple[int, bool]:
        """The cards of a list, each after its parts: what is interrupted finds the card again."""
        found = self._reading.between(f"B#{board_id}", f"{list_id}#", f"{list_id}$", index="place", wanted=room)
        count = 0
        while batch := [*islice(found, _CARDS_AT_ONCE)]:
            for card in batch:
                if count >= room:
                    return count, False
                erased, is_done = self._erase_parts(board_id, card["sk"]["S"][2:], room - count)
                count += erased
                if not is_done:
                    return count, False
            self._unclaim(board_id, batch)
            self._batches.delete(_assignments(board_id, batch))
            self._batches.delete(map(_key, batch))
            count += len(batch)
        return count, True

    def _unclaim(self, board_id: str, cards: Iterable[Item]) -> None:
        """Withdraw the claims of cards to external ids, where no other card has taken them over."""
        # A card that was deleted keeps the external id that another one of its list has taken over.
        claimants: dict[str, list[str]] = {}
        for card in cards:
            if "external_id" in card:
                claimants.setdefault(card["external_id"]["S"], []).append(card["sk"]["S"][2:])
        claims = [{"Delete": self._withdrawal(board_id, *each)} for each in claimants.items()]
        while claims:
            try:
                self._calls("transact_write_items", TransactItems=claims)
            except Cancelled as cancelled:
                codes = [reason.get("Code") for reason in cancelled.reasons]
                claims = [claim for claim, code in zip(claims, codes, strict=True) if code != CONDITION_FAILED]
            else:
                return

    def _withdrawal(self, board_id: str, external_id: str, card_ids: Sequence[str]) -> dict[str, Any]:
        """Takes the claim to an external id away, if it is that of one of these cards."""
        signs = {f":card{number}": text(card_id) for number, card_id in enumerate(card_ids)}
        return delete(self._table, keys.claim_key(board_id, external_id), f"#card_id IN ({', '.join(signs)})", signs)


def _key(item: Item) -> Item:
    return {"pk": item["pk"], "sk": item["sk"]}


def _assignments(board_id: str, items: Iterable[Item]) -> Iterator[Item]:
    for item in items:
        for user_id in {*assigned_of(item).values()} - {""}:
            yield keys.assignment_key(user_id, board_id, item["sk"]["S"][2:])
