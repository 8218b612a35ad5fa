"""A board in the shapes of its export."""

from collections.abc import Mapping
from datetime import datetime

from handlers import serialize
from handlers.serialize import JsonObject
from kanban.interchange import export_document
from kanban.timekeeping.timestamps import format_optional_utc as timestamp_or_none
from kanban.timekeeping.timestamps import format_utc as moment
from kanban.values import Card, Checklist, Comment, TimeEntry, User
from kanban.views import BoardView


def origin(exporter: User, installation_id: str) -> JsonObject:
    """Return what an export says about who made it, and where."""
    return {"exported_by": exporter.id, "exported_by_name": exporter.name, "exported_from": installation_id}


def head(view: BoardView, now: datetime, *, is_first: bool) -> JsonObject:
    """What an export begins with; lists, labels and members stand on the first page alone."""
    board = view.board
    return {
        "format": export_document.FORMAT,
        "version": export_document.VERSION,
        "exported_at": moment(now),
        "board": {
            "id": board.id,
            "name": board.name,
            "description": board.description,
            "currency": board.currency,
            "hourly_rate_minor": board.hourly_rate_minor,
            "seq": board.seq,
            "created_at": moment(board.created_at),
            "archived_at": timestamp_or_none(board.archived_at),
            "imported_by": board.created_by if export_document.is_imported(board.external_id) else None,
        },
        "members": [{"user_id": each.user_id, "role": each.role} for each in view.members if is_first],
        "labels": [_omit(serialize.label(each), "board_id", "version") for each in view.labels if is_first],
        "lists": [_omit(serialize.list_(each), "board_id", "card_count", "version") for each in view.lists if is_first],
    }


def card(value: Card, view: BoardView) -> JsonObject:
    """`ExportedCard`."""
    return {
        "id": value.id,
        "list_id": value.list_id,
        "place": value.rank,
        "title": value.title,
        "description": value.description,
        "external_id": value.external_id,
        "start_at": timestamp_or_none(value.start_at),
        "due_at": timestamp_or_none(value.due_at),
        "due_complete": value.due_complete,
        "hourly_rate_minor": value.hourly_rate_minor,
        "label_ids": view.get_label_ids(value),
        "assignee_ids": view.get_assignee_ids(value),
        "links": [{"url": link.url, "title": link.title} for link in value.links],
        "started_at": timestamp_or_none(value.started_at),
        "resolved_at": timestamp_or_none(value.resolved_at),
        "created_at": moment(value.created_at),
        "updated_at": moment(value.updated_at),
        "archived_at": timestamp_or_none(value.archived_at),
    }


def checklist(value: Checklist, view: BoardView) -> JsonObject:
    """`ExportedChecklist`."""
    shape = _omit(serialize.checklist(value, view), "board_id", "version")
    return {**shape, "items": [_omit(each, "version") for each in shape["items"]]}


def comment(value: Comment) -> JsonObject:
    """`ExportedComment`, without the name of its author."""
    return _omit(serialize.comment(value), "board_id", "version")


def time_entry(value: TimeEntry) -> JsonObject:
    """`ExportedTimeEntry`, without the name of who worked."""
    return {
        "id": value.id,
        "card_id": value.card_id,
        "user_id": value.user_id,
        "started_at": moment(value.started_at),
        "ended_at": timestamp_or_none(value.ended_at),
        "hourly_rate_minor": value.rate_minor,
        "note": value.note,
    }


def add_user_names(shape: JsonObject, users: Mapping[str, User]) -> JsonObject:
    """The export with the names of its people."""
    names = {user.id: user.name for user in users.values()}
    named = {
        "members": [{**each, "name": names.get(each["user_id"], each["user_id"])} for each in shape["members"]],
        "comments": [
            {**each, "author_name": names.get(each["author_id"], each["author_id"])} for each in shape["comments"]
        ],
        "time_entries": [
            {**each, "user_name": names.get(each["user_id"], each["user_id"])} for each in shape["time_entries"]
        ],
    }
    return {**shape, **named}


def _omit(shape: JsonObject, *names: str) -> JsonObject:
    return {name: value for name, value in shape.items() if name not in names}
