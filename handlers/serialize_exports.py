"""Serialize a board as a `BoardExport`."""

from collections.abc import Mapping
from datetime import datetime

from handlers import serialize
from handlers.serialize import JsonObject
from kanban.interchange import export_document
from kanban.timekeeping.timestamps import format_optional_utc, format_utc
from kanban.values import Card, Checklist, Comment, TimeEntry, User
from kanban.views import BoardView


def origin(exporter: User, installation_id: str) -> JsonObject:
    """Serialize who made an export, and on which installation."""
    return {"exported_by": exporter.id, "exported_by_name": exporter.name, "exported_from": installation_id}


def head(view: BoardView, now: datetime, *, is_first: bool) -> JsonObject:
    """Serialize the head of an export page. Lists, labels and members are on the first page only."""
    board = view.board
    return {
        "format": export_document.FORMAT,
        "version": export_document.VERSION,
        "exported_at": format_utc(now),
        "board": {
            "id": board.id,
            "name": board.name,
            "description": board.description,
            "currency": board.currency,
            "hourly_rate_minor": board.hourly_rate_minor,
            "seq": board.seq,
            "created_at": format_utc(board.created_at),
            "archived_at": format_optional_utc(board.archived_at),
            "imported_by": board.created_by if export_document.is_imported(board.external_id) else None,
        },
        "members": [{"user_id": member.user_id, "role": member.role} for member in view.members if is_first],
        "labels": [_omit(serialize.label(label), "board_id", "version") for label in view.labels if is_first],
        "lists": [
            _omit(serialize.list_(list_), "board_id", "card_count", "version") for list_ in view.lists if is_first
        ],
    }


def card(value: Card, view: BoardView) -> JsonObject:
    """Serialize an `ExportedCard`."""
    return {
        "id": value.id,
        "list_id": value.list_id,
        "place": value.rank,
        "title": value.title,
        "description": value.description,
        "external_id": value.external_id,
        "start_at": format_optional_utc(value.start_at),
        "due_at": format_optional_utc(value.due_at),
        "due_complete": value.due_complete,
        "hourly_rate_minor": value.hourly_rate_minor,
        "label_ids": view.get_label_ids(value),
        "assignee_ids": view.get_assignee_ids(value),
        "links": [{"url": link.url, "title": link.title} for link in value.links],
        "started_at": format_optional_utc(value.started_at),
        "resolved_at": format_optional_utc(value.resolved_at),
        "created_at": format_utc(value.created_at),
        "updated_at": format_utc(value.updated_at),
        "archived_at": format_optional_utc(value.archived_at),
    }


def checklist(value: Checklist, view: BoardView) -> JsonObject:
    """Serialize an `ExportedChecklist`."""
    exported = _omit(serialize.checklist(value, view), "board_id", "version")
    return {**exported, "items": [_omit(item, "version") for item in exported["items"]]}


def comment(value: Comment) -> JsonObject:
    """Serialize an `ExportedComment`, without the name of its author."""
    return _omit(serialize.comment(value), "board_id", "version")


def time_entry(value: TimeEntry) -> JsonObject:
    """Serialize an `ExportedTimeEntry`, without the name of its user."""
    return {
        "id": value.id,
        "card_id": value.card_id,
        "user_id": value.user_id,
        "started_at": format_utc(value.started_at),
        "ended_at": format_optional_utc(value.ended_at),
        "hourly_rate_minor": value.rate_minor,
        "note": value.note,
    }


def add_user_names(page: JsonObject, users: Mapping[str, User]) -> JsonObject:
    """Return an export page with the names of its users."""
    names = {user.id: user.name for user in users.values()}
    with_names = {
        "members": [{**member, "name": names.get(member["user_id"], member["user_id"])} for member in page["members"]],
        "comments": [
            {**comment, "author_name": names.get(comment["author_id"], comment["author_id"])}
            for comment in page["comments"]
        ],
        "time_entries": [
            {**entry, "user_name": names.get(entry["user_id"], entry["user_id"])} for entry in page["time_entries"]
        ],
    }
    return {**page, **with_names}


def _omit(value: JsonObject, *names: str) -> JsonObject:
    return {name: member for name, member in value.items() if name not in names}
