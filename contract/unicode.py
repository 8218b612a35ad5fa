"""Normalize text to NFC in linear time.

CPython sorts a run of combining marks by insertion, which is quadratic: 20,000 marks take half a second, ten times as
many take a hundred times as long. Marks that are already sorted cost it nothing, so long runs are sorted here first.
"""

import re
from unicodedata import combining, is_normalized, normalize

_LONG_RUN = re.compile(rb"[^\0]{100,}")
_EXPANSIONS = {"\u0f73": "\u0f71\u0f72", "\u0f75": "\u0f71\u0f74", "\u0f81": "\u0f71\u0f80"}
"""Each character with combining class 0 whose decomposition starts with a combining mark, and that decomposition."""


def to_nfc(text: str) -> str:
    """Return the text in Unicode normalization form C."""
    if is_normalized("NFC", text):
        return text
    for character, marks in _EXPANSIONS.items():
        text = text.replace(character, marks)
    classes = bytes(map(combining, text))
    parts, end = [], 0
    for match in _LONG_RUN.finditer(classes):
        parts += [text[end : match.start()], *sorted(text[slice(*match.span())], key=combining)]
        end = match.end()
    return normalize("NFC", "".join((*parts, text[end:])))
