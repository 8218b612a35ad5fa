"""Which history the seq of a board counts: another one after a restore from a backup."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the column."""
    op.add_column("boards", sa.Column("history", _bytewise))
