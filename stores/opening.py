"""Why a store could not be opened.

    CannotOpen
    ├── UnknownScheme
    ├── BadAddress         the URL names no place
    ├── NotUsable          the place cannot be read or written
    ├── NotATackboard      there is something else in that place
    └── MadeByNewer        it is a Tackboard's, but of a later version than this program

Each message is one sentence for whoever starts the program.
"""

_EXAMPLES = "sqlite:///tackboard.db, postgresql+psycopg://user:password@host:5432/database or dynamodb://table?region=eu-central-1"


class CannotOpen(Exception):
    """The store could not be opened; nothing was changed."""


class UnknownScheme(CannotOpen):
    """The URL asks for an engine that there is not."""

    def __init__(self, scheme: str) -> None:
        super().__init__(f"STORE_URL begins with '{scheme[:20]}:', but must be like {_EXAMPLES}.")


class BadAddress(CannotOpen):
    """The URL does not say where."""


class NotUsable(CannotOpen):
    """The place exists or could, but cannot be used."""


class NotATackboard(CannotOpen):
    """Something else is kept there, which must not be touched."""

    def __init__(self, place: str) -> None:
        super().__init__(f"{place} is not a Tackboard database: let STORE_URL name another, or an empty one.")


class MadeByNewer(CannotOpen):
    """Its schema is later than the ones this program knows."""

    def __init__(self, place: str, found: str, known: str) -> None:
        super().__init__(
            f"{place} was made by a newer Tackboard (schema {found}; this one knows up to {known}): run that one."
        )
