"""How much of their limits callers have used, on PostgreSQL alone: with SQLite it is in a file of its own."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Make the table. It is lost after a crash of the server, which costs nothing, and isn't replicated."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            """
            CREATE UNLOGGED TABLE request_usage (
                key text COLLATE "C" CONSTRAINT pk_request_usage PRIMARY KEY,
                arrival_time bigint NOT NULL,
                reports bigint NOT NULL
            )
            """
        )
