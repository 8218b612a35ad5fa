"""What tests of every folder may ask for."""

import signal
from collections.abc import Iterator

import pytest

from tests.live_server import LiveServer

# A shell that runs the tests in the background has them ignore Ctrl-C, and so would every server that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A running server with an owner, shared by all tests that only talk to it."""
    with LiveServer(tmp_path_factory.mktemp("live")) as running:
        yield running
        assert running.stop() == (0, "Stopped.\n")
        assert not running.errors
