"""The values before and after in events, their token and request, and an index of the events of a card.

Older events have none of these values.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"

_bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_json = sa.Text().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Add the columns and the index."""
    for name, column_type in (("changes", _json), ("token_id", _bytewise), ("request_id", _bytewise)):
        op.add_column("events", sa.Column(name, column_type))
    has_card = sa.text("card_id IS NOT NULL")
    op.create_index(
        "ix_events_card",
        "events",
        ["card_id", "seq", "board_id"],
        sqlite_where=has_card,
        postgresql_where=has_card,
    )
