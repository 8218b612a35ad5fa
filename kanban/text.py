"""Text as it is searched: two texts that read the same are the same."""

from unicodedata import normalize


def fold(text: str) -> str:
    """The text without regard to case, in normal form: 'STRASSE' and 'straße' become one."""
    return normalize("NFC", normalize("NFC", text).casefold())


def build_search_text(title: str, description: str) -> str:
    """What a card is found by. A query, folded, is looked for in it as a substring."""
    return fold(f"{title}\n{description}")


def extract_folded_lines(title: str, description: str) -> str:
    """Those lines of what a card is found by that are not found in the card itself. No query has a line break."""
    lines = ((line, fold(line)) for line in (title, *description.split("\n")))
    return "\n".join(found for line, found in lines if found != line)
