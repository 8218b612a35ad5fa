"""Write a SQLite file anew, without the space of what has been erased."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from kanban.store import Busy
from stores import open_store
from stores.errors import OpenMode, StoreOpenError
from stores.sql import sqlite

_TIMEOUT_SECONDS = 60.0
"""How long to wait for writers."""

_REASONS = {
    "postgresql": (
        "PostgreSQL frees space by itself (autovacuum); `VACUUM FULL` in psql gives it back to the system, while nobody"
        " can use the tables"
    ),
    "dynamodb": "DynamoDB frees the space of what is erased by itself",
}


class CannotVacuum(StoreOpenError):
    """Raised when a store can't be vacuumed; nothing was changed."""


def vacuum(url: str) -> tuple[int, int]:
    """Write a store's file anew while it may be in use; return how many bytes it had and has.

    Writers wait meanwhile. Raises StoreOpenError if it is no SQLite file, or if its disk has no room for two copies.
    Raises Busy if another program writes for a minute.
    """
    open_store(url, mode=OpenMode.EXISTING).close()
    reason = _REASONS.get(url.partition(":")[0].partition("+")[0])
    if reason is not None:
        raise CannotVacuum(f"This is for SQLite files: {reason}.")
    path = sqlite.parse_path(url).resolve()
    size = path.stat().st_size
    # SQLite writes a copy, and then its pages into the log beside the file.
    needed, free = 2 * size + sqlite.MIN_FREE_BYTES, shutil.disk_usage(path.parent).free
    if free < needed:
        raise CannotVacuum(f"This needs {needed:,} bytes on the disk of {path}, but {free:,} are free.")
    try:
        with _keeping_copies_in(path.parent), closing(sqlite.connect(path, _TIMEOUT_SECONDS)) as connection:
            connection.execute("VACUUM")
            # The file shrinks when its log is copied into it.
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        if (getattr(error, "sqlite_errorcode", 0) & 0xFF) == sqlite3.SQLITE_BUSY:
            raise Busy("Other writers kept the database for too long.") from error
        raise CannotVacuum(f"The database file {path} is as it was: {error}.") from error
    return size, path.stat().st_size


@contextmanager
def _keeping_copies_in(folder: Path) -> Iterator[None]:
    """Have SQLite write its copies into the folder, where there is room for them."""
    name = "SQLITE_TMPDIR"
    previous = os.environ.get(name)
    os.environ[name] = str(folder)
    try:
        yield
    finally:
        if previous is None:
            del os.environ[name]
        else:
            os.environ[name] = previous
