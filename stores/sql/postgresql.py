"""PostgreSQL: one server for any number of processes, each with one connection for every active thread."""

import getpass
import os
import re
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import errors
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.conninfo import make_conninfo
from psycopg.types.string import TextLoader
from sqlalchemy.dialects import registry

from kanban.store import AlreadyExists, Busy, StaleRead, StoreError, Unavailable
from stores.errors import InvalidStoreUrl, NotTackboardDatabase, OpenMode, StoreMissing, StoreNotUsable
from stores.measured_calls import OnCall
from stores.sql import migrations
from stores.sql.engine import Transaction, find_constraint_by_name
from stores.sql.mapping import Row
from stores.sql.postgresql_pipeline import Pipeline
from stores.sql.request_usage import PostgresUsage
from stores.sql.statement_cache import BoundStatement
from stores.sql.store import SqlStore, build_store

TIMEOUT = 5.0
"""The most seconds that a statement may take, a statement waits for a lock, or a thread waits for a connection."""

MAX_CONNECTIONS = 16
"""The most connections that a process opens. A thread holds one while it reads or writes."""

_MIN_SERVER_VERSION = 140_000
_MIGRATION_LOCK_TIMEOUT = 60

_EXAMPLE_URL = "postgresql+psycopg://user:password@host:5432/database"

_DEFAULT_OPTIONS = {
    "application_name": "tackboard",
    "connect_timeout": "3",
    # A server that has disappeared is noticed within seconds, on idle connections and while data are being sent.
    "keepalives_idle": "10",
    "keepalives_interval": "3",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}

SESSION_SETTINGS = """
SET default_transaction_isolation = 'repeatable read';
SET statement_timeout = '{timeout}ms';
SET lock_timeout = '{timeout}ms';
SET idle_in_transaction_session_timeout = '10s';
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET jit = off;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
"""
"""What each session begins with.

Every query has an index for all that it joins and for the order of its rows. A planner that scans or collects rows
first does so because of statistics that are old, or that are right for most boards and wrong for this one.
"""

# The tables of the schema in which new ones would be created, except those of extensions.
_SELECT_TABLE_NAMES = """
SELECT relname FROM pg_class AS t
WHERE relkind IN ('r', 'p')
    AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
    AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = t.oid AND deptype = 'e')
"""

_BUSY_MESSAGE = "Others kept the database for too long."

_CONNECT_ERROR_MESSAGES = {
    "failed to resolve host": "There is no host '{host}': check STORE_URL.",
    "timeout expired": "No PostgreSQL answers at {where} in time: check the host and port in STORE_URL.",
    "Connection refused": "No PostgreSQL runs at {where}: start it, or check the host and port in STORE_URL.",
    "No such file or directory": "No PostgreSQL runs at {where}: start it, or check the host in STORE_URL.",
    "password authentication failed|no password supplied": (
        "PostgreSQL at {where} does not take the password of the user '{user}': check STORE_URL."
    ),
    'role ".*" does not exist': (
        "PostgreSQL at {where} has no user '{user}': make one with createuser, or check STORE_URL."
    ),
    'database ".*" does not exist': (
        "PostgreSQL at {where} has no database '{database}': make it with createdb, or check STORE_URL."
    ),
    "too many|connection slots": "PostgreSQL at {where} has no connection left: raise its max_connections.",
}
"""By a pattern in the message of a failure to connect (it has no code): what a person can do."""

_UNAVAILABLE_MESSAGES = {
    "08": "The connection to the database server was lost.",
    "25": "The database server takes no writes.",
    "42501": "The user of the database may not do this.",
    "53": "The database server has no room or memory left.",
    "57": "The database server is being stopped or started.",
    "58": "The database server cannot read or write its files.",
    "XX": "The database server found its data damaged.",
}
"""By SQLSTATE, or by its class: https://www.postgresql.org/docs/current/errcodes-appendix.html."""


class _TimestampLoader(Loader):
    """Loads a timestamp as the text that SQLite stores and responses show: '2026-11-20T14:00:00Z'."""

    def load(self, data: Buffer) -> str:
        """Return the text of what the server sends: '2026-11-20 14:00:00+00'."""
        text = str(data, "ascii")
        return f"{text[:10]}T{text[11:19]}Z"


def open_postgresql(
    url: str,
    *,
    mode: OpenMode = OpenMode.CREATE,
    report: Callable[[str], None] = lambda _: None,
    timeout: float = TIMEOUT,
    on_call: OnCall | None = None,
    backup_folder: Path | None = None,
) -> SqlStore:
    """Open the store in the database that the URL names; create or migrate it as the mode allows.

    With a folder, an older database is backed up there before it is migrated. Raises StoreOpenError.
    """
    options = _parse_options(url)
    location = f"The database '{options['dbname']}' at {_format_host(options)}"
    try:
        conninfo = make_conninfo(**options)
    except psycopg.ProgrammingError:
        # The cause isn't chained: its message quotes the option, which may be a part of a password.
        raise InvalidStoreUrl("STORE_URL has an option that libpq does not know.") from None
    try:
        connection = psycopg.connect(conninfo)
    except psycopg.OperationalError as error:
        # The cause isn't chained: its attributes, which loggers may print, hold the password.
        raise StoreNotUsable(_explain_connect_error(error, options)) from None
    with closing(connection):
        user = connection.info.user
        try:
            _ensure_usable(connection, location)
            version = _read_schema_version(connection, location)
            if version is None and mode is not OpenMode.CREATE:
                raise StoreMissing(_format_url(options))
            if migrations.is_upgrade_needed(location, version, mode):
                connection.rollback()
                back_up = partial(_back_up, url, backup_folder) if backup_folder else None
                _migrate(connection, location, report, back_up)
        except errors.InsufficientPrivilege as error:
            raise StoreNotUsable(
                f"{location} does not let the user '{user}' keep tables: make that user its owner."
            ) from error
        except psycopg.Error as error:
            raise StoreNotUsable(f"{location} cannot be used: {error.diag.message_primary or error}.") from error
    return build_store(PostgresEngine(conninfo, timeout), on_call)


class PostgresEngine:
    """A pool of connections to one database. A thread holds one while it reads or writes.

    A broken connection is never used again: the call that holds it fails, and the next call connects anew. So the store
    works again as soon as the server does.
    """

    supports_lateral = True
    pipelines_reads = True
    probe_statement: BoundStatement = ("UPDATE settings SET value = value WHERE name = 'secret'", ())

    def __init__(self, conninfo: str, timeout: float) -> None:
        """Take a connection string for libpq, and the timeout in seconds."""
        self.dialect: sa.Dialect = registry.load("postgresql.psycopg")(paramstyle="numeric_dollar")
        self._conninfo = conninfo
        self._timeout = timeout
        self._idle: deque[Pipeline] = deque()
        self._free_connections = threading.Semaphore(MAX_CONNECTIONS)
        self._process = os.getpid()
        self._closed = False
        self.request_usage = PostgresUsage(self.begin_write)

    def read(self, statements: Sequence[BoundStatement], *, stop_if_first_empty: bool = False) -> list[list[Row]]:
        """Return the rows of each query, all from one snapshot, in one round trip."""
        # Waiting for the first result would cost another round trip.
        del stop_if_first_empty
        try:
            with self._use_pipeline() as pipeline:
                for statement in statements:
                    pipeline.send(*statement)
                return [pipeline.load_rows(result) for result in pipeline.finish()]
        except StaleRead as error:
            # Only a migration can conflict with a reader.
            raise Busy(_BUSY_MESSAGE) from error

    @contextmanager
    def begin_write(self, *, wait: bool = True) -> Iterator[Transaction]:
        """Begin a transaction that takes one round trip, unless it queries rows in between. Raises Busy."""
        with self._use_pipeline(wait=wait) as pipeline:
            if not wait:
                pipeline.send("SELECT set_config('lock_timeout', '1', true)", ())
            yield _PostgresTransaction(pipeline)
            pipeline.finish()

    def ensure_disk_space(self) -> None:
        """Do nothing: only the server can see its disk."""

    def measure_size(self) -> int:
        """Return how many bytes the database takes up on the server's disk. Raises Busy."""
        (((size,),),) = self.read((("SELECT pg_database_size(current_database())", ()),))
        return int(size)

    def close(self) -> None:
        """Close the idle connections now, and those in use when they are released."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def _use_pipeline(self, *, wait: bool = True) -> Iterator[Pipeline]:
        if not self._free_connections.acquire(timeout=self._timeout if wait else 0):
            raise Busy("All connections to the database are in use.")
        try:
            pipeline = self._acquire()
            try:
                yield pipeline
            except psycopg.Error as error:
                store_error = _store_error_from(error)
                if store_error is None:
                    raise
                if isinstance(store_error, Unavailable):
                    pipeline.close()
                raise store_error from error
            finally:
                self._release(pipeline)
        finally:
            self._free_connections.release()

    def _acquire(self) -> Pipeline:
        if self._closed:
            raise Unavailable("The store has been closed.")
        if self._process != os.getpid():
            # After a fork (a web server that loads the program first), the connections are the parent's.
            self._process, self._idle = os.getpid(), deque()
        while True:
            try:
                pipeline = self._idle.pop()
            except IndexError:
                return self._connect()
            if pipeline.is_quiet():
                return pipeline
            # The server has ended the connection while it was idle.
            pipeline.close()

    def _connect(self) -> Pipeline:
        try:
            connection = psycopg.connect(self._conninfo, autocommit=True)
        except psycopg.OperationalError:
            # The cause isn't chained: its attributes, which loggers may print, hold the password.
            raise Unavailable("The database server cannot be reached.") from None
        try:
            connection.execute(SESSION_SETTINGS.format(timeout=int(self._timeout * 1000)).encode())
            # Timestamps and documents stay text: stores.sql.mapping parses them.
            connection.adapters.register_loader("timestamptz", _TimestampLoader)
            connection.adapters.register_loader("jsonb", TextLoader)
            return Pipeline(connection)
        except psycopg.Error as error:
            connection.close()
            raise _store_error_from(error) or error from None

    def _release(self, pipeline: Pipeline) -> None:
        if self._closed or not pipeline.is_clean():
            # Closing rolls back, whatever state an error left the connection in.
            pipeline.close()
        else:
            self._idle.append(pipeline)


class _PostgresTransaction:
    """A writing transaction that doesn't wait: a failure stops the pipeline on the server and is raised at the end."""

    __slots__ = ("_pipeline",)

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def execute(self, statement: BoundStatement) -> None:
        self._pipeline.send(*statement)

    def write_one(self, statement: BoundStatement) -> None:
        text, parameters = statement
        self._pipeline.send(_fail_when_stale(text), parameters)

    def query(self, statement: BoundStatement) -> list[Row]:
        self._pipeline.send(*statement)
        return self._pipeline.load_rows(self._pipeline.receive()[-1])


@cache
def _fail_when_stale(text: str) -> str:
    """Return the statement, made to fail (division by zero) unless it writes a row.

    The statements sent after it must not be executed then, nor wait for locks.
    """
    return f"WITH changed AS ({text} RETURNING 1) SELECT 1 / count(*) AS fails_when_stale FROM changed"  # noqa: S608  (statements of ours)


# Opening


def _parse_options(url: str) -> dict[str, str]:
    """Return the parts of the URL under libpq's names. Raises InvalidStoreUrl."""
    try:
        # A shell can pass bytes that are no valid text, which could not be sent.
        parts = sa.make_url(url.encode().decode())
    except (sa.exc.ArgumentError, ValueError):
        # The cause isn't chained: it may quote a part of the password.
        raise InvalidStoreUrl(f"STORE_URL is not a valid URL: it must be like {_EXAMPLE_URL}.") from None
    if parts.drivername != "postgresql+psycopg" or not parts.database:
        raise InvalidStoreUrl(f"STORE_URL for PostgreSQL must name a database: {_EXAMPLE_URL}.")
    if "@" in (parts.host or ""):
        raise InvalidStoreUrl("STORE_URL has more than one '@': write one in a password as %40.")
    query = {name: value if isinstance(value, str) else ",".join(value) for name, value in parts.query.items()}
    from_url = {
        "host": parts.host,
        "port": str(parts.port) if parts.port else None,
        "user": parts.username,
        "password": str(parts.password) if parts.password else None,
        "dbname": parts.database,
    }
    present = {name: value for name, value in from_url.items() if value}
    return {**_DEFAULT_OPTIONS, **query, **present, "client_encoding": "UTF8"}


def _format_url(options: dict[str, str]) -> str:
    """Return the URL without its password, and without options, one of which may be a password too."""
    host, port = options.get("host", ""), options.get("port", "")
    return sa.URL.create(
        "postgresql+psycopg",
        username=options.get("user"),
        host=None if "/" in host else host,
        port=int(port) if port.isascii() and port.isdigit() else None,
        database=options["dbname"],
    ).render_as_string()


def _format_host(options: dict[str, str]) -> str:
    host = options.get("host", "the local socket")
    return f"{host}:{options.get('port', '5432')}" if "/" not in host and " " not in host else host


def _explain_connect_error(error: psycopg.Error, options: dict[str, str]) -> str:
    """Return a sentence that says why the server could not be reached, and what to do."""
    where, message = _format_host(options), str(error)
    for pattern, sentence in _CONNECT_ERROR_MESSAGES.items():
        if re.search(pattern, message):
            user = options.get("user") or getpass.getuser()
            return sentence.format(where=where, host=options.get("host"), user=user, database=options["dbname"])
    reason = message.splitlines()[0].rpartition("failed: ")[2].removeprefix("FATAL:  ")
    return f"PostgreSQL at {where} cannot be used: {reason}."


def _ensure_usable(connection: psycopg.Connection[Any], location: str) -> None:
    """Raise StoreNotUsable if the server is too old, read-only or without a schema, or the database isn't UTF-8."""
    if connection.info.server_version < _MIN_SERVER_VERSION:
        raise StoreNotUsable(
            f"Tackboard needs PostgreSQL 14 or newer: {location} has {connection.info.server_version // 10_000}."
        )
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise StoreNotUsable(
            f"{location} keeps text as {encoding}: make one with createdb --encoding=UTF8 --template=template0."
        )
    for is_read_only, schema in connection.execute("SELECT current_setting('transaction_read_only'), current_schema()"):
        if is_read_only == "on":
            raise StoreNotUsable(f"{location} takes no writes: let STORE_URL name the primary server.")
        if schema is None:
            raise StoreNotUsable(f"{location} has no schema to put tables in: make the one that its search_path names.")


def _read_schema_version(connection: psycopg.Connection[Any], location: str) -> str | None:
    """Return the version of the schema in the database, None if it is empty. Raises NotTackboardDatabase."""
    tables = {name for (name,) in connection.execute(_SELECT_TABLE_NAMES)}
    if not tables:
        return None
    if migrations.VERSION_TABLE not in tables:
        raise NotTackboardDatabase(location)
    versions = connection.execute(f"SELECT version_num FROM {migrations.VERSION_TABLE}").fetchall()  # noqa: S608  (a constant)
    if len(versions) != 1:
        raise NotTackboardDatabase(location)
    return str(versions[0][0])


def _back_up(url: str, folder: Path, version: str) -> Path:
    from stores.earlier_backup import create_earlier_backup  # noqa: PLC0415  (most starts migrate nothing)

    return create_earlier_backup(url, version, folder, datetime.now(UTC))


def _migrate(
    connection: psycopg.Connection[Any],
    location: str,
    report: Callable[[str], None],
    back_up: Callable[[str], Path] | None,
) -> None:
    backup: Path | None = None
    engine = sa.create_engine("postgresql+psycopg://", creator=lambda: connection, poolclass=sa.StaticPool)
    try:
        with engine.begin() as sa_connection:
            # Two programs may open the same database at the same time: the second one finds the schema current.
            sa_connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_MIGRATION_LOCK_TIMEOUT}s'")
            sa_connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtextextended('tackboard', 0))")
            version = _read_schema_version(connection, location)
            if not migrations.is_upgrade_needed(location, version, OpenMode.MIGRATE):
                return
            # A snapshot of another transaction: this one has waited for others, and sees what they did.
            backup = back_up(version) if back_up and version is not None else None
            migrations.upgrade(sa_connection)
    except Exception as error:
        # Nothing was migrated, so the backup is useless; starts that fail repeatedly must not fill the disk.
        if backup is not None:
            backup.unlink(missing_ok=True)
        if isinstance(error, sa.exc.DBAPIError) and isinstance(error.orig, psycopg.Error):
            raise error.orig from error
        raise
    finally:
        engine.dispose()
    if version is not None:
        copy = (
            f"A backup of the old data is {backup}: delete it when you no longer need it."
            if backup
            else "No copy of it was made: to go back, restore a backup that you made before."
        )
        report(f"Migrated {location[0].lower()}{location[1:]} from schema {version} to {migrations.HEAD}. {copy}")


# Errors


def _store_error_from(error: psycopg.Error) -> StoreError | None:
    """Return the matching error of the port, None where the error is a defect of ours."""
    if isinstance(error, errors.DivisionByZero | errors.SerializationFailure | errors.DeadlockDetected):
        # Another writer was first. `_fail_when_stale` explains the division.
        return StaleRead()
    if isinstance(error, errors.UniqueViolation) and error.diag.constraint_name:
        return AlreadyExists(find_constraint_by_name(error.diag.constraint_name))
    if isinstance(error, errors.LockNotAvailable | errors.QueryCanceled | errors.TooManyConnections):
        return Busy(_BUSY_MESSAGE)
    code = error.sqlstate or ""
    message = _UNAVAILABLE_MESSAGES.get(code) or _UNAVAILABLE_MESSAGES.get(code[:2])
    if message is None and not code and isinstance(error, psycopg.OperationalError):
        message = _UNAVAILABLE_MESSAGES["08"]
    return Unavailable(message) if message else None
