"""What tests of every folder may ask for."""

from collections.abc import Iterator

import pytest

from tests.live_server import LiveServer


@pytest.fixture(scope="session")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A running server with an owner, shared by all tests that only talk to it."""
    with LiveServer(tmp_path_factory.mktemp("live")) as running:
        yield running
        assert not running.errors
