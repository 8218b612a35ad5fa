"""Fixtures for the tests of every folder."""

import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from stores import open_store
from tests.live_server import ROOT, LiveServer

LONG_FILES = (
    "fuzz/test_fuzz.py",
    "fuzz/test_default_schemathesis.py",
    "clients/test_clients.py",
    "clients/test_later_versions.py",
    "gates/test_gates.py",
    "deployment/test_package.py",
    "self_hosting/test_image.py",
    "self_hosting/test_debian.py",
    "packaging/test_wheel.py",
    "stores/dynamodb/test_write_faults.py",
    "stores/test_pages.py",
    "stores/test_flat_listings.py",
    "stores/test_largest_changes.py",
    "stores/test_backup.py",
    "stores/test_changes.py",
    "test_command_failures.py",
    "soak/test_kills.py",
)
"""The files of tests that take longest. They run first, so that no process is left with one of them at the end."""

# In the background, a shell makes the tests ignore Ctrl-C, and every server that they start would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the longest files first, and the others in their order."""
    order = {ROOT / "tests" / name: number for number, name in enumerate(LONG_FILES)}
    items.sort(key=lambda item: order.get(item.path, len(order)))


@pytest.fixture(scope="session")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Run a server with an owner for all tests that only send requests to it."""
    with LiveServer(tmp_path_factory.mktemp("live")) as server:
        yield server
        assert server.stop() == (0, "Stopped.\n")
        assert not server.errors, server.describe_errors()


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a new, migrated database file with a secret. Copying it is faster than migrating one for each test."""
    path = tmp_path_factory.mktemp("empty") / "tackboard.db"
    with closing(open_store(f"sqlite:///{path}")) as store:
        store.read_secret()
    return path
