"""A patch holds only the fields that were sent."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from kanban.values import Act, Board, Card, Checklist, ChecklistItem, Comment, Label, List, User

Patched = TypeVar("Patched", User, Board, List, Card, Label, Checklist, ChecklistItem, Comment)


def cleared(patch: Mapping[str, Any], empty: Mapping[str, Any]) -> dict[str, Any]:
    """Return the patch with null replaced by a field's empty value, where `empty` names one."""
    return {name: empty[name] if value is None and name in empty else value for name, value in patch.items()}


def revised(value: Patched, patch: Mapping[str, Any], fields: frozenset[str], act: Act) -> tuple[Patched, list[str]]:
    """The value with the patch applied, its version raised, and the names of what changed, sorted.

    Where nothing changes it is the same value and no names. Raises ValueError for a field outside `fields`.
    """
    if not fields.issuperset(patch):
        raise ValueError("The patch holds a field that cannot be changed.")
    changes = {name: new for name, new in patch.items() if getattr(value, name) != new}
    if not changes:
        return value, []
    return replace(value, **changes, version=value.version + 1, updated_at=act.at), sorted(changes)
