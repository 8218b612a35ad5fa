"""Tables as CSV, for spreadsheets (RFC 4180): UTF-8, commas, CRLF."""

import csv
import io
from collections.abc import Iterable, Sequence

_BEGINS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - spreadsheets in East Asia take the wide ones, too.


def sheet(header: Sequence[str] | None, rows: Iterable[Sequence[object]]) -> str:
    """A table, or more of one that has its header; None is an empty cell. No text in it is taken for a formula."""
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    if header:
        writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return written.getvalue()


def _cell(value: object) -> object:
    """A text that a spreadsheet would compute gets an apostrophe before it, which shows that it is text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_BEGINS_FORMULA) else value
