"""Webhooks, and what came of their last deliveries."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"

_bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_number = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
_timestamp = sa.Text().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "webhooks",
        sa.Column("id", _bytewise, nullable=False),
        sa.Column("board_id", _bytewise, sa.ForeignKey("boards.id", name="fk_webhooks_board_id"), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("url", "types", "description", "state")),
        *(sa.Column(name, _bytewise, nullable=False) for name in ("owner_id", "created_by")),
        *(sa.Column(name, _number, nullable=False) for name in ("secret_number", "version")),
        *(sa.Column(name, _timestamp, nullable=False) for name in ("created_at", "updated_at")),
        sa.Column("rotated_at", _timestamp),
        sa.CheckConstraint("state IN ('active', 'paused', 'stopped')", name="ck_webhooks_state"),
        sa.CheckConstraint("secret_number >= 1", name="ck_webhooks_secret_number"),
        sa.CheckConstraint("version >= 1", name="ck_webhooks_version"),
        sa.PrimaryKeyConstraint("id", name="pk_webhooks"),
        sqlite_strict=True,
    )
    op.create_index("ix_webhooks_board", "webhooks", ["board_id", "id"])
    op.create_table(
        "webhook_deliveries",
        sa.Column(
            "board_id", _bytewise, sa.ForeignKey("boards.id", name="fk_webhook_deliveries_board_id"), nullable=False
        ),
        sa.Column("webhook_id", _bytewise, nullable=False),
        *(sa.Column(name, _number, nullable=False) for name in ("slot", "number")),
        sa.Column("message_id", sa.Text(), nullable=False),
        *(sa.Column(name, _number, nullable=False) for name in ("from_seq", "to_seq", "event_count", "attempt")),
        sa.Column("at", _timestamp, nullable=False),
        sa.Column("duration_ms", _number, nullable=False),
        sa.Column("status", _number),
        sa.Column("response", sa.Text(), nullable=False),
        sa.Column("error", sa.Text()),
        sa.PrimaryKeyConstraint("board_id", "webhook_id", "slot", name="pk_webhook_deliveries"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
