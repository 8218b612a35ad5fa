"""Later changes: which events made the versions of a thing that came after one that a client has read.

An event doesn't say which version it made. But each version was made by one event, so the newest events tell: as many
of them as versions lie between. Some events don't say whether they made a version, such as the archiving of a list,
which stops the clocks that run. Then the result is None rather than something that may be wrong.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from kanban.field_changes import Subject
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
    TimeEntry,
    Webhook,
)

MAX_LATER_CHANGES = 10
"""How many versions may lie between the client's version and the current one for the changes to be listed."""

_TYPES: Mapping[type[Subject], frozenset[str]] = {
    Board: frozenset({"board.updated", "board.archived", "board.unarchived", "board.deleted", "board.restored"}),
    List: frozenset(
        {"list.updated", "list.moved", "list.archived", "list.unarchived", "list.deleted", "list.restored"}
    ),
    Label: frozenset({"label.updated"}),
    Card: frozenset(
        {
            *("card.updated", "card.moved", "card.archived", "card.unarchived", "card.deleted", "card.restored"),
            *("card.clock_started", "card.arrived"),
        }
    ),
    Checklist: frozenset({"checklist.updated", "checklist.moved"}),
    ChecklistItem: frozenset({"checklist_item.updated", "checklist_item.moved"}),
    Comment: frozenset({"comment.updated"}),
    TimeEntry: frozenset({"time_entry.updated"}),
    Webhook: frozenset({"webhook.updated", "webhook.secret_rotated", "webhook.stopped"}),
}
"""The types of events that make a new version of what they are about."""

_ID_IN_DATA: Mapping[type[Subject], str] = {
    Label: "label_id",
    Checklist: "checklist_id",
    ChecklistItem: "item_id",
    Comment: "comment_id",
    TimeEntry: "time_entry_id",
    Webhook: "webhook_id",
}
"""Where an event has the id of its subject, if not in a property of its own."""

_STOP_CLOCKS_OF_LIST = frozenset({"list.archived", "list.deleted"})
_STOP_CLOCKS_OF_BOARD = frozenset({"board.archived", "board.deleted", "member.removed"})
_STOP_CLOCK_OF_CARD = frozenset({"card.moved", "card.archived", "card.deleted"})


def find_later_changes(subject: Subject, events: Iterable[Event], version: int) -> tuple[Event, ...] | None:
    """Return the events that made the versions of a subject after `version`, newest first, with its field changes.

    `events` are those of its board up to the moment when the subject was read, newest first. Return None if they don't
    tell, or don't go back far enough.
    """
    count = subject.version - version
    later: list[Event] = []
    list_ids: set[str | None] = {subject.list_id} if isinstance(subject, Card) else set()
    for event in events:
        makes_version = _makes_version(subject, event, list_ids)
        if makes_version is None:
            return None
        if makes_version:
            changes = _list_changes(event)
            if changes is None:
                return None
            later.append(replace(event, changes=changes))
            if len(later) == count:
                return tuple(later)
            list_ids.add(str(event.data.get("from_list_id")))
    return None


def _makes_version(subject: Subject, event: Event, list_ids: Collection[str | None]) -> bool | None:
    """Tell whether the event made a version of the subject; None if it doesn't say.

    `list_ids` are the lists that a card has been in since.
    """
    if event.type in _TYPES[type(subject)]:
        return _get_subject_id(subject, event) == subject.id
    match subject:
        case List():
            return event.type == "board.reordered" and subject.id in _get_ids(event, "list_ids")
        case Card():
            return _makes_version_of_card(subject, event, list_ids)
        case TimeEntry():
            return None if _may_stop_clock(event, subject.card_id) else False
    return False


def _makes_version_of_card(card: Card, event: Event, list_ids: Collection[str | None]) -> bool | None:
    if event.type == "list.cards_moved":
        return card.id in _get_ids(event, "card_ids")
    if event.type in _STOP_CLOCKS_OF_BOARD or (event.type in _STOP_CLOCKS_OF_LIST and event.list_id in list_ids):
        return None
    if event.card_id != card.id:
        return False
    match event.type:
        case "time_entry.created" | "time_entry.deleted":
            # An entry of no length changes no sum.
            return event.data.get("started_at") != event.data.get("ended_at")
        case "time_entry.updated":
            changed = {change["field"] for change in event.changes or ()}
            # With one end, the length has changed. All else depends on what the event doesn't say.
            return True if len(changed & {"started_at", "ended_at"}) == 1 else None
    return False


def _may_stop_clock(event: Event, card_id: str) -> bool:
    if event.type in _STOP_CLOCK_OF_CARD:
        return event.card_id == card_id
    return event.type in {"list.cards_moved", *_STOP_CLOCKS_OF_LIST, *_STOP_CLOCKS_OF_BOARD}


def _get_subject_id(subject: Subject, event: Event) -> object:
    match subject:
        case Board():
            return event.board_id
        case List():
            return event.list_id
        case Card():
            return event.card_id
    return event.data.get(_ID_IN_DATA[type(subject)])


def _get_ids(event: Event, name: str) -> list[str]:
    ids = event.data.get(name)
    return ids if isinstance(ids, list) else []


def _list_changes(event: Event) -> tuple[FieldChange, ...] | None:
    """Return the field changes of an event, None if it doesn't have them."""
    if event.type == "card.arrived" or event.changes is None:
        return None
    if event.type != "list.cards_moved":
        return event.changes
    moved: tuple[FieldChange, ...] = (
        {"field": "list_id", "from": str(event.data["from_list_id"]), "to": event.list_id},
    )
    stages = event.data["from_stage"], event.data["to_stage"]
    return moved if stages[0] == stages[1] else (*moved, {"field": "status", "from": stages[0], "to": stages[1]})
