"""Field changes: what an event says about the values of its subject before and after.

Fields have the names and values that the API shows: times as text, users instead of memberships, the status of a card,
and no deleted labels. A text is given whole up to `MAX_TEXT_LENGTH` characters; longer ones, and private ones of any
length, by their length, links by their number, ids by those that were added and removed. What follows from other
changes has no entry: versions, counters, sums of tracked time, and the positions of lists, cards and items.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from kanban.fields import recorded_fields
from kanban.timekeeping.timestamps import format_utc
from kanban.values import (
    Board,
    Card,
    Checklist,
    ChecklistItem,
    Comment,
    Event,
    FieldChange,
    Label,
    List,
    Member,
    TimeEntry,
    Webhook,
)
from kanban.views import BoardView

Subject = Board | Member | Label | List | Card | Checklist | ChecklistItem | Comment | TimeEntry | Webhook
"""What an event is about."""

MAX_TEXT_LENGTH = 200
"""Characters of a text that an event holds whole."""

MAX_EVENT_BYTES = 1_024
"""Bytes of an event as DynamoDB stores it, so that it costs one write unit, as it did without values."""

ERASED = "(erased)"
"""Stands for a text in the data of an event whose card is erased."""

TOUCHES = "touches"
"""The name of an attribute that only some events have: the names of all others are among the bytes below."""

_TEXTS_IN_DATA = frozenset({"title", "name", "text"})

_OTHER_BYTES = 325
"""Bytes of the rest of an event at most: ids, names of attributes, the longest type, the time, the key in an index."""


def compare(view: BoardView, old: Subject, new: Subject) -> Iterator[FieldChange]:
    """Yield what changed between two states of one thing, in the order of its fields."""
    value_type: type = type(new)
    for field in recorded_fields(value_type):
        name = field.name
        if getattr(old, name) == getattr(new, name):
            continue
        before, after = present_field(view, old, name), present_field(view, new, name)
        if before != after:
            is_private = field.metadata.get("is_text_private", False)
            yield _build_change(field.metadata.get("api_name") or name, before, after, is_private=is_private)
        if isinstance(new, Card) and isinstance(old, Card) and name == "list_id":
            old_stage, new_stage = (str(view.get_list_of(card).stage) for card in (old, new))
            if old_stage != new_stage:
                yield _build_change("status", old_stage, new_stage)


def limit_bytes(changes: Sequence[FieldChange], other_texts: Iterable[str], data: object) -> tuple[FieldChange, ...]:
    """Return the changes, with the names of the fields alone for those whose values would make the event too long.

    `other_texts` are the texts of the event that may have any length, `data` is what else it says.
    """
    if not changes:
        return ()
    data_bytes = len(json.dumps(data, ensure_ascii=False).encode())
    room = MAX_EVENT_BYTES - _OTHER_BYTES - sum(map(len, other_texts)) - data_bytes
    if _count_bytes(changes) <= room:
        return tuple(changes)
    names: list[FieldChange] = [{"field": change["field"]} for change in changes]
    room -= _count_bytes(names)
    limited = []
    for name, change in zip(names, changes, strict=True):
        more = _count_bytes(change) - _count_bytes(name)
        if more <= room:
            room -= more
            limited.append(change)
        else:
            limited.append(name)
    return tuple(limited)


def erase_values(event: Event) -> Event:
    """Return the event of a card that is erased, without what was written on it: the same event if it has nothing."""
    data = {name: ERASED if name in _TEXTS_IN_DATA else value for name, value in event.data.items()}
    changes = event.changes and tuple({"field": change["field"]} for change in event.changes)
    return event if (data, changes) == (event.data, event.changes) else replace(event, data=data, changes=changes)


format_changes: Callable[[object], str] = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""Return changes as the short JSON text that engines store."""


def parse_changes(text: str) -> tuple[FieldChange, ...]:
    """Parse what `format_changes` returned. Most events have no changes."""
    return () if text == "[]" else tuple(json.loads(text))


def _count_bytes(value: object) -> int:
    return len(format_changes(value).encode())


def present_field(view: BoardView, value: Any, name: str) -> Any:
    """Return the value of a field as the API shows it, ids as a list and links as a tuple."""
    stored = getattr(value, name)
    match name:
        case "label_ids":
            return list(view.get_label_ids(value))
        case "assignee_ids":
            return list(view.get_assignee_ids(value))
        case "assignee_id":
            return next((member.user_id for member in view.members if member.id == stored), None)
        case "running":
            return format_utc(stored.started_at) if stored else None
    if isinstance(stored, datetime):
        return format_utc(stored)
    return str(stored) if isinstance(stored, str) else stored


def _build_change(name: str, before: Any, after: Any, *, is_private: bool = False) -> FieldChange:
    if isinstance(after, list):
        return {
            "field": name,
            "added": [id_ for id_ in after if id_ not in before],
            "removed": [id_ for id_ in before if id_ not in after],
        }
    if isinstance(after, tuple):
        return {"field": name, "from_count": len(before), "to_count": len(after)}
    max_length = -1 if is_private else MAX_TEXT_LENGTH
    return {"field": name, **_build_side("from", before, max_length), **_build_side("to", after, max_length)}


def _build_side(side: str, value: Any, max_length: int) -> FieldChange:
    if isinstance(value, str) and len(value) > max_length:
        return {f"{side}_length": len(value)}
    return {side: value}
