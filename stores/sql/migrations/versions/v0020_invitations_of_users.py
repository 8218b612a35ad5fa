"""Invitations to a board that are for one user."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

_bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_IS_FOR_USER = sa.text("invitee_id IS NOT NULL")


def upgrade() -> None:
    """Add for whom an invitation is, and the index by which users find theirs. All are for whoever has the secret."""
    op.add_column("invitations", sa.Column("invitee_id", _bytewise))
    op.create_index(
        "ix_invitations_invitee",
        "invitations",
        ["invitee_id", "id"],
        sqlite_where=_IS_FOR_USER,
        postgresql_where=_IS_FOR_USER,
    )
