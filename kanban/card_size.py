"""The size limits of a card, and of the cards of one commit: what every engine can store.

docs/decisions/0007 and 0012 explain the numbers.
"""

from collections.abc import Iterable

from kanban.errors import Unprocessable
from kanban.text import extract_folded_lines
from kanban.values import Card, Link

MAX_COMMIT_CHARACTERS = 400_000
"""Characters of all cards of one commit, in any script."""

MAX_STORED_BYTES = 86_000
"""Bytes that a card's title, description and links can take in storage."""


class CardTooLong(Unprocessable):
    """Raised when a card takes more space than a card may."""

    code = "card_too_long"
    field = "description"

    def __init__(self, size: int, maximum: int) -> None:
        super().__init__(f"Title, description and links would take {size} bytes, and at most {maximum} can be kept.")


def count_characters(card: Card) -> int:
    """Return the number of characters of the card's title, description and links."""
    return len(card.title) + len(card.description) + sum(len(link.url) + len(link.title) for link in card.links)


def compute_stored_bytes(title: str, description: str, links: Iterable[Link]) -> int:
    """Return the stored size in bytes of title, description and links, including the folded lines kept for search."""
    texts = (title, description, extract_folded_lines(title, description))
    # Quotes and backslashes are escaped in links, and each has its own quotes, brackets and commas.
    link_texts = [text for link in links for text in (link.url, link.title)]
    extra_bytes = sum(text.count('"') + text.count("\\") + 4 for text in link_texts)
    return sum(len(text.encode()) for text in (*texts, *link_texts)) + extra_bytes


def ensure_card_fits(card: Card) -> None:
    """Raise CardTooLong if the card takes more space than a card may."""
    size = compute_stored_bytes(card.title, card.description, card.links)
    if size > MAX_STORED_BYTES:
        raise CardTooLong(size, MAX_STORED_BYTES)
