"""The store in a DynamoDB table: the port's reads and its commit."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from itertools import islice

from kanban.store import AlreadyExists, Beside, Busy, CardQuery, Stale
from kanban.values import (
    Board,
    BoardView,
    Card,
    Change,
    Event,
    Page,
    Position,
    Remembered,
    Role,
    TimeEntry,
    Token,
    User,
)
from stores import dynamodb_items as items
from stores import dynamodb_keys as keys
from stores import dynamodb_writes
from stores.dynamodb_client import CONDITION_FAILED, Calls, Cancelled
from stores.dynamodb_items import Head, Placed
from stores.dynamodb_pages import among, cards_of
from stores.dynamodb_ranks import REACH, balanced, pivot
from stores.dynamodb_reading import Reading
from stores.dynamodb_writes import Again, Circumstances, Claimed, MovedOn, Write
from stores.pages import page

_SECRET_BYTES = 32
_MOST_AT_ONCE = 100
_MOST_WAYS = 100


class DynamoStore:
    """A `kanban.store.Store` in a table. Threads may share it."""

    def __init__(self, calls: Calls, table: str) -> None:
        self._calls = calls
        self._table = table
        self._read = Reading(calls, table)
        self._secret: bytes | None = None
        self._has_owner = False

    # Boards

    def read_board(
        self, board_id: str, user_id: str, *, card_ids: Sequence[str] = (), beside: Beside | None = None
    ) -> BoardView | None:
        wanted = tuple(dict.fromkeys((*card_ids, beside.card_id) if beside else card_ids))
        head, cards = self._read.head_and_cards(board_id, wanted)
        view = head.seen_by(user_id) if head else None
        if head is None or view is None or not wanted:
            return view
        neighbour = cards.get(beside.card_id) if beside else None
        beyond = None
        if beside and neighbour:
            found = self._read.beside(head, neighbour.list_id, neighbour.rank, beside.side, count=1)
            beyond = found[0].rank if found else ""
        return BoardView(view.board, view.role, view.lists, cards, beyond)

    def page_cards(
        self, board_id: str, user_id: str, query: CardQuery, limit: int, after: Position | None = None
    ) -> tuple[BoardView, Page[Card]] | None:
        def read(head: Head) -> Page[Card]:
            return cards_of(self._read.on_board(board_id), among(head.lists, query), query, limit, after)

        head = self._read.seen.get(board_id) or self._read.head(board_id)
        began, tries = self._calls.now(), 0
        while head is not None:
            found = None if head.seen_by(user_id) is None else read(head)
            # Only if nothing was written in between are the head and the page of one moment.
            now = self._read.head(board_id)
            view = now.seen_by(user_id) if now else None
            if now is None or view is None:
                return None
            if now.board.seq == head.board.seq and found is not None:
                return view, found
            head = now
            tries += 1
            if tries > 1:
                self._calls.wait(tries - 2, began, Busy("The board changes too often to be read."))
        return None

    def page_events(
        self, board_id: str, user_id: str, after_seq: int, limit: int
    ) -> tuple[BoardView, Page[Event]] | None:
        began, tries = self._calls.now(), 0
        while True:
            # The head follows the last event: whoever asks for what is new gets both at once.
            query = self._read.on_board(board_id)
            found = [*islice(query(keys.event_sk(after_seq + 1), "E$", wanted=limit + 2), limit + 2)]
            head = items.head_of(found.pop()) if found and found[-1]["sk"]["S"] == "E$" else self._read.head(board_id)
            view = head.seen_by(user_id) if head else None
            if head is None or view is None:
                return None
            events = [each for each in map(items.event_of, found[: limit + 1]) if each.seq <= head.board.seq]
            missing = min(head.board.seq - after_seq, limit + 1) - len(events)
            if missing <= 0:
                return view, page(events, limit, lambda event: event.seq)
            tries += 1
            self._calls.wait(tries, began, Busy("The board changes too often to be read."))

    def page_time_entries(
        self, board_id: str, user_id: str, card_id: str, limit: int, after: Position | None = None
    ) -> tuple[BoardView, Page[TimeEntry]] | None:
        began, tries = self._calls.now(), 0
        while True:
            head, cards = self._read.head_and_cards(board_id, (card_id,))
            view = head.seen_by(user_id) if head else None
            if head is None or view is None:
                return None
            if not cards:
                return view, Page(())
            first = f"T#{card_id}#{after[0]}{keys.AFTER}" if after else f"T#{card_id}#"
            query = self._read.on_board(board_id)
            found = [*islice(query(first, f"T#{card_id}$", wanted=limit + 1), limit + 1)]
            # Entries are never taken away: they are of the same moment unless one was written since.
            if all(int(each["seq"]["N"]) <= head.board.seq for each in found):
                view = BoardView(view.board, view.role, view.lists, cards)
                return view, page([*map(items.time_entry_of, found)], limit, lambda entry: entry.id)
            tries += 1
            self._calls.wait(tries, began, Busy("The board changes too often to be read."))

    def page_boards(self, user_id: str, limit: int, after: Position | None = None) -> Page[tuple[Board, Role]]:
        last = keys.before(f"B#{after[0]}") if after else "B$"
        boards: list[tuple[Board, Role]] = []
        batch: list[str] = []
        for membership in self._read.between(f"U#{user_id}", "B#", last, backwards=True, wanted=limit + 1):
            batch.append(membership["sk"]["S"][2:])
            if len(batch) == min(_MOST_AT_ONCE, limit + 1 - len(boards)):
                boards += self._read.boards(user_id, batch)
                batch = []
                if len(boards) > limit:
                    break
        else:
            boards += self._read.boards(user_id, batch)
        return page(boards, limit, lambda item: item[0].id)

    # People

    def user(self, user_id: str) -> User | None:
        item = self._read.item(keys.user_key(user_id))
        return items.user_of(item) if item else None

    def owner(self) -> User | None:
        first = self._read.item(keys.setting_key("owner"))
        return self.user(first["user_id"]["S"]) if first else None

    def token_holder(self, digest: str) -> tuple[Token, User] | None:
        holder = self._read.holder(digest)
        if holder is None:
            return None
        # The two are never changed together: what is read of each, as it is now, fits the other.
        found = [*self._read.each([keys.token_key(*holder), keys.user_key(holder[0])])]
        token = next((items.token_of(each) for each in found if "digest" in each), None)
        user = next((items.user_of(each) for each in found if "digest" not in each), None)
        return (token, user) if token and user else None

    def token(self, user_id: str, token_id: str) -> Token | None:
        item = self._read.item(keys.token_key(user_id, token_id))
        return items.token_of(item) if item else None

    def page_tokens(self, user_id: str, limit: int, after: Position | None = None) -> Page[Token]:
        last = keys.before(f"K#{after[0]}") if after else "K$"
        found = self._read.between(
            f"U#{user_id}",
            "K#",
            last,
            backwards=True,
            wanted=limit + 1,
            filtered="attribute_not_exists(#revoked_at)",
            names={"#revoked_at": "revoked_at"},
        )
        return page([*map(items.token_of, islice(found, limit + 1))], limit, lambda token: token.id)

    def remembered(self, user_id: str, operation_id: str, key: str, now: datetime) -> Remembered | None:
        item = self._read.item(keys.record_key(user_id, operation_id, key))
        record = items.remembered_of(item) if item else None
        return record if record and record.expires_at > now else None

    # Writing

    def commit(self, change: Change, remember: Remembered | None = None) -> None:
        dynamodb_writes.check(change)
        made, circumstances = change, Circumstances(first_user=self._may_be_first(change))
        if change.rebalance and change.event:
            made, circumstances.moved = self._balanced(change, change.event, change.rebalance)
        for _ in range(_MOST_WAYS):
            nonce = secrets.token_hex(16)
            writes = dynamodb_writes.writes(self._table, made, remember, nonce, circumstances)
            if not writes:
                return
            try:
                self._transact(writes, nonce)
            except Again:
                continue
            except MovedOn:
                # A list with long ranks is as right as one with short ones.
                made, circumstances.moved = change, ()
            except Claimed as claim:
                self._take_over(change, claim, circumstances)
            else:
                if change.event:
                    self._read.seen.pop(change.event.board_id, None)
                return
        raise Busy("Too much is in the way of the change.")

    def touch_token(self, token_id: str, at: datetime) -> None:
        try:
            holder = self._read.holder(token_id, patient=False)
            if holder is None:
                return
            self._calls(
                "update_item",
                patient=False,
                TableName=self._table,
                Key=keys.token_key(*holder),
                UpdateExpression="SET #used = :at",
                ConditionExpression="attribute_exists(#pk) AND (attribute_not_exists(#used) OR #used < :at)",
                ExpressionAttributeNames={"#pk": "pk", "#used": "last_used_at"},
                ExpressionAttributeValues={":at": items.moment(at)},
            )
        except (Busy, Cancelled):
            # The next request with this token tries again, unless a later use has been noted.
            return

    # The store itself

    def ready(self) -> None:
        self._read.item(keys.setting_key("secret"))

    def secret(self) -> bytes:
        if self._secret is None:
            self._secret = self._kept_secret()
        return self._secret

    def close(self) -> None:
        self._calls.close()

    def _transact(self, writes: Sequence[Write], nonce: str) -> None:
        """Write it all or nothing. Raises what the first refusal means."""
        try:
            self._calls("transact_write_items", TransactItems=[each.part for each in writes], ClientRequestToken=nonce)
        except Cancelled as cancelled:
            refused = [
                (write, reason.get("Item"))
                for write, reason in zip(writes, cancelled.reasons, strict=True)
                if reason.get("Code") == CONDITION_FAILED
            ]
            # A condition also fails because the same write, whose answer was lost, has been carried out.
            if any(dynamodb_writes.bears(item, nonce) for _, item in refused):
                return
            proof = dynamodb_writes.proof(writes, nonce) if cancelled.uncertain else None
            if proof and dynamodb_writes.bears(self._read.item(proof), nonce):
                return
            write, item = refused[0]
            raise write.refusal(item) from cancelled

    def _may_be_first(self, change: Change) -> bool:
        """Whether the change makes a user, and there may be no other."""
        if self._has_owner or not any(isinstance(each, User) for each in change.creates):
            return False
        self._has_owner = self._read.item(keys.setting_key("owner")) is not None
        return not self._has_owner

    def _take_over(self, change: Change, claim: Claimed, circumstances: Circumstances) -> None:
        """Let the change have an external id that is claimed by a card, if that card has vanished.

        Raises AlreadyExists, or Stale when the board has changed since the change was decided.
        """
        event = change.event
        if event is None:
            raise Stale
        head_item, card_item = self._read.together(
            keys.head_key(event.board_id), keys.card_key(event.board_id, claim.card_id)
        )
        head = items.head_of(head_item) if head_item else None
        if head is None or head.board.seq != event.seq - 1:
            raise Stale
        claimant = items.card_of(card_item) if card_item else None
        if claimant and claimant.deleted_at is None and claimant.external_id == claim.external_id:
            if any(each.id == claimant.list_id for each in head.lists):
                raise AlreadyExists("card.external_id")
            circumstances.vanished.add(claimant.id)
        circumstances.claims[claim.external_id] = claim.card_id

    def _balanced(self, change: Change, event: Event, list_id: str) -> tuple[Change, Sequence[tuple[Placed, Placed]]]:
        card, head = pivot(change, list_id), self._read.head(event.board_id)
        if card is None or head is None or head.board.seq != event.seq - 1:
            return change, ()
        own = {each.id for each in (*change.updates, *change.creates) if isinstance(each, Card)}
        above = self._read.beside(head, list_id, card.rank, "before", count=REACH + 1, without=own)
        below = self._read.beside(head, list_id, card.rank, "after", count=REACH + 1, without=own)
        return balanced(change, list_id, card, above, below)

    def _kept_secret(self) -> bytes:
        secret_key = keys.setting_key("secret")
        item = self._read.item(secret_key)
        if item is None:
            item = secret_key | {"value": items.text(secrets.token_hex(_SECRET_BYTES))}
            try:
                self._calls(
                    "put_item", TableName=self._table, Item=item, ConditionExpression="attribute_not_exists(pk)"
                )
            except Cancelled:
                # Another process was first.
                item = self._read.item(secret_key) or {}
        return bytes.fromhex(item["value"]["S"])
