"""Cut pages out of what was read: by number of items and, for cards, by size. Every engine uses it."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from kanban.store import PAGE_BYTES
from kanban.values import Card, CardView
from kanban.views import Page, PageKey

Item = TypeVar("Item")
AnyCard = TypeVar("AnyCard", Card, CardView)


def cut_page(items: Sequence[Item], limit: int, key: Callable[[Item], str | int]) -> Page[Item]:
    """Return a page of at most `limit` items, given up to `limit` + 1 that were read."""
    if len(items) <= limit:
        return Page(tuple(items))
    return Page(tuple(items[:limit]), (key(items[limit - 1]),))


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


def count_text_bytes(card: Card | CardView) -> int:
    """Count the bytes of UTF-8 that the text of a card takes on a page."""
    size = _utf8_length(card.title) + _utf8_length(card.description)
    for link in card.links:
        size += _utf8_length(link.url) + _utf8_length(link.title)
    return size


def _utf8_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())
