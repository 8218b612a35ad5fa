"""Empty stores as other versions of Tackboard leave them."""

import sqlite3
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from stores.sql import migrations


def set_schema(url: str, version: str) -> str:
    """Make an empty store of that version; a later one than ours differs in its number only. The URL."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        config.attributes["connection"] = connection
        command.upgrade(config, min(version, migrations.HEAD))
        connection.exec_driver_sql(f"UPDATE {migrations.VERSION_TABLE} SET version_num = '{version}'")  # noqa: S608
    engine.dispose()
    if url.startswith("sqlite:"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
    return url
