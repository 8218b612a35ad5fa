"""Statements that find what is deleted, and can be restored."""

from functools import cache
from typing import Any

import sqlalchemy as sa

from stores.sql.read_statements import parameter, select_boards_where
from stores.sql.tables import boards, lists, members


@cache
def select_deleted_boards(*, continued: bool) -> sa.Select[Any]:
    """Select boards deleted since a time on which the user has the role; otherwise as `select_boards_where`."""
    since, role = boards.c.deleted_at >= parameter("since"), members.c.role == parameter("role")
    return select_boards_where(since, role, continued=continued)


@cache
def select_deleted_lists(*, continued: bool) -> sa.Select[Any]:
    """The lists of a board that were deleted since a moment, newest first; continued below an id."""
    page = sa.select(lists).where(lists.c.board_id == parameter("board_id"), lists.c.deleted_at >= parameter("since"))
    if continued:
        page = page.where(lists.c.id < parameter("after_id"))
    return page.order_by(lists.c.id.desc()).limit(parameter("limit"))
