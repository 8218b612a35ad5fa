"""Text from elsewhere, made to fit: without control characters, in normal form, not blank, not too long."""

import re
from unicodedata import combining, normalize

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_INVISIBLE = re.compile(
    "[\\s\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f"
    "\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0]*"
)
_MOST_COMPOSED = 4
"""Characters that normal form may make one of."""
_MOST_MARKS = 30
"""Combining marks in a row: no language needs more (Unicode Standard Annex 15, stream-safe text)."""
_LONG_RUN = re.compile(rb"[^\0]{%d,}" % (_MOST_MARKS + 1))
_DOUBLE = {"\u0f73": "\u0f71\u0f72", "\u0f75": "\u0f71\u0f74", "\u0f81": "\u0f71\u0f80"}
"""All characters that are no marks themselves and begin with one in normal form, and what they are there."""


def line(text: object, most: int, otherwise: str) -> str:
    """One line of at most so many characters; `otherwise` for what is no text, or on which nothing can be seen."""
    if not isinstance(text, str):
        return otherwise
    made = _composed(re.sub("[\t\n\r]+", " ", _CONTROLS.sub("", text)).strip(" "), most).strip(" ")
    made = normalize("NFC", made[:most]).strip(" ")
    return otherwise if _INVISIBLE.fullmatch(made) else made


def block(text: object, most: int) -> str:
    """Several lines of at most so many characters, '' for what is no text."""
    if not isinstance(text, str):
        return ""
    made = _composed(_CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n")), most)
    return normalize("NFC", made[: most - 1]) if len(made) > most else made


def _composed(text: str, most: int) -> str:
    """The text in normal form; of one that stays longer than `most` characters, so much that it is seen to be."""
    # The time that normal form takes grows with the square of a run of marks: they are cut before.
    begin = text[: _MOST_COMPOSED * (most + 1)]
    if begin.isascii():
        return begin
    for character, marks in _DOUBLE.items():
        begin = begin.replace(character, marks)
    pieces, end = [], 0
    for run in _LONG_RUN.finditer(bytes(map(combining, begin))):
        pieces.append(begin[end : run.start() + _MOST_MARKS])
        end = run.end()
    return normalize("NFC", "".join((*pieces, begin[end:])))
