"""What opening a store may change, and why one could not be opened.

    StoreOpenError
    ├── UnknownScheme
    ├── InvalidStoreUrl         the URL names no place
    ├── StoreNotUsable          the place cannot be read or written
    ├── StoreMissing            the place is empty or missing, and the caller only wanted what is there
    ├── NotTackboardDatabase      there is something else in that place
    ├── SchemaTooOld        it is a Tackboard's, but of an earlier version, and the caller migrates nothing
    └── SchemaTooNew        it is a Tackboard's, but of a later version than this program

Each message is one sentence for whoever starts the program.
"""

from enum import Enum, auto

_EXAMPLE_URLS = "sqlite:///tackboard.db, postgresql+psycopg://user:password@host:5432/database or dynamodb://table?region=eu-central-1"


class OpenMode(Enum):
    """What opening a store may change."""

    CREATE = auto()
    """Create a missing store and migrate an older one: for serving, and for restoring a backup."""

    MIGRATE = auto()
    """Migrate an older store; refuse a missing one."""

    EXISTING = auto()
    """Change nothing: refuse a missing store and an older one."""


class StoreOpenError(Exception):
    """The store could not be opened; nothing was changed."""


class UnknownScheme(StoreOpenError):
    """The URL asks for an engine that there is not."""

    def __init__(self, scheme: str) -> None:
        super().__init__(f"STORE_URL begins with '{scheme[:20]}:', but must be like {_EXAMPLE_URLS}.")


class InvalidStoreUrl(StoreOpenError):
    """The URL does not say where."""


class StoreNotUsable(StoreOpenError):
    """The place exists or could, but cannot be used."""


class StoreMissing(StoreOpenError):
    """Nothing is kept there."""

    def __init__(self, url: str) -> None:
        """Take the URL of the place, without a password."""
        super().__init__(f"There is no store at {url}: check STORE_URL; only `run` and `restore` make one.")


class NotTackboardDatabase(StoreOpenError):
    """Something else is kept there, which must not be touched."""

    def __init__(self, location: str) -> None:
        super().__init__(f"{location} is not a Tackboard database: let STORE_URL name another, or an empty one.")


class SchemaTooOld(StoreOpenError):
    """Its schema is earlier than the one this program works with."""

    def __init__(self, location: str, version: str, supported: str) -> None:
        super().__init__(
            f"{location} was made by an older Tackboard (schema {version}; this one needs {supported}): "
            "bring it up to date with `migrate`."
        )


class SchemaTooNew(StoreOpenError):
    """Its schema is later than the ones this program knows."""

    def __init__(self, location: str, version: str, supported: str) -> None:
        super().__init__(
            f"{location} was made by a newer Tackboard (schema {version}; this one knows up to {supported}): "
            f"run that one."
        )
