"""A desk with a new board on it."""

import pytest

from tests.kanban.fake_store import FakeStore


@pytest.fixture
def desk() -> FakeStore:
    return FakeStore()
