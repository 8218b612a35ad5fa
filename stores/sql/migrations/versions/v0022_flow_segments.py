"""Flow segments: what reports need of every 500 events of a board."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"

_bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_number = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
_timestamp = sa.Text().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    """Make the table. A reader of the feed fills it."""
    op.create_table(
        "flow_segments",
        sa.Column("board_id", _bytewise, sa.ForeignKey("boards.id", name="fk_flow_segments_board_id"), nullable=False),
        sa.Column("seq", _number, nullable=False),
        sa.Column("at", _timestamp, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("seq >= 1", name="ck_flow_segments_seq"),
        sa.PrimaryKeyConstraint("board_id", "seq", name="pk_flow_segments"),
        sqlite_strict=True,
    )
    op.create_index("ix_flow_segments_at", "flow_segments", ["board_id", "at", "seq"])
