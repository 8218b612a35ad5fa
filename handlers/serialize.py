"""Serialize values of the domain as JSON values of the document.

Each function is compiled at import from the fields of its value: a member for each field, in their order. Where the
document differs from the value, the members that replace a field are given as Python source.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from kanban.fields import Field, compile_function, describe
from kanban.timekeeping import card_clock, money
from kanban.timekeeping.timestamps import format_optional_utc, format_utc
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


def _compile(value_type: type, replacements: Mapping[str, str], parameters: Sequence[str] = ("value",)) -> Any:
    """Compile a function that serializes a value: a member for each field, in their order, by its type.

    `replacements` are Python source by name of a field: the members to write instead; an empty text omits the field.

    Raises:
        TypeError: A field has a type that needs a replacement and has none.
    """
    members = [
        replacements[field.name] if field.name in replacements else _build_member(field)
        for field in describe(value_type)
    ]
    lines = [f"return {{{', '.join(filter(None, members))}}}"]
    return compile_function(f"serialize_{value_type.__name__}", parameters, lines, _NAMES)


def _build_member(field: Field) -> str:
    """Return the Python source of the member for a field of a plain type."""
    if not field.is_plain:
        raise TypeError(f"The field {field.name!r} has no plain type: it needs a replacement.")
    value = f"value.{field.name}"
    if field.type is datetime:
        value = f"format_optional_utc({value})" if field.is_optional else f"format_utc({value})"
    return f"{field.name!r}: {value}"


def elapsed_and_cost(value: Card, currency: str, now: datetime) -> JsonObject:
    """Serialize time and cost of a card up to `now`: `elapsed_seconds`, `elapsed`, `cost`."""
    seconds = card_clock.count_elapsed_seconds(value, now)
    minor = card_clock.compute_cost_minor(value, now)
    return {
        "elapsed_seconds": seconds,
        "elapsed": card_clock.format_duration(seconds),
        "cost": {"amount_minor": minor, "currency": currency, "formatted": money.format_amount(minor, currency)},
    }


def find_assignee_id(value: ChecklistItem, view: BoardView) -> str | None:
    """Return the user id of the item's assignee; None without one, or if that member left the board."""
    return next((member.user_id for member in view.members if member.id == value.assignee_id), None)


_NAMES = {
    "count_entry_seconds": card_clock.count_entry_seconds,
    "elapsed_and_cost": elapsed_and_cost,
    "find_assignee_id": find_assignee_id,
    "format_optional_utc": format_optional_utc,
    "format_utc": format_utc,
    "sorted": sorted,
}
"""The global names of the compiled functions."""

_DELETED_AT = "**({} if value.deleted_at is None else {'deleted_at': format_utc(value.deleted_at)})"
"""The member of a value that is deleted."""

user: Callable[[User], JsonObject] = _compile(User, {})
"""Serialize a `User`."""

token: Callable[[Token], JsonObject] = _compile(
    Token,
    {
        "user_id": "'parent_id': value.ancestor_ids[-1] if value.ancestor_ids else None",
        "digest": "",
        "scopes": "'scopes': list(value.scopes)",
        "version": "",
        "revoked_at": "",
        "ancestor_ids": "",
    },
)
"""Serialize a `Token`, without its secret."""

board: Callable[[Board, Role], JsonObject] = _compile(
    Board, {"created_by": "'role': role", "deleted_at": _DELETED_AT}, ("value", "role")
)
"""Serialize a `Board` for a member with this role."""

member: Callable[[Member, User], JsonObject] = _compile(
    Member, {"id": "", "role": "'name': user.name, 'role': value.role", "version": ""}, ("value", "user")
)
"""Serialize a `Member`: the membership and its user."""

label: Callable[[Label], JsonObject] = _compile(Label, {})
"""Serialize a `Label`."""

list_: Callable[[List], JsonObject] = _compile(
    List, {"rank": "", "first_rank": "", "last_rank": "", "deleted_at": _DELETED_AT}
)
"""Serialize a `List`."""

card: Callable[[Card, BoardView, datetime], JsonObject] = _compile(
    Card,
    {
        "external_id": "'status': view.get_list_of(value).stage, 'external_id': value.external_id",
        "rank": "",
        "label_ids": "'label_ids': view.get_label_ids(value)",
        "assignee_ids": "'assignee_ids': view.get_assignee_ids(value)",
        "links": "'links': [{'url': link.url, 'title': link.title} for link in value.links]",
        "comment_count": (
            "'checklist_progress': {'done': value.done_count, 'total': value.item_count}, "
            "'comment_count': value.comment_count"
        ),
        "item_count": "",
        "done_count": "",
        "tracked_seconds": "",
        "tracked_cost": "",
        "running": (
            "'running_since': format_utc(value.running.started_at) if value.running else None, "
            "**elapsed_and_cost(value, view.board.currency, now)"
        ),
        "deleted_at": _DELETED_AT,
    },
    ("value", "view", "now"),
)
"""Serialize a `Card`, with time and cost up to `now`."""

time_entry: Callable[[TimeEntry, datetime], JsonObject] = _compile(
    TimeEntry,
    {"rate_minor": "'elapsed_seconds': count_entry_seconds(value, now), 'hourly_rate_minor': value.rate_minor"},
    ("value", "now"),
)
"""Serialize a `TimeEntry`; an open one up to `now`."""

checklist_item: Callable[[ChecklistItem, BoardView], JsonObject] = _compile(
    ChecklistItem, {"assignee_id": "'assignee_id': find_assignee_id(value, view)"}, ("value", "view")
)
"""Serialize a `ChecklistItem`. An assignee who left the board becomes null."""

_NAMES["checklist_item"] = checklist_item

checklist: Callable[[Checklist, BoardView], JsonObject] = _compile(
    Checklist, {"rank": "", "items": "'items': [checklist_item(item, view) for item in value.items]"}, ("value", "view")
)
"""Serialize a `Checklist` with its items."""

comment: Callable[[Comment], JsonObject] = _compile(Comment, {})
"""Serialize a `Comment`."""

event: Callable[[Event], JsonObject] = _compile(
    Event,
    {
        "board_id": "",
        "list_id": "",
        "card_id": "",
        # Sorted, because not every engine keeps the order of the keys.
        "data": (
            "'board_id': value.board_id, 'data': dict(sorted(value.data.items())), "
            "**({} if value.list_id is None else {'list_id': value.list_id}), "
            "**({} if value.card_id is None else {'card_id': value.card_id})"
        ),
    },
)
"""Serialize an `Event`, with `list_id` and `card_id` only where the event has them."""
