"""What the application gives to a handler that names it, besides the document's parameters.

`context` is who does it, when, and where new ids come from; `now` is the moment of the request; `caller` is who calls,
or None where the operation allows nobody in particular; `media_type` is the media type that the client likes best.
"""

from typing import Protocol

from kanban.views import PageKey


class IfMatch(Protocol):
    """What the client says it has seen (`if_match`)."""

    def ensure_matches(self, version: int) -> None:
        """Let the change pass, or refuse it because nothing was said or something else is there by now."""


class CursorEncoder(Protocol):
    """Seals the place where the next page starts (`next_cursor`)."""

    def __call__(self, page_key: PageKey | None, operation_id: str | None = None, **scope: object) -> str | None:
        """The cursor of this listing, or of the operation `of` with its parameters; None at the end."""


class RandomBytes(Protocol):
    """Where secrets come from (`random_bytes`)."""

    def __call__(self, count: int, /) -> bytes:
        """So many unpredictable bytes."""
