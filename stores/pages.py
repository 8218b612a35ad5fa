"""Pages: when one is full, and where it ended. The same on every engine."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from kanban.store import PAGE_BYTES
from kanban.values import Card, Page, PageKey

Item = TypeVar("Item")


def page(found: Sequence[Item], limit: int, key: Callable[[Item], str | int]) -> Page[Item]:
    """A page of what was read with a limit of one more."""
    if len(found) <= limit:
        return Page(tuple(found))
    return Page(tuple(found[:limit]), (key(found[limit - 1]),))


def page_of_cards(found: Iterable[Card], limit: int, position: Callable[[Card], PageKey]) -> Page[Card]:
    """As many of the cards as are allowed by their number and by the size of their text."""
    cards: list[Card] = []
    room = PAGE_BYTES
    for card in found:
        room -= text_bytes(card)
        if cards and (len(cards) == limit or room < 0):
            return Page(tuple(cards), position(cards[-1]))
        cards.append(card)
    return Page(tuple(cards))


def text_bytes(card: Card) -> int:
    """How many bytes of UTF-8 the text of a card takes on a page."""
    links = sum(_bytes(each.url) + _bytes(each.title) for each in card.links)
    return _bytes(card.title) + _bytes(card.description) + links


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())
