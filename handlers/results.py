"""What a handler returns: the body in the form of the document, and the change to commit before it is sent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kanban.changes import Change


@dataclass(frozen=True, slots=True)
class Result:
    """A response before it is encoded, with the change to commit before it is sent.

    Attributes:
        body: JSON values, or text where the document says so.
        status: The HTTP status.
        etag: The entity tag without quotes.
        location: The path of a new resource, below the base path.
        next_query: The query parameters to replace for the next page.
        change: The change to commit.
    """

    body: Any = None
    status: int = 200
    etag: str | None = None
    location: str | None = None
    next_query: Mapping[str, str] | None = None
    change: Change | None = None


def new_resource(body: dict[str, Any], *, etag: str | None, location: str, change: Change | None) -> Result:
    """Build a 201 with the location of the new resource."""
    return Result(body, 201, etag, location, change=change)


def page(items: Iterable[dict[str, Any]], next_cursor: str | None) -> Result:
    """Build a 200 with one page of a listing."""
    next_query = {"cursor": next_cursor} if next_cursor else None
    return Result({"items": list(items), "next_cursor": next_cursor}, next_query=next_query)


def no_content(change: Change | None) -> Result:
    """Build a 204 after a deletion."""
    return Result(None, 204, change=change)
