"""From what to what things changed, and by which token and request. Nobody knows that of the events of before."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"

_bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_json = sa.Text().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Add the columns."""
    for name, column_type in (("changes", _json), ("token_id", _bytewise), ("request_id", _bytewise)):
        op.add_column("events", sa.Column(name, column_type))
