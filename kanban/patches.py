"""Patches: apply the fields that a client sent, and only these."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from kanban.changes import ActionContext
from kanban.fields import editable_fields, null_replacements
from kanban.values import Board, Card, Checklist, ChecklistItem, Comment, Label, List, User, Webhook

Patchable = TypeVar("Patchable", User, Board, List, Card, Label, Checklist, ChecklistItem, Comment, Webhook)


def replace_nulls(patch: Mapping[str, Any], value_type: type) -> dict[str, Any]:
    """Return the patch with null replaced by the field's empty value, for fields that are never None."""
    replacements = null_replacements(value_type)
    return {name: replacements.get(name) if value is None else value for name, value in patch.items()}


def apply_patch(value: Patchable, patch: Mapping[str, Any], context: ActionContext) -> tuple[Patchable, list[str]]:
    """Return the value with the patch applied and its version raised, and the sorted names of the fields that changed.

    If nothing changes, return the same value and no names. Raises ValueError for a field that is not editable.
    """
    value_type: type = type(value)
    if not editable_fields(value_type).issuperset(patch):
        raise ValueError("The patch holds a field that cannot be changed.")
    changes = {name: new_value for name, new_value in patch.items() if getattr(value, name) != new_value}
    if not changes:
        return value, []
    return replace(value, **changes, version=value.version + 1, updated_at=context.at), sorted(changes)
