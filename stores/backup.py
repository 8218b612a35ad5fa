"""Back up a SQL store to a SQLite file, and restore one, whichever engine the store uses.

A backup can be opened with any SQLite tool, and can move data from a laptop to a server. A digest proves that it is
complete: the SHA-256 of every row of every table in the order of the primary key, serialized the same way for every
engine. The backup file holds that digest and a checksum of its own bytes (`stores.backup_file`).
"""

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection

from kanban.ids import IdGenerator
from stores import atomic_file, backup_file, backup_folder, open_store
from stores.backup_file import BackupError
from stores.errors import OpenMode, StoreMissing
from stores.sql import migrations, sqlite
from stores.sql.mapping import format_timestamp
from stores.sql.tables import (
    BOOLEAN,
    JSON,
    TIMESTAMP,
    boards,
    feed_readers,
    jobs,
    metadata,
    webhook_deliveries,
    webhooks,
)

BATCH_ROWS = 1_000
"""How many rows are held in memory at a time."""

_new_id = IdGenerator(partial(datetime.now, UTC), os.urandom)

_PROGRESS_TABLES = frozenset((feed_readers, jobs, webhook_deliveries))
"""Tables that change by themselves, without anybody's request: no part of a digest."""

Progress = Callable[[str, int], None]
"""Called with the name of a table and how many of its rows have been copied."""


def create_backup(url: str, path: Path, progress: Progress = lambda *_: None) -> str:
    """Copy a snapshot of a store, which may be in use, into a new file; return the digest of the data.

    Raises StoreOpenError when the store can't be opened, or the file exists already or can't be written.
    """
    # Fail before a file is made if the store can't be read.
    _ensure_can_open(url, OpenMode.EXISTING)
    with atomic_file.create_atomically(path) as part, _translating_errors(f"{path} was not made"):
        sqlite.prepare_file(part)
        with (
            _open_snapshot(_create_engine(url)) as source,
            _open_transaction(_create_file_engine(partial(sqlite.connect, part))) as target,
        ):
            digest = _copy(source, target, progress)
        backup_file.seal(part, digest)
    return digest


def create_dated_backup(
    url: str, folder: Path, now: datetime, progress: Progress = lambda *_: None
) -> tuple[Path, str, list[Path]]:
    """Back up into a new file in the folder, named after the store and the time; keep the last 14 of these.

    Return the file, the digest, and the files that were deleted. Raises as `create_backup` does.
    """
    _ensure_can_open(url, OpenMode.EXISTING)
    path = backup_folder.prepare_path(folder, url, now)
    digest = create_backup(url, path, progress)
    return path, digest, backup_folder.prune(path)


def restore_backup(
    path: Path,
    url: str,
    progress: Progress = lambda *_: None,
    report: Callable[[str], None] = lambda _: None,
    new_id: Callable[[str], str] = _new_id,
) -> str:
    """Copy a backup into an empty store, all of it or nothing; return the digest of the data.

    `report` gets a sentence if the backup has no digest to compare with. Each board gets a new history, because events
    that came after the backup are not in it.

    Raises:
        BackupError: The backup is damaged, or the store already has data.
        StoreOpenError: The backup or the store can't be opened.
    """
    _ensure_sql(url)
    version, sealed_digest = backup_file.verify_backup(path)
    _ensure_unused(url)
    if sealed_digest is None:
        report(f"There is no digest inside {path}, which an older Tackboard made: changed text can't be detected.")
    with (
        _translating_errors("Nothing was restored"),
        _open_migrated(path, version) as source,
        _open_restore_target(url) as target,
    ):
        digest = _copy(source, target, progress, new_id)
        if sealed_digest not in {None, digest} and version == migrations.HEAD:
            raise BackupError(f"The contents of {path} do not match its digest: nothing was restored.")
    return digest


def compute_digest(url: str) -> str:
    """Return the SHA-256 of a snapshot of a whole store: equal data have equal digests on every engine."""
    sha256 = hashlib.sha256()
    _ensure_can_open(url, OpenMode.EXISTING)
    with _translating_errors("There is no digest"), _open_snapshot(_create_engine(url)) as source:
        for table in metadata.sorted_tables:
            for row in _read_rows(source, table):
                sha256.update(_serialize_row(table, row))
    return sha256.hexdigest()


def _copy(
    source: sa.Connection, target: sa.Connection, progress: Progress, new_id: Callable[[str], str] | None = None
) -> str:
    """Copy all rows; return their digest. With `new_id`, each board gets a new history."""
    sha256 = hashlib.sha256()
    for table in metadata.sorted_tables:
        # Opening the target may have written a setting; the source has its own.
        target.execute(table.delete())
        done = 0
        batch: list[dict[str, Any]] = []
        for row in _read_rows(source, table):
            sha256.update(_serialize_row(table, row))
            if new_id and table is boards:
                row["history"] = new_id("history")
            if new_id and table is webhooks and row["state"] == "active":
                # A copy of a store must not call the receivers of the original.
                row["state"] = "paused"
            if new_id and table is feed_readers:
                # Nobody works for it here.
                row |= {"lease_owner": None, "lease_until": None}
            batch.append(_to_dialect(table, row, target.dialect.name))
            if len(batch) == BATCH_ROWS:
                done += _insert(target, table, batch)
                progress(table.name, done)
        done += _insert(target, table, batch)
        progress(table.name, done)
    return sha256.hexdigest()


def _insert(target: sa.Connection, table: sa.Table, batch: list[dict[str, Any]]) -> int:
    count = len(batch)
    if batch:
        target.execute(table.insert(), batch)
        batch.clear()
    return count


def _read_rows(source: sa.Connection, table: sa.Table) -> Iterator[dict[str, Any]]:
    """Yield every row in the order of the primary key, as plain text, numbers, bytes and JSON."""
    query = sa.select(table).order_by(*table.primary_key.columns)
    for row in source.execution_options(yield_per=BATCH_ROWS).execute(query):
        try:
            plain = {column.name: _to_plain(column, value) for column, value in zip(table.columns, row, strict=True)}
        except (ValueError, TypeError) as error:
            raise _build_damage_error(table) from error
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
    """Return the row as a dialect takes it: PostgreSQL has its own types for timestamps and documents."""
    converted = dict(row)
    for column in table.columns:
        value = row[column.name]
        if value is None:
            continue
        if column.type is JSON and dialect == "sqlite":
            converted[column.name] = json.dumps(value, ensure_ascii=False)
        elif column.type is TIMESTAMP and dialect != "sqlite":
            try:
                converted[column.name] = datetime.fromisoformat(value)
            except (ValueError, TypeError) as error:
                raise _build_damage_error(table) from error
    return converted


def _build_damage_error(table: sa.Table) -> BackupError:
    # The message doesn't quote the value: it is what a user wrote.
    return BackupError(f"The data are damaged: the table {table.name} has values that can't be read.")


def _serialize_row(table: sa.Table, row: dict[str, Any]) -> bytes:
    if table in _PROGRESS_TABLES:
        return b""
    text = {
        name: value.hex() if isinstance(value, bytes) else value
        for name, value in row.items()
        # A copy of the same data has another history, and its webhooks are paused.
        if not (table is boards and name == "history") and not (table is webhooks and name == "state")
    }
    return f"{table.name} {json.dumps(text, sort_keys=True)}\n".encode()


def _ensure_sql(url: str) -> None:
    if url.startswith("dynamodb:"):
        raise BackupError("Backups are made of SQLite and PostgreSQL; DynamoDB keeps its own (point-in-time recovery).")


def _ensure_can_open(url: str, mode: OpenMode) -> None:
    """Open and close the store, which creates or migrates it as the mode allows. Raises StoreOpenError."""
    _ensure_sql(url)
    open_store(url, mode=mode).close()


def _ensure_unused(url: str) -> None:
    """Raise BackupError if there is a store and it has an owner."""
    try:
        store = open_store(url, mode=OpenMode.EXISTING)
    except StoreMissing:
        return
    with closing(store):
        if store.read_installation_owner() is not None:
            raise BackupError("The store holds data already: restore into an empty one.")


@contextmanager
def _translating_errors(outcome: str) -> Iterator[None]:
    """Translate errors of databases and disks into a BackupError with one sentence."""
    try:
        yield
    except (sqlite3.Error, sa.exc.DBAPIError) as error:
        lines = str(error.orig if isinstance(error, sa.exc.DBAPIError) else error).splitlines()
        # SQLite's own message would quote what a user wrote.
        reason = "a text is not UTF-8" if not lines or lines[0].startswith("Could not decode") else lines[0]
        raise BackupError(f"{outcome}: {reason.rstrip('.')}.") from error
    except OSError as error:
        raise BackupError(f"{outcome}: {(error.strerror or 'unknown error').lower()}.") from error


@contextmanager
def _open_migrated(path: Path, version: str) -> Iterator[sa.Connection]:
    """Open a connection to the data of a backup in the current schema; the file itself is not changed."""
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
    """Open a connection to an empty store, which is created or filled completely, or not at all."""
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
    """Open a connection that reads one snapshot, and dispose of the engine at the end."""
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection
    finally:
        engine.dispose()


@contextmanager
def _open_transaction(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Open a connection in a transaction that is committed at the end, and dispose of the engine."""
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
    # Python's driver would begin a transaction only before a write: reads would not see one snapshot.
    sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


def _set_text_formats(connection: DBAPIConnection, _: object) -> None:
    """Make PostgreSQL format timestamps as the store does, whatever the settings of its database or user are."""
    connection.cursor().execute("SET timezone = 'UTC'; SET datestyle = 'ISO'")
    # A rollback would undo the settings.
    connection.commit()
