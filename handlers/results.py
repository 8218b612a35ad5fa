"""What a handler answers: the body in the document's shape, and the change to commit before it may be sent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kanban.changes import Change


@dataclass(frozen=True, slots=True)
class Result:
    """A body with its status and all that goes with it.

    The body is JSON's values, or text where the document says so. `etag` is the entity tag without quotes, `location` a
    path below the base path, `next_query` what changes in the query to ask for the next page, `change` what must be
    committed before the answer may be sent.
    """

    body: Any = None
    status: int = 200
    etag: str | None = None
    location: str | None = None
    next_query: Mapping[str, str] | None = None
    change: Change | None = None


def created(body: dict[str, Any], *, etag: str | None, location: str, change: Change | None) -> Result:
    """A 201 that tells where the new resource is."""
    return Result(body, 201, etag, location, change=change)


def page(items: Iterable[dict[str, Any]], next_cursor: str | None) -> Result:
    """A 200 with one page of anything."""
    next_query = {"cursor": next_cursor} if next_cursor else None
    return Result({"items": list(items), "next_cursor": next_cursor}, next_query=next_query)


def no_content(change: Change | None) -> Result:
    """A 204: it was deleted."""
    return Result(None, 204, change=change)
