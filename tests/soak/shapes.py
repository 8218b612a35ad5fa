"""What people see of the model: the shapes of the document, written down once more."""

import unicodedata
from datetime import datetime
from hashlib import sha256
from typing import Any

from tests.soak.state import Board, Card, Checklist, Column, Comment, Item, Label, Place, Stretch

_DIGITS = {"JPY": 0, "USD": 2, "KWD": 3}


def board_shape(board: Board, user: str) -> dict[str, Any]:
    """`Board`, as that member sees it."""
    place = board.place_of(user)
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
        "created_at": moment(board.made),
        "updated_at": moment(board.edited),
        "archived_at": moment(board.archived),
    }


def column_shape(board: Board, column: Column) -> dict[str, Any]:
    """`List`."""
    return {
        "id": column.id,
        "board_id": board.id,
        "name": column.name,
        "stage": column.stage,
        "wip_limit": column.wip_limit,
        "wip_enforcement": column.wip_enforcement,
        "external_id": column.external_id,
        "card_count": len(column.in_use),
        "version": column.version,
        "created_at": moment(column.made),
        "updated_at": moment(column.edited),
        "archived_at": moment(column.archived),
    }


def card_shape(board: Board, card: Card, now: datetime) -> dict[str, Any]:
    """`Card`."""
    column = board.home(card)
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
        "label_ids": labels_on(board, card),
        "assignee_ids": assigned_to(board, card),
        "links": card.links,
        "checklist_progress": {"done": sum(item.done for item in card.items), "total": len(card.items)},
        "comment_count": len(card.comments),
        "started_at": moment(card.started),
        "resolved_at": moment(card.resolved),
        "running_since": moment(next((each.begin for each in card.stretches if each.end is None), None)),
        **clock_shape(board, card, now),
        "version": card.version,
        "created_at": moment(card.made),
        "updated_at": moment(card.edited),
        "archived_at": moment(card.archived),
        **({"deleted_at": moment(card.deleted)} if card.deleted else {}),
    }


def clock_shape(board: Board, card: Card, now: datetime) -> dict[str, Any]:
    """What the card took and cost until now."""
    elapsed = seconds_on(card, now)
    exact = sum(seconds_of(stretch, now) * stretch.rate for stretch in card.stretches)
    minor = exact // 3600 + (1 if exact % 3600 >= 1800 else 0)
    digits = _DIGITS[board.currency]
    text = str(minor).zfill(digits + 1)
    amount = f"{text[:-digits]}.{text[-digits:]}" if digits else text
    return {
        "elapsed_seconds": elapsed,
        "elapsed": f"{elapsed // 3600:02d}:{elapsed // 60 % 60:02d}:{elapsed % 60:02d}",
        "cost": {"amount_minor": minor, "currency": board.currency, "formatted": f"{board.currency} {amount}"},
    }


def stretch_shape(board: Board, card: Card, stretch: Stretch, now: datetime) -> dict[str, Any]:
    """`TimeEntry`."""
    return {
        "id": stretch.id,
        "board_id": board.id,
        "card_id": card.id,
        "user_id": stretch.user,
        "started_at": moment(stretch.begin),
        "ended_at": moment(stretch.end),
        "elapsed_seconds": seconds_of(stretch, now),
        "hourly_rate_minor": stretch.rate,
        "note": stretch.note,
        "version": stretch.version,
    }


def event_shape(event: dict[str, Any]) -> dict[str, Any]:
    """`Event`: the list and the card that it is about are named by their ids."""
    return {name: _named(value) for name, value in event.items()}


def _named(value: Any) -> Any:
    if isinstance(value, Column | Card):
        return value.id
    if isinstance(value, list):
        return [_named(each) for each in value]
    return {name: _named(each) for name, each in value.items()} if isinstance(value, dict) else value


def member_shape(board: Board, place: Place, name: str) -> dict[str, Any]:
    """`Member`."""
    return {
        "board_id": board.id,
        "user_id": place.user,
        "name": name,
        "role": place.role,
        "created_at": moment(place.made),
        "updated_at": moment(place.edited),
    }


def member_tag(place: Place) -> str:
    """The member's ETag: version of the place, version of the user, who never changes here, and which place it is."""
    return f'"{place.version}.1.{place.id}"'


def assigned_to(board: Board, card: Card) -> list[str]:
    """The users who work on the card and are still members, in the order of their ids."""
    return sorted(place.user for place in card.assigned if place in board.places)


def label_shape(board: Board, label: Label) -> dict[str, Any]:
    """`Label`."""
    return {
        "id": label.id,
        "board_id": board.id,
        "name": label.name,
        "color": label.color,
        "version": label.version,
        "created_at": moment(label.made),
        "updated_at": moment(label.edited),
    }


def comment_shape(board: Board, card: Card, comment: Comment) -> dict[str, Any]:
    """`Comment`."""
    return {
        "id": comment.id,
        "board_id": board.id,
        "card_id": card.id,
        "author_id": comment.author,
        "text": comment.text,
        "version": comment.version,
        "created_at": moment(comment.made),
        "updated_at": moment(comment.edited),
    }


def checklist_shape(board: Board, card: Card, checklist: Checklist) -> dict[str, Any]:
    """`Checklist`."""
    return {
        "id": checklist.id,
        "board_id": board.id,
        "card_id": card.id,
        "name": checklist.name,
        "items": [item_shape(board, item) for item in checklist.items],
        "version": checklist.version,
        "created_at": moment(checklist.made),
        "updated_at": moment(checklist.edited),
    }


def item_shape(board: Board, item: Item) -> dict[str, Any]:
    """`ChecklistItem`."""
    return {
        "id": item.id,
        "text": item.text,
        "done": item.done,
        "assignee_id": done_by(board, item),
        "due_at": item.due_at,
        "version": item.version,
        "created_at": moment(item.made),
        "updated_at": moment(item.edited),
    }


def labels_on(board: Board, card: Card) -> list[str]:
    """The labels that the card bears and that are still there, in the order of their ids."""
    return sorted(each.id for each in board.labels if each in card.labels)


def board_tag(board: Board) -> str:
    """The board's ETag: its version and the number of its events."""
    return f'"{board.version}.{len(board.events)}"'


def column_tag(column: Column) -> str:
    """The list's ETag: its version and the number of its cards."""
    return f'"{column.version}.{len(column.in_use)}"'


def card_tag(board: Board, card: Card, now: datetime) -> str:
    """The card's ETag: its version, its seconds while the clock runs, and the numbers of all that it has."""
    seconds = seconds_on(card, now) if card.is_running else 0
    facets = [seconds, len(labels_on(board, card)), len(assigned_to(board, card))]
    facets += [len(card.comments), len(card.items), sum(item.done for item in card.items)]
    while facets and not facets[-1]:
        facets.pop()
    return f'"{card.version}.{"-".join(map(str, facets))}"' if facets else f'"{card.version}"'


def done_by(board: Board, item: Item) -> str | None:
    """The user who does it, if still a member."""
    return item.assigned.user if item.assigned in board.places else None


def checklist_tag(board: Board, checklist: Checklist) -> str:
    """The checklist's ETag: its version, and what its items are like."""
    items = " ".join(f"{item.id}.{item_tag(board, item)[1:-1]}" for item in checklist.items)
    digest = f".{sha256(items.encode()).hexdigest()[:20]}" if items else ""
    return f'"{checklist.version}{digest}"'


def item_tag(board: Board, item: Item) -> str:
    """The item's ETag: its version, and whether it is somebody's."""
    return f'"{item.version}.1"' if done_by(board, item) else f'"{item.version}"'


def stretch_tag(stretch: Stretch, now: datetime) -> str:
    """The time entry's ETag: its version, and its seconds while it is open."""
    return f'"{stretch.version}"' if stretch.end else f'"{stretch.version}.{seconds_of(stretch, now)}"'


def seconds_on(card: Card, now: datetime) -> int:
    """How long the card was worked on until now."""
    return sum(seconds_of(stretch, now) for stretch in card.stretches)


def folded(text: str) -> str:
    """A text as it is searched and sorted."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def moment(at: datetime | None) -> str | None:
    """A moment as it stands on the wire, or null."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def seconds_of(stretch: Stretch, now: datetime) -> int:
    """How long the stretch is until now."""
    return int(((stretch.end or now) - stretch.begin).total_seconds())
