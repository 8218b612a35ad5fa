"""The schema's versions, applied by Alembic when a store is opened that is not up to date.

Alembic itself is loaded only then. `HEAD` is the latest version, told here so that opening need not look.
"""

from pathlib import Path

from sqlalchemy import Connection

from stores.errors import NotTackboardDatabase, OpenMode, SchemaTooNew, SchemaTooOld

HEAD = "0004"

VERSION_TABLE = "tackboard_schema"
"""Holds the version of the schema; that there is one tells that a database is a Tackboard's."""


def is_upgrade_needed(location: str, version: str | None, mode: OpenMode) -> bool:
    """Whether a database with that version (None when it is empty) is to be upgraded.

    `place` names the database in the message of SchemaTooNew, SchemaTooOld or NotTackboardDatabase.
    """
    if version is None:
        return True
    if not (version.isascii() and version.isdigit()):
        raise NotTackboardDatabase(location)
    if version > HEAD:
        raise SchemaTooNew(location, version, HEAD)
    if version < HEAD and mode is OpenMode.EXISTING:
        raise SchemaTooOld(location, version, HEAD)
    return version < HEAD


def upgrade(connection: Connection) -> None:
    """Bring the database up to date within the transaction that the connection is in."""
    from alembic import command  # noqa: PLC0415  (most starts find nothing to upgrade, and need not load it)
    from alembic.config import Config  # noqa: PLC0415  (as above)

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
