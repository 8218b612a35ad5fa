"""Text as it is searched: two texts that read the same are the same."""

from unicodedata import normalize


def folded(text: str) -> str:
    """The text without regard to case, in normal form: 'STRASSE' and 'straße' become one."""
    return normalize("NFC", normalize("NFC", text).casefold())


def searchable(title: str, description: str) -> str:
    """What a card is found by. A query, folded, is looked for in it as a substring."""
    return folded(f"{title}\n{description}")
