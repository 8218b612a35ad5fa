"""Values in the document's shapes."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from kanban.fields import Field, compile_function, describe
from kanban.timekeeping import card_clock, money
from kanban.timekeeping.timestamps import format_optional_utc as timestamp_or_none
from kanban.timekeeping.timestamps import format_utc as timestamp
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


def _compile(value_type: type, instead: Mapping[str, str], parameters: Sequence[str] = ("value",)) -> Any:
    """Compile a function from a value to its JSON object: a member for each field, in their order, by its type.

    `instead` are the members, as source, that take the place of a field's; an empty text leaves the field out.
    """
    members = (instead[field.name] if field.name in instead else _member(field) for field in describe(value_type))
    lines = [f"return {{{', '.join(filter(None, members))}}}"]
    return compile_function(f"serialize_{value_type.__name__}", parameters, lines, _NAMES)


def _member(field: Field) -> str:
    if not field.is_plain:
        raise TypeError(f"The document's form of the field {field.name!r} must be given.")
    value = f"value.{field.name}"
    if field.type is datetime:
        value = f"timestamp_or_none({value})" if field.is_optional else f"timestamp({value})"
    return f"{field.name!r}: {value}"


def elapsed_and_cost(value: Card, currency: str, now: datetime) -> JsonObject:
    """What a card took and cost until now: `elapsed_seconds`, `elapsed`, `cost`."""
    seconds = card_clock.count_elapsed_seconds(value, now)
    minor = card_clock.compute_cost_minor(value, now)
    return {
        "elapsed_seconds": seconds,
        "elapsed": card_clock.format_duration(seconds),
        "cost": {"amount_minor": minor, "currency": currency, "formatted": money.format_amount(minor, currency)},
    }


def _find_assignee_id(value: ChecklistItem, view: BoardView) -> str | None:
    """Return the user whose membership the item names, None if the user has left the board."""
    return next((member.user_id for member in view.members if member.id == value.assignee_id), None)


_NAMES = {
    "count_entry_seconds": card_clock.count_entry_seconds,
    "elapsed_and_cost": elapsed_and_cost,
    "find_assignee_id": _find_assignee_id,
    "sorted": sorted,
    "timestamp": timestamp,
    "timestamp_or_none": timestamp_or_none,
}
"""What the compiled functions use."""

_DELETED_AT = "**({} if value.deleted_at is None else {'deleted_at': timestamp(value.deleted_at)})"
"""Only what is deleted says when."""

user: Callable[[User], JsonObject] = _compile(User, {})
"""`User`."""

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
"""`Token`, without anything that could be called with."""

board: Callable[[Board, Role], JsonObject] = _compile(
    Board, {"created_by": "'role': role", "deleted_at": _DELETED_AT}, ("value", "role")
)
"""`Board`, as a member with that role sees it."""

member: Callable[[Member, User], JsonObject] = _compile(
    Member, {"id": "", "role": "'name': user.name, 'role': value.role", "version": ""}, ("value", "user")
)
"""`Member`: a user's membership of a board."""

label: Callable[[Label], JsonObject] = _compile(Label, {})
"""`Label`."""

list_: Callable[[List], JsonObject] = _compile(
    List, {"rank": "", "first_rank": "", "last_rank": "", "deleted_at": _DELETED_AT}
)
"""`List`."""

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
            "'running_since': timestamp(value.running.started_at) if value.running else None, "
            "**elapsed_and_cost(value, view.board.currency, now)"
        ),
        "deleted_at": _DELETED_AT,
    },
    ("value", "view", "now"),
)
"""`Card`, its elapsed time and cost as of `now`."""

time_entry: Callable[[TimeEntry, datetime], JsonObject] = _compile(
    TimeEntry,
    {"rate_minor": "'elapsed_seconds': count_entry_seconds(value, now), 'hourly_rate_minor': value.rate_minor"},
    ("value", "now"),
)
"""`TimeEntry`, an open one up to `now`."""

checklist_item: Callable[[ChecklistItem, BoardView], JsonObject] = _compile(
    ChecklistItem, {"assignee_id": "'assignee_id': find_assignee_id(value, view)"}, ("value", "view")
)
"""`ChecklistItem`; its assignee is null after the user has left the board."""

_NAMES["checklist_item"] = checklist_item

checklist: Callable[[Checklist, BoardView], JsonObject] = _compile(
    Checklist, {"rank": "", "items": "'items': [checklist_item(item, view) for item in value.items]"}, ("value", "view")
)
"""`Checklist`, with its items."""

comment: Callable[[Comment], JsonObject] = _compile(Comment, {})
"""`Comment`."""

event: Callable[[Event], JsonObject] = _compile(
    Event,
    {
        "board_id": "",
        "list_id": "",
        "card_id": "",
        # Sorted, because not every engine keeps the order of what was written.
        "data": (
            "'board_id': value.board_id, 'data': dict(sorted(value.data.items())), "
            "**({} if value.list_id is None else {'list_id': value.list_id}), "
            "**({} if value.card_id is None else {'card_id': value.card_id})"
        ),
    },
)
"""`Event`: `list_id` and `card_id` only where it concerns a list or a card."""


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


def time_entry_tag(value: TimeEntry, now: datetime) -> str:
    """The entity tag of a time entry: its version, and its seconds while it is open."""
    return str(value.version) if value.ended_at else f"{value.version}.{card_clock.count_entry_seconds(value, now)}"
