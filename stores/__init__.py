"""What remembers the boards. Each engine fulfils `kanban.store`; a URL chooses one, and only that one is loaded."""

import logging
from collections.abc import Callable
from typing import Any

from kanban.store import Store
from stores.errors import OpenMode, StoreOpenError, UnknownScheme

__all__ = ["OpenMode", "StoreOpenError", "open_store"]

log = logging.getLogger(__name__)


def open_store(
    url: str,
    *,
    mode: OpenMode = OpenMode.CREATE,
    report: Callable[[str], None] = log.warning,
    remaining_seconds: Callable[[], float] | None = None,
    on_client: Callable[[Any], None] = lambda _: None,
) -> Store:
    """The store of that URL.

    'sqlite:///tackboard.db' (relative), 'sqlite:////var/lib/tackboard.db',
    'postgresql+psycopg://user:password@host:5432/database'.

    An engine that is reached over a network and looks at the clock asks `remaining` how many seconds the caller has
    left, and hands its client to `watch` before the first call; the others need neither.

    `mode` says whether a missing store is created and an older one migrated. A migration is told to `report`; a
    SQLite file is copied before.
    Raises StoreOpenError, whose message is one sentence for whoever starts the program.
    """
    scheme = url.partition(":")[0]
    if scheme == "sqlite":
        from stores.sql.sqlite import open_sqlite  # noqa: PLC0415  (an engine is loaded when it is chosen)

        return open_sqlite(url, mode=mode, report=report)
    if scheme == "postgresql+psycopg":
        from stores.sql.postgresql import open_postgresql  # noqa: PLC0415  (as above)

        return open_postgresql(url, mode=mode, report=report)
    if scheme == "dynamodb":
        from stores.dynamodb.opening import open_dynamodb  # noqa: PLC0415  (an engine is loaded when it is chosen)

        return open_dynamodb(url, mode=mode, remaining_seconds=remaining_seconds, on_client=on_client)
    raise UnknownScheme(scheme)
