"""Backups of a SQL store: a copy in a SQLite file, whatever engine it comes from and goes back to.

So a backup can be opened and looked at, moves data from a laptop to a server, and is proved by a digest: SHA-256
over every row of every table, in the order of its key, spelt the same on every engine.
"""

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection

from stores import CannotOpen, open_store
from stores.rows import moment_text
from stores.schema import document, flag, metadata, moment

BATCH = 1_000
"""Rows that are held in memory at a time."""

Progress = Callable[[str, int], None]
"""Is told the name of a table and how many of its rows are done."""


class BackupRefused(CannotOpen):
    """A backup or a restore would overwrite something, or can't be done with this engine. Nothing was changed."""


def backup(url: str, path: Path, progress: Progress = lambda *_: None) -> str:
    """Copy a store, as of one moment and while it is in use, into a new file; the digest of what was copied.

    Raises BackupRefused when the file is there already, CannotOpen when the store can't be opened.
    """
    if path.exists():
        raise BackupRefused(f"{path} exists already: a backup never overwrites anything.")
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    copied = _copy(url, f"sqlite:///{part.absolute()}", progress)
    part.replace(path)
    return copied


def restore(path: Path, url: str, progress: Progress = lambda *_: None) -> str:
    """Copy a backup into an empty store, all of it or nothing; the digest of what was copied.

    Raises BackupRefused when somebody has used the store, CannotOpen when either can't be opened.
    """
    if not path.is_file():
        raise BackupRefused(f"There is no backup {path}.")
    _refuse_other_engines(url)
    store = open_store(url)
    try:
        if store.owner() is not None:
            raise BackupRefused("The store holds data already: restore into an empty one.")
    finally:
        store.close()
    return _copy(f"sqlite:///{path.absolute()}", url, progress)


def digest(url: str) -> str:
    """SHA-256 over everything in a store, as of one moment; equal on every engine for equal data."""
    hashed = hashlib.sha256()
    with _reading(url) as source:
        for table in metadata.sorted_tables:
            for row in _rows(source, table):
                hashed.update(_spelt(table, row))
    return hashed.hexdigest()


def _copy(from_url: str, to_url: str, progress: Progress) -> str:
    hashed = hashlib.sha256()
    _refuse_other_engines(from_url)
    with _reading(from_url) as source, _writing(to_url) as target:
        for table in metadata.sorted_tables:
            # Opening a store may have left a setting there; the backup has its own.
            target.execute(table.delete())
            done = 0
            batch: list[dict[str, Any]] = []
            for row in _rows(source, table):
                hashed.update(_spelt(table, row))
                batch.append(_for_target(table, row, target.dialect.name))
                if len(batch) == BATCH:
                    done += _insert(target, table, batch)
                    progress(table.name, done)
            done += _insert(target, table, batch)
            progress(table.name, done)
    return hashed.hexdigest()


def _insert(target: sa.Connection, table: sa.Table, batch: list[dict[str, Any]]) -> int:
    count = len(batch)
    if batch:
        target.execute(table.insert(), batch)
        batch.clear()
    return count


def _rows(source: sa.Connection, table: sa.Table) -> Iterator[dict[str, Any]]:
    """Every row in the order of its key, as plain text, numbers and bytes."""
    query = sa.select(table).order_by(*table.primary_key.columns)
    for row in source.execution_options(yield_per=BATCH).execute(query):
        yield {column.name: _plain(column, value) for column, value in zip(table.columns, row, strict=True)}


def _plain(column: sa.Column[Any], value: Any) -> Any:
    if isinstance(value, datetime):
        return moment_text(value)
    if column.type is document and value is not None:
        return json.loads(value) if isinstance(value, str) else value
    if column.type is flag:
        return bool(value)
    return bytes(value) if isinstance(value, memoryview) else value


def _for_target(table: sa.Table, row: dict[str, Any], dialect: str) -> dict[str, Any]:
    """The row as a dialect takes it: PostgreSQL has types of its own for moments and documents."""
    made = dict(row)
    for column in table.columns:
        value = row[column.name]
        if value is None:
            continue
        if column.type is document and dialect == "sqlite":
            made[column.name] = json.dumps(value, ensure_ascii=False)
        elif column.type is moment and dialect != "sqlite":
            made[column.name] = datetime.fromisoformat(value)
    return made


def _spelt(table: sa.Table, row: dict[str, Any]) -> bytes:
    text = {name: value.hex() if isinstance(value, bytes) else value for name, value in row.items()}
    return f"{table.name} {json.dumps(text, sort_keys=True)}\n".encode()


def _refuse_other_engines(url: str) -> None:
    if not url.startswith(("sqlite:", "postgresql+psycopg:")):
        raise BackupRefused(
            "Backups are made of SQLite and PostgreSQL; DynamoDB keeps its own (point-in-time recovery)."
        )


@contextmanager
def _reading(url: str) -> Iterator[sa.Connection]:
    """A connection that sees one moment."""
    _refuse_other_engines(url)
    open_store(url).close()
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection
    finally:
        engine.dispose()


@contextmanager
def _writing(url: str) -> Iterator[sa.Connection]:
    """A connection in a transaction that is committed at the end."""
    open_store(url).close()
    engine = _engine(url)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def _engine(url: str) -> sa.Engine:
    if not url.startswith("sqlite:"):
        engine = sa.create_engine(url)
        sa.event.listen(engine, "connect", _speak_plainly)
        return engine
    path = url.removeprefix("sqlite:///")

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA synchronous=FULL")
        return connection

    engine = sa.create_engine("sqlite://", creator=connect, poolclass=sa.NullPool)
    # Python's driver would begin a transaction only before a write, and a read would then see many moments.
    sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


def _speak_plainly(connection: DBAPIConnection, _: object) -> None:
    """Let PostgreSQL tell moments as the store does, whatever its database or its user has been told to do."""
    connection.cursor().execute("SET timezone = 'UTC'; SET datestyle = 'ISO'")
    # A setting that is rolled back is as it was before.
    connection.commit()
