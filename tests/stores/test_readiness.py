"""A store is ready only if it accepts writes, and the check changes no data."""

import os
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from kanban.store import Busy, Store, Unavailable
from stores import backup, open_store
from stores.sql import sqlite
from stores.sql import store as sql_store
from stores.sql.readiness import FRESH_SECONDS, MAX_BUSY_SECONDS, WriteReadiness
from tests.stores.world import World


class FakeClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    clock = FakeClock()
    monkeypatch.setattr(sql_store, "WriteReadiness", lambda: WriteReadiness(clock))
    return clock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tackboard.db"


@pytest.fixture
def store(path: Path, clock: FakeClock) -> Iterator[Store]:
    """Open a SQLite store whose last write is too old to prove that it accepts writes."""
    with closing(open_store(f"sqlite:///{path}")) as opened:
        opened.read_secret()
        clock.seconds += FRESH_SECONDS
        yield opened


def wal_path(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


@contextmanager
def limit_file_size(path: Path) -> Iterator[None]:
    """Limit the size of files to that of the database's log, as an exhausted quota would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (wal_path(path).stat().st_size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_store_is_ready_again_when_there_is_room_again(store: Store, path: Path) -> None:
    with limit_file_size(path):
        for _ in range(3):
            with pytest.raises(Unavailable):
                store.check_ready()

    store.check_ready()


def test_a_store_on_an_almost_full_disk_is_not_ready(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(open_store(f"sqlite:///{path}")) as store:
        World(store)
        disk = os.statvfs(path)
        monkeypatch.setattr(sqlite, "MIN_FREE_BYTES", disk.f_blocks * disk.f_frsize + 1)

        with pytest.raises(Unavailable, match="full"):
            store.check_ready()


def test_a_store_is_not_ready_right_after_a_write_failed(path: Path, clock: FakeClock) -> None:
    with closing(open_store(f"sqlite:///{path}")) as store:
        world = World(store)
        store.check_ready()
        with limit_file_size(path):
            with pytest.raises(Unavailable):
                world.add_card("Copy")
            with pytest.raises(Unavailable):
                store.check_ready()
        assert clock.seconds == 1_000.0


def test_a_store_whose_file_was_removed_or_replaced_is_not_ready(store: Store, path: Path) -> None:
    elsewhere = path.rename(path.with_name("elsewhere.db"))
    with pytest.raises(Unavailable, match="removed or replaced"):
        store.check_ready()
    path.write_bytes(b"")
    with pytest.raises(Unavailable, match="removed or replaced"):
        store.check_ready()

    elsewhere.rename(path)

    store.check_ready()


def test_the_check_changes_no_data(store: Store, path: Path, clock: FakeClock) -> None:
    before = backup.compute_digest(f"sqlite:///{path}")
    size = path.stat().st_size

    for _ in range(10):
        clock.seconds += FRESH_SECONDS
        store.check_ready()

    assert backup.compute_digest(f"sqlite:///{path}") == before
    assert path.stat().st_size == size


def test_frequent_checks_rarely_write(store: Store, path: Path, clock: FakeClock) -> None:
    sizes = []
    for _ in range(20):
        store.check_ready()
        sizes.append(wal_path(path).stat().st_size)
        clock.seconds += FRESH_SECONDS / 10

    assert len(set(sizes)) == 2


def test_the_check_does_not_write_right_after_a_write(path: Path, clock: FakeClock) -> None:
    del clock
    with closing(open_store(f"sqlite:///{path}")) as store:
        World(store)
        written = wal_path(path).stat().st_size

        store.check_ready()

        assert wal_path(path).stat().st_size == written


def test_a_store_is_ready_for_a_while_when_another_process_writes(store: Store, path: Path, clock: FakeClock) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        store.check_ready()
        clock.seconds += MAX_BUSY_SECONDS
        store.check_ready()
        clock.seconds += 1.0
        with pytest.raises(Busy):
            store.check_ready()
        other.execute("COMMIT")

        store.check_ready()
        other.execute("BEGIN IMMEDIATE")
        clock.seconds += FRESH_SECONDS
        store.check_ready()


def test_a_store_that_refused_a_write_is_not_ready_while_another_process_writes(store: Store, path: Path) -> None:
    with limit_file_size(path), pytest.raises(Unavailable):
        store.check_ready()

    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Busy):
            store.check_ready()
