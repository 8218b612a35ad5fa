"""Serialize a board to the JSON objects of an export."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from kanban.interchange.export_document import FORMAT, VERSION, JsonObject, is_imported
from kanban.timekeeping.timestamps import format_optional_utc, format_utc
from kanban.values import Card, Checklist, ChecklistItem, Comment, Label, List, TimeEntry, User
from kanban.views import BoardView


def serialize_origin(exporter: User, installation_id: str) -> JsonObject:
    """Return what an export says about who made it, and where."""
    return {"exported_by": exporter.id, "exported_by_name": exporter.name, "exported_from": installation_id}


def serialize_board(view: BoardView, exported_at: datetime, *, is_first_page: bool = True) -> JsonObject:
    """Return the start of an export; only the first page has the members (without names), labels and lists."""
    board = view.board
    return {
        "format": FORMAT,
        "version": VERSION,
        "exported_at": format_utc(exported_at),
        "board": {
            "id": board.id,
            "name": board.name,
            "description": board.description,
            "currency": board.currency,
            "hourly_rate_minor": board.hourly_rate_minor,
            "seq": board.seq,
            "created_at": format_utc(board.created_at),
            "archived_at": format_optional_utc(board.archived_at),
            "imported_by": board.created_by if is_imported(board.external_id) else None,
        },
        "members": [{"user_id": member.user_id, "role": member.role} for member in view.members if is_first_page],
        "labels": [_serialize_label(label) for label in view.labels if is_first_page],
        "lists": [_serialize_list(list_) for list_ in view.lists if is_first_page],
    }


def _serialize_label(label: Label) -> JsonObject:
    return {
        "id": label.id,
        "name": label.name,
        "color": label.color,
        "created_at": format_utc(label.created_at),
        "updated_at": format_utc(label.updated_at),
    }


def _serialize_list(list_: List) -> JsonObject:
    return {
        "id": list_.id,
        "name": list_.name,
        "stage": list_.stage,
        "wip_limit": list_.wip_limit,
        "wip_enforcement": list_.wip_enforcement,
        "external_id": list_.external_id,
        "created_at": format_utc(list_.created_at),
        "updated_at": format_utc(list_.updated_at),
        "archived_at": format_optional_utc(list_.archived_at),
    }


def serialize_card(card: Card, view: BoardView) -> JsonObject:
    """Return an `ExportedCard`."""
    return {
        "id": card.id,
        "list_id": card.list_id,
        "place": card.rank,
        "title": card.title,
        "description": card.description,
        "external_id": card.external_id,
        "start_at": format_optional_utc(card.start_at),
        "due_at": format_optional_utc(card.due_at),
        "due_complete": card.due_complete,
        "hourly_rate_minor": card.hourly_rate_minor,
        "label_ids": view.get_label_ids(card),
        "assignee_ids": view.get_assignee_ids(card),
        "links": [{"url": link.url, "title": link.title} for link in card.links],
        "started_at": format_optional_utc(card.started_at),
        "resolved_at": format_optional_utc(card.resolved_at),
        "created_at": format_utc(card.created_at),
        "updated_at": format_utc(card.updated_at),
        "archived_at": format_optional_utc(card.archived_at),
    }


def serialize_checklist(checklist: Checklist, view: BoardView) -> JsonObject:
    """Return an `ExportedChecklist`. An assignee who has left the board is None."""
    user_ids: dict[str | None, str] = {member.id: member.user_id for member in view.members}
    return {
        "id": checklist.id,
        "card_id": checklist.card_id,
        "name": checklist.name,
        "items": [_serialize_item(item, user_ids) for item in checklist.items],
        "created_at": format_utc(checklist.created_at),
        "updated_at": format_utc(checklist.updated_at),
    }


def _serialize_item(item: ChecklistItem, user_ids: Mapping[str | None, str]) -> JsonObject:
    return {
        "id": item.id,
        "text": item.text,
        "done": item.done,
        "assignee_id": user_ids.get(item.assignee_id),
        "due_at": format_optional_utc(item.due_at),
        "created_at": format_utc(item.created_at),
        "updated_at": format_utc(item.updated_at),
    }


def serialize_comment(comment: Comment) -> JsonObject:
    """Return an `ExportedComment`, without the name of its author."""
    return {
        "id": comment.id,
        "card_id": comment.card_id,
        "author_id": comment.author_id,
        "text": comment.text,
        "created_at": format_utc(comment.created_at),
        "updated_at": format_utc(comment.updated_at),
    }


def serialize_time_entry(entry: TimeEntry) -> JsonObject:
    """Return an `ExportedTimeEntry`, without the name of its user."""
    return {
        "id": entry.id,
        "card_id": entry.card_id,
        "user_id": entry.user_id,
        "started_at": format_utc(entry.started_at),
        "ended_at": format_optional_utc(entry.ended_at),
        "hourly_rate_minor": entry.rate_minor,
        "note": entry.note,
    }


_USER_PROPERTIES = {
    "members": ("user_id", "name"),
    "comments": ("author_id", "author_name"),
    "time_entries": ("user_id", "user_name"),
}
"""For each array whose objects belong to a user: the property with the user's id, and the one for the name."""


def find_user_ids(document: JsonObject) -> set[str]:
    """Return the ids of the users whose names belong into an export, or into a part of one."""
    arrays = ((array, id_property) for array, (id_property, _) in _USER_PROPERTIES.items() if array in document)
    return {value[id_property] for array, id_property in arrays for value in document[array]}


def add_user_names(document: JsonObject, users: Mapping[str, User]) -> dict[str, Any]:
    """Return an export, or a part of one, with the names of its users; the id stands for a name that is unknown."""
    names = {user.id: user.name for user in users.values()}
    return {**document} | {
        array: [
            {**value, name_property: names.get(value[id_property], value[id_property])} for value in document[array]
        ]
        for array, (id_property, name_property) in _USER_PROPERTIES.items()
        if array in document
    }
