"""Invitations to boards and to the installation."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"

_bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_number = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
_timestamp = sa.Text().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "invitations",
        sa.Column("id", _bytewise, nullable=False),
        sa.Column("board_id", _bytewise, sa.ForeignKey("boards.id", name="fk_invitations_board_id")),
        sa.Column("role", sa.Text()),
        sa.Column("digest", _bytewise, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        *(sa.Column(name, _number, nullable=False) for name in ("max_uses", "uses")),
        sa.Column("created_by", _bytewise, sa.ForeignKey("users.id", name="fk_invitations_created_by"), nullable=False),
        sa.Column("version", _number, nullable=False),
        *(sa.Column(name, _timestamp, nullable=False) for name in ("created_at", "expires_at")),
        sa.CheckConstraint("role IN ('viewer', 'editor', 'owner')", name="ck_invitations_role"),
        sa.CheckConstraint("max_uses BETWEEN 1 AND 100", name="ck_invitations_max_uses"),
        sa.CheckConstraint("uses BETWEEN 0 AND 100", name="ck_invitations_uses"),
        sa.CheckConstraint("version >= 1", name="ck_invitations_version"),
        sa.CheckConstraint("length(digest) = 64", name="ck_invitations_digest"),
        sa.PrimaryKeyConstraint("id", name="pk_invitations"),
        sqlite_strict=True,
    )
    op.create_index("ix_invitations_board", "invitations", ["board_id", "id"])
    op.create_index("ix_invitations_expired", "invitations", ["expires_at"])
