"""What narrows a token, and from where it was last used."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_HAS_ORIGIN = sa.text("last_used_from IS NOT NULL")


def upgrade() -> None:
    """Add the columns, and the index by which a purge finds old origins."""
    for name in ("limits", "last_used_from"):
        op.add_column("tokens", sa.Column(name, sa.Text()))
    op.create_index(
        "ix_tokens_origin", "tokens", ["last_used_at"], sqlite_where=_HAS_ORIGIN, postgresql_where=_HAS_ORIGIN
    )
