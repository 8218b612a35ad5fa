"""Serialize cards as CSV."""

from collections.abc import Sequence

from handlers.csv_format import format_csv
from handlers.serialize import JsonObject
from kanban.views import BoardView

_PLAIN_COLUMNS = (
    *("id", "title", "description", "status", "external_id", "start_at", "due_at", "due_complete"),
    *("started_at", "resolved_at", "elapsed_seconds", "elapsed", "created_at", "updated_at", "archived_at"),
)
_HEADER = (
    *(*_PLAIN_COLUMNS, "list", "labels", "assignees", "done_items", "items", "comments", "cost", "currency"),
    "links",
)
"""New columns go to the end, so that existing ones keep their positions."""


def format_table(cards: Sequence[JsonObject], view: BoardView, *, has_header: bool) -> str:
    """Format serialized cards as a table, or without a header as more rows of one."""
    lists = {list_.id: list_.name for list_ in view.lists}
    labels = {label.id: label.name for label in view.labels}
    rows = (
        [
            *(_format_boolean(card[name]) for name in _PLAIN_COLUMNS),
            lists[card["list_id"]],
            ", ".join(labels[label_id] for label_id in card["label_ids"]),
            ", ".join(card["assignee_ids"]),
            card["checklist_progress"]["done"],
            card["checklist_progress"]["total"],
            card["comment_count"],
            card["cost"]["formatted"].partition(" ")[2],
            card["cost"]["currency"],
            " ".join(link["url"] for link in card["links"]),
        ]
        for card in cards
    )
    return format_csv(_HEADER if has_header else None, rows)


def _format_boolean(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value
