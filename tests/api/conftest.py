"""The application on a fresh SQLite file, a clock that stands still until told otherwise, and someone to call it."""

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
    """A database file as the first start leaves it: making one takes longer than most tests."""
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
        random_bytes=random.Random(7).randbytes,  # noqa: S311 - the same secrets in every run are what a test wants.
        sleep=lambda _: None,
        open_signup=True,
        on_breach=breached,
    )


@pytest.fixture
def stranger(application: WsgiBridge) -> Client:
    """Someone without a token."""
    return Client(application)


@pytest.fixture
def mina(stranger: Client) -> Client:
    """Mina, signed up, with her first token."""
    return stranger.with_token(stranger.post("/users", {"id": "mina", "name": "Mina"}).json["token"])


@pytest.fixture
def omar(stranger: Client) -> Client:
    """Omar, signed up, a member of nothing."""
    return stranger.with_token(stranger.post("/users", {"id": "omar", "name": "Omar"}).json["token"])
