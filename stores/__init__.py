"""What remembers the boards. Each engine fulfils `kanban.store`; a URL chooses one, and only that one is loaded."""

from kanban.store import Store
from stores.opening import CannotOpen, UnknownScheme

__all__ = ["CannotOpen", "open_store"]


def open_store(url: str) -> Store:
    """The store of that URL, such as 'sqlite:///tackboard.db' (relative) or 'sqlite:////var/lib/tackboard.db'.

    A missing file is made, and one made by an older Tackboard is brought up to date. Raises CannotOpen, whose
    message is one sentence for whoever starts the program.
    """
    scheme = url.partition(":")[0]
    if scheme == "sqlite":
        from stores.sqlite import open_sqlite  # noqa: PLC0415  (an engine is loaded when it is chosen)

        return open_sqlite(url)
    raise UnknownScheme(scheme)
