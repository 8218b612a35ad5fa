"""A client of DynamoDB that tells how long each call has taken."""

import time

from stores.dynamodb.calls import Client, Listener, Request, Response
from stores.measured_calls import OnCall


class MeasuredClient:
    """A client around another one."""

    def __init__(self, client: Client, on_call: OnCall) -> None:
        self._client = client
        self._on_call = on_call

    def __call__(self, operation: str, request: Request) -> Response:
        """Return the response of an operation."""
        started_at = time.perf_counter()
        try:
            return self._client(operation, request)
        finally:
            self._on_call(operation, time.perf_counter() - started_at, 0.0)

    def add_listener(self, listener: Listener) -> None:
        """Call the listener before each call that is sent."""
        self._client.add_listener(listener)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
