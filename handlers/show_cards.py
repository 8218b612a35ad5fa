"""Cards as a table."""

from collections.abc import Sequence

from handlers.sheets import sheet
from handlers.show import Shape
from kanban.values import BoardView

_AS_THEY_ARE = (
    *("id", "title", "description", "status", "external_id", "start_at", "due_at", "due_complete"),
    *("started_at", "resolved_at", "elapsed_seconds", "elapsed", "created_at", "updated_at", "archived_at"),
)
_HEADER = (
    *(*_AS_THEY_ARE, "list", "labels", "assignees", "done_items", "items", "comments", "cost", "currency"),
    "links",
)
"""What is added comes last, where it moves nothing else."""


def table(cards: Sequence[Shape], view: BoardView, *, has_header: bool) -> str:
    """Shapes of `Card` as a table, or as more rows of one."""
    lists = {each.id: each.name for each in view.lists}
    labels = {each.id: each.name for each in view.labels}
    rows = (
        [
            *(_cell(card[name]) for name in _AS_THEY_ARE),
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
    return sheet(_HEADER if has_header else None, rows)


def _cell(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value
