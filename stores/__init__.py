"""The stores. Each engine implements `kanban.store`; the scheme of a URL chooses one, and only that one is loaded."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kanban.store import Store
from stores.errors import EngineNotInstalled, OpenMode, StoreOpenError, UnknownScheme
from stores.measured_calls import OnCall

__all__ = ["OpenMode", "StoreOpenError", "open_store", "requiring"]

log = logging.getLogger(__name__)


def open_store(
    url: str,
    *,
    mode: OpenMode = OpenMode.CREATE,
    report: Callable[[str], None] = log.warning,
    remaining_seconds: Callable[[], float] | None = None,
    on_client: Callable[[Any], None] = lambda _: None,
    on_call: OnCall | None = None,
    backup_folder: Path | None = None,
) -> Store:
    """Open the store at a URL.

    URLs are 'sqlite:///tackboard.db' (relative), 'sqlite:////var/lib/tackboard.db',
    'postgresql+psycopg://user:password@host:5432/database' or 'dynamodb://table?region=eu-central-1'.

    `mode` says whether a missing store is created and an older one migrated. `report` gets a sentence about each
    migration; a SQLite file is copied before it is migrated, and PostgreSQL is backed up into `backup_folder`, if there
    is one.

    DynamoDB asks `remaining_seconds` how long the caller can still wait, and passes its client to `on_client` before
    the first call; the SQL engines need neither. `on_call` is called after each call of the store.

    Raises StoreOpenError with one sentence for the person who starts the program.
    """
    scheme = url.partition(":")[0]
    if scheme == "sqlite":
        from stores.sql.sqlite import open_sqlite  # noqa: PLC0415  (an engine is loaded when it is chosen)

        return open_sqlite(url, mode=mode, report=report, on_call=on_call)
    if scheme == "postgresql+psycopg":
        with requiring("PostgreSQL", "postgresql", package="psycopg"):
            from stores.sql.postgresql import open_postgresql  # noqa: PLC0415  (as above)

        return open_postgresql(url, mode=mode, report=report, on_call=on_call, backup_folder=backup_folder)
    if scheme == "dynamodb":
        with requiring("DynamoDB", "aws", package="botocore"):
            from stores.dynamodb.opening import open_dynamodb  # noqa: PLC0415  (as above)

            return open_dynamodb(
                url, mode=mode, remaining_seconds=remaining_seconds, on_client=on_client, on_call=on_call
            )
    raise UnknownScheme(scheme)


@contextmanager
def requiring(engine: str, extra: str, *, package: str) -> Iterator[None]:
    """Explain which extra of the distribution an engine needs if its package is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise EngineNotInstalled(engine, extra) from error
