"""Why a store could not be opened.

    CannotOpen
    ├── UnknownScheme
    ├── BadAddress         the URL names no place
    ├── NotUsable          the place cannot be read or written
    ├── NotATackboard      there is something else in that place
    └── MadeByNewer        it is a Tackboard's, but of a later version than this program

Each message is one sentence for whoever starts the program.
"""


class CannotOpen(Exception):
    """The store could not be opened; nothing was changed."""


class UnknownScheme(CannotOpen):
    """The URL asks for an engine that there is not."""

    def __init__(self, scheme: str) -> None:
        super().__init__(
            f"STORE_URL begins with '{scheme[:20]}:', but this Tackboard knows only 'sqlite:' "
            f"(for example sqlite:///tackboard.db)."
        )


class BadAddress(CannotOpen):
    """The URL does not say where."""


class NotUsable(CannotOpen):
    """The place exists or could, but cannot be used."""


class NotATackboard(CannotOpen):
    """Something else is kept there, which must not be touched."""

    def __init__(self, place: str) -> None:
        super().__init__(f"{place} is not a Tackboard database.")


class MadeByNewer(CannotOpen):
    """Its schema is later than the ones this program knows."""

    def __init__(self, place: str, found: str, known: str) -> None:
        super().__init__(f"{place} was made by a newer Tackboard (schema {found}; this one knows up to {known}).")
