"""Cards as a CSV table."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from kanban.fields import describe
from kanban.interchange.csv_format import format_csv
from kanban.timekeeping import card_clock, money
from kanban.values import Card, CardView
from kanban.views import BoardView

_HEADER = (
    *("id", "title", "description", "status", "external_id", "start_at", "due_at", "due_complete"),
    *("started_at", "resolved_at", "elapsed_seconds", "elapsed", "created_at", "updated_at", "archived_at"),
    *("list", "labels", "assignees", "done_items", "items", "comments", "cost", "currency"),
    "links",
)
_LATER_FIELDS = tuple(
    field.name
    for field in describe(Card)
    if field.is_editable and field.is_plain and field.name not in {*_HEADER, "hourly_rate_minor"}
)
"""Editable fields that were added to cards later. Their columns come last, so that no existing column moves."""


def format_cards(cards: Iterable[CardView], view: BoardView, now: datetime, *, has_header: bool) -> str:
    """Return cards as a table, or as further rows of one. Elapsed times and costs are as of `now`."""
    return format_csv((*_HEADER, *_LATER_FIELDS) if has_header else None, _rows(cards, view, now))


def _rows(cards: Iterable[CardView], view: BoardView, now: datetime) -> Iterator[list[object]]:
    label_names = {label.id: label.name for label in view.labels}
    list_names = {list_.id: list_.name for list_ in view.lists}
    for card in cards:
        seconds = card_clock.count_worked_seconds(card, now)
        cost = money.format_amount(card_clock.compute_cost_minor(card, now), card.currency)
        yield [
            card.id,
            card.title,
            card.description,
            card.status,
            card.external_id,
            card.start_at,
            card.due_at,
            str(card.due_complete).lower(),
            card.started_at,
            card.resolved_at,
            seconds,
            card_clock.format_duration(seconds),
            card.created_at,
            card.updated_at,
            card.archived_at,
            list_names[card.list_id],
            ", ".join(label_names[label_id] for label_id in card.label_ids),
            ", ".join(card.assignee_ids),
            card.done_count,
            card.item_count,
            card.comment_count,
            cost.partition(" ")[2],
            card.currency,
            " ".join(link.url for link in card.links),
            *(format_value(getattr(card, name)) for name in _LATER_FIELDS),
        ]


def format_value(value: object) -> object:
    """Format a boolean as the fixed columns do: true, false. Return any other value unchanged."""
    return str(value).lower() if isinstance(value, bool) else value
