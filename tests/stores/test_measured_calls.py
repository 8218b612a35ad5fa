"""What stores tell about each of their calls, and about their size."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import cast

import pytest

from kanban.store import Busy, Unavailable
from stores import open_store
from stores.sql.engine import Engine
from stores.sql.measured_engine import MeasuredEngine
from stores.sql.sqlite import SqliteEngine
from stores.sql.store import build_store
from tests.engines.dynamodb_server import create_table_url
from tests.engines.postgresql_server import PostgresqlServer
from tests.stores.world import World

Call = tuple[str, float, float]


@pytest.fixture(params=["sqlite", "postgresql", "dynamodb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the URL of an empty store."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/tackboard.db"
    elif request.param == "dynamodb":
        yield create_table_url(request.getfixturevalue("dynoxide"))
    else:
        server: PostgresqlServer = request.getfixturevalue("postgresql")
        with server.database() as database:
            yield server.url(database)


def test_each_call_is_reported_with_its_time(url: str) -> None:
    calls: list[Call] = []
    with closing(open_store(url, on_call=lambda *call: calls.append(call))) as store:
        world = World(store)
        calls.clear()

        world.read_board()
        reads = [kind for kind, _, _ in calls]
        calls.clear()
        world.add_card("Card")
        writes = [kind for kind, _, _ in calls]

    assert set(reads) <= {"read", "query", "get_item", "batch_get_item", "transact_get_items"}
    assert set(writes) & {"write", "transact_write_items"}
    assert all(0 <= waited <= seconds < 60 for _, seconds, waited in calls)


def test_a_store_tells_how_large_it_is(url: str) -> None:
    with closing(open_store(url)) as store:
        World(store)
        before = store.measure_size()
        assert before is None if url.startswith("dynamodb") else before is not None and before > 100_000


def test_a_store_whose_file_is_gone_has_no_size(tmp_path: Path) -> None:
    path = tmp_path / "tackboard.db"
    with closing(open_store(f"sqlite:///{path}")) as store:
        path.unlink()
        with pytest.raises(Unavailable):
            store.measure_size()


class SlowEngine:
    """An engine whose writes wait for three seconds and then take two, by a clock of its own."""

    dialect = supports_lateral = probe_statement = pipelines_reads = None

    def __init__(self) -> None:
        self.time = 100.0

    @contextmanager
    def begin_write(self, *, wait: bool) -> Iterator[None]:
        """Let five seconds pass."""
        assert wait
        self.time += 3
        yield
        self.time += 2


def test_the_wait_for_other_writers_is_a_part_of_the_time_of_a_write() -> None:
    engine = SlowEngine()
    calls: list[Call] = []
    measured = MeasuredEngine(cast("Engine", engine), lambda *call: calls.append(call), lambda: engine.time)

    with measured.begin_write():
        engine.time += 1

    assert calls == [("write", 6.0, 3.0)]


def test_a_write_that_gives_up_has_only_waited(tmp_path: Path) -> None:
    path = tmp_path / "tackboard.db"
    open_store(f"sqlite:///{path}").close()
    engine = SqliteEngine(path, busy_timeout=0)
    calls: list[Call] = []

    with closing(build_store(engine, lambda *call: calls.append(call))) as store:
        world = World(store)
        with engine.begin_write(), pytest.raises(Busy):
            world.add_card("Too early")

    kind, seconds, waited = calls[-1]
    assert (kind, seconds) == ("write", waited)
