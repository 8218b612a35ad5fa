"""Pages: when one is full, and where it ended. The same on every engine."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from kanban.store import PAGE_BYTES
from kanban.values import Card
from kanban.views import Page, PageKey

Item = TypeVar("Item")


def cut_page(items: Sequence[Item], limit: int, position_key: Callable[[Item], str | int]) -> Page[Item]:
    """A page of what was read with a limit of one more."""
    if len(items) <= limit:
        return Page(tuple(items))
    return Page(tuple(items[:limit]), (position_key(items[limit - 1]),))


def cut_card_page(candidates: Iterable[Card], limit: int, position: Callable[[Card], PageKey]) -> Page[Card]:
    """As many of the cards as are allowed by their number and by the size of their text."""
    cards: list[Card] = []
    room = PAGE_BYTES
    for card in candidates:
        room -= count_text_bytes(card)
        if cards and (len(cards) == limit or room < 0):
            return Page(tuple(cards), position(cards[-1]))
        cards.append(card)
    return Page(tuple(cards))


def count_text_bytes(card: Card) -> int:
    """How many bytes of UTF-8 the text of a card takes on a page."""
    links = sum(_utf8_length(each.url) + _utf8_length(each.title) for each in card.links)
    return _utf8_length(card.title) + _utf8_length(card.description) + links


def _utf8_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())
