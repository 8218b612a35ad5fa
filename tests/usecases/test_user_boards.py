"""The steps of what happens on the boards of a user: a step that is stale is decided anew, so many times."""

from typing import cast

import pytest

from kanban.changes import BoardStep, Change
from kanban.store import StaleRead, Store
from usecases.user_boards import commit_step

MAX_ATTEMPTS = 12


class BusyStore:
    """A store in which others are first so many times."""

    def __init__(self, stale_count: int) -> None:
        self.stale_count = stale_count
        self.is_done = False

    def commit(self, _: Change) -> None:
        """Commit unless somebody else is first."""
        if self.stale_count:
            self.stale_count -= 1
            raise StaleRead
        self.is_done = True

    def decide(self) -> Change | None:
        """Return a change until it is committed."""
        return None if self.is_done else Change()


@pytest.mark.parametrize("stale_count", [0, 1, MAX_ATTEMPTS - 1])
def test_a_stale_step_is_tried_again_after_a_pause(stale_count: int) -> None:
    store = BusyStore(stale_count)
    pauses: list[int] = []

    commit_step(cast("Store", store), BoardStep("brd_1", store.decide), pauses.append)

    assert store.is_done
    assert pauses == list(range(1, stale_count + 1))


def test_a_step_that_is_stale_too_often_fails() -> None:
    store = BusyStore(MAX_ATTEMPTS)
    pauses: list[int] = []

    with pytest.raises(StaleRead):
        commit_step(cast("Store", store), BoardStep("brd_1", store.decide), pauses.append)

    assert not store.is_done
    assert pauses == list(range(1, MAX_ATTEMPTS))
