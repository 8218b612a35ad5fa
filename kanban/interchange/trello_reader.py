"""Reading a Trello export: its objects, in their order, with their times. What is odd is passed over."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from kanban.timekeeping.timestamps import EARLIEST, LATEST

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
"""The arrays of an export that are read, and what is read of their objects: most of an export is something else."""


def parse_creation_time(trello_id: object, default: datetime) -> datetime:
    """When the thing of that id was made, never later than `otherwise`, which it is too where the id tells nothing."""
    try:
        at = datetime.fromtimestamp(int(str(trello_id)[:8], 16), UTC)
    except ValueError:
        return default
    return min(at, default) if EARLIEST <= at <= LATEST else default


def parse_timestamp(text: object, default: datetime | None = None) -> datetime | None:
    """A moment in UTC and whole seconds from what Trello writes."""
    try:
        at = datetime.fromisoformat(str(text)).astimezone(UTC).replace(microsecond=0) if text else None
    except (ValueError, OverflowError):
        return default
    return at if at and EARLIEST <= at <= LATEST else default


def sort_by_position(items: Iterable[TrelloObject]) -> list[TrelloObject]:
    """By `pos`, or as they stand where any has none."""
    found = list(items)
    if all(isinstance(each.get("pos"), int | float) for each in found):
        found.sort(key=lambda each: float(each["pos"]))
    return found


def get_objects(export: TrelloObject, name: str) -> list[TrelloObject]:
    """The objects of an array of the export."""
    found = export.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def select_fields(name: str, item: TrelloObject) -> TrelloObject:
    """What is read of an object in that array."""
    return {key: item[key] for key in READ_FIELDS[name] if key in item}
