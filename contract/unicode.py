"""Text in normal form C, in a time that grows with the text alone, whatever stands in it.

CPython puts the combining marks of a run in order by insertion: twenty thousand of them keep it busy for half a second,
and ten times as many for a hundred times as long. Marks that are in order already cost it nothing.
"""

import re
from unicodedata import combining, is_normalized, normalize

_LONG_RUN = re.compile(rb"[^\0]{100,}")
_EXPANSIONS = {"\u0f73": "\u0f71\u0f72", "\u0f75": "\u0f71\u0f74", "\u0f81": "\u0f71\u0f80"}
"""All characters that are no marks themselves and begin with one in normal form, and what they are there."""


def to_nfc(text: str) -> str:
    """The text in NFC."""
    if is_normalized("NFC", text):
        return text
    for character, marks in _EXPANSIONS.items():
        text = text.replace(character, marks)
    classes = bytes(map(combining, text))
    pieces, end = [], 0
    for run in _LONG_RUN.finditer(classes):
        pieces += [text[end : run.start()], *sorted(text[slice(*run.span())], key=combining)]
        end = run.end()
    return normalize("NFC", "".join((*pieces, text[end:])))
