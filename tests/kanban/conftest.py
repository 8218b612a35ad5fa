"""The fake store that the tests of the rules use."""

import pytest

from tests.kanban.fake_store import FakeStore


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()
