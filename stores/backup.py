"""Backups of a SQL store: a copy in a SQLite file, whatever engine it comes from and goes back to.

So a backup can be opened and looked at, moves data from a laptop to a server, and is proved by a digest: SHA-256
over every row of every table, in the order of its key, spelt the same on every engine. The backup holds that digest,
and a checksum of its own bytes (`stores.backup_file`).
"""

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection

from stores import atomic_file, backup_file, backup_folder, open_store
from stores.backup_file import BackupError
from stores.errors import OpenMode, StoreMissing
from stores.sql import migrations, sqlite
from stores.sql.mapping import format_timestamp
from stores.sql.tables import BOOLEAN, JSON, TIMESTAMP, metadata

BATCH_ROWS = 1_000
"""Rows that are held in memory at a time."""

Progress = Callable[[str, int], None]
"""Is told the name of a table and how many of its rows are done."""


def create_backup(url: str, path: Path, progress: Progress = lambda *_: None) -> str:
    """Copy a store, as of one moment and while it is in use, into a new file; the digest of what was copied.

    Raises StoreOpenError when the store can't be opened, the file is there already or can't be written.
    """
    # A store that can't be read is told before a file is made.
    _ensure_can_open(url, OpenMode.EXISTING)
    with atomic_file.create_atomically(path) as part, _translating_errors(f"{path} was not made"):
        sqlite.prepare_file(part)
        with (
            _open_snapshot(_create_engine(url)) as source,
            _open_transaction(_create_file_engine(partial(sqlite.connect, part))) as target,
        ):
            copied = _copy(source, target, progress)
        backup_file.seal(part, copied)
    return copied


def create_dated_backup(
    url: str, folder: Path, now: datetime, progress: Progress = lambda *_: None
) -> tuple[Path, str, list[Path]]:
    """Back up into a new file of the folder, named after the store and the time; keep the last 14 of these.

    Answers the file, the digest, and the files that were deleted. Raises as `backup` does.
    """
    _ensure_can_open(url, OpenMode.EXISTING)
    path = backup_folder.prepare_path(folder, url, now)
    copied = create_backup(url, path, progress)
    return path, copied, backup_folder.prune(path)


def restore_backup(
    path: Path, url: str, progress: Progress = lambda *_: None, report: Callable[[str], None] = lambda _: None
) -> str:
    """Copy a backup into an empty store, all of it or nothing; the digest of what was copied.

    A backup without a digest of its own is told to `report`. Raises BackupError when the backup is damaged or
    somebody has used the store, StoreOpenError when either can't be opened.
    """
    _ensure_sql(url)
    version, digest_inside = backup_file.verify_backup(path)
    _ensure_unused(url)
    if digest_inside is None:
        report(f"There is no digest inside {path}, which an older Tackboard made: changed letters can't be told.")
    with (
        _translating_errors("Nothing was restored"),
        _open_migrated(path, version) as source,
        _open_restore_target(url) as target,
    ):
        copied = _copy(source, target, progress)
        if digest_inside not in {None, copied} and version == migrations.HEAD:
            raise BackupError(f"{path} does not hold what its digest says: nothing was restored.")
    return copied


def compute_digest(url: str) -> str:
    """SHA-256 over everything in a store, as of one moment; equal on every engine for equal data."""
    hashed = hashlib.sha256()
    _ensure_can_open(url, OpenMode.EXISTING)
    with _translating_errors("There is no digest"), _open_snapshot(_create_engine(url)) as source:
        for table in metadata.sorted_tables:
            for row in _read_rows(source, table):
                hashed.update(_serialize_row(table, row))
    return hashed.hexdigest()


def _copy(source: sa.Connection, target: sa.Connection, progress: Progress) -> str:
    hashed = hashlib.sha256()
    for table in metadata.sorted_tables:
        # Opening a store may have left a setting there; the backup has its own.
        target.execute(table.delete())
        done = 0
        batch: list[dict[str, Any]] = []
        for row in _read_rows(source, table):
            hashed.update(_serialize_row(table, row))
            batch.append(_to_dialect(table, row, target.dialect.name))
            if len(batch) == BATCH_ROWS:
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


def _read_rows(source: sa.Connection, table: sa.Table) -> Iterator[dict[str, Any]]:
    """Every row in the order of its key, as plain text, numbers and bytes."""
    query = sa.select(table).order_by(*table.primary_key.columns)
    for row in source.execution_options(yield_per=BATCH_ROWS).execute(query):
        try:
            plain = {column.name: _to_plain(column, value) for column, value in zip(table.columns, row, strict=True)}
        except (ValueError, TypeError) as error:
            raise _damage_error(table) from error
        yield plain


def _to_plain(column: sa.Column[Any], value: Any) -> Any:
    if isinstance(value, datetime):
        return format_timestamp(value)
    if column.type is JSON and value is not None:
        return json.loads(value) if isinstance(value, str) else value
    if column.type is BOOLEAN:
        return bool(value)
    return bytes(value) if isinstance(value, memoryview) else value


def _to_dialect(table: sa.Table, row: dict[str, Any], dialect: str) -> dict[str, Any]:
    """The row as a dialect takes it: PostgreSQL has types of its own for moments and documents."""
    made = dict(row)
    for column in table.columns:
        value = row[column.name]
        if value is None:
            continue
        if column.type is JSON and dialect == "sqlite":
            made[column.name] = json.dumps(value, ensure_ascii=False)
        elif column.type is TIMESTAMP and dialect != "sqlite":
            try:
                made[column.name] = datetime.fromisoformat(value)
            except (ValueError, TypeError) as error:
                raise _damage_error(table) from error
    return made


def _damage_error(table: sa.Table) -> BackupError:
    # What can't be read is not quoted: it is what somebody wrote.
    return BackupError(f"The data are damaged: the table {table.name} holds what can't be read.")


def _serialize_row(table: sa.Table, row: dict[str, Any]) -> bytes:
    text = {name: value.hex() if isinstance(value, bytes) else value for name, value in row.items()}
    return f"{table.name} {json.dumps(text, sort_keys=True)}\n".encode()


def _ensure_sql(url: str) -> None:
    if url.startswith("dynamodb:"):
        raise BackupError("Backups are made of SQLite and PostgreSQL; DynamoDB keeps its own (point-in-time recovery).")


def _ensure_can_open(url: str, mode: OpenMode) -> None:
    """See that the store can be used, or have it made. Raises StoreOpenError."""
    _ensure_sql(url)
    open_store(url, mode=mode).close()


def _ensure_unused(url: str) -> None:
    """Raise BackupError for a store that has an owner; a missing one will do."""
    try:
        store = open_store(url, mode=OpenMode.EXISTING)
    except StoreMissing:
        return
    with closing(store):
        if store.read_installation_owner() is not None:
            raise BackupError("The store holds data already: restore into an empty one.")


@contextmanager
def _translating_errors(outcome: str) -> Iterator[None]:
    """Tell what a database or a disk can't do in one sentence, as BackupError."""
    try:
        yield
    except (sqlite3.Error, sa.exc.DBAPIError) as error:
        lines = str(error.orig if isinstance(error, sa.exc.DBAPIError) else error).splitlines()
        # This one would quote what somebody wrote on a card.
        reason = "a text is not UTF-8" if not lines or lines[0].startswith("Could not decode") else lines[0]
        raise BackupError(f"{outcome}: {reason.rstrip('.')}.") from error
    except OSError as error:
        raise BackupError(f"{outcome}: {(error.strerror or 'unknown error').lower()}.") from error


@contextmanager
def _open_migrated(path: Path, version: str) -> Iterator[sa.Connection]:
    """A connection to what a backup holds, in today's schema; the file itself is left as it is."""
    if version == migrations.HEAD:
        with _open_snapshot(_create_file_engine(partial(backup_file.connect_read_only, path))) as connection:
            yield connection
        return
    with TemporaryDirectory() as folder:
        copy = Path(folder) / "backup.db"
        with closing(backup_file.connect_read_only(path)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        sqlite.prepare_file(copy, mode=OpenMode.MIGRATE, keep_copy=False)
        with _open_snapshot(_create_file_engine(partial(sqlite.connect, copy))) as connection:
            yield connection


@contextmanager
def _open_restore_target(url: str) -> Iterator[sa.Connection]:
    """A connection to an empty store that is made or filled, entirely or not at all."""
    path = Path(os.path.realpath(sqlite.parse_path(url))) if url.startswith("sqlite:") else None
    if path is None or path.exists():
        _ensure_can_open(url, OpenMode.CREATE)
        with _open_transaction(_create_engine(url)) as connection:
            yield connection
        return
    with atomic_file.create_atomically(path) as part:
        sqlite.prepare_file(part)
        with _open_transaction(_create_file_engine(partial(sqlite.connect, part))) as connection:
            yield connection


@contextmanager
def _open_snapshot(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection that sees one moment."""
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection
    finally:
        engine.dispose()


@contextmanager
def _open_transaction(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection in a transaction that is committed at the end."""
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def _create_engine(url: str) -> sa.Engine:
    if url.startswith("sqlite:"):
        return _create_file_engine(partial(sqlite.connect, sqlite.parse_path(url)))
    engine = sa.create_engine(url)
    sa.event.listen(engine, "connect", _set_text_formats)
    return engine


def _create_file_engine(connect: Callable[[], sqlite3.Connection]) -> sa.Engine:
    engine = sa.create_engine("sqlite://", creator=connect, poolclass=sa.NullPool)
    # Python's driver would begin a transaction only before a write, and a read would then see many moments.
    sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


def _set_text_formats(connection: DBAPIConnection, _: object) -> None:
    """Let PostgreSQL tell moments as the store does, whatever its database or its user has been told to do."""
    connection.cursor().execute("SET timezone = 'UTC'; SET datestyle = 'ISO'")
    # A setting that is rolled back is as it was before.
    connection.commit()
