"""Objects of JSON are compiled from fields, and what is created takes every field that can be edited."""

from dataclasses import MISSING, dataclass, field, fields
from datetime import UTC, datetime

import pytest

from kanban.fields import editable, editable_fields, null_replacements
from kanban.serialization import compile_serializer
from kanban.values import Board, Card, ChecklistItem, List, NewBoard, NewCard, NewChecklistItem, NewList, Stage

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Thing:
    """A value with a field of each kind."""

    id: str
    stage: Stage = field(metadata=editable())
    size: int | None = field(metadata=editable())
    note: str = field(metadata=editable(null=""))
    made_at: datetime
    due_at: datetime | None
    left_at: datetime | None
    words: tuple[str, ...]


THING = Thing("t1", Stage.DONE, 0, "text", AT, AT, None, ("a", "b"))


def test_a_serializer_has_a_member_for_each_field_but_where_it_is_told_otherwise() -> None:
    serialize = compile_serializer(Thing, {"words": "'words': list(value.words)", "note": ""})

    assert list(serialize(THING).items()) == [
        ("id", "t1"),
        ("stage", "done"),
        ("size", 0),
        ("made_at", "2026-11-20T12:00:00Z"),
        ("due_at", "2026-11-20T12:00:00Z"),
        ("left_at", None),
        ("words", ["a", "b"]),
    ]


def test_a_serializer_is_not_made_while_the_form_of_a_field_is_unknown() -> None:
    with pytest.raises(TypeError, match="'words'"):
        compile_serializer(Thing, {})


@pytest.mark.parametrize(
    ("new_type", "value_type"), [(NewBoard, Board), (NewList, List), (NewCard, Card), (NewChecklistItem, ChecklistItem)]
)
def test_what_is_created_takes_every_editable_field_and_has_what_null_would_make_of_it(
    new_type: type, value_type: type
) -> None:
    defaults = {field.name: field.default for field in fields(new_type)}

    assert editable_fields(value_type) <= set(defaults)
    assert set(defaults) - editable_fields(value_type) <= {"list_id", "position", "currency", "lists"}
    replacements = null_replacements(value_type)
    for name in editable_fields(value_type):
        assert defaults[name] in (MISSING, replacements.get(name))
