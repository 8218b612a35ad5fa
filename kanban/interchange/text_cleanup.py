"""Clean imported text: no control characters, normalized, not blank, not too long."""

import re
from unicodedata import combining, normalize

_CONTROL_CHARACTERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_INVISIBLE_TEXT = re.compile(
    "[\\s\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f"
    "\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0]*"
)
_MAX_CHARACTERS_COMPOSED = 4
"""Characters that normalization (NFC) can compose to one."""
_MAX_COMBINING_MARKS = 30
"""Combining marks in a row: no language needs more (Unicode Standard Annex 15, stream-safe text)."""
_LONG_RUN = re.compile(rb"[^\0]{%d,}" % (_MAX_COMBINING_MARKS + 1))
_DECOMPOSED_MARKS = {"\u0f73": "\u0f71\u0f72", "\u0f75": "\u0f71\u0f74", "\u0f81": "\u0f71\u0f80"}
"""All characters that are not combining marks themselves but decompose to some, and what they decompose to."""


def clean_line(text: object, max_length: int, default: str) -> str:
    """Return one line of at most `max_length` characters; `default` if it is not text or nothing of it is visible."""
    if not isinstance(text, str):
        return default
    cleaned = _normalize_start(
        re.sub("[\t\n\r]+", " ", _CONTROL_CHARACTERS.sub("", text)).strip(" "), max_length
    ).strip(" ")
    cleaned = normalize("NFC", cleaned[:max_length]).strip(" ")
    return default if _INVISIBLE_TEXT.fullmatch(cleaned) else cleaned


def clean_text(text: object, max_length: int) -> str:
    """Return several lines of at most `max_length` characters; '' if it is not text."""
    if not isinstance(text, str):
        return ""
    cleaned = _normalize_start(_CONTROL_CHARACTERS.sub("", text.replace("\r\n", "\n").replace("\r", "\n")), max_length)
    return normalize("NFC", cleaned[: max_length - 1]) if len(cleaned) > max_length else cleaned


def _normalize_start(text: str, max_length: int) -> str:
    """Return the text in NFC; of one longer than `max_length` only the beginning, but still more than `max_length`."""
    # Normalization takes time quadratic in the length of a run of combining marks, so long runs are cut first.
    start = text[: _MAX_CHARACTERS_COMPOSED * (max_length + 1)]
    if start.isascii():
        return start
    for character, marks in _DECOMPOSED_MARKS.items():
        start = start.replace(character, marks)
    pieces, end = [], 0
    for run in _LONG_RUN.finditer(bytes(map(combining, start))):
        pieces.append(start[end : run.start() + _MAX_COMBINING_MARKS])
        end = run.end()
    return normalize("NFC", "".join((*pieces, start[end:])))
