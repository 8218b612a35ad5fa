"""Values in the document's shapes."""

from datetime import datetime
from hashlib import sha256
from typing import Any

from kanban.timekeeping import card_clock, money
from kanban.timekeeping.timestamps import format_optional_utc as timestamp_or_none
from kanban.timekeeping.timestamps import format_utc as moment
from kanban.values import (
    Board,
    Card,
    Checklist,
    ChecklistItem,
    Comment,
    Event,
    Label,
    List,
    Member,
    Role,
    TimeEntry,
    Token,
    User,
)
from kanban.views import BoardView

JsonObject = dict[str, Any]


def user(value: User) -> JsonObject:
    """`User`."""
    return {
        "id": value.id,
        "name": value.name,
        "version": value.version,
        "created_at": moment(value.created_at),
        "updated_at": moment(value.updated_at),
    }


def token(value: Token) -> JsonObject:
    """`Token`, without anything that could be called with."""
    return {
        "id": value.id,
        "parent_id": value.ancestor_ids[-1] if value.ancestor_ids else None,
        "name": value.name,
        "scopes": list(value.scopes),
        "created_at": moment(value.created_at),
        "expires_at": timestamp_or_none(value.expires_at),
        "last_used_at": timestamp_or_none(value.last_used_at),
    }


def board(value: Board, role: Role) -> JsonObject:
    """`Board`, as a member with that role sees it."""
    return {
        "id": value.id,
        "name": value.name,
        "description": value.description,
        "currency": value.currency,
        "hourly_rate_minor": value.hourly_rate_minor,
        "external_id": value.external_id,
        "role": role,
        "seq": value.seq,
        "version": value.version,
        "created_at": moment(value.created_at),
        "updated_at": moment(value.updated_at),
        "archived_at": timestamp_or_none(value.archived_at),
        **_serialize_deletion(value),
    }


def member(value: Member, user: User) -> JsonObject:
    """`Member`: a user with a place on a board."""
    return {
        "board_id": value.board_id,
        "user_id": value.user_id,
        "name": user.name,
        "role": value.role,
        "created_at": moment(value.created_at),
        "updated_at": moment(value.updated_at),
    }


def label(value: Label) -> JsonObject:
    """`Label`."""
    return {
        "id": value.id,
        "board_id": value.board_id,
        "name": value.name,
        "color": value.color,
        "version": value.version,
        "created_at": moment(value.created_at),
        "updated_at": moment(value.updated_at),
    }


def list_(value: List) -> JsonObject:
    """`List`."""
    return {
        "id": value.id,
        "board_id": value.board_id,
        "name": value.name,
        "stage": value.stage,
        "wip_limit": value.wip_limit,
        "wip_enforcement": value.wip_enforcement,
        "external_id": value.external_id,
        "card_count": value.card_count,
        "version": value.version,
        "created_at": moment(value.created_at),
        "updated_at": moment(value.updated_at),
        "archived_at": timestamp_or_none(value.archived_at),
        **_serialize_deletion(value),
    }


def card(value: Card, view: BoardView, now: datetime) -> JsonObject:
    """`Card`, its clock and cost as of now."""
    return {
        "id": value.id,
        "board_id": value.board_id,
        "list_id": value.list_id,
        "title": value.title,
        "description": value.description,
        "status": view.get_list_of(value).stage,
        "external_id": value.external_id,
        "start_at": timestamp_or_none(value.start_at),
        "due_at": timestamp_or_none(value.due_at),
        "due_complete": value.due_complete,
        "hourly_rate_minor": value.hourly_rate_minor,
        "label_ids": view.get_label_ids(value),
        "assignee_ids": view.get_assignee_ids(value),
        "links": [{"url": link.url, "title": link.title} for link in value.links],
        "checklist_progress": {"done": value.done_count, "total": value.item_count},
        "comment_count": value.comment_count,
        "started_at": timestamp_or_none(value.started_at),
        "resolved_at": timestamp_or_none(value.resolved_at),
        "running_since": moment(value.running.started_at) if value.running else None,
        **elapsed_and_cost(value, view.board.currency, now),
        "version": value.version,
        "created_at": moment(value.created_at),
        "updated_at": moment(value.updated_at),
        "archived_at": timestamp_or_none(value.archived_at),
        **_serialize_deletion(value),
    }


def _serialize_deletion(value: Board | List | Card) -> JsonObject:
    """When it was deleted, if it is."""
    return {} if value.deleted_at is None else {"deleted_at": moment(value.deleted_at)}


def elapsed_and_cost(value: Card, currency: str, now: datetime) -> JsonObject:
    """What a card took and cost until now: `elapsed_seconds`, `elapsed`, `cost`."""
    seconds = card_clock.count_elapsed_seconds(value, now)
    minor = card_clock.compute_cost_minor(value, now)
    return {
        "elapsed_seconds": seconds,
        "elapsed": card_clock.format_duration(seconds),
        "cost": {"amount_minor": minor, "currency": currency, "formatted": money.format_amount(minor, currency)},
    }


def time_entry(value: TimeEntry, now: datetime) -> JsonObject:
    """`TimeEntry`, an open one up to now."""
    return {
        "id": value.id,
        "board_id": value.board_id,
        "card_id": value.card_id,
        "user_id": value.user_id,
        "started_at": moment(value.started_at),
        "ended_at": timestamp_or_none(value.ended_at),
        "elapsed_seconds": card_clock.count_entry_seconds(value, now),
        "hourly_rate_minor": value.rate_minor,
        "note": value.note,
        "version": value.version,
    }


def checklist(value: Checklist, view: BoardView) -> JsonObject:
    """`Checklist`, with its items."""
    return {
        "id": value.id,
        "board_id": value.board_id,
        "card_id": value.card_id,
        "name": value.name,
        "items": [checklist_item(each, view) for each in value.items],
        "version": value.version,
        "created_at": moment(value.created_at),
        "updated_at": moment(value.updated_at),
    }


def checklist_item(value: ChecklistItem, view: BoardView) -> JsonObject:
    """`ChecklistItem`; whoever has left the board is nobody."""
    return {
        "id": value.id,
        "text": value.text,
        "done": value.done,
        "assignee_id": _find_assignee_id(value, view),
        "due_at": timestamp_or_none(value.due_at),
        "version": value.version,
        "created_at": moment(value.created_at),
        "updated_at": moment(value.updated_at),
    }


def comment(value: Comment) -> JsonObject:
    """`Comment`."""
    return {
        "id": value.id,
        "board_id": value.board_id,
        "card_id": value.card_id,
        "author_id": value.author_id,
        "text": value.text,
        "version": value.version,
        "created_at": moment(value.created_at),
        "updated_at": moment(value.updated_at),
    }


def event(value: Event) -> JsonObject:
    """`Event`: list_id and card_id stand only where they belong."""
    shape: JsonObject = {
        "seq": value.seq,
        "type": value.type,
        "at": moment(value.at),
        "actor_id": value.actor_id,
        "board_id": value.board_id,
        # Sorted, because not every engine keeps the order of what was written.
        "data": dict(sorted(value.data.items())),
    }
    if value.list_id is not None:
        shape["list_id"] = value.list_id
    if value.card_id is not None:
        shape["card_id"] = value.card_id
    return shape


def card_tag(value: Card, view: BoardView, now: datetime) -> str:
    """The entity tag of a card: its version, and all that changes without it, zeros at the end left out.

    Labels and assignees only ever vanish without a new version, so their numbers tell which are left.
    """
    facets = [
        card_clock.count_elapsed_seconds(value, now) if value.running else 0,
        len(view.get_label_ids(value)),
        len(view.get_assignee_ids(value)),
        value.comment_count,
        value.item_count,
        value.done_count,
    ]
    while facets and not facets[-1]:
        facets.pop()
    return ".".join(filter(None, (str(value.version), "-".join(map(str, facets)))))


def member_tag(value: Member, user: User) -> str:
    """The entity tag of a member: versions of the place and of the user, and which place it is.

    Who leaves and comes back has a place with the first version again.
    """
    return f"{value.version}.{user.version}.{value.id.rpartition('_')[2]}"


def list_tag(value: List) -> str:
    """The entity tag of a list: its version and the number of its cards."""
    return f"{value.version}.{value.card_count}"


def board_tag(value: Board) -> str:
    """The entity tag of a board: its version and seq."""
    return f"{value.version}.{value.seq}"


def checklist_tag(value: Checklist, view: BoardView) -> str:
    """The entity tag of a checklist: its version and a digest of its items' tags in their order."""
    items = " ".join(f"{each.id}.{checklist_item_tag(each, view)}" for each in value.items)
    return f"{value.version}.{sha256(items.encode()).hexdigest()[:20]}" if items else str(value.version)


def checklist_item_tag(value: ChecklistItem, view: BoardView) -> str:
    """The entity tag of an item: its version, and whether it is somebody's, which may end without a new one."""
    return f"{value.version}.1" if _find_assignee_id(value, view) else str(value.version)


def _find_assignee_id(value: ChecklistItem, view: BoardView) -> str | None:
    """The user whose place the item names, if it is still there."""
    return next((each.user_id for each in view.members if each.id == value.assignee_id), None)


def time_entry_tag(value: TimeEntry, now: datetime) -> str:
    """The entity tag of a time entry: its version, and its seconds while it is open."""
    return str(value.version) if value.ended_at else f"{value.version}.{card_clock.count_entry_seconds(value, now)}"
