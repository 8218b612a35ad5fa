"""What people see of the model: the shapes of the document, written down once more."""

import unicodedata
from datetime import datetime
from hashlib import sha256
from typing import Any

from tests.soak.state import Board, Card, Checklist, Column, Comment, Item, Label, Membership, TimeEntry

_DIGITS = {"JPY": 0, "USD": 2, "KWD": 3}


def serialize_board(board: Board, user: str) -> dict[str, Any]:
    """`Board`, as that member sees it."""
    place = board.find_membership(user)
    return {
        "id": board.id,
        "name": board.name,
        "description": board.description,
        "currency": board.currency,
        "hourly_rate_minor": board.hourly_rate_minor,
        "external_id": None,
        "role": place.role if place else None,
        "seq": len(board.events),
        "version": board.version,
        "created_at": format_timestamp(board.created_at),
        "updated_at": format_timestamp(board.updated_at),
        "archived_at": format_timestamp(board.archived_at),
    }


def serialize_column(board: Board, column: Column) -> dict[str, Any]:
    """`List`."""
    return {
        "id": column.id,
        "board_id": board.id,
        "name": column.name,
        "stage": column.stage,
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
    """`Card`."""
    column = board.find_column(card)
    return {
        "id": card.id,
        "board_id": board.id,
        "list_id": column.id,
        "title": card.title,
        "description": card.description,
        "status": column.stage,
        "external_id": card.external_id,
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
    """What the card took and cost until now."""
    elapsed = count_card_seconds(card, now)
    exact = sum(count_seconds(stretch, now) * stretch.rate for stretch in card.time_entries)
    minor = exact // 3600 + (1 if exact % 3600 >= 1800 else 0)
    digits = _DIGITS[board.currency]
    text = str(minor).zfill(digits + 1)
    amount = f"{text[:-digits]}.{text[-digits:]}" if digits else text
    return {
        "elapsed_seconds": elapsed,
        "elapsed": f"{elapsed // 3600:02d}:{elapsed // 60 % 60:02d}:{elapsed % 60:02d}",
        "cost": {"amount_minor": minor, "currency": board.currency, "formatted": f"{board.currency} {amount}"},
    }


def serialize_time_entry(board: Board, card: Card, stretch: TimeEntry, now: datetime) -> dict[str, Any]:
    """`TimeEntry`."""
    return {
        "id": stretch.id,
        "board_id": board.id,
        "card_id": card.id,
        "user_id": stretch.user,
        "started_at": format_timestamp(stretch.started_at),
        "ended_at": format_timestamp(stretch.ended_at),
        "elapsed_seconds": count_seconds(stretch, now),
        "hourly_rate_minor": stretch.rate,
        "note": stretch.note,
        "version": stretch.version,
    }


def serialize_event(event: dict[str, Any]) -> dict[str, Any]:
    """`Event`: the list and the card that it is about are named by their ids."""
    return {name: _replace_with_ids(value) for name, value in event.items()}


def _replace_with_ids(value: Any) -> Any:
    if isinstance(value, Column | Card):
        return value.id
    if isinstance(value, list):
        return [_replace_with_ids(each) for each in value]
    return {name: _replace_with_ids(each) for name, each in value.items()} if isinstance(value, dict) else value


def serialize_member(board: Board, place: Membership, name: str) -> dict[str, Any]:
    """`Member`."""
    return {
        "board_id": board.id,
        "user_id": place.user,
        "name": name,
        "role": place.role,
        "created_at": format_timestamp(place.created_at),
        "updated_at": format_timestamp(place.updated_at),
    }


def member_etag(place: Membership) -> str:
    """The member's ETag: version of the place, version of the user, who never changes here, and which place it is."""
    return f'"{place.version}.1.{place.id}"'


def list_assignees(board: Board, card: Card) -> list[str]:
    """The users who work on the card and are still members, in the order of their ids."""
    return sorted(place.user for place in card.assignees if place in board.memberships)


def serialize_label(board: Board, label: Label) -> dict[str, Any]:
    """`Label`."""
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
    """`Comment`."""
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
    """`Checklist`."""
    return {
        "id": checklist.id,
        "board_id": board.id,
        "card_id": card.id,
        "name": checklist.name,
        "items": [serialize_item(board, item) for item in checklist.items],
        "version": checklist.version,
        "created_at": format_timestamp(checklist.created_at),
        "updated_at": format_timestamp(checklist.updated_at),
    }


def serialize_item(board: Board, item: Item) -> dict[str, Any]:
    """`ChecklistItem`."""
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
    """The labels that the card bears and that are still there, in the order of their ids."""
    return sorted(label.id for label in board.labels if label in card.labels)


def board_etag(board: Board) -> str:
    """The board's ETag: its version and the number of its events."""
    return f'"{board.version}.{len(board.events)}"'


def column_etag(column: Column) -> str:
    """The list's ETag: its version and the number of its cards."""
    return f'"{column.version}.{len(column.active_cards)}"'


def card_etag(board: Board, card: Card, now: datetime) -> str:
    """The card's ETag: its version, its seconds while the clock runs, and the numbers of all that it has."""
    seconds = count_card_seconds(card, now) if card.is_running else 0
    facets = [seconds, len(list_label_ids(board, card)), len(list_assignees(board, card))]
    facets += [len(card.comments), len(card.items), sum(item.done for item in card.items)]
    while facets and not facets[-1]:
        facets.pop()
    return f'"{card.version}.{"-".join(map(str, facets))}"' if facets else f'"{card.version}"'


def find_assignee(board: Board, item: Item) -> str | None:
    """The user who does it, if still a member."""
    return item.assignee.user if item.assignee in board.memberships else None


def checklist_etag(board: Board, checklist: Checklist) -> str:
    """The checklist's ETag: its version, and what its items are like."""
    items = " ".join(f"{item.id}.{item_etag(board, item)[1:-1]}" for item in checklist.items)
    digest = f".{sha256(items.encode()).hexdigest()[:20]}" if items else ""
    return f'"{checklist.version}{digest}"'


def item_etag(board: Board, item: Item) -> str:
    """The item's ETag: its version, and whether it is somebody's."""
    return f'"{item.version}.1"' if find_assignee(board, item) else f'"{item.version}"'


def time_entry_etag(stretch: TimeEntry, now: datetime) -> str:
    """The time entry's ETag: its version, and its seconds while it is open."""
    return f'"{stretch.version}"' if stretch.ended_at else f'"{stretch.version}.{count_seconds(stretch, now)}"'


def count_card_seconds(card: Card, now: datetime) -> int:
    """How long the card was worked on until now."""
    return sum(count_seconds(stretch, now) for stretch in card.time_entries)


def fold_text(text: str) -> str:
    """A text as it is searched and sorted."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def format_timestamp(at: datetime | None) -> str | None:
    """A moment as it stands on the wire, or null."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def count_seconds(stretch: TimeEntry, now: datetime) -> int:
    """How long the stretch is until now."""
    return int(((stretch.ended_at or now) - stretch.started_at).total_seconds())
