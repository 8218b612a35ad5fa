"""The application on a new SQLite file with a manual clock, and clients that call it."""

import random
import shutil
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import pytest

from app.factory import create_app
from contract.responses import ContractBreach
from contract.wsgi_application import WsgiApplication
from kanban.store import Store
from stores import open_store
from tests.api.client import Client
from tests.api.manual_clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(tmp_path: Path, empty_database: Path) -> Iterator[Store]:
    shutil.copy(empty_database, tmp_path / "tackboard.db")
    opened = open_store(f"sqlite:///{tmp_path}/tackboard.db")
    yield opened
    opened.close()


class CurrentTest:
    """What the application uses in the test that runs. Building an application takes longer than most tests."""

    store: Store
    clock: ManualClock
    random: random.Random

    def __getattr__(self, name: str) -> Any:
        """Return a method of the test's store, so that the application takes this for a store."""
        return getattr(self.store, name)

    def now(self) -> datetime:
        """Return the time of the test's clock."""
        return self.clock()

    def random_bytes(self, count: int) -> bytes:
        """Return random bytes of the test's generator."""
        return self.random.randbytes(count)


@pytest.fixture(scope="session")
def current_test() -> CurrentTest:
    return CurrentTest()


@pytest.fixture(scope="session")
def shared_application(current_test: CurrentTest, empty_database: Path) -> WsgiApplication:
    """Build the application once. Its only state is in its store, its clock and its generator of random bytes."""

    def raise_breach(breach: ContractBreach) -> None:
        raise AssertionError(breach)

    # The application reads the secret of the store here. All stores are copies of this one, and have the same secret.
    with closing(open_store(f"sqlite:///{empty_database}")) as current_test.store:
        return create_app(
            cast("Store", current_test),
            clock=current_test.now,
            random_bytes=current_test.random_bytes,
            sleep=lambda _: None,
            open_signup=True,
            on_breach=raise_breach,
        )


@pytest.fixture
def application(
    shared_application: WsgiApplication, current_test: CurrentTest, store: Store, clock: ManualClock
) -> WsgiApplication:
    current_test.store = store
    current_test.clock = clock
    current_test.random = random.Random(7)  # noqa: S311 - tests need the same secrets in every run.
    return shared_application


@pytest.fixture
def anonymous(application: WsgiApplication) -> Client:
    """Return a client without a token."""
    return Client(application)


@pytest.fixture
def mina(anonymous: Client) -> Client:
    """Return a client of Mina, who has signed up."""
    return anonymous.with_token(anonymous.post("/users", {"id": "mina", "name": "Mina"}).json["token"])


@pytest.fixture
def omar(anonymous: Client) -> Client:
    """Return a client of Omar, who has signed up and is no member of any board."""
    return anonymous.with_token(anonymous.post("/users", {"id": "omar", "name": "Omar"}).json["token"])
