"""A server of a later version for the tests of clients."""

from collections.abc import Iterator

import pytest

from tests.clients.later_server import run_later_server


@pytest.fixture
def later() -> Iterator[str]:
    with run_later_server() as url:
        yield url
