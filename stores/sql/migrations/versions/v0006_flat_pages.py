"""Indexes with which every page costs the same, however many cards are active, archived or deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_STATE = (
    "(CASE WHEN (deleted_at IS NOT NULL) THEN 'deleted'"
    " WHEN (archived_at IS NOT NULL) THEN 'archived' ELSE 'active' END)"
)
_HAS_DUE_DATE = "due_at IS NOT NULL"


def upgrade() -> None:
    """Replace the indexes of live cards by those of all cards, state by state, and add those that were missing."""
    for scope in ("list", "board", "status"):
        columns = {"list": ["list_id"], "board": ["board_id"], "status": ["board_id", "status"]}[scope]
        for name in ("id", "updated"):
            op.drop_index(f"ix_cards_{scope}_{name}", "cards")
        if scope != "status":
            op.drop_index(f"ix_cards_{scope}_due", "cards")
        _index_cards(f"ix_cards_{scope}_id", columns, "id")
        _index_cards(f"ix_cards_{scope}_updated", columns, "updated_at", "id")
        _index_cards(f"ix_cards_{scope}_due", columns, "due_at", "id", where=(_HAS_DUE_DATE, _HAS_DUE_DATE))
    op.drop_index("ix_cards_list_rank", "cards")
    _index_cards("ix_cards_list_rank", ["list_id"], "rank")
    can_be_overdue = [f"{_HAS_DUE_DATE} AND due_complete IS NOT {true} AND status != 'done'" for true in ("1", "true")]
    _index_cards("ix_cards_board_open", ["board_id"], "due_at", "id", where=(can_be_overdue[0], can_be_overdue[1]))
    op.drop_index("ix_members_user", "members")
    op.create_index("uq_members_user", "members", ["user_id", "board_id"], unique=True)


def _index_cards(name: str, scope: list[str], *order: str, where: tuple[str, str] | None = None) -> None:
    """Index the cards of a scope by their state, then in an order; `where` is for SQLite and for PostgreSQL."""
    sqlite_where, postgresql_where = map(sa.text, where) if where else (None, None)
    columns: list[str | sa.TextClause] = [*scope, sa.text(_STATE), *order]
    op.create_index(name, "cards", columns, sqlite_where=sqlite_where, postgresql_where=postgresql_where)
