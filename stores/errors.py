"""The modes in which a store can be opened, and the errors of opening one.

    StoreOpenError
    ├── UnknownScheme          no engine has this URL scheme
    ├── EngineNotInstalled     the packages that the engine needs are missing
    ├── InvalidStoreUrl        the URL cannot be parsed or has invalid parts
    ├── StoreNotUsable         the file or database cannot be read or written
    ├── StoreMissing           there is no store, and the mode creates none
    ├── NotTackboardDatabase   the file or database holds something else
    ├── RestoreUnfinished      a restore was interrupted, and is to be continued
    ├── SchemaTooOld           the schema is older than this program's, and the mode migrates nothing
    └── SchemaTooNew           the schema is newer than this program's

Each message is one sentence for the person who starts the program.
"""

from enum import Enum, auto

_EXAMPLE_URLS = "sqlite:///tackboard.db, postgresql+psycopg://user:password@host:5432/database or dynamodb://table?region=eu-central-1"


class OpenMode(Enum):
    """What opening a store is allowed to change."""

    CREATE = auto()
    """Create a missing store and migrate an older one: to serve, and to restore a backup."""

    MIGRATE = auto()
    """Migrate an older store; fail if there is none."""

    EXISTING = auto()
    """Change nothing: fail if there is no store, or an older one."""


class StoreOpenError(Exception):
    """Raised when a store cannot be opened; nothing was changed."""


class UnknownScheme(StoreOpenError):
    """Raised when no engine has the scheme of the URL."""

    def __init__(self, scheme: str) -> None:
        super().__init__(f"STORE_URL begins with '{scheme[:20]}:', but must be like {_EXAMPLE_URLS}.")


class EngineNotInstalled(StoreOpenError):
    """Raised when packages that the engine needs are missing."""

    def __init__(self, engine: str, extra: str) -> None:
        super().__init__(f"{engine} needs packages that are not installed: install 'tackboard-server[{extra}]'.")


class InvalidStoreUrl(StoreOpenError):
    """Raised when the URL cannot be parsed or has invalid parts."""


class StoreNotUsable(StoreOpenError):
    """Raised when the file or database cannot be read or written."""


class StoreMissing(StoreOpenError):
    """Raised when there is no store and the mode creates none."""

    def __init__(self, url: str) -> None:
        """Take the URL without a password."""
        super().__init__(f"There is no store at {url}: check STORE_URL; only `run` and `restore` make one.")


class NotTackboardDatabase(StoreOpenError):
    """Raised when the file or database holds something else, which must not be changed."""

    def __init__(self, location: str) -> None:
        super().__init__(f"{location} is not a Tackboard database: let STORE_URL name another, or an empty one.")


class RestoreUnfinished(StoreOpenError):
    """Raised when the store holds only a part of a backup, because its restore was interrupted."""

    def __init__(self, location: str) -> None:
        super().__init__(f"{location} holds only a part of a backup: `restore` the same file again, and it goes on.")


class SchemaTooOld(StoreOpenError):
    """Raised when the schema is older than this program's and the mode migrates nothing."""

    def __init__(self, location: str, version: str, supported: str) -> None:
        super().__init__(
            f"{location} was made by an older Tackboard (schema {version}; this one needs {supported}): "
            "bring it up to date with `migrate`."
        )


class SchemaTooNew(StoreOpenError):
    """Raised when the schema is newer than this program's."""

    def __init__(self, location: str, version: str, supported: str) -> None:
        super().__init__(
            f"{location} was made by a newer Tackboard (schema {version}; this one knows up to {supported}): "
            f"run that one."
        )
