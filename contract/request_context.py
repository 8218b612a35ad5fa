"""Notes on the request in hand, for whoever keeps a record of it: which operation it is, and who calls.

Whoever answers requests opens a pad and reads it afterwards; without one, noting does nothing.
"""

from contextvars import ContextVar
from typing import Any

_CONTEXT: ContextVar[dict[str, Any] | None] = ContextVar("pad", default=None)


def start_request_context() -> dict[str, Any]:
    """A new pad for the request that begins in this context."""
    pad: dict[str, Any] = {}
    _CONTEXT.set(pad)
    return pad


def set_request_context(**facts: object) -> None:
    """Write facts down."""
    pad = _CONTEXT.get()
    if pad is not None:
        pad.update(facts)


def increment_request_context(name: str) -> None:
    """Count something that happens more than once."""
    pad = _CONTEXT.get()
    if pad is not None:
        pad[name] = pad.get(name, 0) + 1


def get_from_request_context(name: str) -> Any:
    """What was noted so far, None for nothing."""
    pad = _CONTEXT.get()
    return pad.get(name) if pad is not None else None
