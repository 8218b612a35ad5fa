"""Text from elsewhere, made to fit: without control characters, in normal form, not blank, not too long."""

import re
from unicodedata import normalize

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_INVISIBLE = re.compile(
    "[\\s\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f"
    "\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0]*"
)


def line(text: object, most: int, otherwise: str) -> str:
    """One line of at most so many characters; `otherwise` for what is no text, or on which nothing can be seen."""
    if not isinstance(text, str):
        return otherwise
    made = normalize("NFC", re.sub("[\t\n\r]+", " ", _CONTROLS.sub("", text))).strip(" ")
    made = normalize("NFC", made[:most]).strip(" ")
    return otherwise if _INVISIBLE.fullmatch(made) else made


def block(text: object, most: int) -> str:
    """Several lines of at most so many characters, '' for what is no text."""
    if not isinstance(text, str):
        return ""
    made = normalize("NFC", _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))
    return normalize("NFC", made[: most - 1]) if len(made) > most else made
