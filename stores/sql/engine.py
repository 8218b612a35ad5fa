"""What the SQL store needs from an engine: snapshot reads, transactions, and the errors of the port."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from sqlalchemy import Dialect, Index, PrimaryKeyConstraint, UniqueConstraint

from kanban.request_usage import UsageStore
from stores.sql.mapping import Row
from stores.sql.statement_cache import BoundStatement
from stores.sql.tables import metadata


class Transaction(Protocol):
    """A writing transaction: committed as a whole at the end, or rolled back after an exception."""

    def execute(self, statement: BoundStatement) -> None:
        """Execute a write that may affect any number of rows, including none."""

    def write_one(self, statement: BoundStatement) -> None:
        """Write one row. Raises StaleRead if there is no such row, here or at the end of the transaction."""

    def query(self, statement: BoundStatement) -> list[Row]:
        """Return the rows of a query, which sees what the transaction has written before."""


class Engine(Protocol):
    """One kind of database. It raises the errors of `kanban.store`, not those of its driver."""

    dialect: Dialect
    supports_lateral: bool
    """Whether a subquery in FROM can refer to the tables before it (LATERAL)."""

    probe_statement: BoundStatement
    """A statement that makes the database write, but changes no data."""

    pipelines_reads: bool
    """Whether all queries of a read are sent before the first result arrives."""

    @property
    def request_usage(self) -> UsageStore:
        """Return the store of how much of their limits callers have used."""

    def read(self, statements: Sequence[BoundStatement], *, stop_if_first_empty: bool = False) -> list[list[Row]]:
        """Return the rows of each query, all from one snapshot, in one round trip.

        With `stop_if_first_empty`, an engine need not run the rest if the first query has no rows.
        """

    def begin_write(self, *, wait: bool = True) -> AbstractContextManager[Transaction]:
        """Begin a writing transaction, which is committed at the end of the context.

        Raises Busy when other writers hold the database for too long; without `wait`, as soon as one does.
        """

    def ensure_disk_space(self) -> None:
        """Raise Unavailable if the engine can tell that the disk is almost full."""

    def measure_size(self) -> int:
        """Return how many bytes the data takes up. Raises Unavailable."""

    def close(self) -> None:
        """Close the connections."""


_KIND_BY_TABLE = {
    "users": "user",
    "tokens": "token",
    "token_ancestors": "token_ancestor",
    "sign_in_codes": "sign_in_code",
    "jobs": "job",
    "audit_entries": "audit_entry",
    "identities": "identity",
    "boards": "board",
    "members": "member",
    "labels": "label",
    "lists": "list",
    "cards": "card",
    "time_entries": "time_entry",
    "checklists": "checklist",
    "comments": "comment",
    "card_labels": "card_label",
    "card_assignees": "card_assignee",
    "card_links": "card_link",
    "checklist_items": "checklist_item",
    "events": "event",
    "feed_readers": "feed_reader",
    "flow_segments": "flow_segment",
    "webhooks": "webhook",
    "webhook_deliveries": "webhook_delivery",
    "invitations": "invitation",
    "idempotency_records": "idempotency_key",
    "settings": "setting",
}


def find_constraint_by_column(table: str, column: str) -> str:
    """Return the `constraint` of AlreadyExists for a unique key that ends with a column: 'card.external_id'."""
    kind = _KIND_BY_TABLE[table]
    return kind if column in metadata.tables[table].primary_key.columns else f"{kind}.{column}"


_COLUMN_BY_CONSTRAINT = {
    str(key.name): (table.name, [column.name for column in key.columns][-1])
    for table in metadata.tables.values()
    for key in (*table.constraints, *table.indexes)
    if isinstance(key, PrimaryKeyConstraint | UniqueConstraint) or (isinstance(key, Index) and key.unique)
}


def find_constraint_by_name(name: str) -> str:
    """Return the `constraint` of AlreadyExists for a constraint or a unique index of the database."""
    return find_constraint_by_column(*_COLUMN_BY_CONSTRAINT[name])
