"""Parse JSON values of the document into values of the domain."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from kanban.timekeeping.date_ranges import ensure_start_before_end
from kanban.timekeeping.timestamps import EARLIEST, LATEST, TimestampOutOfRange
from kanban.values import Enforcement, Link, NewList, Stage


def timestamp(text: str) -> datetime:
    """Parse an RFC 3339 date-time as an aware datetime in UTC, truncated to seconds."""
    return datetime.fromisoformat(text).astimezone(UTC).replace(microsecond=0)


def timestamp_or_none(text: str | None) -> datetime | None:
    """Parse a date-time; None stays None."""
    return None if text is None else timestamp(text)


def _storable_timestamp(text: str, field: str) -> datetime:
    """Parse a date-time that is to be stored. Raises TimestampOutOfRange."""
    value = timestamp(text)
    if not EARLIEST <= value <= LATEST:
        raise TimestampOutOfRange(field)
    return value


def _storable_timestamp_or_none(text: str | None, field: str) -> datetime | None:
    return None if text is None else _storable_timestamp(text, field)


def card(body: Mapping[str, Any]) -> dict[str, Any]:
    """Parse a `CardCreate` or `CardPatch` into keyword arguments, as a card stores them. Raises TimestampOutOfRange."""
    arguments = dict(body)
    for name in ("start_at", "due_at"):
        if name in arguments:
            arguments[name] = _storable_timestamp_or_none(arguments[name], name)
    if arguments.get("links") is not None:
        arguments["links"] = tuple(Link(link["url"], link["title"]) for link in arguments["links"])
    return arguments


def list_(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties of a `ListCreate` or `ListPatch` as a list holds them."""
    content = dict(body)
    for name, enumeration in (("stage", Stage), ("wip_enforcement", Enforcement)):
        if content.get(name) is not None:
            content[name] = enumeration(content[name])
    return content


def board(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties of a `BoardCreate` as a new board takes them."""
    if body.get("lists") is None:
        return dict(body)
    return {**body, "lists": [NewList(**list_(definition)) for definition in body["lists"]]}


def due_filters(
    status: str | None, due_from: str | None, due_until: str | None, overdue_at: datetime | None
) -> dict[str, Any]:
    """Parse the filters that all listings of cards have, as fields of `CardQuery`. Raises EndsBeforeStart."""
    start, end = timestamp_or_none(due_from), timestamp_or_none(due_until)
    ensure_start_before_end(start, end, parameters=("due_from", "due_until"))
    return {
        "status": Stage(status) if status else None,
        "due_from": start,
        "due_until": end,
        "overdue_at": overdue_at,
    }


def checklist_item(body: Mapping[str, Any]) -> dict[str, Any]:
    """Parse a `ChecklistItemCreate` or `ChecklistItemPatch` into keyword arguments. Raises TimestampOutOfRange."""
    arguments = dict(body)
    if "due_at" in arguments:
        arguments["due_at"] = _storable_timestamp_or_none(arguments["due_at"], "due_at")
    return arguments


def time_entry(body: Mapping[str, Any]) -> dict[str, Any]:
    """Parse a `TimeEntryCreate` or `TimeEntryPatch` into keyword arguments. Raises TimestampOutOfRange."""
    return {
        name: _storable_timestamp(value, name) if name in {"started_at", "ended_at"} else value
        for name, value in body.items()
    }
