"""How much of their limits callers have used: an unlogged table in PostgreSQL, a small file beside that of SQLite.

In SQLite's own file, these writes would wait for those of boards, and those for these.
"""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path

from kanban.request_usage import MAX_LEAD_SECONDS
from kanban.store import Busy, StaleRead, Unavailable
from stores.sql.engine import Transaction

_ATTEMPTS = 5
"""How often an addition is tried that others get ahead of."""
_FILE_SUFFIX = "-limits"
_FILE_BUSY_SECONDS = 0.05

_PRESENT_OR_ARRIVAL_TIME = (
    "CASE WHEN arrival_time > {now} AND arrival_time < {now} + {lead} THEN arrival_time ELSE {now} END"
)
_MICROSECONDS = 1_000_000
_LEAD = int(MAX_LEAD_SECONDS * _MICROSECONDS)

_POSTGRESQL_ADD = f"""
INSERT INTO request_usage AS present (key, arrival_time, reports) VALUES ($1, $2::bigint + $3::bigint, 1)
ON CONFLICT (key) DO UPDATE SET reports = present.reports + 1, arrival_time = $3::bigint +
    {_PRESENT_OR_ARRIVAL_TIME.replace("arrival_time", "present.arrival_time").format(now="$2::bigint", lead=_LEAD)}
RETURNING arrival_time, reports
"""  # noqa: S608 - only constants are put into it.
_POSTGRESQL_ERASE = "DELETE FROM request_usage WHERE arrival_time < $1::bigint"

_SQLITE_CREATE = """
CREATE TABLE IF NOT EXISTS request_usage (
    key TEXT NOT NULL PRIMARY KEY, arrival_time INTEGER NOT NULL, reports INTEGER NOT NULL
) STRICT, WITHOUT ROWID
"""
_SQLITE_ADD = f"""
INSERT INTO request_usage (key, arrival_time, reports) VALUES (:key, :now + :used, 1)
ON CONFLICT (key) DO UPDATE SET reports = reports + 1, arrival_time = :used +
    {_PRESENT_OR_ARRIVAL_TIME.format(now=":now", lead=_LEAD)}
RETURNING arrival_time, reports
"""  # noqa: S608 - as above.
_SQLITE_ERASE = "DELETE FROM request_usage WHERE arrival_time < :before"


class PostgresUsage:
    """A `kanban.request_usage.UsageStore` in a table. Threads may share it."""

    def __init__(self, begin_write: Callable[[], AbstractContextManager[Transaction]]) -> None:
        self._begin_write = begin_write

    def add_usage(self, key: str, seconds: float, now: float) -> tuple[float, int]:
        parameters = (key, _to_microseconds(now), _to_microseconds(seconds))
        for _ in range(_ATTEMPTS):
            # Another process may have written the row since the transaction began.
            with suppress(StaleRead):
                with self._begin_write() as transaction:
                    ((arrival_time, reports),) = transaction.query((_POSTGRESQL_ADD, parameters))
                return arrival_time / _MICROSECONDS, reports
        raise Busy("Others kept the usage of a caller for too long.")

    def erase_usage(self, before: float) -> None:
        # What another process writes meanwhile is erased the next time.
        with suppress(StaleRead), self._begin_write() as transaction:
            transaction.execute((_POSTGRESQL_ERASE, (_to_microseconds(before),)))


class SqliteUsage:
    """A `kanban.request_usage.UsageStore` in a file of its own, which appears with the first addition.

    Threads may share it. A file that is damaged or removed is created anew: it may be lost at any time.
    """

    def __init__(self, store_path: Path) -> None:
        self._path = store_path.with_name(f"{store_path.name}{_FILE_SUFFIX}")
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def add_usage(self, key: str, seconds: float, now: float) -> tuple[float, int]:
        parameters = {"key": key, "now": _to_microseconds(now), "used": _to_microseconds(seconds)}
        with self._use_connection() as connection:
            ((arrival_time, reports),) = connection.execute(_SQLITE_ADD, parameters).fetchall()
        return arrival_time / _MICROSECONDS, reports

    def erase_usage(self, before: float) -> None:
        with self._use_connection() as connection:
            connection.execute(_SQLITE_ERASE, {"before": _to_microseconds(before)})

    def close(self) -> None:
        """Close the connection. Later operations open it again."""
        with self._lock:
            self._disconnect()

    @contextmanager
    def _use_connection(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection, and connect before if there is none. Raises Unavailable."""
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._connect()
                yield self._connection
            except sqlite3.Error as error:
                self._disconnect()
                if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                    for suffix in ("", "-wal", "-shm"):
                        self._path.with_name(f"{self._path.name}{suffix}").unlink(missing_ok=True)
                raise Unavailable("The file of limits can't be used.") from error
            except OSError as error:
                raise Unavailable("The file of limits can't be created.") from error

    def _connect(self) -> sqlite3.Connection:
        # SQLite would create it readable for other users, but the keys are user ids and addresses.
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(
            self._path, timeout=_FILE_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            # After a crash of the machine the file may be damaged, and nobody waits for the disk.
            connection.execute("PRAGMA synchronous=OFF")
            connection.execute(_SQLITE_CREATE)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            with closing(self._connection):
                self._connection = None


def _to_microseconds(seconds: float) -> int:
    return round(seconds * _MICROSECONDS)
