"""Fixtures for tests of the DynamoDB store: the store is behind a wire on which things go wrong."""

import pytest

from kanban.store import Store
from tests.engines.dynamodb_wire import Wire


@pytest.fixture
def store(wire: Wire) -> Store:
    """Return the store behind the wire."""
    return wire.store
