"""How much text a thing takes on a page, which is limited by size as well as by number."""

from kanban.values import Card, CardView, Checklist, Comment


def count_text_bytes(value: Card | CardView | Checklist | Comment) -> int:
    """Count the bytes of UTF-8 that the text of a card, a checklist or a comment takes on a page."""
    if isinstance(value, Comment):
        return _utf8_length(value.text)
    if isinstance(value, Checklist):
        return _utf8_length(value.name) + sum(_utf8_length(item.text) for item in value.items)
    size = _utf8_length(value.title) + _utf8_length(value.description)
    for link in value.links:
        size += _utf8_length(link.url) + _utf8_length(link.title)
    return size


def _utf8_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())
