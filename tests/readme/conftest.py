"""A server for the tests that run what a page of the documentation shows."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live_server import LiveServer


@pytest.fixture
def new_server(tmp_path: Path) -> Iterator[LiveServer]:
    """Run a server that no other test has used: the pages list what their own commands created and nothing else."""
    with LiveServer(tmp_path) as server:
        yield server
