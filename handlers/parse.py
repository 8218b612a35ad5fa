"""Parse JSON values of the document into values of the domain."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from kanban.timekeeping.date_ranges import ensure_start_before_end
from kanban.timekeeping.timestamps import EARLIEST, LATEST, TimestampOutOfRange, truncate_to_seconds
from kanban.values import Color, Enforcement, Link, NewList, Role, Stage


def timestamp(text: str) -> datetime:
    """Parse an RFC 3339 date-time as an aware datetime in UTC, truncated to seconds."""
    return truncate_to_seconds(datetime.fromisoformat(text).astimezone(UTC))


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
    """Parse a `CardCreate` or `CardPatch` into fields of a card. Raises TimestampOutOfRange."""
    fields = dict(body)
    for name in ("start_at", "due_at"):
        if name in fields:
            fields[name] = _storable_timestamp_or_none(fields[name], name)
    if fields.get("links") is not None:
        fields["links"] = tuple(Link(link["url"], link["title"]) for link in fields["links"])
    return fields


def list_(body: Mapping[str, Any]) -> dict[str, Any]:
    """Parse a `ListCreate` or `ListPatch` into fields of a list."""
    fields = dict(body)
    for name, enumeration in (("stage", Stage), ("wip_enforcement", Enforcement)):
        if fields.get(name) is not None:
            fields[name] = enumeration(fields[name])
    return fields


def label(body: Mapping[str, Any]) -> dict[str, Any]:
    """Parse a `LabelCreate` or `LabelPatch` into fields of a label."""
    return {**body, "color": Color(body["color"])} if body.get("color") is not None else dict(body)


def board(body: Mapping[str, Any]) -> dict[str, Any]:
    """Parse a `BoardCreate` into fields of a `NewBoard`."""
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


def role_or_none(word: str | None) -> Role | None:
    """Parse the name of a role, if there is one."""
    return Role(word) if word else None


def checklist_item(body: Mapping[str, Any]) -> dict[str, Any]:
    """Parse a `ChecklistItemCreate` or `ChecklistItemPatch` into fields of an item. Raises TimestampOutOfRange."""
    fields = dict(body)
    if "due_at" in fields:
        fields["due_at"] = _storable_timestamp_or_none(fields["due_at"], "due_at")
    return fields


def time_entry(body: Mapping[str, Any]) -> dict[str, Any]:
    """Parse a `TimeEntryCreate` or `TimeEntryPatch` into fields of an entry. Raises TimestampOutOfRange."""
    return {
        name: _storable_timestamp(value, name) if name in {"started_at", "ended_at"} else value
        for name, value in body.items()
    }
