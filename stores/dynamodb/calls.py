"""Calls of DynamoDB's operations: what every client does with one, and the three ways in which it fails."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

Request = Mapping[str, Any]
Response = dict[str, Any]

Listener = Callable[[str, Request], None]
"""Is called with the operation and its request."""

CONNECT_SECONDS = 1.0
"""How many seconds a connection may take."""

READ_SECONDS = 2.0
"""How many seconds a server may send nothing while a client waits for its response."""

MAX_IDLE_CONNECTIONS = 32
"""How many connections are kept open for the next calls."""

USER_AGENT = "tackboard"


class CallRejected(Exception):
    """Raised when DynamoDB answers with an error.

    Attributes:
        status: The status of the response.
        code: The name of the error, without its namespace; the status if the response has no name.
        message: DynamoDB's sentence about it.
        fields: The other members of the response, such as `CancellationReasons`.
    """

    def __init__(self, status: int, code: str, message: str, fields: Response) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields


class OutcomeUnknown(Exception):
    """Raised when no usable response arrives, which leaves open whether the call was carried out."""


class CallNotPossible(Exception):
    """Raised when a call can't even be made, for example without credentials. The message says why."""


class Client(Protocol):
    """Calls operations, each once: retries are left to `RetryingClient`. Threads may share a client."""

    def __call__(self, operation: str, request: Request) -> Response:
        """Return the response of an operation, which is named like 'get_item'.

        The members of the response are as DynamoDB sends them: a binary value is a text in Base64.

        Raises:
            CallRejected: DynamoDB answers with an error.
            OutcomeUnknown: The connection fails, or the response can't be read.
            CallNotPossible: There is nothing to call, or no credentials to call with.
        """

    def add_listener(self, listener: Listener) -> None:
        """Call the listener before each call that is sent, also when one is retried."""

    def close(self) -> None:
        """Close the connections. The next call opens a new one."""
