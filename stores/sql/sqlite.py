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
from stores.measured_calls import OnCall
from stores.sql import migrations
from stores.sql.engine import Transaction, find_constraint_by_column
from stores.sql.mapping import Row
from stores.sql.request_usage import SqliteUsage
from stores.sql.statement_cache import BoundStatement
from stores.sql.store import SqlStore, build_store

BUSY_TIMEOUT = 5.0
"""How many seconds a writer waits for other writers before Busy is raised."""

MIN_FREE_BYTES = 1024 * 1024
"""A disk with fewer free bytes counts as full. Small writes may still succeed, if the log was emptied just before."""

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
    on_call: OnCall | None = None,
) -> SqlStore:
    """Open the store in the file that the URL names; create or migrate it as the mode allows. Raises StoreOpenError.

    A file with an older schema is copied to another file next to it before it is migrated.
    """
    path = parse_path(url)
    prepare_file(path, mode=mode, report=report, busy_timeout=busy_timeout)
    return build_store(SqliteEngine(path, busy_timeout), on_call)


def prepare_file(
    path: Path,
    *,
    mode: OpenMode = OpenMode.CREATE,
    report: Callable[[str], None] = lambda _: None,
    busy_timeout: float = BUSY_TIMEOUT,
    keep_copy: bool = True,
) -> None:
    """Create or migrate the file to the current schema, as the mode allows. Raises StoreOpenError."""
    if sqlite3.sqlite_version_info < _MIN_VERSION:
        raise StoreNotUsable(f"Tackboard needs SQLite 3.37 or newer; this Python has {sqlite3.sqlite_version}.")
    try:
        if mode is OpenMode.CREATE:
            _create_file(path)
        elif not path.exists():
            raise StoreMissing(f"sqlite:///{path}")
        _ensure_usable(path)
        with closing(connect(path, busy_timeout)) as connection:
            version = _read_schema_version(connection, path)
            if version is None and mode is not OpenMode.CREATE:
                raise StoreMissing(f"sqlite:///{path}")
            is_old = migrations.is_upgrade_needed(str(path), version, mode)
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
        # The error for text that is not UTF-8 has no code.
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_NOTADB:
            raise NotTackboardDatabase(str(path)) from error
        raise StoreNotUsable(f"The database file {path} cannot be used: {error}.") from error


class _SqliteTransaction:
    """A writing transaction on one connection."""

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
    """A pool of connections to one file. A thread holds one while it reads or writes."""

    supports_lateral = False
    pipelines_reads = False
    # An UPDATE wouldn't do: SQLite writes nothing when the new value equals the old one.
    probe_statement: BoundStatement = ("PRAGMA user_version = 0", ())

    def __init__(self, path: Path, busy_timeout: float) -> None:
        self.dialect: sa.Dialect = sqlite.dialect()
        self._path = path
        self._busy_timeout = busy_timeout
        self._file_identity = _file_identity(path)
        self.request_usage = SqliteUsage(path)
        self._idle: deque[sqlite3.Connection] = deque()
        self._closed = False
        # SQLite's waiting writers poll the file; a lock wakes the next one at once, and is fairer.
        self._write_lock = threading.Lock()

    def read(self, statements: Sequence[BoundStatement], *, stop_if_first_empty: bool = False) -> list[list[Row]]:
        """Return the rows of each query, all from one snapshot.

        With `stop_if_first_empty`, run only the first query if it has no rows.
        """
        connection = self._acquire()
        # A single query sees one snapshot anyway.
        is_transaction = len(statements) > 1
        try:
            if is_transaction:
                connection.execute("BEGIN")
            results = [connection.execute(*statements[0]).fetchall()]
            if stop_if_first_empty and not results[0]:
                results += [[] for _ in statements[1:]]
            else:
                results += [connection.execute(*statement).fetchall() for statement in statements[1:]]
            if is_transaction:
                connection.execute("COMMIT")
        except sqlite3.Error as error:
            # Closing rolls back, whatever state the error left the connection in.
            connection.close()
            _raise_store_error(error)
        except BaseException:
            connection.rollback()
            self._release(connection)
            raise
        self._release(connection)
        return results

    @contextmanager
    def begin_write(self, *, wait: bool = True) -> Iterator[Transaction]:
        """Begin the only writing transaction of this process. Raises Busy."""
        if not self._write_lock.acquire(timeout=self._busy_timeout if wait else 0):
            raise Busy(_BUSY_MESSAGE)
        try:
            # A removed file can still be written while it is open, but what is acknowledged then would be lost.
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
                # Closing rolls back, whatever state the error left the connection in.
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
        """Raise Unavailable if the disk is full or the file has been removed."""
        try:
            disk = os.statvfs(self._path)
        except OSError as error:
            raise Unavailable(_FILE_REPLACED_MESSAGE) from error
        # Root may also use the blocks reserved for it.
        blocks = disk.f_bavail if os.geteuid() else disk.f_bfree
        if blocks * disk.f_frsize < MIN_FREE_BYTES:
            raise Unavailable(_DISK_FULL_MESSAGE)

    def measure_size(self) -> int:
        """Return how many bytes the file and its write-ahead log have. Raises Unavailable."""
        try:
            log_path = self._path.with_name(f"{self._path.name}-wal")
            return self._path.stat().st_size + (log_path.stat().st_size if log_path.exists() else 0)
        except OSError as error:
            raise Unavailable(_FILE_REPLACED_MESSAGE) from error

    def close(self) -> None:
        """Close the idle connections now, and those in use when they are released."""
        self._closed = True
        self.request_usage.close()
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
    """Return the absolute path of the file that a URL names. Raises InvalidStoreUrl."""
    try:
        parts = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError) as error:
        raise InvalidStoreUrl("STORE_URL is not a valid URL: it must be like sqlite:///tackboard.db.") from error
    if parts.drivername != "sqlite" or parts.host or parts.username or parts.query:
        raise InvalidStoreUrl("STORE_URL for SQLite holds a path and nothing else: sqlite:///tackboard.db.")
    if not parts.database or parts.database == ":memory:" or "\0" in parts.database:
        raise InvalidStoreUrl("STORE_URL for SQLite must name a file: sqlite:///tackboard.db.")
    # Absolute, because the program may change its working directory later.
    return Path(parts.database).absolute()


def _create_file(path: Path) -> None:
    """Create the file, unless it exists."""
    try:
        # SQLite would create it readable for other users, but it holds secrets.
        os.close(os.open(os.path.realpath(path), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return


def _ensure_usable(path: Path) -> None:
    """Raise OSError if the file is a folder or can't be read and written.

    The check doesn't open the file: closing it would release all locks that SQLite holds on it in this process (POSIX),
    and another program could then remove the log of an open store.
    """
    if stat.S_ISDIR(path.stat().st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not os.access(path, os.R_OK | os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def connect(path: Path, busy_timeout: float = BUSY_TIMEOUT, *, checks_references: bool = True) -> sqlite3.Connection:
    """Connect to an existing file. The caller begins and ends transactions, and may check references at the end."""
    # Mode rw never creates a file: one that has been removed must not come back empty.
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, check_same_thread=False
    )
    try:
        _set_busy_timeout(connection, busy_timeout)
        connection.execute(f"PRAGMA foreign_keys={'ON' if checks_references else 'OFF'}")
        connection.execute("PRAGMA synchronous=FULL")
        # Debian's SQLite does so by itself. Without it, erased text would stay in free pages of the file.
        connection.execute("PRAGMA secure_delete=ON")
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
    """Return the version of the schema in the file, None if it is empty. Raises NotTackboardDatabase."""
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
    """Switch the file to a write-ahead log, which it keeps from then on."""
    deadline = time.monotonic() + busy_timeout
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
        except sqlite3.OperationalError as error:
            # SQLite doesn't apply the busy timeout here when another process does the same.
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_RETRY_PAUSE)
            continue
        if mode != "wal":
            raise StoreNotUsable(f"The database file {path} is on a file system where SQLite cannot keep its log.")
        return


def _migrate(connection: sqlite3.Connection, path: Path, report: Callable[[str], None], *, keep_copy: bool) -> None:
    copy = None
    engine = sa.create_engine("sqlite://", creator=lambda: connection, poolclass=sa.StaticPool)
    try:
        with engine.begin() as sa_connection:
            # Two programs may open a new file at the same time: the second one finds the schema current.
            sa_connection.exec_driver_sql("BEGIN IMMEDIATE")
            version = _read_schema_version(connection, path)
            if not migrations.is_upgrade_needed(str(path), version, OpenMode.MIGRATE):
                return
            if version is not None and keep_copy:
                # The transaction has begun, so nobody can write between this copy and the migration.
                copy = _copy_before_migration(path, version)
            migrations.upgrade(sa_connection)
    except Exception as error:
        # Nothing was migrated, so the copy is useless; starts that fail repeatedly must not fill the disk.
        if copy is not None:
            copy.unlink(missing_ok=True)
        if isinstance(error, sa.exc.DBAPIError) and isinstance(error.orig, sqlite3.Error):
            raise error.orig from error
        raise
    finally:
        engine.dispose()
    if copy is not None:
        report(
            f"Migrated {path} from schema {version} to {migrations.HEAD}. "
            f"A copy of the old file is {copy}: delete it when you no longer need it."
        )


def _copy_before_migration(path: Path, version: str) -> Path:
    """Copy the database to a new file next to it, readable by its owner only, named after the schema and the time."""
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
    """Raise the matching error of the port, or the error itself where it is a defect of ours."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    if code is None:
        raise error
    if code in _UNIQUE_CODES:
        # As in "UNIQUE constraint failed: cards.board_id, cards.external_id".
        table, _, column = str(error).rpartition(" ")[2].partition(".")
        raise AlreadyExists(find_constraint_by_column(table, column)) from error
    primary = code & 0xFF
    if primary in _BUSY_CODES:
        raise Busy(_BUSY_MESSAGE) from error
    if primary in _UNAVAILABLE_MESSAGES:
        raise Unavailable(_UNAVAILABLE_MESSAGES[primary]) from error
    raise error
