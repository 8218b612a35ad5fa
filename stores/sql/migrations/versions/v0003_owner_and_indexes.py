"""Who the owner is, which the order of users told only roughly; and indexes that a purge needs."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Write down who is taken for the owner by now: the first by the clock, then by the id. Then make the indexes."""
    op.execute(
        "INSERT INTO settings (name, value) SELECT 'owner', id FROM users ORDER BY created_at, id LIMIT 1",
    )
    op.drop_index("ix_users_first", "users")
    # A board that is erased must have none of these left, which is looked up in all of them.
    for table in ("comments", "checklists"):
        op.create_index(f"ix_{table}_board", table, ["board_id"])
    # What is worked on is read in the order of its end, and what is open has its end beyond all others.
    op.drop_index("ix_time_entries_worked", "time_entries")
    end = sa.text("coalesce(ended_at, '9999-12-31T23:59:59Z')")
    op.create_index("ix_time_entries_worked", "time_entries", ["board_id", end, "id"])
