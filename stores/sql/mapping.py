"""Rows and values: functions compiled from the columns of a table and the fields of a value, matched by name.

Times and JSON documents are text in rows, in the formats of `kanban.timekeeping.timestamps` and the `json` module.
Columns that are named unlike a field, or hold it in another form, are the `special` ones below.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kanban.field_changes import format_changes, parse_changes
from kanban.fields import Field, compile_constructor, compile_function, describe
from kanban.flow.flow_segments import FlowSegment
from kanban.store import StoredResponse
from kanban.text import build_search_text, fold
from kanban.timekeeping.timestamps import format_utc
from kanban.tokens import format_limits, parse_limits
from kanban.values import (
    UNLIMITED,
    AuditEntry,
    Board,
    Card,
    CardView,
    Checklist,
    ChecklistItem,
    Color,
    Comment,
    Enforcement,
    Event,
    FeedReader,
    Identity,
    Invitation,
    Job,
    JobKind,
    JobState,
    Label,
    Link,
    List,
    Member,
    Role,
    Scope,
    SignInCode,
    Stage,
    TimeEntry,
    Token,
    TokenKind,
    User,
    Webhook,
    WebhookDelivery,
    WebhookState,
)
from kanban.views import WorkedTime
from kanban.webhook_store import MAX_KEPT_DELIVERIES
from stores.sql import tables

Row = Sequence[Any]
"""A row as a driver returns it: the columns in the order of the SELECT. Timestamps and documents are text."""

parse_timestamp = datetime.fromisoformat
format_timestamp = format_utc
"""Format a time in UTC as columns hold it: '2026-11-20T14:00:00Z'."""

# A lookup is several times faster than calling the enum class, and pages hold many values.
_ENUM_VALUES: Mapping[str, Mapping[str, Any]] = {
    enum_class.__name__: {str(value): value for value in enum_class}
    for enum_class in (Role, Scope, TokenKind, Stage, Color, Enforcement, WebhookState, JobKind, JobState)
}


def to_column(value: Any) -> Any:
    """Return a value as columns hold it: a timestamp or an enum value as text, anything else unchanged."""
    if isinstance(value, datetime):
        return format_timestamp(value)
    return str(value) if isinstance(value, str) else value


def parse_role(text: str) -> Role:
    """Return the role that the text of a column names."""
    role: Role = _ENUM_VALUES["Role"][text]
    return role


def _parse_ancestor_ids(lines: str) -> tuple[str, ...]:
    """Parse lines of position and id, in any order."""
    ancestors = sorted((int(position), token_id) for position, token_id in map(str.split, lines.split("\n")))
    return tuple(token_id for _, token_id in ancestors)


def _parse_links(lines: str) -> tuple[Link, ...]:
    """Parse lines of position, address and title, in any order."""
    links = sorted(
        (int(position), url, title) for position, url, title in (row.split(" ", 2) for row in lines.split("\n"))
    )
    return tuple(Link(url, title) for _, url, title in links)


_NAMES = {
    "UNLIMITED": UNLIMITED,
    "bool": bool,
    "bytes": bytes,
    "build_search_text": build_search_text,
    "fold": fold,
    "format_changes": format_changes,
    "format_limits": format_limits,
    "parse_limits": parse_limits,
    "format_timestamp": format_timestamp,
    "json": json,
    "parse_ancestor_ids": _parse_ancestor_ids,
    "parse_changes": parse_changes,
    "parse_links": _parse_links,
    "parse_timestamp": parse_timestamp,
    "TimeEntry": TimeEntry,
    **{f"{name}_VALUES": values for name, values in _ENUM_VALUES.items()},
}
"""What the compiled functions use."""


def _parse_column(field: Field, prefix: str = "") -> str:
    """Return the expression that makes a field of its column, whose name in the row may have a prefix."""
    column = f"c_{prefix}{field.name}"
    if field.is_enum:
        parsed = f"{field.type.__name__}_VALUES[{column}]"
    else:
        parsed = {str: column, int: column, bool: f"bool({column})", datetime: f"parse_timestamp({column})"}[field.type]
    return f"{parsed} if {column} is not None else None" if field.is_optional and parsed != column else parsed


def _format_field(field: Field) -> str:
    """Return the expression that makes a column of its field."""
    value = f"value.{field.name}"
    formatted = f"format_timestamp({value})" if field.type is datetime else f"str({value})" if field.is_enum else value
    return f"{formatted} if {value} is not None else None" if field.is_optional and formatted != value else formatted


def _compile_reader(
    value_type: type,
    columns: Sequence[str],
    special: Mapping[str, str] | None = None,
    parameters: Sequence[str] = ("row",),
    before: Sequence[str] = (),
) -> Any:
    """Compile a function from a row of these columns to a value; `special` are expressions of `c_<column>` by field."""
    special = special or {}
    return compile_constructor(
        f"row_to_{value_type.__name__}",
        value_type,
        parameters,
        lambda field: special[field.name] if field.name in special else _parse_column(field),
        _NAMES,
        before=[f"({', '.join(f'c_{column}' for column in columns)},) = row", *before],
    )


def _compile_writer(
    value_type: type,
    columns: Sequence[str],
    special: Mapping[str, str] | None = None,
    parameters: Sequence[str] = ("value",),
) -> Any:
    """Compile a function from a value to the columns by name; `special` are expressions of `value` by column."""
    fields = {field.name: field for field in describe(value_type)}
    special = special or {}
    expressions = (
        f"{column!r}: {special[column] if column in special else _format_field(fields[column])}" for column in columns
    )
    lines = [f"return {{{', '.join(expressions)}}}"]
    return compile_function(f"{value_type.__name__}_to_row", parameters, lines, _NAMES)


def _columns_of(table: sa.Table, *, without: Sequence[str] = ()) -> tuple[str, ...]:
    return tuple(column.name for column in table.c if column.name not in without)


CARD_COLUMNS = _columns_of(tables.cards, without=("status", "search"))
"""The columns of `cards` that a card is read from. The status is that of its list, and `search` is only searched."""

_FIELDS_OF_RUNNING_ENTRY = {"board_id": "c_board_id", "card_id": "c_id", "ended_at": "None"}
"""The fields of a card's open time entry that the card knows."""

RUNNING_ENTRY_COLUMNS = _columns_of(tables.time_entries, without=tuple(_FIELDS_OF_RUNNING_ENTRY))
"""The columns of a card's open time entry, which follow those of the card."""

TOKEN_COLUMNS = _columns_of(tables.tokens, without=("revoked_at", "digest"))
"""The columns of `tokens` that a token is read from. When it was revoked, its ancestors and the digest follow."""


def _make_running_entry() -> str:
    """Return the expression that makes a card's open time entry of the columns after those of the card."""
    arguments = (
        _FIELDS_OF_RUNNING_ENTRY.get(field.name) or _parse_column(field, "entry_") for field in describe(TimeEntry)
    )
    return f"TimeEntry({', '.join(arguments)}) if c_entry_id is not None else None"


_RUNNING_ENTRY = _make_running_entry()
_LABEL_IDS = "tuple(sorted(c_label_ids.split())) if c_label_ids else ()"
_LINKS = "parse_links(c_links) if c_links else ()"

_JOINED_CARD_COLUMNS = (
    *CARD_COLUMNS,
    *(f"entry_{column}" for column in RUNNING_ENTRY_COLUMNS),
    *("label_ids", "member_ids", "links"),
)
"""A card's columns and what is joined to them."""

_Write = dict[str, Any]

row_to_user: Callable[[Row], User] = _compile_reader(
    User, _columns_of(tables.users), {"bot_ids": "tuple(c_bot_ids.split()) if c_bot_ids else ()"}
)
user_to_row: Callable[[User], _Write] = _compile_writer(
    User, _columns_of(tables.users), {"bot_ids": "' '.join(value.bot_ids) or None"}
)

row_to_token: Callable[[Row], Token] = _compile_reader(
    Token,
    (*TOKEN_COLUMNS, "revoked_at", "ancestors", "digest"),
    {
        "scopes": "tuple([Scope_VALUES[scope] for scope in c_scopes.split()])",
        "limits": "parse_limits(c_limits) if c_limits is not None else UNLIMITED",
        "ancestor_ids": "parse_ancestor_ids(c_ancestors) if c_ancestors else ()",
    },
)
token_to_row: Callable[[Token], _Write] = _compile_writer(
    Token,
    _columns_of(tables.tokens),
    {"scopes": "' '.join(value.scopes)", "limits": "format_limits(value.limits)"},
)

row_to_identity: Callable[[Row], Identity] = _compile_reader(Identity, _columns_of(tables.identities))
row_to_audit_entry: Callable[[Row], AuditEntry] = _compile_reader(
    AuditEntry, _columns_of(tables.audit_entries), {"data": "json.loads(c_data)"}
)
audit_entry_to_row: Callable[[AuditEntry], _Write] = _compile_writer(
    AuditEntry,
    _columns_of(tables.audit_entries),
    {"data": "json.dumps(dict(value.data), ensure_ascii=False)"},
)

identity_to_row: Callable[[Identity], _Write] = _compile_writer(Identity, _columns_of(tables.identities))

row_to_sign_in_code: Callable[[Row], SignInCode] = _compile_reader(SignInCode, _columns_of(tables.sign_in_codes))
sign_in_code_to_row: Callable[[SignInCode], _Write] = _compile_writer(SignInCode, _columns_of(tables.sign_in_codes))

row_to_job: Callable[[Row], Job] = _compile_reader(Job, _columns_of(tables.jobs))
job_to_row: Callable[[Job], _Write] = _compile_writer(Job, _columns_of(tables.jobs))

row_to_board: Callable[[Row], Board] = _compile_reader(Board, _columns_of(tables.boards))
board_to_row: Callable[[Board], _Write] = _compile_writer(Board, _columns_of(tables.boards))

row_to_member: Callable[[Row], Member] = _compile_reader(Member, _columns_of(tables.members))
member_to_row: Callable[[Member], _Write] = _compile_writer(Member, _columns_of(tables.members))

row_to_label: Callable[[Row], Label] = _compile_reader(Label, _columns_of(tables.labels))
label_to_row: Callable[[Label], _Write] = _compile_writer(Label, _columns_of(tables.labels))

row_to_list: Callable[[Row], List] = _compile_reader(List, _columns_of(tables.lists))
list_to_row: Callable[[List], _Write] = _compile_writer(List, _columns_of(tables.lists))

row_to_card: Callable[[Row], Card] = _compile_reader(
    Card,
    _JOINED_CARD_COLUMNS,
    {
        "label_ids": _LABEL_IDS,
        "assignee_ids": "tuple(sorted(c_member_ids.split())) if c_member_ids else ()",
        "links": _LINKS,
        "running": _RUNNING_ENTRY,
    },
)
card_to_row: Callable[[Card], _Write] = _compile_writer(
    Card, (*CARD_COLUMNS, "search"), {"search": "build_search_text(value.title, value.description)"}
)
"""The statement takes the status from the list."""

CARD_VIEW_COLUMNS = tuple(column for column in CARD_COLUMNS if column in {field.name for field in describe(CardView)})
"""The columns of `cards` that a card view is read from by itself."""

CardViewContext = tuple[Mapping[str, Stage], Collection[str], Mapping[str, str], str]
"""What card views need from the board: stages by list, ids of labels, user ids by membership, and the currency."""

row_to_card_view_on: Callable[[Row, CardViewContext], CardView] = _compile_reader(
    CardView,
    _JOINED_CARD_COLUMNS,
    {
        "status": "stages[c_list_id]",
        "label_ids": ("tuple(sorted([id for id in c_label_ids.split() if id in label_ids])) if c_label_ids else ()"),
        "assignee_ids": (
            "tuple(sorted([user_ids[id] for id in c_member_ids.split() if id in user_ids])) if c_member_ids else ()"
        ),
        "links": _LINKS,
        "running": _RUNNING_ENTRY,
        "currency": "currency",
    },
    ("row", "context"),
    before=["stages, label_ids, user_ids, currency = context"],
)
"""Read a card view from the row of a card and the context of its board. Timestamps stay the text of the columns."""

row_to_card_view: Callable[[Row], CardView] = _compile_reader(
    CardView,
    (
        *CARD_VIEW_COLUMNS,
        *(f"entry_{column}" for column in RUNNING_ENTRY_COLUMNS),
        *("label_ids", "assignee_ids", "links", "status", "currency"),
    ),
    {
        "label_ids": _LABEL_IDS,
        "assignee_ids": "tuple(sorted(c_assignee_ids.split())) if c_assignee_ids else ()",
        "links": _LINKS,
        "running": _RUNNING_ENTRY,
    },
)
"""Read a card view from a row that includes the status, the user ids of the assignees and the currency."""

row_to_time_entry: Callable[[Row], TimeEntry] = _compile_reader(TimeEntry, _columns_of(tables.time_entries))
time_entry_to_row: Callable[[TimeEntry], _Write] = _compile_writer(TimeEntry, _columns_of(tables.time_entries))

row_to_worked_time: Callable[[Row], WorkedTime] = _compile_reader(
    WorkedTime,
    ("entry_id", "ended_at", "started_at", "user_id", "rate_minor", "list_id", "label_ids"),
    {"label_ids": _LABEL_IDS},
)

_row_to_item: Callable[[Row], ChecklistItem] = _compile_reader(ChecklistItem, _columns_of(tables.checklist_items))
item_to_row: Callable[[str, int, ChecklistItem], _Write] = _compile_writer(
    ChecklistItem,
    _columns_of(tables.checklist_items),
    {"checklist_id": "checklist_id", "position": "position"},
    ("checklist_id", "position", "value"),
)

_NAMES["row_to_item"] = _row_to_item

row_to_checklist: Callable[[Row, Sequence[Row]], Checklist] = _compile_reader(
    Checklist, _columns_of(tables.checklists), {"items": "tuple(map(row_to_item, items))"}, ("row", "items")
)
"""Read a checklist from its row and the rows of its items, in their order."""
checklist_to_row: Callable[[Checklist], _Write] = _compile_writer(Checklist, _columns_of(tables.checklists))

row_to_comment: Callable[[Row], Comment] = _compile_reader(Comment, _columns_of(tables.comments, without=("search",)))
comment_to_row: Callable[[Comment], _Write] = _compile_writer(
    Comment, _columns_of(tables.comments), {"search": "fold(value.text)"}
)

row_to_event: Callable[[Row], Event] = _compile_reader(
    Event,
    _columns_of(tables.events),
    {
        "data": "json.loads(c_data)",
        "changes": "parse_changes(c_changes) if c_changes is not None else None",
    },
)
event_to_row: Callable[[Event], _Write] = _compile_writer(
    Event,
    _columns_of(tables.events),
    {
        "data": "json.dumps(dict(value.data), ensure_ascii=False)",
        "changes": "format_changes(value.changes) if value.changes is not None else None",
    },
)

row_to_reader: Callable[[Row], FeedReader] = _compile_reader(FeedReader, _columns_of(tables.feed_readers))
reader_to_row: Callable[[FeedReader], _Write] = _compile_writer(FeedReader, _columns_of(tables.feed_readers))

row_to_segment: Callable[[Row], FlowSegment] = _compile_reader(
    FlowSegment, _columns_of(tables.flow_segments), {"content": "bytes(c_content)"}
)
segment_to_row: Callable[[FlowSegment], _Write] = _compile_writer(
    FlowSegment, _columns_of(tables.flow_segments), {"content": "value.content"}
)

row_to_webhook: Callable[[Row], Webhook] = _compile_reader(
    Webhook, _columns_of(tables.webhooks), {"types": "tuple(c_types.split())"}
)
webhook_to_row: Callable[[Webhook], _Write] = _compile_writer(
    Webhook, _columns_of(tables.webhooks), {"types": "' '.join(value.types)"}
)

row_to_delivery: Callable[[Row], WebhookDelivery] = _compile_reader(
    WebhookDelivery, _columns_of(tables.webhook_deliveries)
)
delivery_to_row: Callable[[WebhookDelivery], _Write] = _compile_writer(
    WebhookDelivery, _columns_of(tables.webhook_deliveries), {"slot": f"value.number % {MAX_KEPT_DELIVERIES}"}
)

row_to_invitation: Callable[[Row], Invitation] = _compile_reader(Invitation, _columns_of(tables.invitations))
invitation_to_row: Callable[[Invitation], _Write] = _compile_writer(Invitation, _columns_of(tables.invitations))

row_to_stored_response: Callable[[Row], StoredResponse] = _compile_reader(
    StoredResponse,
    _columns_of(tables.idempotency_records),
    {"headers": "tuple([(name, text) for name, text in json.loads(c_headers)])", "body": "bytes(c_body)"},
)
stored_response_to_row: Callable[[StoredResponse], _Write] = _compile_writer(
    StoredResponse,
    _columns_of(tables.idempotency_records),
    {"headers": "json.dumps(value.headers, ensure_ascii=False)", "body": "value.body"},
)
