"""Labels: create, update, delete. Names are unique on a board, ignoring case."""

from collections.abc import Mapping
from typing import Any

from kanban.changes import ActionContext, Change, build_change
from kanban.errors import Conflict, LimitReached, quote_name
from kanban.fields import editable_fields
from kanban.limits import MAX_LABELS_PER_BOARD
from kanban.patches import apply_patch
from kanban.text import fold
from kanban.values import EventData, Label, NewLabel
from kanban.views import BoardView


class LabelNameTaken(Conflict):
    """Raised when another label of the board has the name, ignoring case."""

    code = "label_name_taken"

    def __init__(self, name: str) -> None:
        """Take the name of the existing label."""
        super().__init__(f"This board has a label {quote_name(name)} already; upper and lower case are the same.")


def create(view: BoardView, context: ActionContext, new: NewLabel) -> tuple[Label, Change]:
    """Create a label. Raises LimitReached, LabelNameTaken."""
    if len(view.labels) >= MAX_LABELS_PER_BOARD:
        raise LimitReached("labels", MAX_LABELS_PER_BOARD)
    label = Label(
        id=context.new_id("label"),
        board_id=view.board.id,
        **{name: getattr(new, name) for name in editable_fields(Label)},
        version=1,
        created_at=context.at,
        updated_at=context.at,
    )
    _ensure_name_is_free(view, label)
    data = {"label_id": label.id, "name": label.name, "color": str(label.color)}
    return label, build_change(view, context, "label.created", creates=(label,), data=data)


def update(
    view: BoardView, label_id: str, patch: Mapping[str, Any], context: ActionContext
) -> tuple[Label, Change | None]:
    """Apply a patch of name and color to the label. Raises LabelNameTaken."""
    old = view.get_label(label_id)
    new, changed_fields = apply_patch(old, patch, context)
    if not changed_fields:
        return old, None
    _ensure_name_is_free(view, new)
    data: EventData = {"label_id": label_id, "changed": changed_fields}
    return new, build_change(view, context, "label.updated", updates=(new,), subject=(old, new), data=data)


def delete(view: BoardView, label_id: str, context: ActionContext) -> Change:
    """Delete the label; no card has it any more."""
    label = view.get_label(label_id)
    data = {"label_id": label_id, "name": label.name}
    return build_change(view, context, "label.deleted", deletes=(label,), data=data)


def _ensure_name_is_free(view: BoardView, label: Label) -> None:
    """Raise LabelNameTaken if another label of the board has the same name, ignoring case."""
    for other in view.labels:
        if other.id != label.id and fold(other.name) == fold(label.name):
            raise LabelNameTaken(other.name)
