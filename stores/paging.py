"""Cut pages out of what was read: by number of items and, for cards, by size. Every engine uses it."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from kanban.store import MAX_EVENTS_LOOKED_AT, PAGE_BYTES, EventQuery
from kanban.text_size import count_text_bytes
from kanban.values import Card, CardView, Checklist, Comment, Event
from kanban.views import Page, PageKey

Item = TypeVar("Item")
AnyCard = TypeVar("AnyCard", Card, CardView)


def cut_page(items: Sequence[Item], limit: int, key: Callable[[Item], str | int]) -> Page[Item]:
    """Return a page of at most `limit` items, given up to `limit` + 1 that were read."""
    if len(items) <= limit:
        return Page(tuple(items))
    return Page(tuple(items[:limit]), (key(items[limit - 1]),))


def count_events_to_read(query: EventQuery, limit: int) -> int:
    """Return how many events to read for a page: one more than it looks at."""
    return (MAX_EVENTS_LOOKED_AT if query.is_filtered else limit) + 1


def cut_event_page(candidates: Sequence[Event], query: EventQuery, limit: int) -> Page[Event]:
    """Return a page of events, given up to `count_events_to_read` in the order of the query."""
    if not query.is_filtered:
        return cut_page(candidates, limit, lambda event: event.seq)
    looked_at = candidates[:MAX_EVENTS_LOOKED_AT]
    events = [event for event in looked_at if query.matches(event)][: limit + 1]
    if len(events) > limit:
        return cut_page(events, limit, lambda event: event.seq)
    return Page(tuple(events), (looked_at[-1].seq,) if len(candidates) > len(looked_at) else None)


def cut_card_page(candidates: Iterable[AnyCard], limit: int, key: Callable[[AnyCard], PageKey]) -> Page[AnyCard]:
    """Return a page of cards that ends at `limit` cards or before more than PAGE_BYTES of text."""
    cards: list[AnyCard] = []
    remaining_bytes = PAGE_BYTES
    for card in candidates:
        remaining_bytes -= count_text_bytes(card)
        if cards and (len(cards) == limit or remaining_bytes < 0):
            return Page(tuple(cards), key(cards[-1]))
        cards.append(card)
    return Page(tuple(cards))


def cut_part_page(
    candidates: Iterable[tuple[PageKey, Checklist | Comment | None]], limit: int
) -> Page[Checklist | Comment]:
    """Return a page of parts that ends at `limit` candidates or before more than PAGE_BYTES of text.

    The candidates have their page keys. None stands for a part that is not on the page, because its card is not live.
    """
    parts: list[Checklist | Comment] = []
    remaining_bytes, last_key = PAGE_BYTES, None
    for count, (key, part) in enumerate(candidates):
        remaining_bytes -= count_text_bytes(part) if part else 0
        if count == limit or (parts and remaining_bytes < 0):
            return Page(tuple(parts), last_key)
        last_key = key
        if part:
            parts.append(part)
    return Page(tuple(parts))
