"""Commits: read a snapshot, plan the writes of a change, carry them out, and resolve what is in the way.

- `snapshot_reads` reads what the plan must know.
- `plan` lists the writes, and what the failure of each means. It is a pure function.
- `transactions` carries all of them out, or none.
- `resolutions` says what is done about a conflict: plan again with another snapshot, or give up.
"""

import secrets
from collections.abc import Callable

from kanban.changes import Change, record_touches
from kanban.store import Busy, StoredResponse, StoreError
from stores.changes import validate_change
from stores.dynamodb import keys
from stores.dynamodb.batches import BatchWriter
from stores.dynamodb.board_creation import write_board_ahead
from stores.dynamodb.client import RetryingClient
from stores.dynamodb.conflicts import STALE, Conflict, uniqueness_conflict
from stores.dynamodb.event_items import stored_response_from_item
from stores.dynamodb.plan import Plan, plan
from stores.dynamodb.reads import TableReader
from stores.dynamodb.resolutions import Attempt, report, resolve
from stores.dynamodb.snapshot_reads import SnapshotReader
from stores.dynamodb.snapshots import Snapshot
from stores.dynamodb.transactions import Committed, transact
from stores.dynamodb.transfers import PartTransfer

_MAX_PLANS = 100


class Committer:
    """Writes changes to one table."""

    def __init__(self, client: RetryingClient, reader: TableReader, table: str) -> None:
        self._client = client
        self._reader = reader
        self._table = table
        self._transfers = PartTransfer(client, reader, table)
        self._snapshots = SnapshotReader(client, reader, self._transfers)

    def commit(self, change: Change, response: StoredResponse | None, progress: Callable[[int], None] | None) -> None:
        """Write all of the change or nothing, as `kanban.store.Store.commit` promises."""
        validate_change(change)
        change = record_touches(change)
        snapshot = self._snapshots.read(change)
        if isinstance(snapshot, Conflict):
            raise report(self._build_stale_conflict(response))
        batches = BatchWriter(self._client, self._table, progress)
        started_at = self._client.monotonic()
        for _ in range(_MAX_PLANS):
            snapshot = snapshot._replace(nonce=secrets.token_hex(16), now_ms=self._client.timestamp_ms())
            outcome, snapshot = self._try(change, response, snapshot, batches)
            if isinstance(outcome, Committed):
                self._forget_boards(change)
                return
            resolution = resolve(Attempt(self._client, self._reader, change, snapshot, started_at), outcome)
            if isinstance(resolution, StoreError):
                raise resolution
            snapshot = resolution
        raise Busy("Too much is in the way of the change.")

    def _try(
        self, change: Change, response: StoredResponse | None, snapshot: Snapshot, batches: BatchWriter
    ) -> tuple[Committed | Conflict, Snapshot]:
        """Plan the change and carry the plan out; return what came of it, and the snapshot after what was written."""
        planned = plan(change, response, snapshot)
        if not isinstance(planned, Plan):
            return planned, snapshot
        if not planned.writes:
            return Committed(), snapshot
        prepared = self._write_ahead(planned, snapshot, batches, response)
        if not isinstance(prepared, Snapshot):
            return prepared, snapshot
        return transact(self._client, self._reader, self._table, planned), prepared

    def _write_ahead(
        self, planned: Plan, snapshot: Snapshot, batches: BatchWriter, response: StoredResponse | None
    ) -> Snapshot | Conflict:
        """Write what doesn't fit into the transaction, where it is not visible; return what is known after that."""
        if planned.board_ahead:
            if self._has_response(response):
                return uniqueness_conflict("idempotency_key")
            conflict = write_board_ahead(self._reader, batches, planned.board_ahead)
            return conflict or snapshot._replace(is_written_ahead=True)
        transfer = snapshot.transfer
        if transfer and planned.parts_ahead is not None:
            transfer = self._transfers.write_ahead(transfer, planned.parts_ahead)
            if transfer is None:
                return self._build_stale_conflict(response)
        if transfer and planned.must_verify_parts and not self._transfers.is_unchanged(transfer):
            return self._build_stale_conflict(response)
        return snapshot._replace(transfer=transfer)

    def _build_stale_conflict(self, response: StoredResponse | None) -> Conflict:
        """Return the conflict of a change that is known to be stale; an idempotency key that is taken comes first."""
        return uniqueness_conflict("idempotency_key") if self._has_response(response) else STALE

    def _has_response(self, response: StoredResponse | None) -> bool:
        """Tell whether the idempotency key of that response has one that had not expired."""
        if response is None:
            return False
        item = self._reader.get_item(keys.stored_response_key(response.user_id, response.operation_id, response.key))
        return item is not None and stored_response_from_item(item).expires_at > response.created_at

    def _forget_boards(self, change: Change) -> None:
        for event in (change.event, change.departure and change.departure.event):
            if event:
                self._reader.forget_board(event.board_id)
