"""Notes on the request in hand, for whoever keeps a record of it: which operation it is, and who calls.

Whoever answers requests opens a pad and reads it afterwards; without one, noting does nothing.
"""

from contextvars import ContextVar
from typing import Any

_PAD: ContextVar[dict[str, Any] | None] = ContextVar("pad", default=None)


def open_pad() -> dict[str, Any]:
    """A new pad for the request that begins in this context."""
    pad: dict[str, Any] = {}
    _PAD.set(pad)
    return pad


def note(**facts: object) -> None:
    """Write facts down."""
    pad = _PAD.get()
    if pad is not None:
        pad.update(facts)


def count(what: str) -> None:
    """Count something that happens more than once."""
    pad = _PAD.get()
    if pad is not None:
        pad[what] = pad.get(what, 0) + 1


def noted(what: str) -> Any:
    """What was noted so far, None for nothing."""
    pad = _PAD.get()
    return pad.get(what) if pad is not None else None
