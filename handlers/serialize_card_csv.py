"""Cards as a table."""

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
"""What is added comes last, where it moves nothing else."""


def format_table(cards: Sequence[JsonObject], view: BoardView, *, has_header: bool) -> str:
    """Shapes of `Card` as a table, or as more rows of one."""
    lists = {each.id: each.name for each in view.lists}
    labels = {each.id: each.name for each in view.labels}
    rows = (
        [
            *(_format_boolean(card[name]) for name in _PLAIN_COLUMNS),
            lists[card["list_id"]],
            ", ".join(labels[each] for each in card["label_ids"]),
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
