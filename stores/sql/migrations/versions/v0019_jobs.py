"""Jobs, and users who are deleted."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"

_bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_integer = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
_timestamp = sa.Text().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    """Make the table of jobs, an index of revoked tokens, and add to users when they were deleted. Nobody was."""
    op.add_column("users", sa.Column("deleted_at", _timestamp))
    op.create_index(
        "ix_tokens_revoked",
        "tokens",
        ["user_id"],
        sqlite_where=sa.text("revoked_at IS NOT NULL"),
        postgresql_where=sa.text("revoked_at IS NOT NULL"),
    )
    op.create_table(
        "jobs",
        sa.Column("id", _bytewise, nullable=False),
        sa.Column("user_id", _bytewise, sa.ForeignKey("users.id", name="fk_jobs_user_id"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", _bytewise, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("done", _integer, nullable=False),
        sa.Column("total", _integer),
        sa.Column("version", _integer, nullable=False),
        sa.Column("created_at", _timestamp, nullable=False),
        sa.Column("started_at", _timestamp),
        sa.Column("ended_at", _timestamp),
        sa.Column("expires_at", _timestamp),
        sa.Column("problem_code", sa.Text()),
        sa.Column("attempts", _integer, nullable=False),
        sa.Column("lease_owner", sa.Text()),
        sa.Column("lease_until", _timestamp),
        sa.CheckConstraint("state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name="ck_jobs_state"),
        sa.CheckConstraint("done >= 0", name="ck_jobs_done"),
        sa.CheckConstraint("attempts >= 0", name="ck_jobs_attempts"),
        sa.CheckConstraint("version >= 1", name="ck_jobs_version"),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sqlite_strict=True,
    )
    op.create_index("ix_jobs_user", "jobs", ["user_id", "id"])
    op.create_index(
        "uq_jobs_subject",
        "jobs",
        ["kind", "subject_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "ix_jobs_expired",
        "jobs",
        ["expires_at"],
        sqlite_where=sa.text("expires_at IS NOT NULL"),
        postgresql_where=sa.text("expires_at IS NOT NULL"),
    )
