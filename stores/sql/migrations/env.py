"""Run by Alembic: apply the versions over the connection that `upgrade` passes."""

from alembic import context

from stores.sql.migrations import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
context.run_migrations()
