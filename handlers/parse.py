"""What the document's shapes say, as values."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from kanban.timekeeping.date_ranges import ensure_start_before_end
from kanban.timekeeping.timestamps import EARLIEST, LATEST, TimestampOutOfRange
from kanban.values import Link, Stage


def timestamp(text: str) -> datetime:
    """An RFC 3339 date and time as an aware moment in UTC, in whole seconds."""
    return datetime.fromisoformat(text).astimezone(UTC).replace(microsecond=0)


def timestamp_or_none(text: str | None) -> datetime | None:
    """The same, or None."""
    return None if text is None else timestamp(text)


def _storable_timestamp(text: str, field: str) -> datetime:
    """A moment that is to be kept. Raises TimestampOutOfRange."""
    found = timestamp(text)
    if not EARLIEST <= found <= LATEST:
        raise TimestampOutOfRange(field)
    return found


def _storable_timestamp_or_none(text: str | None, field: str) -> datetime | None:
    return None if text is None else _storable_timestamp(text, field)


def card(body: Mapping[str, Any]) -> dict[str, Any]:
    """The properties of a `CardCreate` or `CardPatch`, each as a card holds it."""
    wishes = dict(body)
    for name in ("start_at", "due_at"):
        if name in wishes:
            wishes[name] = _storable_timestamp_or_none(wishes[name], name)
    if wishes.get("links") is not None:
        wishes["links"] = tuple(Link(link["url"], link["title"]) for link in wishes["links"])
    return wishes


def due_filters(
    status: str | None, due_from: str | None, due_until: str | None, overdue_at: datetime | None
) -> dict[str, Any]:
    """The filters that every listing of cards has, as a `CardQuery` holds them. Raises EndsBeforeStart."""
    start, end = timestamp_or_none(due_from), timestamp_or_none(due_until)
    ensure_start_before_end(start, end, parameters=("due_from", "due_until"))
    return {
        "status": Stage(status) if status else None,
        "due_from": start,
        "due_until": end,
        "overdue_at": overdue_at,
    }


def checklist_item(body: Mapping[str, Any]) -> dict[str, Any]:
    """The properties of a `ChecklistItemCreate` or `ChecklistItemPatch`, each as an item holds it."""
    wishes = dict(body)
    if "due_at" in wishes:
        wishes["due_at"] = _storable_timestamp_or_none(wishes["due_at"], "due_at")
    return wishes


def time_entry(body: Mapping[str, Any]) -> dict[str, Any]:
    """The properties of a `TimeEntryCreate` or `TimeEntryPatch`."""
    return {
        name: _storable_timestamp(value, name) if name in {"started_at", "ended_at"} else value
        for name, value in body.items()
    }
