"""What a handler returns: the body in the form of the document, and the change to commit before it is sent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from handlers import entity_tags, serialize
from kanban.card_views import view_card
from kanban.changes import Change
from kanban.values import Card, CardView, List
from kanban.views import BoardView


@dataclass(frozen=True, slots=True)
class FeedPosition:
    """How far a response has got in the feed of a board, for servers that hold a request until there is news.

    Attributes:
        board_id: The board.
        seq: The board's own seq at the moment of the response.
        last_seq: Where the next request goes on.
        has_news: Whether the response has anything that the client doesn't know.
        has_more: Whether more has happened until `seq` than the response has.
        wait_seconds: How long the client wants to wait for news.
    """

    board_id: str
    seq: int
    last_seq: int
    has_news: bool
    has_more: bool
    wait_seconds: int


@dataclass(slots=True)
class Result:
    """A response before it is encoded, with the change to commit before it is sent.

    Attributes:
        body: JSON values, or text where the document says so.
        status: The HTTP status.
        etag: The entity tag without quotes.
        location: The path of a new resource, below the base path.
        next_query: The query parameters to replace for the next page.
        change: The change to commit.
        feed_position: How far the response has got in a feed, if it can be followed.
    """

    body: Any = None
    status: int = 200
    etag: str | None = None
    location: str | None = None
    next_query: Mapping[str, str] | None = None
    change: Change | None = None
    feed_position: FeedPosition | None = None


def new_resource(body: dict[str, Any], *, etag: str | None, location: str, change: Change | None) -> Result:
    """Build a 201 with the location of the new resource."""
    return Result(body, 201, etag, location, change=change)


def page(items: Iterable[dict[str, Any]], next_cursor: str | None) -> Result:
    """Build a 200 with one page of a listing."""
    next_query = {"cursor": next_cursor} if next_cursor else None
    return Result({"items": list(items), "next_cursor": next_cursor}, next_query=next_query)


def card_result(card: Card, view: BoardView, now: datetime, change: Change | None = None) -> Result:
    """Build a 200 with a card."""
    return card_view_result(view_card(card, view), now, change)


def card_view_result(card: CardView, now: datetime, change: Change | None = None) -> Result:
    """Build a 200 with a card as it was read to be shown."""
    return Result(serialize.card(card, now), etag=entity_tags.card_tag(card, now), change=change)


def new_card_result(card: Card, view: BoardView, now: datetime, change: Change) -> Result:
    """Build a 201 with a new card."""
    card_view = view_card(card, view)
    return new_resource(
        serialize.card(card_view, now),
        etag=entity_tags.card_tag(card_view, now),
        location=f"/boards/{card.board_id}/cards/{card.id}",
        change=change,
    )


def list_result(list_: List, change: Change | None = None) -> Result:
    """Build a 200 with a list."""
    return Result(serialize.list_(list_), etag=entity_tags.list_tag(list_), change=change)


def no_content(change: Change | None) -> Result:
    """Build a 204 after a deletion."""
    return Result(None, 204, change=change)
