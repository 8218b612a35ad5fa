"""The model's things as the API serializes them: a second implementation of the document's schemas."""

import unicodedata
from datetime import datetime
from hashlib import sha256
from typing import Any
from unittest.mock import ANY
from zlib import crc32

from tests.soak.state import Board, Card, Checklist, Column, Comment, Item, Label, Membership, TimeEntry

RANK_CHECKSUM = "<rank>"
"""Stands in an ETag for the checksum of a rank, which the model doesn't know."""

_DIGITS = {"JPY": 0, "USD": 2, "KWD": 3}


def serialize_board(board: Board, user: str) -> dict[str, Any]:
    """Return a `Board` as a member sees it."""
    membership = board.find_membership(user)
    return {
        "id": board.id,
        "name": board.name,
        "description": board.description,
        "currency": board.currency,
        "hourly_rate_minor": board.hourly_rate_minor,
        "external_id": None,
        "role": membership.role if membership else None,
        "seq": len(board.events),
        "version": board.version,
        "created_at": format_timestamp(board.created_at),
        "updated_at": format_timestamp(board.updated_at),
        "archived_at": format_timestamp(board.archived_at),
        "history": history_of(board),
    }


def serialize_completion(card: Card) -> dict[str, str | None]:
    """Return what an event adds if a card is done from then on."""
    return {"created_at": format_timestamp(card.created_at), "started_at": format_timestamp(card.started_at)}


def history_of(board: Board) -> str:
    """Return the id of the board's history."""
    return board.id.replace("brd_", "hst_")


def serialize_column(board: Board, column: Column) -> dict[str, Any]:
    """Return a `List`."""
    return {
        "id": column.id,
        "board_id": board.id,
        "name": column.name,
        "stage": column.stage,
        "rank": ANY,
        "wip_limit": column.wip_limit,
        "wip_enforcement": column.wip_enforcement,
        "external_id": column.external_id,
        "card_count": len(column.active_cards),
        "version": column.version,
        "created_at": format_timestamp(column.created_at),
        "updated_at": format_timestamp(column.updated_at),
        "archived_at": format_timestamp(column.archived_at),
    }


def serialize_card(board: Board, card: Card, now: datetime) -> dict[str, Any]:
    """Return a `Card`."""
    column = board.find_column(card)
    return {
        "id": card.id,
        "board_id": board.id,
        "list_id": column.id,
        "title": card.title,
        "description": card.description,
        "status": column.stage,
        "external_id": card.external_id,
        "rank": ANY,
        "start_at": card.start_at,
        "due_at": card.due_at,
        "due_complete": card.due_complete,
        "hourly_rate_minor": card.hourly_rate_minor,
        "label_ids": list_label_ids(board, card),
        "assignee_ids": list_assignees(board, card),
        "links": card.links,
        "checklist_progress": {"done": sum(item.done for item in card.items), "total": len(card.items)},
        "comment_count": len(card.comments),
        "started_at": format_timestamp(card.started_at),
        "resolved_at": format_timestamp(card.resolved_at),
        "running_since": format_timestamp(
            next((entry.started_at for entry in card.time_entries if entry.ended_at is None), None)
        ),
        **serialize_clock(board, card, now),
        "version": card.version,
        "created_at": format_timestamp(card.created_at),
        "updated_at": format_timestamp(card.updated_at),
        "archived_at": format_timestamp(card.archived_at),
        **({"deleted_at": format_timestamp(card.deleted_at)} if card.deleted_at else {}),
    }


def serialize_clock(board: Board, card: Card, now: datetime) -> dict[str, Any]:
    """Return the properties for a card's time and cost until now."""
    elapsed = count_card_seconds(card, now)
    exact = sum(count_seconds(entry, now) * entry.rate for entry in card.time_entries)
    minor = exact // 3600 + (1 if exact % 3600 >= 1800 else 0)
    digits = _DIGITS[board.currency]
    text = str(minor).zfill(digits + 1)
    amount = f"{text[:-digits]}.{text[-digits:]}" if digits else text
    return {
        "elapsed_seconds": elapsed,
        "elapsed": f"{elapsed // 3600:02d}:{elapsed // 60 % 60:02d}:{elapsed % 60:02d}",
        "cost": {"amount_minor": minor, "currency": board.currency, "formatted": f"{board.currency} {amount}"},
    }


def serialize_time_entry(board: Board, card: Card, entry: TimeEntry, now: datetime) -> dict[str, Any]:
    """Return a `TimeEntry`."""
    return {
        "id": entry.id,
        "board_id": board.id,
        "card_id": card.id,
        "user_id": entry.user,
        "started_at": format_timestamp(entry.started_at),
        "ended_at": format_timestamp(entry.ended_at),
        "elapsed_seconds": count_seconds(entry, now),
        "hourly_rate_minor": entry.rate,
        "note": entry.note,
        "recorded_by": entry.recorded_by,
        "version": entry.version,
    }


def serialize_event(event: dict[str, Any]) -> dict[str, Any]:
    """Return an `Event`, in which lists and cards are named by their ids."""
    return {name: _replace_with_ids(value) for name, value in event.items()}


def _replace_with_ids(value: Any) -> Any:
    if isinstance(value, Column | Card):
        return value.id
    if isinstance(value, list):
        return [_replace_with_ids(element) for element in value]
    return {name: _replace_with_ids(element) for name, element in value.items()} if isinstance(value, dict) else value


def serialize_member(board: Board, membership: Membership, name: str) -> dict[str, Any]:
    """Return a `Member`."""
    return {
        "board_id": board.id,
        "user_id": membership.user,
        "name": name,
        "role": membership.role,
        "created_at": format_timestamp(membership.created_at),
        "updated_at": format_timestamp(membership.updated_at),
        "state": "active",
    }


def member_etag(membership: Membership) -> str:
    """Return the member's ETag: the membership's version, the user's version (always 1 here), the membership's id."""
    return f'"{membership.version}.1.{membership.id}"'


def list_assignees(board: Board, card: Card) -> list[str]:
    """Return the assignees of a card who are still members, in the order of their ids."""
    return sorted(membership.user for membership in card.assignees if membership in board.memberships)


def serialize_label(board: Board, label: Label) -> dict[str, Any]:
    """Return a `Label`."""
    return {
        "id": label.id,
        "board_id": board.id,
        "name": label.name,
        "color": label.color,
        "version": label.version,
        "created_at": format_timestamp(label.created_at),
        "updated_at": format_timestamp(label.updated_at),
    }


def serialize_comment(board: Board, card: Card, comment: Comment) -> dict[str, Any]:
    """Return a `Comment`."""
    return {
        "id": comment.id,
        "board_id": board.id,
        "card_id": card.id,
        "author_id": comment.author,
        "text": comment.text,
        "version": comment.version,
        "created_at": format_timestamp(comment.created_at),
        "updated_at": format_timestamp(comment.updated_at),
    }


def serialize_checklist(board: Board, card: Card, checklist: Checklist) -> dict[str, Any]:
    """Return a `Checklist`."""
    return {
        "id": checklist.id,
        "board_id": board.id,
        "card_id": card.id,
        "name": checklist.name,
        "rank": ANY,
        "items": [serialize_item(board, item) for item in checklist.items],
        "version": checklist.version,
        "created_at": format_timestamp(checklist.created_at),
        "updated_at": format_timestamp(checklist.updated_at),
    }


def serialize_item(board: Board, item: Item) -> dict[str, Any]:
    """Return a `ChecklistItem`."""
    return {
        "id": item.id,
        "text": item.text,
        "done": item.done,
        "assignee_id": find_assignee(board, item),
        "due_at": item.due_at,
        "version": item.version,
        "created_at": format_timestamp(item.created_at),
        "updated_at": format_timestamp(item.updated_at),
    }


def list_label_ids(board: Board, card: Card) -> list[str]:
    """Return the ids of those labels of a card that are not deleted, in order."""
    return sorted(label.id for label in board.labels if label in card.labels)


def board_etag(board: Board) -> str:
    """Return the board's ETag: its version and the number of its events."""
    return f'"{board.version}.{len(board.events)}"'


def column_etag(column: Column) -> str:
    """Return the list's ETag: its version, the number of its cards, and the checksum of its rank."""
    return f'"{column.version}.{len(column.active_cards)}-{RANK_CHECKSUM}"'


def card_etag(board: Board, card: Card, now: datetime) -> str:
    """Return the card's ETag: its version, the rank's checksum, the seconds of a running clock, counts of its parts."""
    seconds = count_card_seconds(card, now) if card.is_running else 0
    facets = [seconds, len(list_label_ids(board, card)), len(list_assignees(board, card))]
    facets += [len(card.comments), len(card.items), sum(item.done for item in card.items)]
    while facets and not facets[-1]:
        facets.pop()
    return f'"{card.version}.{"-".join([RANK_CHECKSUM, *map(str, facets)])}"'


def find_assignee(board: Board, item: Item) -> str | None:
    """Return the item's assignee, None unless still a member."""
    return item.assignee.user if item.assignee in board.memberships else None


def checklist_etag(board: Board, checklist: Checklist) -> str:
    """Return the checklist's ETag: its version, the checksum of its rank, and a digest of its items' ETags."""
    items = " ".join(f"{item.id}.{item_etag(board, item)[1:-1]}" for item in checklist.items)
    digest = f".{sha256(items.encode()).hexdigest()[:20]}" if items else ""
    return f'"{checklist.version}.{RANK_CHECKSUM}{digest}"'


def fill_in_rank(etag: str, body: dict[str, Any]) -> str:
    """Return an ETag with the checksum of the rank in the body, if the ETag has one."""
    return etag.replace(RANK_CHECKSUM, str(crc32(body["rank"].encode()))) if RANK_CHECKSUM in etag else etag


def item_etag(board: Board, item: Item) -> str:
    """Return the item's ETag: its version, and whether it has an assignee."""
    return f'"{item.version}.1"' if find_assignee(board, item) else f'"{item.version}"'


def time_entry_etag(entry: TimeEntry, now: datetime) -> str:
    """Return the time entry's ETag: its version, and its seconds while it is open."""
    return f'"{entry.version}"' if entry.ended_at else f'"{entry.version}.{count_seconds(entry, now)}"'


def count_card_seconds(card: Card, now: datetime) -> int:
    """Count the seconds of all time entries of a card until now."""
    return sum(count_seconds(entry, now) for entry in card.time_entries)


def fold_text(text: str) -> str:
    """Return a text as it is searched and sorted."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def format_timestamp(at: datetime | None) -> str | None:
    """Format a timestamp as in JSON; None for none."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def count_seconds(entry: TimeEntry, now: datetime) -> int:
    """Count the seconds of a time entry until now."""
    return int(((entry.ended_at or now) - entry.started_at).total_seconds())
