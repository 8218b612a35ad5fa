"""Back up a PostgreSQL database with an earlier schema before it is migrated, so that there is a way back.

The backup is a SQLite file like any other, in the schema of before: the Tackboard that has that schema can restore it,
and this one, too. The tables are read as the database describes them, because this version knows only its own.
"""

import hashlib
import json
import sqlite3
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from stores import atomic_file, backup_file, backup_folder
from stores.backup_file import BackupError
from stores.sql import migrations, sqlite
from stores.sql.mapping import format_timestamp
from stores.sql.stored_values import BATCH_ROWS
from stores.sql.whole_database import create_engine, create_file_engine, open_snapshot, open_transaction


def create_earlier_backup(url: str, version: str, folder: Path, now: datetime) -> Path:
    """Copy a snapshot of a database with that version of the schema into a new file in the folder; return its path.

    Raises BackupError or FileNotWritable.
    """
    path = backup_folder.prepare_path(folder, url, now, f"-schema-{version}")
    try:
        with atomic_file.create_atomically(path) as part:
            connect = partial(sqlite.connect, part, checks_references=False)
            with open_snapshot(create_engine(url)) as source, open_transaction(create_file_engine(connect)) as target:
                migrations.upgrade(target, version)
                digest = _copy_tables(source, target)
            backup_file.seal(part, digest)
    except (sqlite3.Error, sa.exc.DBAPIError, OSError) as error:
        raise BackupError(f"{path} was not made: {str(error).splitlines()[0].rstrip('.')}.") from error
    return path


def _copy_tables(source: sa.Connection, target: sa.Connection) -> str:
    """Copy the rows of all tables that the target has; return a digest of them."""
    sha256, inspector = hashlib.sha256(), sa.inspect(target)
    for table_name in sorted({*inspector.get_table_names()} - {migrations.VERSION_TABLE}):
        table = sa.table(table_name, *(sa.column(column["name"]) for column in inspector.get_columns(table_name)))
        # The migrations may have written a setting.
        target.execute(table.delete())
        result = source.execution_options(yield_per=BATCH_ROWS).execute(sa.select(table))
        for rows in result.mappings().partitions():
            batch = [{name: _to_sqlite(value) for name, value in row.items()} for row in rows]
            sha256.update(json.dumps(batch, sort_keys=True, default=bytes.hex).encode())
            target.execute(table.insert(), batch)
    return sha256.hexdigest()


def _to_sqlite(value: Any) -> Any:
    """Return a value of PostgreSQL as SQLite's tables have it."""
    if isinstance(value, datetime):
        return format_timestamp(value)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return int(value) if isinstance(value, bool) else value
