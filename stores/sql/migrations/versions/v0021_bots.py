"""Bots."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

_bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add to whom a bot belongs, and which bots a person has. All users are people."""
    op.add_column("users", sa.Column("owner_id", _bytewise))
    op.add_column("users", sa.Column("bot_ids", sa.Text()))
