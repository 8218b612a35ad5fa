"""Commits: a change is written as one transaction, in another way if something is in the way that need not be."""

import secrets
from collections.abc import Callable, Sequence
from typing import TypeVar

from kanban.store import AlreadyExists, Busy, StaleRead
from kanban.values import Card, Change, StoredResponse, Token, User
from stores import dynamodb_keys as keys
from stores import dynamodb_writes
from stores.changes import validate_change
from stores.dynamodb_batches import Batches
from stores.dynamodb_cards import card_of
from stores.dynamodb_client import CONDITION_FAILED, Calls, Cancelled
from stores.dynamodb_expressions import MOST_BYTES, Write, of
from stores.dynamodb_founding import founded, refuse_known
from stores.dynamodb_head_writes import makes_a_board
from stores.dynamodb_heads import board_of
from stores.dynamodb_holds import Held
from stores.dynamodb_ranks import REACH, balanced, pivot
from stores.dynamodb_reading import Reading, Seen
from stores.dynamodb_transfer import Luggage, Transfer, arriving_card
from stores.dynamodb_writes import MOST_WRITES, Again, Circumstances, Claimed, MovedOn, TooLarge

_MOST_WAYS = 100

_SPREAD = 0.025
"""Over how many seconds the writers spread that have waited for the end of a hold."""

Found = TypeVar("Found")


class Commits:
    """Writes changes to one table."""

    def __init__(self, calls: Calls, reading: Reading, table: str) -> None:
        self._calls = calls
        self._read = reading
        self._table = table
        self._transfer = Transfer(calls, reading, table)
        self._has_owner = False

    def commit(self, change: Change, remember: StoredResponse | None, progress: Callable[[int], None] | None) -> None:
        """Write all of it or nothing; as the port says."""
        validate_change(change)
        circumstances = Circumstances(
            first_user=self._may_be_first(change),
            before=self._unless_stale(remember, self._before, change),
            luggage=self._unless_stale(remember, self._packed, change),
            digests=self._digests(change),
        )
        made = self._balanced(change, circumstances)
        began = self._calls.now()
        for _ in range(_MOST_WAYS):
            nonce, circumstances.now = secrets.token_hex(16), self._calls.timestamp()
            writes = dynamodb_writes.writes(self._table, made, remember, nonce, circumstances)
            if not writes:
                return
            try:
                self._transact(self._in_one(writes, change, remember, circumstances, progress), nonce)
            except Again:
                continue
            except Held as held:
                # The writers that wait come back one after the other.
                pause = held.milliseconds / 1000 + self._calls.jitter(_SPREAD)
                self._calls.sleep(pause, began, Busy("Readers hold the board."))
            except MovedOn:
                # A list with long ranks is as right as one with short ones.
                made, circumstances.moved = change, ()
            except Claimed as claim:
                self._take_over(change, claim, circumstances)
            else:
                for each in (change, change.departure):
                    if each and each.event:
                        self._read.seen.pop(each.event.board_id, None)
                return
        raise Busy("Too much is in the way of the change.")

    def _in_one(
        self,
        writes: list[Write],
        change: Change,
        remember: StoredResponse | None,
        circumstances: Circumstances,
        progress: Callable[[int], None] | None,
    ) -> list[Write]:
        """What one transaction writes; the rest has been written before, where nobody sees it."""
        if circumstances.luggage:
            writes += self._transfer.carried(circumstances.luggage, writes)
        event = change.event if makes_a_board(change) else None
        # A small board of long texts is large, too. Of all other changes the rules see to it that they are not.
        if len(writes) <= MOST_WRITES and (event is None or sum(each.size for each in writes) <= MOST_BYTES):
            return writes
        if circumstances.moved:
            raise MovedOn
        if event is None:
            raise TooLarge(len(writes))
        if circumstances.tombstone is None:
            refuse_known(self._read, remember)
            batches = Batches(self._calls, self._table, progress)
            circumstances.tombstone = founded(self._read, batches, change, event, writes)
        return [*(each for each in writes if each.decides), circumstances.tombstone]

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

    def _digests(self, change: Change) -> dict[str, str]:
        """The digests of tokens before the change. One that another change replaces meanwhile makes this one stale."""
        live = [each for each in of(Token, change.updates) if each.revoked_at is None]
        found = [self._read.item(keys.token_key(each.user_id, each.id)) for each in live]
        return {each["sk"]["S"][2:]: each["digest"]["S"] for each in found if each}

    def _before(self, change: Change) -> Seen | None:
        """The board that the change was decided from, and who was assigned to the cards that it writes.

        None if there is none any more: then the change is stale. Most often this process has just read it. Cards that
        it has only seen on a page are read by their keys. Raises Stale if they are not as the page showed them: a
        query may come between the parts of the last write, which the head is of already.
        """
        event = change.event
        if event is None or makes_a_board(change):
            return None
        arriving = arriving_card(change)
        cards = [each.id for each in of(Card, change.updates) if each is not arriving]
        seen = self._read.seen.get(event.board_id)
        if seen is None or seen.head.board.seq != event.seq - 1 or not seen.assigned.keys() >= {*cards}:
            shown = seen.shown if seen and seen.head.board.seq == event.seq - 1 else {}
            wanted = [keys.card_key(event.board_id, each) for each in cards]
            head, items = self._read.moment(event.board_id, wanted)
            found = [hash(card_of(each)) if each else None for each in items]
            if head and any(shown.get(each, now) != now for each, now in zip(cards, found, strict=True)):
                raise StaleRead
            seen = self._read.seen.get(event.board_id)
        return seen if seen and seen.head.board.seq == event.seq - 1 else None

    def _take_over(self, change: Change, claim: Claimed, circumstances: Circumstances) -> None:
        """Let the change have an external id that is claimed by a card or a board, if that has vanished.

        Raises AlreadyExists, or Stale when the board has changed since the change was decided.
        """
        event = change.event
        if event is None:
            raise StaleRead
        if claim.by_board:
            circumstances.board_claim = self._vanished_board(claim)
            return
        head, (card_item,) = self._read.moment(event.board_id, [keys.card_key(event.board_id, claim.claimant)])
        if head is None or head.board.seq != event.seq - 1:
            raise StaleRead
        claimant = card_of(card_item) if card_item else None
        if claimant and claimant.deleted_at is None and claimant.external_id == claim.external_id:
            if head.has_list(claimant.list_id):
                raise AlreadyExists("card.external_id")
            circumstances.vanished.add(claimant.id)
        circumstances.claims[claim.external_id] = claim.claimant

    def _vanished_board(self, claim: Claimed) -> tuple[str, int | None]:
        """The board that claims an external id though it is deleted or has another one now, and its seq."""
        item = self._read.item(keys.head_key(claim.claimant))
        board = board_of(item) if item else None
        if board and board.deleted_at is None and board.external_id == claim.external_id:
            raise AlreadyExists("board.external_id")
        return claim.claimant, board.seq if board else None

    def _packed(self, change: Change) -> Luggage | None:
        if change.departure is None or change.event is None:
            return None
        return self._transfer.packed(change, change.event)

    def _unless_stale(self, remember: StoredResponse | None, look: Callable[[Change], Found], change: Change) -> Found:
        """What that look at the table finds. If the change is stale, a key that is known is told before that."""
        try:
            return look(change)
        except StaleRead:
            refuse_known(self._read, remember)
            raise

    def _balanced(self, change: Change, circumstances: Circumstances) -> Change:
        """The change with shorter ranks around the card that made them long, if it wishes that."""
        if change.rebalance_list_id is None or change.event is None:
            return change
        card, head = pivot(change, change.rebalance_list_id), self._read.head(change.event.board_id)
        if card is None or head is None or head.board.seq != change.event.seq - 1:
            return change
        own = {each.id for each in (*change.updates, *change.creates) if isinstance(each, Card)}
        above = self._read.beside(head, card.list_id, card.rank, "before", count=REACH + 1, without=own)
        below = self._read.beside(head, card.list_id, card.rank, "after", count=REACH + 1, without=own)
        made, circumstances.moved = balanced(change, card.list_id, card, above, below)
        return made
