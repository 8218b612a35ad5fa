"""The audit log of the installation."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"

_bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_timestamp = sa.Text().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
_json = sa.Text().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "audit_entries",
        sa.Column("id", _bytewise, nullable=False),
        sa.Column("type", _bytewise, nullable=False),
        *(sa.Column(name, _timestamp, nullable=False) for name in ("created_at", "expires_at")),
        *(sa.Column(name, _bytewise) for name in ("actor_id", "token_id", "request_id", "user_id")),
        sa.Column("data", _json, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_entries"),
        sqlite_strict=True,
    )
    op.create_index("ix_audit_entries_expired", "audit_entries", ["expires_at"])
