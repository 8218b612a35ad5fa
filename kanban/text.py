"""Text as it is searched and compared: without regard to case, in normal form."""

from unicodedata import normalize


def fold(text: str) -> str:
    """Return the text case-folded and normalized (NFC): 'STRASSE' and 'straße' become the same."""
    return normalize("NFC", normalize("NFC", text).casefold())


def build_search_text(title: str, description: str) -> str:
    """Return the text of a card that a folded query is searched in, as a substring."""
    return fold(f"{title}\n{description}")


def extract_folded_lines(title: str, description: str) -> str:
    """Return the folded lines that differ from the card's own lines. No query contains a line break."""
    pairs = ((line, fold(line)) for line in (title, *description.split("\n")))
    return "\n".join(folded for line, folded in pairs if folded != line)
