"""Tables as CSV, for spreadsheets (RFC 4180): UTF-8, commas, CRLF.

Where a computer is set to German or French, say, spreadsheets split lines at semicolons instead, and take a quotation
mark in the middle of what is between two of them for a letter: then a line break or a semicolon in a quoted cell begins
another cell. So each piece of a text is looked at as if it were a cell, however it is quoted.
"""

import re
from collections.abc import Iterable, Sequence

BYTE_ORDER_MARK = "\ufeff"
"""Before a table in a file: without it, Excel takes UTF-8 for the encoding of its country."""

_START_OF_FORMULA = re.compile(
    "(?:^|[;\\t\\r\\n\u0085\u2028\u2029])"
    # Quotation marks and blanks before a formula don't make it a text. East Asian spreadsheets take wide signs, too.
    '(?=(?:[^\\S\\t\\r\\n\u0085\u2028\u2029]|")*[=+\\-@\uff1d\uff0b\uff0d\uff20])'
    "|^(?=[\\t\\r\\n])"
)
_NEEDS_QUOTES = re.compile('[",;\\t\\r\\n\u0085\u2028\u2029]')


def format_csv(header: Sequence[str] | None, rows: Iterable[Sequence[object]]) -> str:
    """Return a table, or more of one that has its header; None is an empty cell. No text in it is a formula."""
    lines = ([header] if header else []) + [*rows]
    return "".join(",".join(map(_format_cell, line)) + "\r\n" for line in lines)


def _format_cell(value: object) -> str:
    """Return a cell as it is written: an apostrophe before each piece of a text that a spreadsheet would compute."""
    if value is None:
        return ""
    text = _START_OF_FORMULA.sub(r"\g<0>'", value) if isinstance(value, str) else str(value)
    return '"' + text.replace('"', '""') + '"' if _NEEDS_QUOTES.search(text) else text
