"""What the parts of the SQL store have in common: an engine, and how statements get their values."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import sqlalchemy as sa

from stores.sql.engine import Engine, Transaction
from stores.sql.mapping import Row
from stores.sql.statement_cache import BoundStatement


class SqlStorePart:
    """A part of the SQL store, such as its jobs. Threads may share it."""

    def __init__(
        self,
        engine: Engine,
        bind: Callable[..., BoundStatement],
        begin_write: Callable[[], AbstractContextManager[Transaction]],
    ) -> None:
        """`bind` gives values to a statement, `begin_write` begins a transaction."""
        self._engine = engine
        self._bind = bind
        self._begin_write = begin_write

    def _read(self, statement: sa.Select[Any], **values: Any) -> list[Row]:
        return self._engine.read((self._bind(statement, **values),))[0]
