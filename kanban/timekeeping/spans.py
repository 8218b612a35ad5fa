"""Spans of time: from a moment that is included to one that is not."""

from datetime import datetime

from kanban.errors import EndsBeforeStart


def ensure_start_before_end(start: datetime | None, end: datetime | None, *, parameters: tuple[str, str]) -> None:
    """Raise EndsBeforeStart where both are given and the end lies before the start. `named` are the query's names."""
    if start and end and end < start:
        raise EndsBeforeStart(*parameters, in_query=True)
