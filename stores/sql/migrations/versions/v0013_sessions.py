"""Sessions, which are tokens of another kind, and the codes by which users sign in."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"

_bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_timestamp = sa.Text().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    """Make every token one of a program, index tokens by their kind, and make the table of codes."""
    op.add_column("tokens", sa.Column("kind", sa.Text(), nullable=False, server_default="api"))
    op.add_column("tokens", sa.Column("session_id", _bytewise))
    op.drop_index("ix_tokens_newest", "tokens")
    is_not_revoked = sa.text("revoked_at IS NULL")
    op.create_index(
        "ix_tokens_newest",
        "tokens",
        ["user_id", "kind", "id"],
        sqlite_where=is_not_revoked,
        postgresql_where=is_not_revoked,
    )
    op.create_table(
        "sign_in_codes",
        sa.Column("digest", _bytewise, nullable=False),
        sa.Column("user_id", _bytewise, sa.ForeignKey("users.id", name="fk_sign_in_codes_user_id"), nullable=False),
        sa.Column("created_at", _timestamp, nullable=False),
        sa.Column("expires_at", _timestamp, nullable=False),
        sa.Column("created_by", _bytewise),
        sa.Column("token_id", _bytewise),
        sa.CheckConstraint("length(digest) = 64", name="ck_sign_in_codes_digest"),
        sa.PrimaryKeyConstraint("digest", name="pk_sign_in_codes"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_sign_in_codes_user", "sign_in_codes", ["user_id", "created_at", "digest"])
    op.create_index("ix_sign_in_codes_expired", "sign_in_codes", ["expires_at"])
