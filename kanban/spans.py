"""Spans of time: from a moment that is included to one that is not."""

from datetime import datetime

from kanban.errors import EndsBeforeStart


def refuse_backwards(start: datetime | None, end: datetime | None, *, named: tuple[str, str]) -> None:
    """Raise EndsBeforeStart where both are given and the end lies before the start. `named` are the query's names."""
    if start and end and end < start:
        raise EndsBeforeStart(*named, in_query=True)
