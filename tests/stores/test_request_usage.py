"""How much of their limits callers have used: what processes share, the same on every engine."""

import sqlite3
import time
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from random import Random

import pytest

from app.usage_reports import UsageReports
from contract.rate_limit import RateLimiter
from kanban.request_usage import MAX_LEAD_SECONDS, UsageStore
from kanban.store import Busy, Unavailable
from stores import open_store
from stores.backup import compute_digest, create_backup
from tests.engines.dynamodb_wire import Wire, drop_connection
from tests.engines.postgresql_server import postgresql_data
from tests.stores.conftest import OpenStore
from tests.stores.test_races import run_concurrently

NOW = 1_800_000_000.0


@pytest.fixture
def usage(open_again: OpenStore) -> UsageStore:
    return open_again().request_usage


def add_by_definition(known: dict[str, tuple[float, int]], key: str, seconds: float, now: float) -> tuple[float, int]:
    """Do what the port says."""
    arrival_time, reports = known.get(key, (0.0, 0))
    start = arrival_time if now < arrival_time < now + MAX_LEAD_SECONDS else now
    known[key] = (start + seconds, reports + 1)
    return known[key]


def test_usage_is_added_to_the_arrival_time_or_to_the_present(usage: UsageStore) -> None:
    assert usage.add_usage("u:mina", 2.5, NOW) == (NOW + 2.5, 1)
    assert usage.add_usage("u:mina", 0.02, NOW + 1) == (NOW + 2.52, 2)
    assert usage.add_usage("u:mina", 1.0, NOW + 60) == (NOW + 61, 3)
    assert usage.add_usage("u:omar", 1.0, NOW) == (NOW + 1, 1)


def test_an_arrival_time_of_a_wrong_clock_is_replaced(usage: UsageStore) -> None:
    usage.add_usage("u:mina", 1.0, NOW + 3_600)

    assert usage.add_usage("u:mina", 1.0, NOW) == (NOW + 1, 2)


def test_any_sequence_is_answered_as_the_port_says(open_again: OpenStore) -> None:
    random = Random(7)  # noqa: S311 - a test repeats the same sequence.
    processes = [open_again().request_usage for _ in range(2)]
    known: dict[str, tuple[float, int]] = {}
    now = NOW
    for _ in range(60):
        now += random.choice([0, 0, 0.5, 10, 61, 200, -300, -MAX_LEAD_SECONDS])
        key, seconds = random.choice(["u:mina", "a:2001:db8::/64"]), random.choice([0.00006, 1, 60, MAX_LEAD_SECONDS])
        added = random.choice(processes).add_usage(key, seconds, now)
        assert added == pytest.approx(add_by_definition(known, key, seconds, now), abs=1e-4)


def test_processes_that_add_at_once_lose_nothing(open_again: OpenStore) -> None:
    processes = [open_again().request_usage for _ in range(4)]

    def add_ten_times(number: int) -> int:
        added = 0
        for _ in range(10):
            with suppress(Busy):
                processes[number].add_usage("u:mina", 1.0, NOW)
                added += 1
        return added

    added = sum(run_concurrently(4, add_ten_times))

    assert added >= 30
    assert processes[0].add_usage("u:mina", 0.0, NOW) == (NOW + added, added + 1)


@pytest.mark.parametrize("share_of_first", [0.5, 0.95])
def test_two_processes_exceed_a_limit_by_less_than_a_tenth(open_again: OpenStore, share_of_first: float) -> None:
    now = [NOW]
    random = Random(7)  # noqa: S311 - as above.
    first, second = (
        RateLimiter(
            300,
            lambda: now[0],
            partial(UsageReports(open_again().request_usage, lambda: now[0], lambda job: job()).report, "user"),
        )
        for _ in range(2)
    )
    admitted = 0
    for _ in range(900):
        now[0] += 0.05
        admitted += not (first if random.random() < share_of_first else second).acquire("mina")

    # 45 seconds have passed.
    assert 300 * 1.7 <= admitted <= 300 * 1.1 * 1.75


def test_what_is_past_is_erased(usage: UsageStore) -> None:
    usage.add_usage("u:mina", 1.0, NOW)
    usage.add_usage("u:omar", 90.0, NOW)

    usage.erase_usage(NOW + 60)

    assert usage.add_usage("u:omar", 1.0, NOW + 60) == (NOW + 91, 2)
    assert usage.add_usage("u:mina", 1.0, NOW + 60)[0] == NOW + 61


def test_neither_backup_nor_digest_has_usage(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/tackboard.db"
    with closing(open_store(url)) as store:
        store.request_usage.add_usage("u:mina", 1.0, NOW)
        before = compute_digest(url)
        store.request_usage.add_usage("u:mina", 1.0, NOW)
        assert compute_digest(url) == before == create_backup(url, tmp_path / "backup.db")
    with postgresql_data(request) as open_data, closing(open_data()) as store:
        store.request_usage.add_usage("u:mina", 1.0, NOW)


@pytest.fixture
def sqlite_file(tmp_path: Path) -> Path:
    return tmp_path / "tackboard.db-limits"


def test_the_file_of_limits_appears_when_it_is_needed_and_is_private(tmp_path: Path, sqlite_file: Path) -> None:
    with closing(open_store(f"sqlite:///{tmp_path}/tackboard.db")) as store:
        assert not sqlite_file.exists()
        store.request_usage.add_usage("u:mina", 1.0, NOW)
        assert sqlite_file.stat().st_mode & 0o777 == 0o600
    assert {path.name for path in tmp_path.iterdir()} == {"tackboard.db", "tackboard.db-limits"}


def test_a_damaged_file_of_limits_is_made_anew(tmp_path: Path, sqlite_file: Path) -> None:
    sqlite_file.write_bytes(b"This is no database. " * 1_000)
    with closing(open_store(f"sqlite:///{tmp_path}/tackboard.db")) as store:
        with pytest.raises(Unavailable):
            store.request_usage.add_usage("u:mina", 1.0, NOW)

        assert store.request_usage.add_usage("u:mina", 1.0, NOW) == (NOW + 1, 1)


def test_a_writer_of_boards_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "tackboard.db"
    with closing(open_store(f"sqlite:///{path}")) as store, closing(sqlite3.connect(path)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        before = time.monotonic()
        store.request_usage.add_usage("u:mina", 1.0, NOW)
        assert time.monotonic() - before < 4


def test_the_file_of_limits_is_not_waited_for_long(tmp_path: Path, sqlite_file: Path) -> None:
    with closing(open_store(f"sqlite:///{tmp_path}/tackboard.db")) as store:
        store.request_usage.add_usage("u:mina", 1.0, NOW)
        with closing(sqlite3.connect(sqlite_file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Unavailable):
                store.request_usage.add_usage("u:mina", 1.0, NOW)
        assert store.request_usage.add_usage("u:mina", 1.0, NOW) == (NOW + 2, 2)


def test_dynamodb_is_called_once_for_a_known_caller(wire: Wire) -> None:
    usage = wire.store.request_usage
    calls = []
    for now in (NOW, NOW + 0.5, NOW + 1.5, NOW + 60, NOW + 60.1):
        wire.operations.clear()
        usage.add_usage("u:mina", 1.0, now)
        calls.append(len(wire.operations))

    assert calls == [1, 1, 1, 1, 1]
    assert {"expires", "arrival_time", "reports", "pk", "sk"} == set(wire.read_item("L"))


def test_dynamodb_is_called_twice_if_another_process_was_first(wire: Wire) -> None:
    wire.store.request_usage.add_usage("u:mina", 9.0, NOW)
    with closing(open_store(f"dynamodb://{wire.table}?endpoint={wire.address}")) as other:
        assert other.request_usage.add_usage("u:mina", 1.0, NOW) == (NOW + 10, 2)


def test_a_call_of_dynamodb_that_fails_is_not_repeated(wire: Wire) -> None:
    wire.faults["UpdateItem"] = iter([drop_connection])
    wire.operations.clear()

    with pytest.raises(Unavailable):
        wire.store.request_usage.add_usage("u:mina", 1.0, NOW)

    assert (wire.operations, wire.elapsed) == (["UpdateItem"], 0.0)
