"""What each commit touched, and the checklists and comments of a board in the order of their ids."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the column, and the id to the indexes."""
    op.add_column("events", sa.Column("touches", _bytewise))
    for table in ("checklists", "comments"):
        op.drop_index(f"ix_{table}_board", table)
        op.create_index(f"ix_{table}_board", table, ["board_id", "id"])
