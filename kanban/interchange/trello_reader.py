"""Read the objects of a Trello export, their order and their timestamps. Malformed values are ignored."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from kanban.timekeeping.timestamps import EARLIEST, LATEST, truncate_to_seconds

TrelloObject = Mapping[str, Any]

READ_FIELDS: Mapping[str, Sequence[str]] = {
    "lists": ("id", "name", "pos", "closed", "softLimit"),
    "cards": (
        *("id", "idList", "name", "desc", "pos", "closed", "start", "due", "dueComplete", "dateLastActivity"),
        *("idLabels", "idMembers", "attachments", "customFieldItems"),
    ),
    "labels": ("id", "name", "color"),
    "checklists": ("id", "idCard", "name", "pos", "checkItems"),
    "actions": ("type", "date", "data", "memberCreator"),
}
"""The arrays of an export that are read, and the fields that are read of their objects."""


def parse_creation_time(trello_id: object, default: datetime) -> datetime:
    """Return the creation time that a Trello id contains, at most `default`; `default` if the id contains none."""
    try:
        at = datetime.fromtimestamp(int(str(trello_id)[:8], 16), UTC)
    except ValueError:
        return default
    return min(at, default) if EARLIEST <= at <= LATEST else default


def parse_timestamp(text: object, default: datetime | None = None) -> datetime | None:
    """Parse a timestamp to UTC and whole seconds; return `default` if it is missing, malformed or out of range."""
    try:
        at = truncate_to_seconds(datetime.fromisoformat(str(text)).astimezone(UTC)) if text else None
    except (ValueError, OverflowError):
        return default
    return at if at and EARLIEST <= at <= LATEST else default


def sort_by_position(items: Iterable[TrelloObject]) -> list[TrelloObject]:
    """Sort objects by their `pos`; leave them as they are if one of them has none."""
    objects = list(items)
    if all(isinstance(object_.get("pos"), int | float) for object_ in objects):
        objects.sort(key=lambda object_: float(object_["pos"]))
    return objects


def get_objects(export: TrelloObject, name: str) -> list[TrelloObject]:
    """Return the objects of an array of the export."""
    values = export.get(name)
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


def select_fields(name: str, object_: TrelloObject) -> TrelloObject:
    """Return the object with only the fields that are read of its array."""
    return {key: object_[key] for key in READ_FIELDS[name] if key in object_}
