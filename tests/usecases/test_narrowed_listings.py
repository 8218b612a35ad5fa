"""Deleted boards of a token that reaches certain boards only: those that its user owns, from a moment on."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kanban.access import Caller
from kanban.store import Store
from kanban.values import Role, Scope, TokenLimits
from usecases.narrowed_listings import page_deleted_boards

SINCE = datetime(2026, 11, 20, 14, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("role", "deleted_at", "is_listed"),
    [
        (Role.OWNER, SINCE, True),
        (Role.OWNER, SINCE - SECOND, False),
        (Role.EDITOR, SINCE, False),
        (Role.OWNER, None, False),
    ],
)
def test_owners_see_what_was_deleted_since_then(role: Role, deleted_at: datetime | None, is_listed: bool) -> None:
    view: Any = SimpleNamespace(role=role, board=SimpleNamespace(id="brd_1", deleted_at=deleted_at))
    store = cast("Store", SimpleNamespace(read_deleted=lambda *_: view))
    caller = Caller("ann", "tok_1", tuple(Scope), 1, TokenLimits(board_ids=("brd_1",)))

    page = page_deleted_boards(store, caller, SINCE, 10, None)

    assert [board.id for board, _ in page.items] == (["brd_1"] if is_listed else [])
