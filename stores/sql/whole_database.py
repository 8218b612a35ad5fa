"""Connections that read or write a whole SQL database at once, for backups."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection

from stores.sql import sqlite


@contextmanager
def open_snapshot(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Open a connection that reads one snapshot, and dispose of the engine at the end."""
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection
    finally:
        engine.dispose()


@contextmanager
def open_transaction(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Open a connection in a transaction that is committed at the end, and dispose of the engine."""
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def create_engine(url: str) -> sa.Engine:
    """Return an engine of the SQL database of a URL."""
    if url.startswith("sqlite:"):
        return create_file_engine(partial(sqlite.connect, sqlite.parse_path(url)))
    engine = sa.create_engine(url)
    sa.event.listen(engine, "connect", _set_text_formats)
    return engine


def create_file_engine(connect: Callable[[], sqlite3.Connection]) -> sa.Engine:
    """Return an engine whose connections to a SQLite file that function makes."""
    engine = sa.create_engine("sqlite://", creator=connect, poolclass=sa.NullPool)
    # Python's driver would begin a transaction only before a write: reads would not see one snapshot.
    sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


def _set_text_formats(connection: DBAPIConnection, _: object) -> None:
    """Make PostgreSQL format timestamps as the store does, whatever the settings of its database or user are."""
    connection.cursor().execute("SET timezone = 'UTC'; SET datestyle = 'ISO'")
    # A rollback would undo the settings.
    connection.commit()
