"""Serialize a board to the JSON objects of an export."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from kanban.interchange.export_document import FORMAT, VERSION, JsonObject, is_imported
from kanban.serialization import compile_serializer
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


_serialize_label: Callable[[Label], JsonObject] = compile_serializer(Label, {"board_id": "", "version": ""})

_serialize_list: Callable[[List], JsonObject] = compile_serializer(
    List,
    dict.fromkeys(("board_id", "rank", "card_count", "first_rank", "last_rank", "version", "deleted_at"), ""),
)

serialize_card: Callable[[Card, BoardView], JsonObject] = compile_serializer(
    Card,
    {
        "list_id": "'list_id': value.list_id, 'place': value.rank",
        "label_ids": "'label_ids': view.get_label_ids(value)",
        "assignee_ids": "'assignee_ids': view.get_assignee_ids(value)",
        "links": "'links': [{'url': link.url, 'title': link.title} for link in value.links]",
        **dict.fromkeys(("board_id", "rank", "comment_count", "item_count", "done_count", "tracked_seconds"), ""),
        **dict.fromkeys(("tracked_cost", "running", "version", "deleted_at"), ""),
    },
    ("value", "view"),
)
"""Return an `ExportedCard`."""

_serialize_item: Callable[[ChecklistItem, Mapping[str | None, str]], JsonObject] = compile_serializer(
    ChecklistItem,
    {"assignee_id": "'assignee_id': user_ids.get(value.assignee_id)", "version": ""},
    ("value", "user_ids"),
)

_serialize_checklist: Callable[[Checklist, Mapping[str | None, str]], JsonObject] = compile_serializer(
    Checklist,
    {
        "board_id": "",
        "rank": "",
        "items": "'items': [serialize_item(item, user_ids) for item in value.items]",
        "version": "",
    },
    ("value", "user_ids"),
    {"serialize_item": _serialize_item},
)


def serialize_checklist(checklist: Checklist, view: BoardView) -> JsonObject:
    """Return an `ExportedChecklist`. An assignee who has left the board is None."""
    return _serialize_checklist(checklist, {member.id: member.user_id for member in view.members})


serialize_comment: Callable[[Comment], JsonObject] = compile_serializer(Comment, {"board_id": "", "version": ""})
"""Return an `ExportedComment`, without the name of its author."""

serialize_time_entry: Callable[[TimeEntry], JsonObject] = compile_serializer(
    TimeEntry, {"board_id": "", "rate_minor": "'hourly_rate_minor': value.rate_minor", "version": ""}
)
"""Return an `ExportedTimeEntry`, without the name of its user."""


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
