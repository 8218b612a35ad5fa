"""Format tables as CSV for spreadsheets (RFC 4180): UTF-8, commas, CRLF.

No cell can become a formula. In locales such as German or French, spreadsheets split lines at semicolons and take a
quotation mark within a cell as a character: then a line break or a semicolon in a quoted cell starts another cell. So
each part of a text between such characters is escaped as if it were a cell.
"""

import re
from collections.abc import Iterable, Sequence

BYTE_ORDER_MARK = "\ufeff"
"""Written before a table in a file: without it, Excel reads UTF-8 in the encoding of its locale."""

_START_OF_FORMULA = re.compile(
    "(?:^|[;\\t\\r\\n\u0085\u2028\u2029])"
    # A formula may follow quotation marks and blanks. East Asian spreadsheets accept full-width signs, too.
    '(?=(?:[^\\S\\t\\r\\n\u0085\u2028\u2029]|")*[=+\\-@\uff1d\uff0b\uff0d\uff20])'
    "|^(?=[\\t\\r\\n])"
)
_NEEDS_QUOTES = re.compile('[",;\\t\\r\\n\u0085\u2028\u2029]')


def format_csv(header: Sequence[str] | None, rows: Iterable[Sequence[object]]) -> str:
    """Format a table, or without a header more rows of one. None becomes an empty cell."""
    lines = ([header] if header else []) + [*rows]
    return "".join(",".join(map(_format_cell, line)) + "\r\n" for line in lines)


def _format_cell(value: object) -> str:
    """Format a cell, with an apostrophe before each part of a text that a spreadsheet would compute."""
    if value is None:
        return ""
    text = _START_OF_FORMULA.sub(r"\g<0>'", value) if isinstance(value, str) else str(value)
    return '"' + text.replace('"', '""') + '"' if _NEEDS_QUOTES.search(text) else text
