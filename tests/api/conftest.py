"""The application on a new SQLite file with a manual clock, and clients that call it."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.factory import create_app
from contract.bridge import WsgiBridge
from contract.responses import ContractBreach
from kanban.store import Store
from stores import open_store
from tests.api.client import Client
from tests.api.manual_clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a new, migrated database file. Copying it is faster than migrating one for each test."""
    path = tmp_path_factory.mktemp("empty") / "tackboard.db"
    open_store(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def store(tmp_path: Path, empty_database: Path) -> Iterator[Store]:
    shutil.copy(empty_database, tmp_path / "tackboard.db")
    opened = open_store(f"sqlite:///{tmp_path}/tackboard.db")
    yield opened
    opened.close()


@pytest.fixture
def application(store: Store, clock: ManualClock) -> WsgiBridge:
    def breached(breach: ContractBreach) -> None:
        raise AssertionError(breach)

    return create_app(
        store,
        clock=clock,
        random_bytes=random.Random(7).randbytes,  # noqa: S311 - tests need the same secrets in every run.
        sleep=lambda _: None,
        open_signup=True,
        on_breach=breached,
    )


@pytest.fixture
def stranger(application: WsgiBridge) -> Client:
    """Return a client without a token."""
    return Client(application)


@pytest.fixture
def mina(stranger: Client) -> Client:
    """Return a client of Mina, who has signed up."""
    return stranger.with_token(stranger.post("/users", {"id": "mina", "name": "Mina"}).json["token"])


@pytest.fixture
def omar(stranger: Client) -> Client:
    """Return a client of Omar, who has signed up and is no member of any board."""
    return stranger.with_token(stranger.post("/users", {"id": "omar", "name": "Omar"}).json["token"])
