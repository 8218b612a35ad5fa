"""Fixtures for the tests of every folder."""

import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from stores import open_store
from tests.live_server import LiveServer

# In the background, a shell makes the tests ignore Ctrl-C, and every server that they start would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Run a server with an owner for all tests that only send requests to it."""
    with LiveServer(tmp_path_factory.mktemp("live")) as server:
        yield server
        assert server.stop() == (0, "Stopped.\n")
        assert not server.errors


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a new, migrated database file with a secret. Copying it is faster than migrating one for each test."""
    path = tmp_path_factory.mktemp("empty") / "tackboard.db"
    with closing(open_store(f"sqlite:///{path}")) as store:
        store.read_secret()
    return path
