"""Values of the current request for the request log: operation, caller, request id, retries.

The server starts a context for each request and reads it afterwards. Without a context, setting values does nothing.
"""

from contextvars import ContextVar
from typing import Any

_CONTEXT: ContextVar[dict[str, Any] | None] = ContextVar("request_context", default=None)


def start_request_context() -> dict[str, Any]:
    """Start the context of a request and return its values, a dict that later calls fill."""
    context: dict[str, Any] = {}
    _CONTEXT.set(context)
    return context


def set_request_context(**values: object) -> None:
    """Set values in the context of the current request."""
    context = _CONTEXT.get()
    if context is not None:
        context.update(values)


def increment_request_context(name: str) -> None:
    """Add 1 to a counter in the context of the current request."""
    context = _CONTEXT.get()
    if context is not None:
        context[name] = context.get(name, 0) + 1


def get_from_request_context(name: str) -> Any:
    """Return a value of the current request; None if it is not set."""
    context = _CONTEXT.get()
    return context.get(name) if context is not None else None
