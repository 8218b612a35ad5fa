"""Which tokens a token comes from. Those of before come from none."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_number = sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def upgrade() -> None:
    """Make the table and its index."""
    op.create_table(
        "token_ancestors",
        sa.Column(
            "token_id", _bytewise, sa.ForeignKey("tokens.id", name="fk_token_ancestors_token_id"), nullable=False
        ),
        sa.Column("position", _number, nullable=False),
        sa.Column(
            "ancestor_id", _bytewise, sa.ForeignKey("tokens.id", name="fk_token_ancestors_ancestor_id"), nullable=False
        ),
        sa.PrimaryKeyConstraint("token_id", "position", name="pk_token_ancestors"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_token_ancestors_ancestor", "token_ancestors", ["ancestor_id", "token_id"])
