"""Serialize values of the domain as JSON values of the document.

Most functions are compiled, when they are first called, from the fields of their value: a member for each field, in
their order. Where the document differs from the value, the members that replace a field are given as Python source.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from kanban import tokens
from kanban.identities import SignInAttempt, SignInProvider
from kanban.serialization import compile_serializer
from kanban.timekeeping import card_clock, money
from kanban.timekeeping.timestamps import format_optional_utc, format_utc
from kanban.tokens import TokenOrigin, get_origin
from kanban.values import (
    AuditEntry,
    Board,
    Card,
    CardView,
    Checklist,
    ChecklistItem,
    Comment,
    Event,
    FeedReader,
    Identity,
    InstallationRole,
    Invitation,
    Job,
    JobState,
    Label,
    List,
    Member,
    Role,
    SignInCode,
    TimeEntry,
    Token,
    TokenLimits,
    User,
    Webhook,
    WebhookDelivery,
    WebhookState,
)
from kanban.views import BoardView
from kanban.webhooks import PREVIOUS_SECRET_LIFETIME

JsonObject = dict[str, Any]


def elapsed_and_cost(value: Card | CardView, currency: str, now: datetime) -> JsonObject:
    """Serialize time and cost of a card up to `now`: `elapsed_seconds`, `elapsed`, `cost`."""
    seconds = card_clock.count_worked_seconds(value, now)
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
}
"""The global names of the compiled functions."""

_DELETED_AT = "**({} if value.deleted_at is None else {'deleted_at': format_utc(value.deleted_at)})"
"""The member of a value that is deleted."""

_STATE = "'state': 'active' if value.deactivated_at is None else 'deactivated'"
"""The state of a membership."""

_user: Callable[[User], JsonObject] = compile_serializer(
    User,
    {
        "deactivated_at": "'state': 'deleted' if value.deleted_at is not None else "
        "'active' if value.deactivated_at is None else 'deactivated'",
        "signed_out_at": "",
        "deleted_at": "",
        "owner_id": "'kind': 'person' if value.owner_id is None else 'bot', 'owner_id': value.owner_id",
        "bot_ids": "",
    },
)


def user(value: User, installation_role: InstallationRole | None = None) -> JsonObject:
    """Serialize a `User`, with their role in the installation if the caller may know it."""
    return {**_user(value), "installation_role": installation_role}


def user_and_boards(value: User, installation_role: InstallationRole | None, boards: Iterable[BoardView]) -> JsonObject:
    """Serialize a `User`, and boards that have no other owner."""
    names = [{"id": view.board.id, "name": view.board.name} for view in boards]
    return {"user": user(value, installation_role), "boards_without_owner": names}


def _serialize_limits(limits: TokenLimits) -> JsonObject:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in limits._asdict().items()}


def _serialize_origin(origin: TokenOrigin) -> JsonObject | None:
    return origin._asdict() if any(origin) else None


token: Callable[[Token, datetime], JsonObject] = compile_serializer(
    Token,
    {
        "user_id": "'parent_id': value.ancestor_ids[-1] if value.ancestor_ids else None",
        "digest": "",
        "scopes": "'scopes': list(value.scopes)",
        "version": "",
        "revoked_at": "",
        "ancestor_ids": "",
        "limits": "**serialize_limits(value.limits)",
        "last_used_from": "'last_used_from': serialize_origin(get_origin(value, now))",
        "kind": "",
    },
    ("value", "now"),
    names={
        "get_origin": get_origin,
        "serialize_limits": _serialize_limits,
        "serialize_origin": _serialize_origin,
    },
)
"""Serialize a `Token`, without its secret, and with from where it was last used, if that is kept until `now`."""


def session(value: Token, caller_token_id: str, now: datetime) -> JsonObject:
    """Serialize a `Token` that is a session, for a caller with that token."""
    return {
        "id": value.id,
        "name": value.name,
        "created_at": format_utc(value.created_at),
        "last_used_at": format_utc(value.last_used_at) if value.last_used_at else None,
        "last_used_from": _serialize_origin(tokens.get_origin(value, now)),
        "expires_at": format_utc(tokens.get_expiry(value) or value.created_at),
        "is_current": value.id == caller_token_id,
    }


def sign_in_code(value: SignInCode, text: str) -> JsonObject:
    """Serialize a `SignInCode` with its text, which is not stored."""
    return {"code": text, "user_id": value.user_id, "expires_at": format_utc(value.expires_at)}


def sign_in_provider(value: SignInProvider) -> JsonObject:
    """Serialize a `SignInProvider`."""
    return {"id": value.id, "name": value.name, "sign_up": value.sign_up}


def authorization(value: SignInAttempt) -> JsonObject:
    """Serialize a `SignInAttempt`."""
    return {
        "authorization_url": value.authorization_url,
        "attempt": value.text,
        "expires_at": format_utc(value.expires_at),
    }


def identity(value: Identity, provider_id: str | None) -> JsonObject:
    """Serialize an `Identity` of a provider, None for one that is not configured any more."""
    return {
        "id": value.id,
        "provider_id": provider_id,
        "issuer": value.issuer,
        "subject": value.subject,
        "created_at": format_utc(value.created_at),
    }


audit_entry: Callable[[AuditEntry], JsonObject] = compile_serializer(
    AuditEntry, {"expires_at": "", "data": "'data': dict(value.data)"}
)
"""Serialize an `AuditEntry`."""


def job(value: Job) -> JsonObject:
    """Serialize a `Job`."""
    return {
        "id": value.id,
        "kind": value.kind,
        "subject_id": value.subject_id,
        "state": value.state,
        "progress": {"done": value.done, "total": value.total},
        "result": {"board_count": value.done} if value.state is JobState.DONE else None,
        "problem_code": value.problem_code,
        "version": value.version,
        "created_at": format_utc(value.created_at),
        "started_at": format_optional_utc(value.started_at),
        "ended_at": format_optional_utc(value.ended_at),
    }


invitation: Callable[[Invitation], JsonObject] = compile_serializer(Invitation, {"digest": "", "version": ""})
"""Serialize an `Invitation`, without its secret."""


def invitation_preview(value: Invitation, inviter: User, board_name: str | None, *, makes_users: bool) -> JsonObject:
    """Serialize what somebody sees of an invitation before they accept it."""
    return {
        "id": value.id,
        "board_name": board_name,
        "role": value.role,
        "invited_by": inviter.name,
        "expires_at": format_utc(value.expires_at),
        "makes_users": makes_users,
    }


def received_invitation(value: Invitation, inviter: User, board_name: str) -> JsonObject:
    """Serialize an `Invitation` for the user whom it is for."""
    return {
        "id": value.id,
        "board_id": value.board_id,
        "board_name": board_name,
        "role": value.role,
        "invited_by": inviter.name,
        "created_at": format_utc(value.created_at),
        "expires_at": format_utc(value.expires_at),
    }


board: Callable[[Board, Role], JsonObject] = compile_serializer(
    Board,
    {"created_by": "'role': role", "deleted_at": _DELETED_AT, "history": "'history': value.get_history()"},
    ("value", "role"),
)
"""Serialize a `Board` for a member with this role."""


def joined_board(value: Board | None, role: Role | None) -> JsonObject:
    """Serialize the members `board` and `role` of a response to somebody who may have become a member."""
    return {"board": board(value, role) if value and role else None, "role": role}


member: Callable[[Member, User], JsonObject] = compile_serializer(
    Member,
    {"id": "", "role": "'name': user.name, 'role': value.role", "version": "", "deactivated_at": _STATE},
    ("value", "user"),
)
"""Serialize a `Member`: the membership and its user."""


def invited_member(value: Invitation, user: User) -> JsonObject:
    """Serialize an `Invitation` for a user as the member whom they will be."""
    created_at = format_utc(value.created_at)
    return {
        "board_id": value.board_id,
        "user_id": user.id,
        "name": user.name,
        "role": value.role,
        "created_at": created_at,
        "updated_at": created_at,
        "state": "invited",
    }


label: Callable[[Label], JsonObject] = compile_serializer(Label, {})
"""Serialize a `Label`."""

list_: Callable[[List], JsonObject] = compile_serializer(
    List, {"first_rank": "", "last_rank": "", "deleted_at": _DELETED_AT}
)
"""Serialize a `List`."""

card: Callable[[CardView, datetime], JsonObject] = compile_serializer(
    CardView,
    {
        "label_ids": "'label_ids': [*value.label_ids]",
        "assignee_ids": "'assignee_ids': [*value.assignee_ids]",
        "links": "'links': [{'url': link.url, 'title': link.title} for link in value.links] if value.links else []",
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
            "**elapsed_and_cost(value, value.currency, now)"
        ),
        "currency": "",
        "deleted_at": "**({} if value.deleted_at is None else {'deleted_at': value.deleted_at})",
    },
    ("value", "now"),
    names=_NAMES,
)
"""Serialize a `CardView`, with time and cost up to `now`."""

time_entry: Callable[[TimeEntry, datetime], JsonObject] = compile_serializer(
    TimeEntry,
    {"rate_minor": "'elapsed_seconds': count_entry_seconds(value, now), 'hourly_rate_minor': value.rate_minor"},
    ("value", "now"),
    names=_NAMES,
)
"""Serialize a `TimeEntry`; an open one up to `now`."""

checklist_item: Callable[[ChecklistItem, BoardView], JsonObject] = compile_serializer(
    ChecklistItem, {"assignee_id": "'assignee_id': find_assignee_id(value, view)"}, ("value", "view"), names=_NAMES
)
"""Serialize a `ChecklistItem`. An assignee who left the board becomes null."""

_NAMES["checklist_item"] = checklist_item

checklist: Callable[[Checklist, BoardView], JsonObject] = compile_serializer(
    Checklist,
    {"items": "'items': [checklist_item(item, view) for item in value.items]"},
    ("value", "view"),
    names=_NAMES,
)
"""Serialize a `Checklist` with its items."""

comment: Callable[[Comment], JsonObject] = compile_serializer(Comment, {})
"""Serialize a `Comment`."""

event: Callable[[Event], JsonObject] = compile_serializer(
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
        "changes": (
            "**({} if value.changes is None else "
            "{'changes': [dict(sorted(change.items())) for change in value.changes]})"
        ),
        "token_id": "**({} if value.token_id is None else {'token_id': value.token_id})",
        "request_id": "**({} if value.request_id is None else {'request_id': value.request_id})",
        "touches": "",
    },
)
"""Serialize an `Event`, with only those of its optional fields that it has."""

_LATER_CHANGE_MEMBERS = ("seq", "type", "at", "actor_id", "token_id", "changes")


def later_change(value: Event) -> JsonObject:
    """Serialize an `Event` as what it says about something that a client has an earlier version of."""
    members = event(value)
    return {name: members[name] for name in _LATER_CHANGE_MEMBERS if name in members}


webhook_delivery: Callable[[WebhookDelivery], JsonObject] = compile_serializer(
    WebhookDelivery,
    {
        "board_id": "",
        "webhook_id": "",
        "status": "'is_success': value.is_success, 'status': value.status",
    },
)
"""Serialize a `WebhookDelivery`."""


def webhook(value: Webhook, reader: FeedReader | None, now: datetime) -> JsonObject:
    """Serialize a `Webhook` with how far it is. Its reader is None only for one that is being deleted."""
    is_failing = value.state == WebhookState.ACTIVE and reader is not None and reader.attempts > 0
    previous_until = value.rotated_at and value.rotated_at + PREVIOUS_SECRET_LIFETIME
    return {
        "id": value.id,
        "board_id": value.board_id,
        "url": value.url,
        "types": list(value.types),
        "description": value.description,
        "state": "failing" if is_failing else str(value.state),
        "owner_id": value.owner_id,
        "delivered_seq": reader.after_seq if reader else 0,
        "failed_attempts": reader.attempts if reader else 0,
        "failing_since": format_optional_utc(reader.failing_since if reader else None),
        "next_attempt_at": format_optional_utc(reader.due_at if reader and is_failing else None),
        "previous_secret_until": format_optional_utc(
            previous_until if previous_until and now < previous_until else None
        ),
        "created_by": value.created_by,
        "version": value.version,
        "created_at": format_utc(value.created_at),
        "updated_at": format_utc(value.updated_at),
    }
