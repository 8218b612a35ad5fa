"""The wire between the SDK and DynamoDB: a test counts what goes over it, and lets things go wrong."""

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
    """A new table on a server."""
    url = create_table_url(dynoxide)
    open_store(url).close()
    return url


@pytest.fixture
def line(dynoxide: str, table_url: str) -> Iterator["Wire"]:
    """The wire to that table."""
    line = Wire(dynoxide, table_name(table_url))
    yield line
    line.close()


def table_name(url: str) -> str:
    """The table of a URL."""
    return url.partition("//")[2].partition("?")[0]


_START_TIME = 2_500_000_000
"""What the clock of a wire shows at first, in seconds since 1970: far from what the clock of this machine does."""

Send = Callable[[AWSPreparedRequest], AWSResponse]
Fault = Callable[[AWSPreparedRequest, Send], AWSResponse]
"""What happens to a request instead of being sent; it may send it all the same."""


class Wire:
    """A store whose calls are counted, and go wrong as `faults` say: those of each operation, one call after another.

    Time passes only while the store pauses: `elapsed` seconds by now. `now` tells the seconds since 1970, and
    `pause` what happens when the store pauses: both can be replaced.
    """

    def __init__(self, address: str, table: str, remaining: Callable[[], float] | None = None) -> None:
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
            remaining_seconds=remaining,
            sleep=self._pause,
            monotonic_clock=lambda: self.elapsed,
            wall_clock=self._now,
            random_float=lambda: 1.0,
        )
        self.store = DynamoStore(self.client, table)
        self._other_stores: list[Store] = []

    def another_process(self, world: World) -> World:
        """The same board through another store, as another process has it."""
        other = World.__new__(World)
        other.__dict__.update(world.__dict__, store=open_store(f"dynamodb://{self.table}?endpoint={self.address}"))
        self._other_stores.append(other.store)
        return other

    def read_item(self, sk: str) -> dict[str, Any]:
        """The only item with that sort key."""
        (found,) = (each for each in self.read_items() if each["sk"]["S"] == sk)
        return found

    def read_items(self) -> list[dict[str, Any]]:
        """All that is in the table, as long as it is little."""
        found: list[dict[str, Any]] = self.client("scan", TableName=self.table, ConsistentRead=True)["Items"]
        return found

    def close(self) -> None:
        """Let go of all connections."""
        for each in (self.store, *self._other_stores):
            each.close()

    def _now(self) -> float:
        return self.wall_clock()

    def _pause(self, seconds: float) -> None:
        self.on_sleep(seconds)

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
    """An answer that DynamoDB did not give."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return AWSResponse(request.url, status, {"x-amzn-requestid": "x"}, _Body(content))


def error_response(code: str, status: int = 400, **fields: Any) -> Fault:
    """DynamoDB says no, with that code."""
    kind = f"com.amazonaws.dynamodb.v20120810#{code}"
    return lambda request, _: make_response(request, status, {"__type": kind, "message": "No.", **fields})


def cancellation(*codes: str) -> Fault:
    """The transaction is cancelled, for those reasons."""
    return error_response("TransactionCanceledException", CancellationReasons=[{"Code": code} for code in codes])


def pass_through(request: AWSPreparedRequest, send: Send) -> AWSResponse:
    """Nothing goes wrong."""
    return send(request)


def drop_connection(request: AWSPreparedRequest, _: Send) -> AWSResponse:
    """The connection breaks before the request is there."""
    raise ConnectionClosedError(endpoint_url=request.url)


def time_out(request: AWSPreparedRequest, _: Send) -> AWSResponse:
    """No answer comes, and nothing is done."""
    raise ReadTimeoutError(endpoint_url=request.url)


def lose_response(request: AWSPreparedRequest, send: Send) -> AWSResponse:
    """It is done, but the answer is lost."""
    send(request)
    raise ReadTimeoutError(endpoint_url=request.url)


def apply_then_fail(request: AWSPreparedRequest, send: Send) -> AWSResponse:
    """It is done, but DynamoDB says that it failed."""
    send(request)
    return error_response("InternalServerError", 500)(request, send)


def truncate_response(request: AWSPreparedRequest, send: Send) -> AWSResponse:
    """It is done, but the answer is cut off."""
    content = send(request).content
    return make_response(request, 200, content[: len(content) // 2] or b"{")


def forget_request_token(request: AWSPreparedRequest, send: Send) -> AWSResponse:
    """DynamoDB has forgotten the request's token, as it does after ten minutes."""
    return send(replace_body(request, json.loads(request.body) | {"ClientRequestToken": uuid4().hex}))


def replace_body(request: AWSPreparedRequest, body: dict[str, Any]) -> AWSPreparedRequest:
    """The request with another body."""
    request.body = json.dumps(body).encode()
    request.headers["Content-Length"] = str(len(request.body))
    return request


def leave_unprocessed(request: AWSPreparedRequest, send: Send) -> AWSResponse:
    """Of the keys of a batch, DynamoDB answers only the first; of what is to be written, it writes only the first."""
    ((table, part),) = json.loads(request.body)["RequestItems"].items()
    if isinstance(part, list):
        send(replace_body(request, {"RequestItems": {table: part[:1]}}))
        return make_response(request, 200, {"UnprocessedItems": {table: part[1:]} if part[1:] else {}})
    (first, *rest) = part["Keys"]
    body = json.loads(send(replace_body(request, {"RequestItems": {table: {**part, "Keys": [first]}}})).content)
    left = {table: {**part, "Keys": rest}} if rest else {}
    return make_response(request, 200, {**body, "UnprocessedKeys": left})


def return_nothing(request: AWSPreparedRequest, _: Send) -> AWSResponse:
    """Of the keys of a batch, DynamoDB answers none."""
    return make_response(request, 200, {"Responses": {}, "UnprocessedKeys": json.loads(request.body)["RequestItems"]})
