"""A client of DynamoDB's protocol, JSON over HTTP, for the environment that Lambda gives its functions.

The SDK's client builds and parses each call by descriptions of the service, for any of four hundred. This store calls
a dozen operations, and its requests and responses already have the form in which they are sent.
"""

from base64 import b64encode
from functools import cache
from http.client import HTTPException
from typing import Protocol
from zlib import crc32

import orjson

from stores.dynamodb.calls import USER_AGENT, CallRejected, Listener, OutcomeUnknown, Request, Response
from stores.dynamodb.connections import HttpResponse

_CONTENT_TYPE = "application/x-amz-json-1.0"
_API = "DynamoDB_20120810"
_SUCCESS_STATUS = 200


class Connections(Protocol):
    """What a client needs of `connections.ConnectionPool`."""

    def post(self, headers: dict[str, str], body: bytes) -> HttpResponse:
        """Send a request and return the response."""

    def close(self) -> None:
        """Close the connections."""


class Signer(Protocol):
    """What a client needs of `signing.RequestSigner`."""

    def sign(self, headers: dict[str, str], body: bytes) -> None:
        """Add headers that sign a request."""

    def forget_credentials(self) -> None:
        """Load the credentials again before the next signature."""


class HttpClient:
    """A `calls.Client` that speaks DynamoDB's protocol itself."""

    def __init__(self, connections: Connections, signer: Signer) -> None:
        self._connections = connections
        self._signer = signer
        self._listeners: list[Listener] = []

    def __call__(self, operation: str, request: Request) -> Response:
        for listener in self._listeners:
            listener(operation, request)
        body = orjson.dumps(request, default=_encode_binary)
        headers = {"Content-Type": _CONTENT_TYPE, "X-Amz-Target": _target(operation)}
        self._signer.sign(headers, body)
        headers["User-Agent"] = USER_AGENT
        try:
            response = self._connections.post(headers, body)
        except (OSError, HTTPException) as error:
            raise OutcomeUnknown(type(error).__name__) from error
        return _read(response)

    def add_listener(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def close(self) -> None:
        self._connections.close()
        # What opens connections again may do so in another process, restored from a snapshot of this one.
        self._signer.forget_credentials()


@cache
def _target(operation: str) -> str:
    return f"{_API}.{''.join(word.capitalize() for word in operation.split('_'))}"


def _encode_binary(value: object) -> str:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    raise TypeError


def _read(response: HttpResponse) -> Response:
    """Return the members of a response. Raises CallRejected for an error, OutcomeUnknown for no usable response."""
    if response.crc32 is not None and response.crc32 != str(crc32(response.content)):
        raise OutcomeUnknown("ChecksumMismatch")
    try:
        members = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        members = None
    if response.status != _SUCCESS_STATUS:
        raise _call_rejected(response.status, members if isinstance(members, dict) else {})
    if not isinstance(members, dict):
        raise OutcomeUnknown("ResponseNotReadable")
    return members


def _call_rejected(status: int, members: Response) -> CallRejected:
    """Return the error that a response describes; a proxy's, which describes none, is called like its status."""
    kind, message = members.pop("__type", None), members.pop("message", None)
    if message is None:
        message = members.pop("Message", None)
    # com.amazonaws.dynamodb.v20120810#ThrottlingException; in JSON, some services add an address.
    code = kind.partition(":")[0].rpartition("#")[2] if isinstance(kind, str) else str(status)
    return CallRejected(status, code, message if isinstance(message, str) else "", members)
