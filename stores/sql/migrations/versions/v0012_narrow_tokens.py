"""What narrows a token, and from where it was last used."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_HAS_ORIGIN = sa.text("last_used_address IS NOT NULL OR last_used_client IS NOT NULL")


def upgrade() -> None:
    """Add the columns, and the index by which a purge finds old origins."""
    op.add_column("tokens", sa.Column("board_ids", _bytewise))
    for name in ("max_role", "resources", "last_used_address", "last_used_client"):
        op.add_column("tokens", sa.Column(name, sa.Text()))
    op.create_index(
        "ix_tokens_origin", "tokens", ["last_used_at"], sqlite_where=_HAS_ORIGIN, postgresql_where=_HAS_ORIGIN
    )
