"""Labels: made, changed, deleted. A name is there once on a board, whatever the case."""

from collections.abc import Mapping
from typing import Any

from kanban.errors import LabelNameTaken, TooManyLabels
from kanban.patches import revised
from kanban.record import record
from kanban.text import folded
from kanban.values import MOST_LABELS, Act, BoardView, Change, Color, EventData, Label

_FIELDS = frozenset({"name", "color"})


def add(view: BoardView, act: Act, *, name: str, color: Color) -> tuple[Label, Change]:
    """A new label. Raises TooManyLabels, LabelNameTaken."""
    if len(view.labels) >= MOST_LABELS:
        raise TooManyLabels(MOST_LABELS)
    label = Label(
        id=act.new_id("label"),
        board_id=view.board.id,
        name=name,
        color=Color(color),
        version=1,
        created_at=act.at,
        updated_at=act.at,
    )
    _refuse_taken(view, label)
    data = {"label_id": label.id, "name": name, "color": str(label.color)}
    return label, record(view, act, "label.created", creates=(label,), data=data)


def revise(view: BoardView, label_id: str, patch: Mapping[str, Any], act: Act) -> tuple[Label, Change | None]:
    """The label with the fields of the patch: name, color. Raises LabelNameTaken."""
    old = view.label(label_id)
    if "color" in patch:
        patch = {**patch, "color": Color(patch["color"])}
    new, changed = revised(old, patch, _FIELDS, act)
    if not changed:
        return old, None
    _refuse_taken(view, new)
    data: EventData = {"label_id": label_id, "changed": changed}
    return new, record(view, act, "label.updated", updates=(new,), data=data)


def delete(view: BoardView, label_id: str, act: Act) -> Change:
    """Erase the label: no card bears it any more."""
    label = view.label(label_id)
    data = {"label_id": label_id, "name": label.name}
    return record(view, act, "label.deleted", deletes=(label,), data=data)


def _refuse_taken(view: BoardView, label: Label) -> None:
    """Raise LabelNameTaken if another label of the board reads the same."""
    for each in view.labels:
        if each.id != label.id and folded(each.name) == folded(label.name):
            raise LabelNameTaken(each.name)
