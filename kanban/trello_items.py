"""Reading a Trello export: its objects, in their order, with their times. What is odd is passed over."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from kanban.moments import EARLIEST, LATEST

Item = Mapping[str, Any]

READ: Mapping[str, Sequence[str]] = {
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


def made_at(trello_id: object, otherwise: datetime) -> datetime:
    """When the thing of that id was made, never later than `otherwise`, which it is too where the id tells nothing."""
    try:
        at = datetime.fromtimestamp(int(str(trello_id)[:8], 16), UTC)
    except ValueError:
        return otherwise
    return min(at, otherwise) if EARLIEST <= at <= LATEST else otherwise


def moment(text: object, otherwise: datetime | None = None) -> datetime | None:
    """A moment in UTC and whole seconds from what Trello writes."""
    try:
        at = datetime.fromisoformat(str(text)).astimezone(UTC).replace(microsecond=0) if text else None
    except (ValueError, OverflowError):
        return otherwise
    return at if at and EARLIEST <= at <= LATEST else otherwise


def in_order(items: Iterable[Item]) -> list[Item]:
    """By `pos`, or as they stand where any has none."""
    found = list(items)
    if all(isinstance(each.get("pos"), int | float) for each in found):
        found.sort(key=lambda each: float(each["pos"]))
    return found


def items(export: Item, name: str) -> list[Item]:
    """The objects of an array of the export."""
    found = export.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def read(name: str, item: Item) -> Item:
    """What is read of an object in that array."""
    return {key: item[key] for key in READ[name] if key in item}
