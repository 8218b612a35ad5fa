"""The versions of the schema. Alembic, which is imported only then, applies them when an older store is opened."""

from pathlib import Path

from sqlalchemy import Connection

from stores.errors import NotTackboardDatabase, OpenMode, SchemaTooNew, SchemaTooOld

HEAD = max(file.name[1:5] for file in Path(__file__).parent.glob("versions/v*.py"))
"""The latest version of the schema."""

VERSION_TABLE = "tackboard_schema"
"""The table that holds the version of the schema. A database with this table is a Tackboard's."""


def is_upgrade_needed(location: str, version: str | None, mode: OpenMode) -> bool:
    """Tell whether a database with this version of the schema (None: an empty one) must be upgraded.

    `location` names the database in messages.

    Raises:
        NotTackboardDatabase: The version is not one of ours.
        SchemaTooNew: The version is later than this program's.
        SchemaTooOld: It is older, and the mode migrates nothing.
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


def upgrade(connection: Connection, version: str = "head") -> None:
    """Upgrade the database to a version, by default the latest, in the transaction of the connection."""
    from alembic import command  # noqa: PLC0415  (most starts find nothing to upgrade, and need not load it)
    from alembic.config import Config  # noqa: PLC0415  (as above)

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, version)
