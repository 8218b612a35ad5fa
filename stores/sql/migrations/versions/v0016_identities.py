"""Identities: the accounts elsewhere with which users sign in."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"

_bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_timestamp = sa.Text().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "identities",
        sa.Column("id", _bytewise, nullable=False),
        sa.Column("user_id", _bytewise, sa.ForeignKey("users.id", name="fk_identities_user_id"), nullable=False),
        sa.Column("issuer", _bytewise, nullable=False),
        sa.Column("subject", _bytewise, nullable=False),
        sa.Column("created_at", _timestamp, nullable=False),
        sa.UniqueConstraint("issuer", "subject", name="uq_identities_issuer_subject"),
        sa.PrimaryKeyConstraint("id", name="pk_identities"),
        sqlite_strict=True,
    )
    op.create_index("ix_identities_user", "identities", ["user_id", "id"])
