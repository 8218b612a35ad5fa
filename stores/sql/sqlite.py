"""SQLite: one file, any number of readers, one writer at a time."""

import errno
import os
import sqlite3
import stat
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from kanban.store import AlreadyExists, Busy, StaleRead, Unavailable
from stores.errors import InvalidStoreUrl, NotTackboardDatabase, OpenMode, StoreMissing, StoreNotUsable
from stores.sql import migrations
from stores.sql.engine import Transaction, find_kind_by_column
from stores.sql.mapping import Row
from stores.sql.read_statements import BoundStatement
from stores.sql.store import SqlStore

BUSY_TIMEOUT = 5.0
"""How many seconds a writer waits for others before it is told that the store is busy."""

MIN_FREE_BYTES = 1024 * 1024
"""Bytes without which a disk counts as full. A small write may still fit in, where the log has just been emptied."""

_MIN_VERSION = (3, 37, 0)
_RETRY_PAUSE = 0.01

_BUSY_MESSAGE = "Other writers kept the database for too long."
_BUSY_CODES = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
_FILE_REPLACED_MESSAGE = "The database file has been removed or replaced."
_DISK_FULL_MESSAGE = "The disk of the database file is full."
_UNAVAILABLE_MESSAGES = {
    sqlite3.SQLITE_FULL: _DISK_FULL_MESSAGE,
    sqlite3.SQLITE_IOERR: "The database file could not be read or written.",
    sqlite3.SQLITE_CANTOPEN: "The database file could not be opened.",
    sqlite3.SQLITE_READONLY: "The database file may not be written.",
    sqlite3.SQLITE_CORRUPT: "The database file is damaged.",
    sqlite3.SQLITE_NOTADB: "The database file is damaged.",
}
_UNIQUE_CODES = {sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE}


def open_sqlite(
    url: str,
    *,
    mode: OpenMode = OpenMode.CREATE,
    report: Callable[[str], None] = lambda _: None,
    busy_timeout: float = BUSY_TIMEOUT,
) -> SqlStore:
    """The store in that file, made or brought up to date as the mode allows. Raises StoreOpenError.

    A file of an earlier version is copied before it is migrated, into another one next to it.
    """
    path = parse_path(url)
    prepare_file(path, mode=mode, report=report, busy_timeout=busy_timeout)
    return SqlStore(SqliteEngine(path, busy_timeout))


def prepare_file(
    path: Path,
    *,
    mode: OpenMode = OpenMode.CREATE,
    report: Callable[[str], None] = lambda _: None,
    busy_timeout: float = BUSY_TIMEOUT,
    keep_copy: bool = True,
) -> None:
    """Have a store of the current version in that file, as the mode allows. Raises StoreOpenError."""
    if sqlite3.sqlite_version_info < _MIN_VERSION:
        raise StoreNotUsable(f"Tackboard needs SQLite 3.37 or newer; this Python has {sqlite3.sqlite_version}.")
    try:
        if mode is OpenMode.CREATE:
            _create_file(path)
        elif not path.exists():
            raise StoreMissing(f"sqlite:///{path}")
        _ensure_usable(path)
        with closing(connect(path, busy_timeout)) as connection:
            found = _read_schema_version(connection, path)
            if found is None and mode is not OpenMode.CREATE:
                raise StoreMissing(f"sqlite:///{path}")
            is_old = migrations.is_upgrade_needed(str(path), found, mode)
            if mode is OpenMode.EXISTING:
                return
            _enable_wal(connection, path, busy_timeout)
            if is_old:
                _migrate(connection, path, report, keep_copy=keep_copy)
    except OSError as error:
        raise StoreNotUsable(
            f"The database file {path} cannot be used: {error.strerror}; let STORE_URL name one that can be written."
        ) from error
    except sqlite3.DatabaseError as error:
        # A text that is not UTF-8 has no code.
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_NOTADB:
            raise NotTackboardDatabase(str(path)) from error
        raise StoreNotUsable(f"The database file {path} cannot be used: {error}.") from error


class _SqliteTransaction:
    """What writes."""

    __slots__ = ("_connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, statement: BoundStatement) -> None:
        self._connection.execute(*statement)

    def write_one(self, statement: BoundStatement) -> None:
        if self._connection.execute(*statement).rowcount != 1:
            raise StaleRead

    def query(self, statement: BoundStatement) -> list[Row]:
        return self._connection.execute(*statement).fetchall()


class SqliteEngine:
    """The connections to one file. A thread takes one for as long as it reads or writes."""

    supports_lateral = False
    pipelines_reads = False
    # Whatever is written over itself in a table is not written at all.
    probe_statement: BoundStatement = ("PRAGMA user_version = 0", ())

    def __init__(self, path: Path, busy_timeout: float) -> None:
        self.dialect: sa.Dialect = sqlite.dialect()
        self._path = path
        self._busy_timeout = busy_timeout
        self._file_identity = _file_identity(path)
        self._idle: deque[sqlite3.Connection] = deque()
        self._closed = False
        # SQLite lets waiting writers poll; a lock hands over at once, and to each in turn.
        self._write_lock = threading.Lock()

    def read(self, statements: Sequence[BoundStatement], *, stop_if_first_empty: bool = False) -> list[list[Row]]:
        """The rows of each query, all seen at the same moment.

        With `stop_if_first_empty` the rest is not read where the first query has no rows.
        """
        connection = self._acquire()
        try:
            connection.execute("BEGIN")
            found = [connection.execute(*statements[0]).fetchall()]
            if stop_if_first_empty and not found[0]:
                found += [[] for _ in statements[1:]]
            else:
                found += [connection.execute(*call).fetchall() for call in statements[1:]]
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            # Closing rolls back, whatever state the error left.
            connection.close()
            _raise_store_error(error)
        except BaseException:
            connection.rollback()
            self._release(connection)
            raise
        self._release(connection)
        return found

    @contextmanager
    def begin_write(self, *, wait: bool = True) -> Iterator[Transaction]:
        """The only writing transaction. Raises Busy."""
        if not self._write_lock.acquire(timeout=self._busy_timeout if wait else 0):
            raise Busy(_BUSY_MESSAGE)
        try:
            # A file that was removed can still be written: what is acknowledged then would be lost.
            if _file_identity(self._path) != self._file_identity:
                raise Unavailable(_FILE_REPLACED_MESSAGE)
            connection = self._acquire()
            try:
                if not wait:
                    connection.execute("PRAGMA busy_timeout=0")
                connection.execute("BEGIN IMMEDIATE")
                yield _SqliteTransaction(connection)
                connection.execute("COMMIT")
                if not wait:
                    _set_busy_timeout(connection, self._busy_timeout)
            except sqlite3.Error as error:
                # Closing rolls back, whatever state the error left.
                connection.close()
                _raise_store_error(error)
            except BaseException:
                connection.rollback()
                self._release(connection)
                raise
            self._release(connection)
        finally:
            self._write_lock.release()

    def ensure_disk_space(self) -> None:
        """Raise Unavailable on a disk that is full, or whose file has been removed."""
        try:
            disk = os.statvfs(self._path)
        except OSError as error:
            raise Unavailable(_FILE_REPLACED_MESSAGE) from error
        # Root may use what is kept back for it.
        blocks = disk.f_bavail if os.geteuid() else disk.f_bfree
        if blocks * disk.f_frsize < MIN_FREE_BYTES:
            raise Unavailable(_DISK_FULL_MESSAGE)

    def close(self) -> None:
        """Close the connections; one that is in use, when it is given back."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    def _acquire(self) -> sqlite3.Connection:
        if self._closed:
            raise Unavailable("The store has been closed.")
        try:
            return self._idle.pop()
        except IndexError:
            pass
        try:
            return connect(self._path, self._busy_timeout)
        except sqlite3.Error as error:
            _raise_store_error(error)

    def _release(self, connection: sqlite3.Connection) -> None:
        if self._closed:
            connection.close()
        else:
            self._idle.append(connection)


def parse_path(url: str) -> Path:
    """The file that a URL names, as an absolute path. Raises InvalidStoreUrl."""
    try:
        parts = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError) as error:
        raise InvalidStoreUrl("STORE_URL cannot be read: sqlite:///tackboard.db is one that can.") from error
    if parts.drivername != "sqlite" or parts.host or parts.username or parts.query:
        raise InvalidStoreUrl("STORE_URL for SQLite holds a path and nothing else: sqlite:///tackboard.db.")
    if not parts.database or parts.database == ":memory:" or "\0" in parts.database:
        raise InvalidStoreUrl("STORE_URL for SQLite must name a file: sqlite:///tackboard.db.")
    # Made absolute at once: the program may change its folder later.
    return Path(parts.database).absolute()


def _create_file(path: Path) -> None:
    """Make the file, unless there is one already."""
    try:
        # Made here rather than by SQLite: it holds secrets, and nobody else is to read it.
        os.close(os.open(os.path.realpath(path), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return


def _ensure_usable(path: Path) -> None:
    """Raise OSError for a file that cannot be used.

    It is not opened, but by SQLite: closing it would take all locks away that this process has on it, and another
    program could then remove the log under a store that is open.
    """
    if stat.S_ISDIR(path.stat().st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not os.access(path, os.R_OK | os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def connect(path: Path, busy_timeout: float = BUSY_TIMEOUT) -> sqlite3.Connection:
    """A connection to a file that is there; transactions are begun by hand."""
    # Mode rw never makes a file: one that vanished must not come back empty.
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, check_same_thread=False
    )
    try:
        _set_busy_timeout(connection, busy_timeout)
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA synchronous=FULL")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _set_busy_timeout(connection: sqlite3.Connection, busy_timeout: float) -> None:
    connection.execute(f"PRAGMA busy_timeout={int(busy_timeout * 1000)}")


def _file_identity(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116  (Path.stat costs twice as much, and this is before every write)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _read_schema_version(connection: sqlite3.Connection, path: Path) -> str | None:
    """The version of the schema in the file, None in an empty one. Raises NotTackboardDatabase."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return None
    if migrations.VERSION_TABLE not in tables:
        raise NotTackboardDatabase(str(path))
    versions = connection.execute(f"SELECT version_num FROM {migrations.VERSION_TABLE}").fetchall()  # noqa: S608  (a constant)
    if len(versions) != 1:
        raise NotTackboardDatabase(str(path))
    return str(versions[0][0])


def _enable_wal(connection: sqlite3.Connection, path: Path, busy_timeout: float) -> None:
    """Turn the write-ahead log on. It stays on for the file."""
    deadline = time.monotonic() + busy_timeout
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
        except sqlite3.OperationalError as error:
            # SQLite does not wait here when another process does the same.
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_RETRY_PAUSE)
            continue
        if mode != "wal":
            raise StoreNotUsable(f"The database file {path} is in a place where SQLite cannot keep its log.")
        return


def _migrate(connection: sqlite3.Connection, path: Path, report: Callable[[str], None], *, keep_copy: bool) -> None:
    copy = None
    engine = sa.create_engine("sqlite://", creator=lambda: connection, poolclass=sa.StaticPool)
    try:
        with engine.begin() as through_alchemy:
            # Two programs may open a new file at the same time: the second finds nothing left to do.
            through_alchemy.exec_driver_sql("BEGIN IMMEDIATE")
            found = _read_schema_version(connection, path)
            if not migrations.is_upgrade_needed(str(path), found, OpenMode.MIGRATE):
                return
            if found is not None and keep_copy:
                # Nobody writes between this copy and the migration: the transaction has begun.
                copy = _copy_before_migration(path, found)
            migrations.upgrade(through_alchemy)
    except Exception as error:
        # Nothing was migrated; a start that fails again and again must not fill the disk.
        if copy is not None:
            copy.unlink(missing_ok=True)
        if isinstance(error, sa.exc.DBAPIError) and isinstance(error.orig, sqlite3.Error):
            raise error.orig from error
        raise
    finally:
        engine.dispose()
    if copy is not None:
        report(
            f"Migrated {path} from schema {found} to {migrations.HEAD}. "
            f"What it was before is in {copy}: delete that when you no longer need it."
        )


def _copy_before_migration(path: Path, version: str) -> Path:
    """Copy the database into a new file next to it, for its owner only, named after its version and the time."""
    copy = path.with_name(f"{path.stem}-schema-{version}-{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}{path.suffix}")
    part = copy.with_name(f"{copy.name}.part")
    try:
        os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(connect(path)) as source, closing(sqlite3.connect(part)) as target:
            source.backup(target)
        part.replace(copy)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return copy


def _raise_store_error(error: sqlite3.Error) -> NoReturn:
    """Raise the error of the port that this is, or itself where it is a mistake of ours."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    if code is None:
        raise error
    if code in _UNIQUE_CODES:
        # As in "UNIQUE constraint failed: cards.board_id, cards.external_id".
        table, _, column = str(error).rpartition(" ")[2].partition(".")
        raise AlreadyExists(find_kind_by_column(table, column)) from error
    primary = code & 0xFF
    if primary in _BUSY_CODES:
        raise Busy(_BUSY_MESSAGE) from error
    if primary in _UNAVAILABLE_MESSAGES:
        raise Unavailable(_UNAVAILABLE_MESSAGES[primary]) from error
    raise error
