"""Commits: a change is written as one transaction, in another way if something is in the way that need not be."""

import secrets
from collections.abc import Callable, Sequence
from typing import TypeVar

from kanban.changes import Change
from kanban.store import AlreadyExists, Busy, StaleRead, StoredResponse
from kanban.values import Card, Token, User
from stores.changes import validate_change
from stores.dynamodb import keys, plan
from stores.dynamodb.batches import BatchWriter
from stores.dynamodb.board_creation import ensure_key_unused, write_board_ahead
from stores.dynamodb.board_items import board_from_item
from stores.dynamodb.board_writes import creates_board
from stores.dynamodb.card_items import card_from_item
from stores.dynamodb.client import CONDITION_FAILED, ConditionFailed, RetryingClient
from stores.dynamodb.expressions import MAX_TRANSACTION_BYTES, Write, of_type
from stores.dynamodb.holds import BoardHeld
from stores.dynamodb.plan import (
    MAX_TRANSACTION_ITEMS,
    ExternalIdClaimed,
    RankConflict,
    RetryWithMoreContext,
    TooLarge,
    TransactionContext,
)
from stores.dynamodb.reads import BoardSnapshot, TableReader
from stores.dynamodb.rebalance import NEIGHBOURS_PER_SIDE, find_pivot, rebalance_around
from stores.dynamodb.transfers import PartTransfer, TransferParts, arriving_card

_MAX_PLANS = 100

_HOLD_JITTER_SECONDS = 0.025
"""Over how many seconds the writers spread that have waited for the end of a hold."""

Result = TypeVar("Result")


class Committer:
    """Writes changes to one table."""

    def __init__(self, client: RetryingClient, reader: TableReader, table: str) -> None:
        self._client = client
        self._reader = reader
        self._table = table
        self._transfer = PartTransfer(client, reader, table)
        self._has_owner = False

    def commit(self, change: Change, remember: StoredResponse | None, progress: Callable[[int], None] | None) -> None:
        """Write all of it or nothing; as the port says."""
        validate_change(change)
        circumstances = TransactionContext(
            is_first_user=self._may_be_first_user(change),
            snapshot=self._known_key_before_stale(remember, self._snapshot, change),
            transfer_parts=self._known_key_before_stale(remember, self._transfer_parts, change),
            token_digests=self._current_digests(change),
        )
        made = self._rebalance(change, circumstances)
        began = self._client.monotonic()
        for _ in range(_MAX_PLANS):
            nonce, circumstances.now_ms = secrets.token_hex(16), self._client.timestamp_ms()
            writes = plan.build_writes(self._table, made, remember, nonce, circumstances)
            if not writes:
                return
            try:
                self._transact(self._fit_in_transaction(writes, change, remember, circumstances, progress), nonce)
            except RetryWithMoreContext:
                continue
            except BoardHeld as held:
                # The writers that wait come back one after the other.
                pause = held.milliseconds / 1000 + self._client.jitter(_HOLD_JITTER_SECONDS)
                self._client.sleep(pause, began, Busy("Readers hold the board."))
            except RankConflict:
                # A list with long ranks is as right as one with short ones.
                made, circumstances.rank_changes = change, ()
            except ExternalIdClaimed as claim:
                self._take_over_claim(change, claim, circumstances)
            else:
                for each in (change, change.departure):
                    if each and each.event:
                        self._reader.snapshots.pop(each.event.board_id, None)
                return
        raise Busy("Too much is in the way of the change.")

    def _fit_in_transaction(
        self,
        writes: list[Write],
        change: Change,
        remember: StoredResponse | None,
        context: TransactionContext,
        progress: Callable[[int], None] | None,
    ) -> list[Write]:
        """What one transaction writes; the rest has been written before, where nobody sees it."""
        if context.transfer_parts:
            writes += self._transfer.build_writes(context.transfer_parts, writes)
        event = change.event if creates_board(change) else None
        # A small board of long texts is large, too. Of all other changes the rules see to it that they are not.
        if len(writes) <= MAX_TRANSACTION_ITEMS and (
            event is None or sum(each.size for each in writes) <= MAX_TRANSACTION_BYTES
        ):
            return writes
        if context.rank_changes:
            raise RankConflict
        if event is None:
            raise TooLarge(len(writes))
        if context.tombstone is None:
            ensure_key_unused(self._reader, remember)
            batches = BatchWriter(self._client, self._table, progress)
            context.tombstone = write_board_ahead(self._reader, batches, change, event, writes)
        return [*(each for each in writes if each.is_final), context.tombstone]

    def _transact(self, writes: Sequence[Write], nonce: str) -> None:
        """Write it all or nothing. Raises what the first refusal means."""
        try:
            self._client(
                "transact_write_items", TransactItems=[each.transact_item for each in writes], ClientRequestToken=nonce
            )
        except ConditionFailed as cancelled:
            refused = [
                (write, reason.get("Item"))
                for write, reason in zip(writes, cancelled.reasons, strict=True)
                if reason.get("Code") == CONDITION_FAILED
            ]
            # A condition also fails because the same write, whose answer was lost, has been carried out.
            if any(plan.has_nonce(item, nonce) for _, item in refused):
                return
            proof = plan.proof_key(writes, nonce) if cancelled.may_have_succeeded else None
            if proof and plan.has_nonce(self._reader.get_item(proof), nonce):
                return
            write, item = refused[0]
            raise write.error_for(item) from cancelled

    def _may_be_first_user(self, change: Change) -> bool:
        """Whether the change makes a user, and there may be no other."""
        if self._has_owner or not any(isinstance(each, User) for each in change.creates):
            return False
        self._has_owner = self._reader.get_item(keys.setting_key("owner")) is not None
        return not self._has_owner

    def _current_digests(self, change: Change) -> dict[str, str]:
        """The digests of tokens before the change. One that another change replaces meanwhile makes this one stale."""
        live = [each for each in of_type(Token, change.updates) if each.revoked_at is None]
        found = [self._reader.get_item(keys.token_key(each.user_id, each.id)) for each in live]
        return {each["sk"]["S"][2:]: each["digest"]["S"] for each in found if each}

    def _snapshot(self, change: Change) -> BoardSnapshot | None:
        """The board that the change was decided from, and who was assigned to the cards that it writes.

        None if there is none any more: then the change is stale. Most often this process has just read it. Cards that
        it has only seen on a page are read by their keys. Raises Stale if they are not as the page showed them: a
        query may come between the parts of the last write, which the head is of already.
        """
        event = change.event
        if event is None or creates_board(change):
            return None
        arriving = arriving_card(change)
        cards = [each.id for each in of_type(Card, change.updates) if each is not arriving]
        seen = self._reader.snapshots.get(event.board_id)
        if seen is None or seen.head.board.seq != event.seq - 1 or not seen.assignee_users.keys() >= {*cards}:
            shown = seen.page_hashes if seen and seen.head.board.seq == event.seq - 1 else {}
            wanted = [keys.card_key(event.board_id, each) for each in cards]
            head, items = self._reader.get_consistent(event.board_id, wanted)
            found = [hash(card_from_item(each)) if each else None for each in items]
            if head and any(shown.get(each, now) != now for each, now in zip(cards, found, strict=True)):
                raise StaleRead
            seen = self._reader.snapshots.get(event.board_id)
        return seen if seen and seen.head.board.seq == event.seq - 1 else None

    def _take_over_claim(self, change: Change, claim: ExternalIdClaimed, context: TransactionContext) -> None:
        """Let the change have an external id that is claimed by a card or a board, if that has vanished.

        Raises AlreadyExists, or Stale when the board has changed since the change was decided.
        """
        event = change.event
        if event is None:
            raise StaleRead
        if claim.is_board:
            context.vanished_board = self._vanished_claimant_board(claim)
            return
        head, (card_item,) = self._reader.get_consistent(
            event.board_id, [keys.card_key(event.board_id, claim.claimant_id)]
        )
        if head is None or head.board.seq != event.seq - 1:
            raise StaleRead
        claimant = card_from_item(card_item) if card_item else None
        if claimant and claimant.deleted_at is None and claimant.external_id == claim.external_id:
            if head.has_list(claimant.list_id):
                raise AlreadyExists("card.external_id")
            context.vanished_with_list.add(claimant.id)
        context.vanished_claimants[claim.external_id] = claim.claimant_id

    def _vanished_claimant_board(self, claim: ExternalIdClaimed) -> tuple[str, int | None]:
        """The board that claims an external id though it is deleted or has another one now, and its seq."""
        item = self._reader.get_item(keys.head_key(claim.claimant_id))
        board = board_from_item(item) if item else None
        if board and board.deleted_at is None and board.external_id == claim.external_id:
            raise AlreadyExists("board.external_id")
        return claim.claimant_id, board.seq if board else None

    def _transfer_parts(self, change: Change) -> TransferParts | None:
        if change.departure is None or change.event is None:
            return None
        return self._transfer.prepare(change, change.event)

    def _known_key_before_stale(
        self, remember: StoredResponse | None, read: Callable[[Change], Result], change: Change
    ) -> Result:
        """What that look at the table finds. If the change is stale, a key that is known is told before that."""
        try:
            return read(change)
        except StaleRead:
            ensure_key_unused(self._reader, remember)
            raise

    def _rebalance(self, change: Change, context: TransactionContext) -> Change:
        """The change with shorter ranks around the card that made them long, if it wishes that."""
        if change.rebalance_list_id is None or change.event is None:
            return change
        card, head = find_pivot(change, change.rebalance_list_id), self._reader.get_head(change.event.board_id)
        if card is None or head is None or head.board.seq != change.event.seq - 1:
            return change
        own = {each.id for each in (*change.updates, *change.creates) if isinstance(each, Card)}
        above = self._reader.neighbours_of(
            head, card.list_id, card.rank, "before", count=NEIGHBOURS_PER_SIDE + 1, excluded_ids=own
        )
        below = self._reader.neighbours_of(
            head, card.list_id, card.rank, "after", count=NEIGHBOURS_PER_SIDE + 1, excluded_ids=own
        )
        made, context.rank_changes = rebalance_around(change, card.list_id, card, above, below)
        return made
