"""Text as it is searched: two texts that read the same are the same."""

from unicodedata import normalize


def folded(text: str) -> str:
    """The text without regard to case, in normal form: 'STRASSE' and 'straße' become one."""
    return normalize("NFC", normalize("NFC", text).casefold())


def searchable(title: str, description: str) -> str:
    """What a card is found by. A query, folded, is looked for in it as a substring."""
    return folded(f"{title}\n{description}")


def searched_otherwise(title: str, description: str) -> str:
    """Those lines of what a card is found by that are not found in the card itself. No query has a line break."""
    lines = ((line, folded(line)) for line in (title, *description.split("\n")))
    return "\n".join(found for line, found in lines if found != line)
