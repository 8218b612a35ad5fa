"""The fixtures of the conformance suite, for every engine. A new engine needs one function and one line in ENGINES."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from kanban.store import Store
from stores import open_store
from tests.engines.dynamodb_server import dynoxide, list_dynamodb_engines, ministack
from tests.engines.dynamodb_wire import connect_wire, table_url, wire
from tests.engines.postgresql_server import postgresql, postgresql_data
from tests.stores.world import World

__all__ = ["connect_wire", "dynoxide", "ministack", "postgresql", "table_url", "wire"]

OpenStore = Callable[[], Store]


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create an empty database file once, to be copied: migrating one takes longer than most tests."""
    path = tmp_path_factory.mktemp("sqlite") / "empty.db"
    open_store(f"sqlite:///{path}").close()
    return path


@contextmanager
def open_sqlite_data(request: pytest.FixtureRequest) -> Iterator[OpenStore]:
    """Yield what opens a database file of this test. The log disappears with the last connection: none may leak."""
    path = request.getfixturevalue("tmp_path") / "tackboard.db"
    shutil.copy(request.getfixturevalue("empty_sqlite"), path)
    yield lambda: open_store(f"sqlite:///{path}")
    assert not path.with_name("tackboard.db-wal").exists()


ENGINES: dict[str, Callable[[pytest.FixtureRequest], AbstractContextManager[OpenStore]]] = {
    "sqlite": open_sqlite_data,
    "postgresql": postgresql_data,
    **list_dynamodb_engines(),
}


@pytest.fixture(params=ENGINES)
def open_again(request: pytest.FixtureRequest) -> Iterator[OpenStore]:
    """Return a function that opens the same data again each time, as another process would."""
    opened: list[Store] = []

    with ENGINES[request.param](request) as open_data:

        def opening() -> Store:
            store = open_data()
            opened.append(store)
            return store

        yield opening
        for store in opened:
            store.close()


@pytest.fixture
def store(open_again: OpenStore) -> Store:
    """Open a new store."""
    return open_again()


@pytest.fixture
def world(store: Store) -> World:
    """Create Ann and her board in a new store."""
    return World(store)
