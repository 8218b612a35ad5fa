"""Undo: build the patch that reverts an event, and find what prevents it.

An event is undone by a change like any other, decided by the same rules, with an event of its own. That is possible if
the event has the values before, and if what it changed is still as it left it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from kanban.errors import Conflict, Unprocessable
from kanban.field_changes import Subject, present_field
from kanban.fields import Field, recorded_fields
from kanban.timekeeping.timestamps import parse_utc
from kanban.values import Board, Card, Event, FieldChange, List
from kanban.views import BoardView


class UndoBlocked(Conflict):
    """Raised when what an event changed has been changed again, or is gone.

    Attributes:
        changed_field: The property that was changed again; None if the subject is gone.
        blocking_seq: The `seq` of the event that prevents the undo, if it is known.
    """

    code = "undo_blocked"

    def __init__(self, seq: int, subject: str, field: str | None = None, blocking_seq: int | None = None) -> None:
        """Take the event's seq, what it is about ('card'), and the property that was changed again, None if it is gone.

        `blocking_seq` is the `seq` of the event that prevents the undo.
        """
        reason = f"its {subject} is gone" if field is None else f"'{field}' of its {subject} has changed since"
        by = "" if blocking_seq is None else f", by event {blocking_seq}"
        super().__init__(f"Event {seq} can't be undone: {reason}{by}.")
        self.seq = seq
        self.subject = subject
        self.changed_field = field
        self.blocking_seq = blocking_seq


class NotUndoable(Unprocessable):
    """Raised when an event doesn't say what it was like before, or did what can't be taken back."""

    code = "not_undoable"
    field = "seq"

    def __init__(self, seq: int, reason: str) -> None:
        """Take the event's seq, and why it can't be undone, as the end of a sentence."""
        super().__init__(f"Event {seq} can't be undone: {reason}.")


def build_patch(view: BoardView, event: Event, subject: Subject) -> dict[str, Any]:
    """Return the patch that gives the subject of an event the values that it had before, by names in the API.

    Raises UndoBlocked if one of them has changed since, NotUndoable if the event doesn't have them.
    """
    value_type: type = type(subject)
    fields = {field.metadata.get("api_name") or field.name: field for field in recorded_fields(value_type)}
    return {
        change["field"]: _get_value_before(view, event, subject, fields[str(change["field"])], change)  # type: ignore[misc]
        for change in get_changes(event)
    }


def get_changes(event: Event) -> tuple[FieldChange, ...]:
    """Return the field changes of an event. Raises NotUndoable if it has none."""
    if event.changes is None:
        raise NotUndoable(event.seq, "it is from before version 1.3, and has no values")
    if not event.changes:
        raise NotUndoable(event.seq, "it changed a position only, and events don't have positions")
    return event.changes


def ensure_unchanged(event: Event, subject: Board | List | Card, field: str, present: object) -> None:
    """Raise UndoBlocked unless a field of the subject has the value that the event gave it."""
    after = next((change.get("to") for change in get_changes(event) if change["field"] == field), None)
    if after != present:
        raise UndoBlocked(event.seq, type(subject).__name__.lower(), field)


def is_cause(other: Event, event: Event, field: str | None) -> bool:
    """Tell whether a later event prevents the undo of an event: see `UndoBlocked`."""
    if field is None:
        return _removes_subject(other, event)
    if field == "list_id" and other.type == "list.cards_moved":
        card_ids = other.data.get("card_ids")
        return isinstance(card_ids, list) and event.card_id in card_ids
    if other.card_id != event.card_id or (event.card_id is None and other.list_id != event.list_id):
        return False
    ids = [name for name in event.data if name.endswith("_id") and name != "from_list_id"]
    if any(event.data[name] != other.data.get(name) for name in ids):
        return False
    return any(change["field"] == field for change in other.changes or ())


def _removes_subject(other: Event, event: Event) -> bool:
    """Tell whether an event deleted what an earlier event is about, or what that is a part of."""
    match other.type:
        case "card.deleted" | "card.departed":
            return event.card_id is not None and other.card_id == event.card_id
        case "list.deleted":
            return event.list_id is not None and other.list_id == event.list_id
    if not other.type.endswith((".deleted", ".removed")) or other.card_id != event.card_id:
        return False
    ids = [name for name in other.data if name.endswith("_id") and name in event.data]
    return bool(ids) and all(other.data[name] == event.data[name] for name in ids)


def _get_value_before(view: BoardView, event: Event, subject: Subject, field: Field, change: FieldChange) -> object:
    name, kind = str(change["field"]), _name_subject(subject)
    present = present_field(view, subject, field.name)
    if "added" in change:
        return _get_ids_before(view, event, name, present, change)
    if "from" not in change or "to" not in change:
        raise NotUndoable(event.seq, f"it doesn't have the value of '{name}'")
    if present != change["to"]:
        raise UndoBlocked(event.seq, kind, name)
    before = change["from"]
    if before is None:
        return None
    if field.type is datetime:
        return parse_utc(str(before))
    return field.type(before) if field.is_enum else before


def _get_ids_before(view: BoardView, event: Event, name: str, present: list[str], change: FieldChange) -> list[str]:
    """Return the ids of labels or users as they were before: others that were added or removed since stay so."""
    added, removed = ({*ids} if isinstance(ids := change[side], list) else set() for side in ("added", "removed"))
    known = {label.id for label in view.labels} if name == "label_ids" else {member.user_id for member in view.members}
    if not added <= {*present} or removed & {*present} or not removed <= known:
        raise UndoBlocked(event.seq, "card", name)
    return sorted({*present} - added | removed)


def _name_subject(subject: Subject) -> str:
    """Return what a subject is called in a sentence: 'time entry'."""
    names: Mapping[str, str] = {"ChecklistItem": "item", "TimeEntry": "time entry"}
    name = type(subject).__name__
    return names.get(name, name.lower())
