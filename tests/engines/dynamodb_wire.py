"""The wire between a client and DynamoDB: a test counts the calls that go over it, and injects faults."""

import json
from collections.abc import Callable, Iterator
from http.client import RemoteDisconnected
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from kanban.store import Store
from stores import open_store
from stores.dynamodb.calls import Client
from stores.dynamodb.client import RetryingClient
from stores.dynamodb.connecting import find_ca_bundle
from stores.dynamodb.connections import ConnectionPool, HttpResponse
from stores.dynamodb.http_client import HttpClient
from stores.dynamodb.sdk_client import SdkClient, create_sdk_client
from stores.dynamodb.signing import RequestSigner
from stores.dynamodb.store import DynamoStore
from tests.engines.dynamodb_server import LOCAL_CREDENTIALS, create_table_url, delete_table
from tests.stores.world import World


@pytest.fixture
def table_url(dynoxide: str) -> Iterator[str]:
    """Create a table on a server; return its URL."""
    url = create_table_url(dynoxide)
    open_store(url).close()
    yield url
    delete_table(url)


@pytest.fixture
def connect_wire() -> "Connect":
    """Return what connects a wire: our own client, unless a module of tests chooses `connect_each_wire`."""
    return connect_http_client


@pytest.fixture(params=["our client", "the SDK's client"])
def connect_each_wire(request: pytest.FixtureRequest) -> "Connect":
    """Return what connects a wire, once for each client."""
    return connect_http_client if request.param == "our client" else connect_sdk_client


@pytest.fixture
def wire(dynoxide: str, table_url: str, connect_wire: "Connect") -> Iterator["Wire"]:
    """Open the wire to that table."""
    wire = Wire(dynoxide, table_name(table_url), connect=connect_wire)
    yield wire
    wire.close()


def table_name(url: str) -> str:
    """Return the name of the table of a URL."""
    return url.partition("//")[2].partition("?")[0]


_START_TIME = 2_500_000_000
"""What the clock of a wire shows at first, in seconds since 1970: far from what the clock of this machine does."""


class WireRequest(NamedTuple):
    """A request as a client sends it."""

    operation: str
    body: bytes


class WireResponse(NamedTuple):
    """A response as it arrives at a client."""

    status: int
    body: bytes


Send = Callable[[WireRequest], WireResponse]
Fault = Callable[[WireRequest, Send], WireResponse]
"""What happens to a request instead of being sent; the fault may send it nevertheless."""

Connect = Callable[[str, Fault], Client]
"""Connects a client to an address, with something that happens to each of its requests."""


class ConnectionDropped(Exception):
    """Raised by a fault that breaks the connection."""


class TimedOut(Exception):
    """Raised by a fault that lets the client wait for too long."""


def connect_http_client(address: str, fault: Fault) -> HttpClient:
    """Connect our own client."""
    signer = RequestSigner(address, "us-east-1", lambda: lambda: LOCAL_CREDENTIALS)
    return HttpClient(_FaultyConnections(address, fault), signer)


class _FaultyConnections:
    """Connections on which something happens to each request."""

    def __init__(self, address: str, fault: Fault) -> None:
        self._pool = ConnectionPool(address, find_ca_bundle())
        self._fault = fault

    def post(self, headers: dict[str, str], body: bytes) -> HttpResponse:
        def send(request: WireRequest) -> WireResponse:
            response = self._pool.post(headers, request.body)
            return WireResponse(response.status, response.content)

        try:
            response = self._fault(WireRequest(headers["X-Amz-Target"].partition(".")[2], body), send)
        except ConnectionDropped as error:
            raise RemoteDisconnected(str(error)) from error
        except TimedOut as error:
            raise TimeoutError from error
        return HttpResponse(response.status, response.body)

    def close(self) -> None:
        self._pool.close()


def connect_sdk_client(address: str, fault: Fault) -> SdkClient:
    """Connect the SDK's client."""
    sdk_client = create_sdk_client("us-east-1", address, LOCAL_CREDENTIALS)
    http_session = sdk_client._endpoint.http_session  # noqa: SLF001  (the SDK has no other way to send and lie)

    def respond(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        def send(changed: WireRequest) -> WireResponse:
            request.body = changed.body
            request.headers["Content-Length"] = str(len(changed.body))
            response = http_session.send(request)
            return WireResponse(response.status_code, response.content)

        operation = request.headers["X-Amz-Target"].decode().partition(".")[2]
        try:
            response = fault(WireRequest(operation, request.body), send)
        except ConnectionDropped as error:
            raise ConnectionClosedError(endpoint_url=request.url) from error
        except TimedOut as error:
            raise ReadTimeoutError(endpoint_url=request.url) from error
        return AWSResponse(request.url, response.status, {"x-amzn-requestid": "x"}, _Body(response.body))

    sdk_client.meta.events.register_first("before-send.dynamodb.*", respond)
    return SdkClient(sdk_client)


class _Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._content


class Wire:
    """A store whose calls are noted, and may fail.

    Time passes only while the store sleeps.

    Attributes:
        operations: The operations that were called, in order.
        faults: By operation, what happens to one call after another.
        elapsed: How many seconds have passed.
        wall_clock: Returns the seconds since 1970; may be replaced.
        on_sleep: Is called with the seconds for which the store sleeps; may be replaced.
    """

    def __init__(
        self,
        address: str,
        table: str,
        remaining_seconds: Callable[[], float] | None = None,
        connect: Connect = connect_http_client,
    ) -> None:
        self.address = address
        self.table = table
        self.elapsed = 0.0
        self.operations: list[str] = []
        self.faults: dict[str, Iterator[Fault]] = {}
        self.wall_clock: Callable[[], float] = lambda: _START_TIME + self.elapsed
        self.on_sleep: Callable[[float], None] = self._advance_clock
        self.client = RetryingClient(
            connect(address, self._handle),
            remaining_seconds=remaining_seconds,
            sleep=self._sleep,
            wall_clock=self._now,
            monotonic_clock=lambda: self.elapsed,
            random_float=lambda: 1.0,
        )
        self.store = DynamoStore(self.client, table)
        self._other_stores: list[Store] = []

    def another_process(self, world: World) -> World:
        """Return the same world behind another store, as another process has it."""
        other = World.__new__(World)
        other.__dict__.update(world.__dict__, store=open_store(f"dynamodb://{self.table}?endpoint={self.address}"))
        self._other_stores.append(other.store)
        return other

    def read_item(self, sort_key: str) -> dict[str, Any]:
        """Return the only item with that sort key."""
        (item,) = (item for item in self.read_items() if item["sk"]["S"] == sort_key)
        return item

    def read_items(self) -> list[dict[str, Any]]:
        """Return all items of the table, as long as they are few."""
        items: list[dict[str, Any]] = self.client("scan", TableName=self.table, ConsistentRead=True)["Items"]
        return items

    def close(self) -> None:
        """Close all connections."""
        for store in (self.store, *self._other_stores):
            store.close()

    # A test may replace what these two call.

    def _sleep(self, seconds: float) -> None:
        self.on_sleep(seconds)

    def _now(self) -> float:
        return self.wall_clock()

    def _advance_clock(self, seconds: float) -> None:
        self.elapsed += seconds

    def _handle(self, request: WireRequest, send: Send) -> WireResponse:
        self.operations.append(request.operation)
        fault = next(self.faults.get(request.operation, iter(())), pass_through)
        return fault(request, send)


def make_response(status: int, body: dict[str, Any] | bytes) -> WireResponse:
    """Return a response that DynamoDB did not send."""
    return WireResponse(status, body if isinstance(body, bytes) else json.dumps(body).encode())


def error_response(code: str, status: int = 400, **fields: Any) -> Fault:
    """Return a fault that answers with an error of that code."""
    kind = f"com.amazonaws.dynamodb.v20120810#{code}"
    return lambda _request, _send: make_response(status, {"__type": kind, "message": "No.", **fields})


def cancellation(*codes: str) -> Fault:
    """Return a fault that cancels a transaction for those reasons."""
    return error_response("TransactionCanceledException", CancellationReasons=[{"Code": code} for code in codes])


def pass_through(request: WireRequest, send: Send) -> WireResponse:
    """Do nothing wrong."""
    return send(request)


def run_first(action: Callable[[], object], fault: Fault = pass_through) -> Fault:
    """Return a fault that lets something happen before the request is sent, or before another fault."""

    def run(request: WireRequest, send: Send) -> WireResponse:
        action()
        return fault(request, send)

    return run


def drop_connection(_request: WireRequest, _send: Send) -> WireResponse:
    """Break the connection before the request is sent."""
    raise ConnectionDropped


def time_out(_request: WireRequest, _send: Send) -> WireResponse:
    """Time out without sending the request."""
    raise TimedOut


def lose_response(request: WireRequest, send: Send) -> WireResponse:
    """Send the request, but lose the response."""
    send(request)
    raise TimedOut


def apply_then_fail(request: WireRequest, send: Send) -> WireResponse:
    """Send the request, but answer that it failed."""
    send(request)
    return error_response("InternalServerError", 500)(request, send)


def truncate_response(request: WireRequest, send: Send) -> WireResponse:
    """Send the request, but cut off the response."""
    content = send(request).body
    return make_response(200, content[: len(content) // 2] or b"{")


def forget_request_token(request: WireRequest, send: Send) -> WireResponse:
    """Send the request as if DynamoDB had forgotten its client request token, as it does after ten minutes."""
    return send(replace_body(request, json.loads(request.body) | {"ClientRequestToken": uuid4().hex}))


def replace_body(request: WireRequest, body: dict[str, Any]) -> WireRequest:
    """Return the request with another body."""
    return request._replace(body=json.dumps(body).encode())


def leave_unprocessed(request: WireRequest, send: Send) -> WireResponse:
    """Read only the first key of a batch, or write only its first item."""
    ((table, batch),) = json.loads(request.body)["RequestItems"].items()
    if isinstance(batch, list):
        send(replace_body(request, {"RequestItems": {table: batch[:1]}}))
        return make_response(200, {"UnprocessedItems": {table: batch[1:]} if batch[1:] else {}})
    (first, *rest) = batch["Keys"]
    body = json.loads(send(replace_body(request, {"RequestItems": {table: {**batch, "Keys": [first]}}})).body)
    unprocessed = {table: {**batch, "Keys": rest}} if rest else {}
    return make_response(200, {**body, "UnprocessedKeys": unprocessed})


def return_nothing(request: WireRequest, _: Send) -> WireResponse:
    """Read no key of a batch."""
    return make_response(200, {"Responses": {}, "UnprocessedKeys": json.loads(request.body)["RequestItems"]})
