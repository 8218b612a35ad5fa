"""Users who are deactivated."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"

_timestamp = sa.Text().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    """Add when users were deactivated, to them and to their memberships. Nobody was."""
    op.add_column("users", sa.Column("deactivated_at", _timestamp))
    op.add_column("users", sa.Column("signed_out_at", _timestamp))
    op.add_column("members", sa.Column("deactivated_at", _timestamp))
