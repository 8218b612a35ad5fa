"""What the SQL store needs of an engine: reads of one moment, transactions, and the meaning of the driver's errors."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from sqlalchemy import Dialect, Index, PrimaryKeyConstraint, UniqueConstraint

from stores.sql.mapping import Row
from stores.sql.read_statements import BoundStatement
from stores.sql.tables import metadata


class Transaction(Protocol):
    """What writes: all of it is there at the end, or nothing after an exception."""

    def execute(self, statement: BoundStatement) -> None:
        """Write, whether that touches a row or none."""

    def write_one(self, statement: BoundStatement) -> None:
        """Write one row. When there is no such row, Stale is raised: here, or at the end of the transaction."""

    def query(self, statement: BoundStatement) -> list[Row]:
        """What a query finds, with what was written before it."""


class Engine(Protocol):
    """One kind of database. Its errors come out as those of `kanban.store`."""

    dialect: Dialect
    supports_lateral: bool
    """Whether a subquery in FROM can refer to the tables before it."""

    probe_statement: BoundStatement
    """A statement that has the database write, and changes nothing."""

    pipelines_reads: bool
    """Whether all queries of a read are sent before the first is answered."""

    def read(self, statements: Sequence[BoundStatement], *, stop_if_first_empty: bool = False) -> list[list[Row]]:
        """The rows of each query, all seen at the same moment, in one round trip.

        With `stop_if_first_empty` the rest need not be read where the first query has no rows.
        """

    def begin_write(self, *, wait: bool = True) -> AbstractContextManager[Transaction]:
        """A transaction, committed at the end.

        Raises Busy when others write for too long; at once, if not patient.
        """

    def ensure_disk_space(self) -> None:
        """Raise Unavailable where it can be seen that there is hardly room for another write."""

    def close(self) -> None:
        """Close the connections."""


_KIND_BY_TABLE = {
    "users": "user",
    "tokens": "token",
    "token_ancestors": "token_ancestor",
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
    "idempotency_records": "idempotency_key",
    "settings": "setting",
}


def find_kind_by_column(table: str, column: str) -> str:
    """What `AlreadyExists` calls a row that is taken by that column (the last of its key): 'card.external_id'."""
    kind = _KIND_BY_TABLE[table]
    return kind if column in metadata.tables[table].primary_key.columns else f"{kind}.{column}"


_COLUMN_BY_CONSTRAINT = {
    str(key.name): (table.name, [column.name for column in key.columns][-1])
    for table in metadata.tables.values()
    for key in (*table.constraints, *table.indexes)
    if isinstance(key, PrimaryKeyConstraint | UniqueConstraint) or (isinstance(key, Index) and key.unique)
}


def find_kind_by_constraint(name: str) -> str:
    """As `find_kind_by_column`, by the name of the constraint or the unique index."""
    return find_kind_by_column(*_COLUMN_BY_CONSTRAINT[name])
