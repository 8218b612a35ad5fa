"""Resolutions: what each conflict of a commit asks for, in one table.

A resolution is either a snapshot that the same change is planned with again, or the error of the port that the caller
of `commit` gets, who may read again and decide again.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from kanban.changes import Change
from kanban.store import AlreadyExists, Busy, StaleRead, StoreError
from stores.dynamodb import keys
from stores.dynamodb.board_items import board_from_items
from stores.dynamodb.card_items import card_from_item
from stores.dynamodb.client import RetryingClient
from stores.dynamodb.conflicts import Conflict, ConflictKind
from stores.dynamodb.reads import TableReader
from stores.dynamodb.snapshots import BoardClaim, CardClaim, Snapshot
from stores.dynamodb.writes import MAX_TRANSACTION_ITEMS

_HOLD_JITTER_SECONDS = 0.025
"""Over how many seconds the writers spread that have waited for the end of a hold."""


class TooLarge(StoreError):
    """Raised when a change has more writes than DynamoDB takes at once. No rule makes such a change."""

    def __init__(self, count: int) -> None:
        super().__init__(f"DynamoDB writes at most {MAX_TRANSACTION_ITEMS} items at once, not {count}.")


class Attempt(NamedTuple):
    """An attempt to commit a change that met a conflict. `started_at` is when the first attempt began (monotonic)."""

    client: RetryingClient
    reader: TableReader
    change: Change
    snapshot: Snapshot
    started_at: float


def resolve(attempt: Attempt, conflict: Conflict) -> Snapshot | StoreError:
    """Return the snapshot to plan the change with again, or the error to raise.

    Raises:
        Busy: There is too little time to wait for what is in the way.
    """
    return RESOLUTIONS[conflict.kind](attempt, conflict)


def report(conflict: Conflict) -> StoreError:
    """Return the error of the port for a conflict that only the caller can resolve: by another decision."""
    if conflict.kind is ConflictKind.TAKEN:
        return AlreadyExists(conflict.name)
    return TooLarge(conflict.amount) if conflict.kind is ConflictKind.TOO_LARGE else StaleRead()


def _give_up(_: Attempt, conflict: Conflict) -> StoreError:
    return report(conflict)


def _create_no_owner(attempt: Attempt, _: Conflict) -> Snapshot:
    return attempt.snapshot._replace(may_create_owner=False)


def _leave_ranks(attempt: Attempt, _: Conflict) -> Snapshot:
    # A list with long ranks is as right as one with short ones: the next long rank asks for a rebalance again.
    return attempt.snapshot._replace(neighbours=None)


def _wait_for_readers(attempt: Attempt, conflict: Conflict) -> Snapshot:
    # Nobody else has written meanwhile, so nothing has to be decided again. The jitter keeps writers apart.
    seconds = conflict.amount / 1000 + attempt.client.jitter(_HOLD_JITTER_SECONDS)
    attempt.client.sleep(seconds, attempt.started_at, Busy("Readers hold the board."))
    return attempt.snapshot


def _take_over_card_id(attempt: Attempt, conflict: Conflict) -> Snapshot | StoreError:
    """Take the claim over if the card that has it gave the external id up, is deleted, or is in a deleted list."""
    event = attempt.change.event
    if event is None:
        return StaleRead()
    claimant_key = keys.card_key(event.board_id, conflict.claimant_id)
    head, items = attempt.reader.get_with_head(event.board_id, [claimant_key])
    if head is None or items is None or head.board.seq != event.seq - 1:
        return StaleRead()
    claimant = card_from_item(items[0]) if items[0] else None
    has_id = claimant is not None and claimant.deleted_at is None and claimant.external_id == conflict.name
    if has_id and claimant is not None and head.has_list(claimant.list_id):
        return AlreadyExists("card.external_id")
    claim = CardClaim(conflict.claimant_id, is_in_deleted_list=has_id)
    return attempt.snapshot._replace(card_claims={**attempt.snapshot.card_claims, conflict.name: claim})


def _take_over_board_id(attempt: Attempt, conflict: Conflict) -> Snapshot | StoreError:
    """Take the claim over if the board that has it gave the external id up, or is deleted."""
    item = attempt.reader.get_item(keys.head_key(conflict.claimant_id))
    claimant = board_from_items(item, None) if item else None
    if claimant and claimant.deleted_at is None and claimant.external_id == conflict.name:
        return AlreadyExists("board.external_id")
    return attempt.snapshot._replace(board_claim=BoardClaim(conflict.claimant_id))


RESOLUTIONS: Mapping[ConflictKind, Callable[[Attempt, Conflict], Snapshot | StoreError]] = {
    ConflictKind.STALE: _give_up,
    ConflictKind.TAKEN: _give_up,
    ConflictKind.TOO_LARGE: _give_up,
    ConflictKind.OWNER_EXISTS: _create_no_owner,
    ConflictKind.RANKS_MOVED: _leave_ranks,
    ConflictKind.HELD: _wait_for_readers,
    ConflictKind.CARD_ID_CLAIMED: _take_over_card_id,
    ConflictKind.BOARD_ID_CLAIMED: _take_over_board_id,
}
"""What each kind of conflict asks for."""
