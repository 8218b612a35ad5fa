"""Who wrote a time entry by hand, or corrected it last. Nobody knows that of the entries of before."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the column."""
    op.add_column("time_entries", sa.Column("recorded_by", _bytewise))
