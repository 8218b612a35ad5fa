"""What the SQL store needs of an engine: connections, transactions, and the meaning of the driver's errors."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from sqlalchemy import Dialect

from stores.schema import metadata


class Cursor(Protocol):
    """The rows that a statement gave."""

    @property
    def rowcount(self) -> int:
        """How many rows were written."""

    def fetchone(self) -> Any:
        """The next row, None at the end."""

    def fetchall(self) -> list[Any]:
        """All rows that are left."""

    def close(self) -> Any:
        """Leave the rows that are left."""


class Connection(Protocol):
    """A driver's connection."""

    def execute(self, text: str, parameters: Sequence[Any], /) -> Any:
        """Run a statement."""


class Engine(Protocol):
    """One kind of database. Its errors come out as those of `kanban.store`."""

    dialect: Dialect

    def reading(self) -> AbstractContextManager[Connection]:
        """A connection that sees one moment."""

    def writing(self, *, patient: bool = True) -> AbstractContextManager[Connection]:
        """A connection in the only writing transaction; committed at the end, rolled back by an exception.

        Raises Busy when others write for too long; at once, if not patient.
        """

    def close(self) -> None:
        """Close the connections."""


_KINDS = {
    "users": "user",
    "tokens": "token",
    "boards": "board",
    "members": "member",
    "lists": "list",
    "cards": "card",
    "time_entries": "time_entry",
    "events": "event",
    "idempotency_records": "idempotency_key",
}


def kind_of_row(table: str, column: str) -> str:
    """What `AlreadyExists` calls a row that is taken by that column (the last of its key): 'card.external_id'."""
    kind = _KINDS[table]
    return kind if column in metadata.tables[table].primary_key.columns else f"{kind}.{column}"
