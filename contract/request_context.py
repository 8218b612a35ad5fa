"""What is known about the current request, for the request log: operation, caller, request id, retries, waits.

Whoever answers a request over WSGI or on Lambda starts its context, and reads it afterwards. Layers that get the
request find the context in it. What has no request at hand, such as a store's client, uses `get_request_context`.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any


class RequestContext:
    """What the layers have found out about a request so far.

    What nobody has found out is as the class says, so that a new context costs next to nothing.
    """

    request_id: str = ""
    limit_headers: tuple[tuple[str, str], ...] = ()
    """What the response says about rate limits."""
    has_own_id: bool = False
    """Whether the request id was made here, and not by the client."""
    address: str = ""
    """The client's address, as far as trusted proxies tell it."""
    is_https: bool = False
    """Whether the client uses HTTPS, as far as trusted proxies tell it."""
    operation: Any = None
    path: str = ""
    """The path that led to the operation."""
    path_values: Mapping[str, str] = MappingProxyType({})
    """The path parameters as text. They may be invalid."""
    page: str | None = None
    """The path of a file of the site or of the documentation."""
    caller: Any = None
    redeemed: Any = None
    """What a secret that can be used once was exchanged for: the request's handler may run several times."""
    can_stream: bool = False
    """Whether the server can go on with a response for minutes."""
    is_continued: bool = False
    """Whether the request was answered before, by a response that the server did not send or goes on with."""
    code: str | None = None
    """The code of the problem that is the response."""
    is_replayed: bool = False
    """Whether the response is the stored one of an idempotency key."""
    trace_id: str = ""
    """The id of the trace that the request is a part of, if it is traced."""
    retries: int = 0
    store_calls: int = 0
    store_seconds: float = 0.0
    """How long the calls of the store took together."""
    lock_seconds: float = 0.0
    """For how much of that they waited until they could begin."""
    turn_seconds: float = 0.0
    """How long the request waited for its turn to write to a board."""
    pause_seconds: float = 0.0
    """How long it paused between its attempts to commit."""


_CONTEXT: ContextVar[RequestContext | None] = ContextVar("request_context", default=None)


def start_request_context() -> RequestContext:
    """Start the context of a request and return it."""
    context = RequestContext()
    _CONTEXT.set(context)
    return context


def get_request_context() -> RequestContext:
    """Return the context of the current request. Outside of requests it is a new one, which nobody reads."""
    return _CONTEXT.get() or RequestContext()


def end_request_context() -> None:
    """End the context of a request: what its thread does next is no part of it."""
    _CONTEXT.set(None)


def record_store_call(_: str, seconds: float, waited_seconds: float) -> None:
    """Add a call of the store to the current request: how long it took, and how long of that it waited to begin."""
    context = get_request_context()
    context.store_calls += 1
    context.store_seconds += seconds
    context.lock_seconds += waited_seconds
