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
from stores.dynamodb_client import Calls, connect
from stores.dynamodb_store import DynamoStore
from tests.engines.dynamodb_server import new_url
from tests.stores.world import World


@pytest.fixture
def table_url(dynoxide: str) -> str:
    """A new table on a server."""
    url = new_url(dynoxide)
    open_store(url).close()
    return url


@pytest.fixture
def line(dynoxide: str, table_url: str) -> Iterator["Wire"]:
    """The wire to that table."""
    line = Wire(dynoxide, name_of(table_url))
    yield line
    line.close()


def name_of(url: str) -> str:
    """The table of a URL."""
    return url.partition("//")[2].partition("?")[0]


_BEGINNING = 2_500_000_000
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
        self.sent: list[str] = []
        self.faults: dict[str, Iterator[Fault]] = {}
        client = connect("us-east-1", address, aws_access_key_id="local", aws_secret_access_key="local")
        client.meta.events.register_first("before-send.dynamodb.*", self._before_send)
        self._send: Send = client._endpoint.http_session.send  # noqa: SLF001  (the SDK has no other way to send and lie)
        self.now: Callable[[], float] = lambda: _BEGINNING + self.elapsed
        self.pause: Callable[[float], None] = self._let_pass
        self.calls = Calls(
            client,
            remaining=remaining,
            pause=self._pause,
            clock=lambda: self.elapsed,
            wall_clock=self._now,
            chance=lambda: 1.0,
        )
        self.store = DynamoStore(self.calls, table)
        self._others: list[Store] = []

    def somebody_else(self, world: World) -> World:
        """The same board through another store, as another process has it."""
        other = World.__new__(World)
        other.__dict__.update(world.__dict__, store=open_store(f"dynamodb://{self.table}?endpoint={self.address}"))
        self._others.append(other.store)
        return other

    def item(self, sk: str) -> dict[str, Any]:
        """The only item with that sort key."""
        (found,) = (each for each in self.items() if each["sk"]["S"] == sk)
        return found

    def items(self) -> list[dict[str, Any]]:
        """All that is in the table, as long as it is little."""
        found: list[dict[str, Any]] = self.calls("scan", TableName=self.table, ConsistentRead=True)["Items"]
        return found

    def close(self) -> None:
        """Let go of all connections."""
        for each in (self.store, *self._others):
            each.close()

    def _now(self) -> float:
        return self.now()

    def _pause(self, seconds: float) -> None:
        self.pause(seconds)

    def _let_pass(self, seconds: float) -> None:
        self.elapsed += seconds

    def _before_send(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        operation = request.headers["X-Amz-Target"].decode().partition(".")[2]
        self.sent.append(operation)
        fault = next(self.faults.get(operation, iter(())), None)
        return fault(request, self._send) if fault else None


class _Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._content


def answer(request: AWSPreparedRequest, status: int, body: dict[str, Any] | bytes) -> AWSResponse:
    """An answer that DynamoDB did not give."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return AWSResponse(request.url, status, {"x-amzn-requestid": "x"}, _Body(content))


def refused(code: str, status: int = 400, **more: Any) -> Fault:
    """DynamoDB says no, with that code."""
    kind = f"com.amazonaws.dynamodb.v20120810#{code}"
    return lambda request, _: answer(request, status, {"__type": kind, "message": "No.", **more})


def cancelled(*codes: str) -> Fault:
    """The transaction is cancelled, for those reasons."""
    return refused("TransactionCanceledException", CancellationReasons=[{"Code": code} for code in codes])


def as_it_is(request: AWSPreparedRequest, send: Send) -> AWSResponse:
    """Nothing goes wrong."""
    return send(request)


def reset(request: AWSPreparedRequest, _: Send) -> AWSResponse:
    """The connection breaks before the request is there."""
    raise ConnectionClosedError(endpoint_url=request.url)


def timeout(request: AWSPreparedRequest, _: Send) -> AWSResponse:
    """No answer comes, and nothing is done."""
    raise ReadTimeoutError(endpoint_url=request.url)


def lost(request: AWSPreparedRequest, send: Send) -> AWSResponse:
    """It is done, but the answer is lost."""
    send(request)
    raise ReadTimeoutError(endpoint_url=request.url)


def done_but_failing(request: AWSPreparedRequest, send: Send) -> AWSResponse:
    """It is done, but DynamoDB says that it failed."""
    send(request)
    return refused("InternalServerError", 500)(request, send)


def garbled(request: AWSPreparedRequest, send: Send) -> AWSResponse:
    """It is done, but the answer is cut off."""
    content = send(request).content
    return answer(request, 200, content[: len(content) // 2] or b"{")


def forgetful(request: AWSPreparedRequest, send: Send) -> AWSResponse:
    """DynamoDB has forgotten the request's token, as it does after ten minutes."""
    return send(rewritten(request, json.loads(request.body) | {"ClientRequestToken": uuid4().hex}))


def rewritten(request: AWSPreparedRequest, body: dict[str, Any]) -> AWSPreparedRequest:
    """The request with another body."""
    request.body = json.dumps(body).encode()
    request.headers["Content-Length"] = str(len(request.body))
    return request


def unprocessed(request: AWSPreparedRequest, send: Send) -> AWSResponse:
    """Of the keys of a batch, DynamoDB answers only the first; of what is to be written, it writes only the first."""
    ((table, part),) = json.loads(request.body)["RequestItems"].items()
    if isinstance(part, list):
        send(rewritten(request, {"RequestItems": {table: part[:1]}}))
        return answer(request, 200, {"UnprocessedItems": {table: part[1:]} if part[1:] else {}})
    (first, *rest) = part["Keys"]
    body = json.loads(send(rewritten(request, {"RequestItems": {table: {**part, "Keys": [first]}}})).content)
    left = {table: {**part, "Keys": rest}} if rest else {}
    return answer(request, 200, {**body, "UnprocessedKeys": left})


def unanswered(request: AWSPreparedRequest, _: Send) -> AWSResponse:
    """Of the keys of a batch, DynamoDB answers none."""
    return answer(request, 200, {"Responses": {}, "UnprocessedKeys": json.loads(request.body)["RequestItems"]})
