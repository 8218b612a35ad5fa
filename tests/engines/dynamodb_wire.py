"""The wire between the SDK and DynamoDB: a test counts the calls that go over it, and injects faults."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from kanban.store import Store
from stores import open_store
from stores.dynamodb.client import RetryingClient, connect
from stores.dynamodb.store import DynamoStore
from tests.engines.dynamodb_server import create_table_url
from tests.stores.world import World


@pytest.fixture
def table_url(dynoxide: str) -> str:
    """Create a table on a server; return its URL."""
    url = create_table_url(dynoxide)
    open_store(url).close()
    return url


@pytest.fixture
def wire(dynoxide: str, table_url: str) -> Iterator["Wire"]:
    """Open the wire to that table."""
    wire = Wire(dynoxide, table_name(table_url))
    yield wire
    wire.close()


def table_name(url: str) -> str:
    """Return the name of the table of a URL."""
    return url.partition("//")[2].partition("?")[0]


_START_TIME = 2_500_000_000
"""What the clock of a wire shows at first, in seconds since 1970: far from what the clock of this machine does."""

Send = Callable[[AWSPreparedRequest], AWSResponse]
Fault = Callable[[AWSPreparedRequest, Send], AWSResponse]
"""What happens to a request instead of being sent; the fault may send it nevertheless."""


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

    def __init__(self, address: str, table: str, remaining_seconds: Callable[[], float] | None = None) -> None:
        self.address = address
        self.table = table
        self.elapsed = 0.0
        self.operations: list[str] = []
        self.faults: dict[str, Iterator[Fault]] = {}
        client = connect("us-east-1", address, aws_access_key_id="local", aws_secret_access_key="local")
        client.meta.events.register_first("before-send.dynamodb.*", self._before_send)
        self._send: Send = client._endpoint.http_session.send  # noqa: SLF001  (the SDK has no other way to send and lie)
        self.wall_clock: Callable[[], float] = lambda: _START_TIME + self.elapsed
        self.on_sleep: Callable[[float], None] = self._advance_clock
        self.client = RetryingClient(
            client,
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

    def _before_send(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        operation = request.headers["X-Amz-Target"].decode().partition(".")[2]
        self.operations.append(operation)
        fault = next(self.faults.get(operation, iter(())), None)
        return fault(request, self._send) if fault else None


class _Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._content


def make_response(request: AWSPreparedRequest, status: int, body: dict[str, Any] | bytes) -> AWSResponse:
    """Return a response that DynamoDB did not send."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return AWSResponse(request.url, status, {"x-amzn-requestid": "x"}, _Body(content))


def error_response(code: str, status: int = 400, **fields: Any) -> Fault:
    """Return a fault that answers with an error of that code."""
    kind = f"com.amazonaws.dynamodb.v20120810#{code}"
    return lambda request, _: make_response(request, status, {"__type": kind, "message": "No.", **fields})


def cancellation(*codes: str) -> Fault:
    """Return a fault that cancels a transaction for those reasons."""
    return error_response("TransactionCanceledException", CancellationReasons=[{"Code": code} for code in codes])


def pass_through(request: AWSPreparedRequest, send: Send) -> AWSResponse:
    """Do nothing wrong."""
    return send(request)


def run_first(action: Callable[[], object], fault: Fault = pass_through) -> Fault:
    """Return a fault that lets something happen before the request is sent, or before another fault."""

    def run(request: AWSPreparedRequest, send: Send) -> AWSResponse:
        action()
        return fault(request, send)

    return run


def drop_connection(request: AWSPreparedRequest, _: Send) -> AWSResponse:
    """Break the connection before the request is sent."""
    raise ConnectionClosedError(endpoint_url=request.url)


def time_out(request: AWSPreparedRequest, _: Send) -> AWSResponse:
    """Time out without sending the request."""
    raise ReadTimeoutError(endpoint_url=request.url)


def lose_response(request: AWSPreparedRequest, send: Send) -> AWSResponse:
    """Send the request, but lose the response."""
    send(request)
    raise ReadTimeoutError(endpoint_url=request.url)


def apply_then_fail(request: AWSPreparedRequest, send: Send) -> AWSResponse:
    """Send the request, but answer that it failed."""
    send(request)
    return error_response("InternalServerError", 500)(request, send)


def truncate_response(request: AWSPreparedRequest, send: Send) -> AWSResponse:
    """Send the request, but cut off the response."""
    content = send(request).content
    return make_response(request, 200, content[: len(content) // 2] or b"{")


def forget_request_token(request: AWSPreparedRequest, send: Send) -> AWSResponse:
    """Send the request as if DynamoDB had forgotten its client request token, as it does after ten minutes."""
    return send(replace_body(request, json.loads(request.body) | {"ClientRequestToken": uuid4().hex}))


def replace_body(request: AWSPreparedRequest, body: dict[str, Any]) -> AWSPreparedRequest:
    """Return the request with another body."""
    request.body = json.dumps(body).encode()
    request.headers["Content-Length"] = str(len(request.body))
    return request


def leave_unprocessed(request: AWSPreparedRequest, send: Send) -> AWSResponse:
    """Read only the first key of a batch, or write only its first item."""
    ((table, batch),) = json.loads(request.body)["RequestItems"].items()
    if isinstance(batch, list):
        send(replace_body(request, {"RequestItems": {table: batch[:1]}}))
        return make_response(request, 200, {"UnprocessedItems": {table: batch[1:]} if batch[1:] else {}})
    (first, *rest) = batch["Keys"]
    body = json.loads(send(replace_body(request, {"RequestItems": {table: {**batch, "Keys": [first]}}})).content)
    unprocessed = {table: {**batch, "Keys": rest}} if rest else {}
    return make_response(request, 200, {**body, "UnprocessedKeys": unprocessed})


def return_nothing(request: AWSPreparedRequest, _: Send) -> AWSResponse:
    """Read no key of a batch."""
    return make_response(request, 200, {"Responses": {}, "UnprocessedKeys": json.loads(request.body)["RequestItems"]})
