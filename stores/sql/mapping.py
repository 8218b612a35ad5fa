"""Rows and values: what stands in a column, and what it means. Moments and documents travel as text."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from kanban.store import StoredResponse
from kanban.text import build_search_text
from kanban.values import (
    Board,
    Card,
    Color,
    Enforcement,
    Event,
    Label,
    Link,
    List,
    Member,
    Role,
    Scope,
    Stage,
    TimeEntry,
    Token,
    User,
)

Row = Sequence[Any]
"""As a driver gives it: the columns in the order of the SELECT."""

parse_timestamp = datetime.fromisoformat

# Looking a word up is several times faster than calling the enumeration, and pages hold many.
_ROLES = {str(role): role for role in Role}
_SCOPES = {str(scope): scope for scope in Scope}
_STAGES = {str(stage): stage for stage in Stage}
_COLORS = {str(color): color for color in Color}
_ENFORCEMENTS = {str(enforcement): enforcement for enforcement in Enforcement}


def format_timestamp(at: datetime) -> str:
    """A moment of UTC as it stands in a column: '2026-11-20T14:00:00Z'."""
    return at.isoformat()[:19] + "Z"


def format_optional_timestamp(at: datetime | None) -> str | None:
    """As `format_timestamp`, NULL for none."""
    return None if at is None else format_timestamp(at)


def parse_role(word: str) -> Role:
    """The role that a column names."""
    return _ROLES[word]


def row_to_user(row: Row) -> User:
    """From the columns of `users`."""
    user_id, name, version, created_at, updated_at = row
    return User(user_id, name, version, parse_timestamp(created_at), parse_timestamp(updated_at))


def user_to_row(user: User) -> dict[str, Any]:
    """For the columns of `users`."""
    return {
        "id": user.id,
        "name": user.name,
        "version": user.version,
        "created_at": format_timestamp(user.created_at),
        "updated_at": format_timestamp(user.updated_at),
    }


def row_to_token(row: Row) -> Token:
    """From the columns of `tokens`, and its ancestors: a line for each, in no order, with its position and id."""
    token_id, user_id, name, digest, scopes, version, created_at, expires_at, last_used_at, revoked_at, ancestors = row
    return Token(
        token_id,
        user_id,
        name,
        digest,
        tuple(_SCOPES[word] for word in scopes.split()),
        version,
        parse_timestamp(created_at),
        parse_timestamp(expires_at) if expires_at else None,
        parse_timestamp(last_used_at) if last_used_at else None,
        parse_timestamp(revoked_at) if revoked_at else None,
        _parse_ancestor_ids(ancestors) if ancestors else (),
    )


def _parse_ancestor_ids(lines: str) -> tuple[str, ...]:
    placed = sorted((int(position), token_id) for position, token_id in (line.split(" ") for line in lines.split("\n")))
    return tuple(token_id for _, token_id in placed)


def token_to_row(token: Token) -> dict[str, Any]:
    """For the columns of `tokens`."""
    return {
        "id": token.id,
        "user_id": token.user_id,
        "name": token.name,
        "digest": token.digest,
        "scopes": " ".join(token.scopes),
        "version": token.version,
        "created_at": format_timestamp(token.created_at),
        "expires_at": format_optional_timestamp(token.expires_at),
        "last_used_at": format_optional_timestamp(token.last_used_at),
        "revoked_at": format_optional_timestamp(token.revoked_at),
    }


def row_to_board(row: Row) -> Board:
    """From the columns of `boards`."""
    (
        board_id,
        name,
        description,
        currency,
        rate,
        seq,
        version,
        created_at,
        updated_at,
        deleted_at,
        archived_at,
        external_id,
        created_by,
    ) = row
    return Board(
        board_id,
        name,
        description,
        currency,
        rate,
        external_id,
        created_by,
        seq,
        version,
        parse_timestamp(created_at),
        parse_timestamp(updated_at),
        parse_timestamp(archived_at) if archived_at else None,
        parse_timestamp(deleted_at) if deleted_at else None,
    )


def board_to_row(board: Board) -> dict[str, Any]:
    """For the columns of `boards`."""
    return {
        "id": board.id,
        "name": board.name,
        "description": board.description,
        "currency": board.currency,
        "hourly_rate_minor": board.hourly_rate_minor,
        "seq": board.seq,
        "version": board.version,
        "created_at": format_timestamp(board.created_at),
        "updated_at": format_timestamp(board.updated_at),
        "deleted_at": format_optional_timestamp(board.deleted_at),
        "archived_at": format_optional_timestamp(board.archived_at),
        "external_id": board.external_id,
        "created_by": board.created_by,
    }


def row_to_member(row: Row) -> Member:
    """From the columns of `members`."""
    board_id, user_id, role, created_at, member_id, version, updated_at = row
    return Member(
        member_id, board_id, user_id, _ROLES[role], version, parse_timestamp(created_at), parse_timestamp(updated_at)
    )


def member_to_row(member: Member) -> dict[str, Any]:
    """For the columns of `members`."""
    return {
        "id": member.id,
        "board_id": member.board_id,
        "user_id": member.user_id,
        "role": str(member.role),
        "version": member.version,
        "created_at": format_timestamp(member.created_at),
        "updated_at": format_timestamp(member.updated_at),
    }


def row_to_label(row: Row) -> Label:
    """From the columns of `labels`."""
    label_id, board_id, name, color, version, created_at, updated_at = row
    return Label(
        label_id, board_id, name, _COLORS[color], version, parse_timestamp(created_at), parse_timestamp(updated_at)
    )


def label_to_row(label: Label) -> dict[str, Any]:
    """For the columns of `labels`."""
    return {
        "id": label.id,
        "board_id": label.board_id,
        "name": label.name,
        "color": str(label.color),
        "version": label.version,
        "created_at": format_timestamp(label.created_at),
        "updated_at": format_timestamp(label.updated_at),
    }


def row_to_list(row: Row) -> List:
    """From the columns of `lists`."""
    (
        list_id,
        board_id,
        name,
        stage,
        rank,
        wip_limit,
        wip_enforcement,
        external_id,
        card_count,
        first_rank,
        last_rank,
        version,
        created_at,
        updated_at,
        deleted_at,
        archived_at,
    ) = row
    return List(
        list_id,
        board_id,
        name,
        _STAGES[stage],
        rank,
        wip_limit,
        _ENFORCEMENTS[wip_enforcement],
        external_id,
        card_count,
        first_rank,
        last_rank,
        version,
        parse_timestamp(created_at),
        parse_timestamp(updated_at),
        parse_timestamp(archived_at) if archived_at else None,
        parse_timestamp(deleted_at) if deleted_at else None,
    )


def list_to_row(value: List) -> dict[str, Any]:
    """For the columns of `lists`."""
    return {
        "id": value.id,
        "board_id": value.board_id,
        "name": value.name,
        "stage": str(value.stage),
        "rank": value.rank,
        "wip_limit": value.wip_limit,
        "wip_enforcement": str(value.wip_enforcement),
        "external_id": value.external_id,
        "card_count": value.card_count,
        "first_rank": value.first_rank,
        "last_rank": value.last_rank,
        "version": value.version,
        "created_at": format_timestamp(value.created_at),
        "updated_at": format_timestamp(value.updated_at),
        "deleted_at": format_optional_timestamp(value.deleted_at),
        "archived_at": format_optional_timestamp(value.archived_at),
    }


def row_to_card(row: Row) -> Card:
    """From the columns of `cards` that make a card, those of its open time entry, and what other tables add to it."""
    (
        card_id,
        board_id,
        list_id,
        title,
        description,
        external_id,
        rank,
        started_at,
        resolved_at,
        tracked_seconds,
        tracked_cost,
        version,
        created_at,
        updated_at,
        deleted_at,
        archived_at,
        start_at,
        due_at,
        due_complete,
        hourly_rate_minor,
        comment_count,
        item_count,
        done_count,
        entry_id,
        entry_started_at,
        entry_rate_minor,
        entry_version,
        entry_user_id,
        entry_note,
        label_ids,
        member_ids,
        links,
    ) = row
    running = None
    if entry_id is not None:
        running = TimeEntry(
            entry_id,
            board_id,
            card_id,
            entry_user_id,
            parse_timestamp(entry_started_at),
            None,
            entry_rate_minor,
            entry_note,
            entry_version,
        )
    return Card(
        card_id,
        board_id,
        list_id,
        title,
        description,
        external_id,
        rank,
        parse_timestamp(start_at) if start_at else None,
        parse_timestamp(due_at) if due_at else None,
        bool(due_complete),
        hourly_rate_minor,
        tuple(sorted(label_ids.split())) if label_ids else (),
        tuple(sorted(member_ids.split())) if member_ids else (),
        _parse_links(links) if links else (),
        comment_count,
        item_count,
        done_count,
        parse_timestamp(started_at) if started_at else None,
        parse_timestamp(resolved_at) if resolved_at else None,
        tracked_seconds,
        tracked_cost,
        running,
        version,
        parse_timestamp(created_at),
        parse_timestamp(updated_at),
        parse_timestamp(archived_at) if archived_at else None,
        parse_timestamp(deleted_at) if deleted_at else None,
    )


def _parse_links(lines: str) -> tuple[Link, ...]:
    """From a line for each link, in no order: its position, its address, its title."""
    found = sorted(
        (int(position), url, title) for position, url, title in (each.split(" ", 2) for each in lines.split("\n"))
    )
    return tuple(Link(url, title) for _, url, title in found)


def card_to_row(card: Card) -> dict[str, Any]:
    """For the columns of `cards`, but for the status, which the statement takes from the list."""
    return {
        "id": card.id,
        "board_id": card.board_id,
        "list_id": card.list_id,
        "title": card.title,
        "description": card.description,
        "external_id": card.external_id,
        "rank": card.rank,
        "started_at": format_optional_timestamp(card.started_at),
        "resolved_at": format_optional_timestamp(card.resolved_at),
        "tracked_seconds": card.tracked_seconds,
        "tracked_cost": card.tracked_cost,
        "version": card.version,
        "created_at": format_timestamp(card.created_at),
        "updated_at": format_timestamp(card.updated_at),
        "deleted_at": format_optional_timestamp(card.deleted_at),
        "archived_at": format_optional_timestamp(card.archived_at),
        "start_at": format_optional_timestamp(card.start_at),
        "due_at": format_optional_timestamp(card.due_at),
        "due_complete": card.due_complete,
        "hourly_rate_minor": card.hourly_rate_minor,
        "comment_count": card.comment_count,
        "item_count": card.item_count,
        "done_count": card.done_count,
        "search": build_search_text(card.title, card.description),
    }


def row_to_event(row: Row) -> Event:
    """From the columns of `events`."""
    board_id, seq, kind, at, actor_id, list_id, card_id, data = row
    return Event(board_id, seq, kind, parse_timestamp(at), actor_id, list_id, card_id, json.loads(data))


def event_to_row(event: Event) -> dict[str, Any]:
    """For the columns of `events`."""
    return {
        "board_id": event.board_id,
        "seq": event.seq,
        "type": event.type,
        "at": format_timestamp(event.at),
        "actor_id": event.actor_id,
        "list_id": event.list_id,
        "card_id": event.card_id,
        "data": json.dumps(dict(event.data), ensure_ascii=False),
    }


def row_to_idempotency_record(row: Row) -> StoredResponse:
    """From the columns of `idempotency_records`."""
    user_id, operation_id, key, fingerprint, status, headers, body, created_at, expires_at = row
    return StoredResponse(
        key=key,
        user_id=user_id,
        operation_id=operation_id,
        fingerprint=fingerprint,
        status=status,
        headers=tuple((name, value) for name, value in json.loads(headers)),
        body=bytes(body),
        created_at=parse_timestamp(created_at),
        expires_at=parse_timestamp(expires_at),
    )


def idempotency_record_to_row(record: StoredResponse) -> dict[str, Any]:
    """For the columns of `idempotency_records`."""
    return {
        "user_id": record.user_id,
        "operation_id": record.operation_id,
        "key": record.key,
        "fingerprint": record.fingerprint,
        "status": record.status,
        "headers": json.dumps(record.headers, ensure_ascii=False),
        "body": record.body,
        "created_at": format_timestamp(record.created_at),
        "expires_at": format_timestamp(record.expires_at),
    }
