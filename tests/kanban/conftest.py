"""A desk with a new board on it."""

import pytest

from tests.kanban.desk import Desk


@pytest.fixture
def desk() -> Desk:
    return Desk()
