"""Back up a store to a SQLite file, and restore one, whichever engine the store uses.

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
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa

from kanban.ids import IdGenerator
from kanban.store import StoreError
from kanban.values import FeedReader, Webhook, WebhookState
from stores import atomic_file, backup_file, backup_folder, open_store, requiring
from stores.backup_file import BackupError
from stores.errors import OpenMode, StoreMissing
from stores.sql import migrations, sqlite, stored_values
from stores.sql.mapping import format_timestamp
from stores.sql.stored_values import BATCH_ROWS, ValueWriter
from stores.sql.tables import (
    BOOLEAN,
    JSON,
    TIMESTAMP,
    boards,
    feed_readers,
    flow_segments,
    jobs,
    metadata,
    webhook_deliveries,
    webhooks,
)
from stores.sql.whole_database import create_engine, create_file_engine, open_snapshot, open_transaction
from stores.whole_store import StoredValue, WholeBoard

_new_id = IdGenerator(partial(datetime.now, UTC), os.urandom)

_PROGRESS_TABLES = frozenset((feed_readers, flow_segments, jobs, webhook_deliveries))
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
        if _is_dynamodb(url):
            digest = _copy_table(url, part, progress)
        else:
            with (
                open_snapshot(create_engine(url)) as source,
                open_transaction(create_file_engine(partial(sqlite.connect, part))) as target,
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
    version, sealed_digest = backup_file.verify_backup(path)
    if not _is_dynamodb(url):
        _ensure_unused(url)
    if sealed_digest is None:
        report(f"There is no digest inside {path}, which an older Tackboard made: changed text can't be detected.")
    if _is_dynamodb(url):
        with _translating_errors("Nothing was restored"), _open_migrated(path, version) as source:
            digest = _hash_rows(source)
            _ensure_intact(path, version, sealed_digest, digest)
            _restore_table(url, source, digest, progress, new_id)
        return digest
    with (
        _translating_errors("Nothing was restored"),
        _open_migrated(path, version) as source,
        _open_restore_target(url) as target,
    ):
        digest = _copy(source, target, progress, new_id)
        _ensure_intact(path, version, sealed_digest, digest)
    return digest


def compute_digest(url: str) -> str:
    """Return the SHA-256 of a snapshot of a whole store: equal data have equal digests on every engine.

    A table of DynamoDB is copied to a temporary file first.
    """
    _ensure_can_open(url, OpenMode.EXISTING)
    with _translating_errors("There is no digest"):
        if _is_dynamodb(url):
            with TemporaryDirectory() as folder:
                copy = Path(folder) / "table.db"
                sqlite.prepare_file(copy)
                return _copy_table(url, copy, lambda *_: None)
        with open_snapshot(create_engine(url)) as source:
            return _hash_rows(source)


def _hash_rows(source: sa.Connection) -> str:
    sha256 = hashlib.sha256()
    for table in metadata.sorted_tables:
        for row in _read_rows(source, table):
            sha256.update(_serialize_row(table, row))
    return sha256.hexdigest()


def _copy_table(url: str, file: Path, progress: Progress) -> str:
    """Copy a table of DynamoDB to an empty SQLite file; return the digest of the data."""
    from stores.dynamodb.opening import open_table_copy  # noqa: PLC0415  (an engine is loaded when it is chosen)

    with (
        closing(open_table_copy(url)) as table,
        open_transaction(create_file_engine(partial(sqlite.connect, file, checks_references=False))) as target,
    ):
        writer = ValueWriter(target, partial(progress, "values"))
        board_ids: list[str] = []
        writer.write(table.read_outside_boards(board_ids.append))
        for board_id in board_ids:
            writer.write_attempts(partial(table.read_board, board_id))
        # They have come since the scan passed by.
        writer.write(table.read_users(writer.list_missing_user_ids()))
        writer.drop_tokens_without_ancestors()
        if broken := writer.find_broken_table():
            raise BackupError(f"The data are damaged: the table {broken} refers to something that is missing.")
        return _hash_rows(target)


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
            if new_id:
                _change_row_for_copy(table, row, new_id)
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


def _ensure_intact(path: Path, version: str, sealed_digest: str | None, digest: str) -> None:
    # The digest of data that were migrated is another one.
    if sealed_digest not in {None, digest} and version == migrations.HEAD:
        raise BackupError(f"The contents of {path} do not match its digest: nothing was restored.")


def _restore_table(
    url: str, source: sa.Connection, digest: str, progress: Progress, new_id: Callable[[str], str]
) -> None:
    """Write all of a SQLite file to a table of DynamoDB."""
    with requiring("DynamoDB", "aws", package="botocore"):
        from stores.dynamodb.opening import open_table_restore  # noqa: PLC0415  (an engine is loaded when it is chosen)
        from stores.dynamodb.table_restore import TableInUse  # noqa: PLC0415  (as above)
    if longest := stored_values.find_long_card(source):
        raise BackupError(f"The card {longest} is too long for DynamoDB: shorten its description before the backup.")

    def read() -> Iterator[StoredValue]:
        for table, values in groupby(stored_values.read_values(source), key=itemgetter(0)):
            count = 0
            for count, (_, value) in enumerate(values, 1):
                yield _change_for_copy(value, new_id)
                if count % BATCH_ROWS == 0:
                    progress(table, count)
            progress(table, count)

    unfinished = "Not everything is restored yet; the same command goes on"
    with closing(open_table_restore(url)) as target, _translating_errors(unfinished):
        try:
            target.write(read(), stored_values.read_settings(source), digest)
        except TableInUse as error:
            raise BackupError(str(error)) from error


def _change_for_copy(value: StoredValue, new_id: Callable[[str], str]) -> StoredValue:
    """Return a value as a copy of a store has it: `_change_row_for_copy` does the same with a row."""
    match value:
        case WholeBoard():
            return value._replace(board=replace(value.board, history=new_id("history")))
        case Webhook(state=WebhookState.ACTIVE):
            return replace(value, state=WebhookState.PAUSED)
        case FeedReader():
            return replace(value, lease_owner=None, lease_until=None)
        case _:
            return value


def _change_row_for_copy(table: sa.Table, row: dict[str, Any], new_id: Callable[[str], str]) -> None:
    """Change a row to what a copy of a store has in its place."""
    if table is boards:
        # Events that came after the backup are not in it.
        row["history"] = new_id("history")
    elif table is webhooks and row["state"] == WebhookState.ACTIVE:
        # A copy of a store must not call the receivers of the original.
        row["state"] = str(WebhookState.PAUSED)
    elif table is feed_readers:
        # Nobody works for it here.
        row |= {"lease_owner": None, "lease_until": None}


def _is_dynamodb(url: str) -> bool:
    return url.startswith("dynamodb:")


def _ensure_can_open(url: str, mode: OpenMode) -> None:
    """Open and close the store, which creates or migrates it as the mode allows. Raises StoreOpenError."""
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
    except StoreError as error:
        raise BackupError(f"{outcome}: {str(error).rstrip('.')}.") from error
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
        with open_snapshot(create_file_engine(partial(backup_file.connect_read_only, path))) as connection:
            yield connection
        return
    with TemporaryDirectory() as folder:
        copy = Path(folder) / "backup.db"
        with closing(backup_file.connect_read_only(path)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        sqlite.prepare_file(copy, mode=OpenMode.MIGRATE, keep_copy=False)
        with open_snapshot(create_file_engine(partial(sqlite.connect, copy))) as connection:
            yield connection


@contextmanager
def _open_restore_target(url: str) -> Iterator[sa.Connection]:
    """Open a connection to an empty store, which is created or filled completely, or not at all."""
    path = Path(os.path.realpath(sqlite.parse_path(url))) if url.startswith("sqlite:") else None
    if path is None or path.exists():
        _ensure_can_open(url, OpenMode.CREATE)
        with open_transaction(create_engine(url)) as connection:
            yield connection
        return
    with atomic_file.create_atomically(path) as part:
        sqlite.prepare_file(part)
        with open_transaction(create_file_engine(partial(sqlite.connect, part))) as connection:
            yield connection
