"""Open the store in a DynamoDB table: read its URL, connect, and see that the table is the right one."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from kanban.store import Busy
from stores.dynamodb import table_definition
from stores.dynamodb.calls import CallNotPossible, Client
from stores.dynamodb.client import InvalidRequest, RequestDenied, RetryingClient
from stores.dynamodb.connecting import connect, find_ca_bundle
from stores.dynamodb.measured_client import MeasuredClient
from stores.dynamodb.store import DynamoStore
from stores.errors import InvalidStoreUrl, OpenMode, RestoreUnfinished, StoreMissing, StoreNotUsable, StoreOpenError
from stores.measured_calls import OnCall

if TYPE_CHECKING:
    from stores.dynamodb.table_copy import TableCopy
    from stores.dynamodb.table_restore import TableRestore

_TABLE_NAME = re.compile(r"[A-Za-z0-9_.-]{3,255}")
_EXAMPLE_URL = "dynamodb://tackboard?region=eu-central-1"


class _Location(NamedTuple):
    """Where a table is."""

    table: str
    region: str
    endpoint: str | None


def open_dynamodb(
    url: str,
    *,
    mode: OpenMode = OpenMode.CREATE,
    remaining_seconds: Callable[[], float] | None = None,
    on_client: Callable[[Client], None] = lambda _: None,
    on_call: OnCall | None = None,
) -> DynamoStore:
    """Return the store in the table of that URL. With an endpoint, a missing table is created if the mode allows.

    Args:
        url: `dynamodb://TABLE?region=REGION`, or `?endpoint=ADDRESS` for a server on this machine.
        mode: What opening may change.
        remaining_seconds: Returns how long the caller may still take for whatever it does with the store.
        on_client: Is called with the client before its first call.
        on_call: Is called after each call.

    Raises:
        StoreOpenError: The table can't be used; the message says why.
    """
    location = _parse_url(url)
    client = _connect(location, remaining_seconds, on_client, on_call)
    store = DynamoStore(client, location.table)
    with _translating_errors(location, client):
        may_create = location.endpoint is not None and mode is OpenMode.CREATE
        _check_table(client, location.table, store, may_create=may_create)
    return store


def open_table_copy(url: str) -> "TableCopy":
    """Return what reads all of the table of that URL, for a backup. Raises StoreOpenError."""
    from stores.dynamodb.table_copy import TableCopy  # noqa: PLC0415  (a server copies no table)

    location = _parse_url(url)
    return TableCopy(_connect(location), location.table)


def open_table_restore(url: str) -> "TableRestore":
    """Return what restores a backup into the table of that URL, which is created as by `open_dynamodb`.

    The table may hold a part of that backup. Raises StoreOpenError.
    """
    from stores.dynamodb.table_restore import TableRestore  # noqa: PLC0415  (a server restores nothing)

    with suppress(RestoreUnfinished):
        open_dynamodb(url).close()
    location = _parse_url(url)
    return TableRestore(_connect(location), location.table)


def _connect(
    location: _Location,
    remaining_seconds: Callable[[], float] | None = None,
    on_client: Callable[[Client], None] = lambda _: None,
    on_call: OnCall | None = None,
) -> RetryingClient:
    """Return a client that has not called yet. Raises StoreOpenError."""
    table, region, endpoint = location
    try:
        connected = connect(region, endpoint)
    except ValueError as error:
        raise InvalidStoreUrl(f"STORE_URL has an invalid endpoint: {_strip_password(endpoint)}.") from error
    except OSError as error:
        raise StoreNotUsable(
            f"The DynamoDB table '{table}' cannot be used: the certificates in {find_ca_bundle()} cannot be read; "
            f"check AWS_CA_BUNDLE."
        ) from error
    except CallNotPossible as error:
        reason = str(error).rstrip(".")
        raise StoreNotUsable(
            f"The DynamoDB table '{table}' cannot be used: {reason}; check the credentials."
        ) from error
    on_client(connected)
    measured = MeasuredClient(connected, on_call) if on_call else connected
    return RetryingClient(measured, remaining_seconds=remaining_seconds)


@contextmanager
def _translating_errors(location: _Location, client: RetryingClient) -> Iterator[None]:
    """Translate errors of the first calls into a StoreOpenError, and close the client."""
    table, region, endpoint = location
    try:
        yield
    except StoreOpenError:
        client.close()
        raise
    except InvalidRequest as error:
        client.close()
        raise StoreNotUsable(
            f"The DynamoDB table '{table}' is not one of Tackboard: its keys and indexes are not those of "
            f"infrastructure/resources/table.yml."
        ) from error
    except RequestDenied as error:
        client.close()
        if error.code == "ResourceNotFoundException":
            if endpoint is not None:
                raise StoreMissing(f"dynamodb://{table}?endpoint={_strip_password(endpoint)}") from error
            raise StoreNotUsable(
                f"There is no DynamoDB table '{table}' in {region}: deploy it, or name another in STORE_URL."
            ) from error
        raise StoreNotUsable(
            f"The DynamoDB table '{table}' cannot be used: {error.code}; check the credentials and what they allow."
        ) from error
    except Busy as error:
        client.close()
        reason, address = str(error).rstrip("."), _strip_password(endpoint) or region
        raise StoreNotUsable(
            f"The DynamoDB table '{table}' cannot be used: {reason}; check that STORE_URL and the credentials lead to "
            f"{address}."
        ) from error


def _check_table(client: RetryingClient, table: str, store: DynamoStore, *, may_create: bool) -> None:
    """Check that the table is there and has the right keys and indexes; create it, if that is allowed.

    A table with a secret has passed this before, and keys and local indexes are fixed when a table is created.
    """
    try:
        if store.has_secret():
            return
    except RequestDenied as error:
        if not may_create or error.code != "ResourceNotFoundException":
            raise
        table_definition.create_table(client, table)
    for query in table_definition.index_queries(table):
        client("query", **query)


def _strip_password(endpoint: str | None) -> str:
    return re.sub("//[^/]*@", "//", endpoint or "")


def _parse_url(url: str) -> _Location:
    """Return where the table of a URL is. Raises InvalidStoreUrl."""
    try:
        parts = urlsplit(url)
        parameters = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError as error:
        raise InvalidStoreUrl(f"STORE_URL is not a valid URL: it must be like {_EXAMPLE_URL}.") from error
    if not _TABLE_NAME.fullmatch(parts.netloc) or parts.path.strip("/") or parts.fragment:
        raise InvalidStoreUrl(f"STORE_URL for DynamoDB must name a table and nothing else: {_EXAMPLE_URL}.")
    if parameters.keys() - {"region", "endpoint"}:
        raise InvalidStoreUrl(f"STORE_URL for DynamoDB takes region and endpoint: {_EXAMPLE_URL}.")
    endpoint = parameters.get("endpoint") or None
    region = parameters.get("region") or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not region and endpoint is None:
        raise InvalidStoreUrl(f"STORE_URL or AWS_REGION must name a region: {_EXAMPLE_URL}.")
    return _Location(parts.netloc, region or "us-east-1", endpoint)
