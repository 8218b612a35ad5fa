"""Where each reader of the feed is."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"

_bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_number = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
_timestamp = sa.Text().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "feed_readers",
        sa.Column("board_id", _bytewise, sa.ForeignKey("boards.id", name="fk_feed_readers_board_id"), nullable=False),
        sa.Column("name", _bytewise, nullable=False),
        sa.Column("after_seq", _number, nullable=False),
        sa.Column("batch_to", _number),
        sa.Column("attempts", _number, nullable=False),
        sa.Column("calls", _number, nullable=False),
        sa.Column("failing_since", _timestamp),
        sa.Column("due_at", _timestamp),
        sa.Column("lease_owner", sa.Text()),
        sa.Column("lease_until", _timestamp),
        sa.CheckConstraint("after_seq >= 0", name="ck_feed_readers_after_seq"),
        sa.CheckConstraint("attempts >= 0", name="ck_feed_readers_attempts"),
        sa.CheckConstraint("calls >= 0", name="ck_feed_readers_calls"),
        sa.PrimaryKeyConstraint("board_id", "name", name="pk_feed_readers"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
