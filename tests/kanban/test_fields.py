"""Fields are described once, and functions are compiled from the descriptions."""

from dataclasses import FrozenInstanceError, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import pytest

from kanban import fields
from kanban.fields import Field, editable


class Color(StrEnum):
    """A word."""

    RED = "red"


@dataclass(frozen=True, slots=True)
class Thing:
    """A value with a field of each kind."""

    id: str
    note: str = field(default="", metadata=editable(null=""))
    rate: int = field(default=0, metadata=editable(null=0))
    due_at: datetime | None = field(default=None, metadata=editable())
    title: str = field(default="", metadata=editable())
    color: Color = Color.RED
    parts: tuple[str, ...] = ()
    limit: int | None = field(default=None, metadata=editable(null=7))


def by_name() -> dict[str, Field]:
    return {description.name: description for description in fields.describe(Thing)}


def test_fields_are_described_in_the_order_of_their_declaration() -> None:
    assert [*by_name()] == ["id", "note", "rate", "due_at", "title", "color", "parts", "limit"]


@pytest.mark.parametrize(
    ("name", "field_type", "is_optional", "is_enum", "is_plain"),
    [
        ("note", str, False, False, True),
        ("rate", int, False, False, True),
        ("due_at", datetime, True, False, True),
        ("color", Color, False, True, True),
        ("parts", tuple[str, ...], False, False, False),
        ("limit", int, True, False, True),
    ],
)
def test_a_field_knows_its_type_without_none(
    name: str, field_type: Any, *, is_optional: bool, is_enum: bool, is_plain: bool
) -> None:
    described = by_name()[name]

    assert (described.type, described.is_optional) == (field_type, is_optional)
    assert (described.is_enum, described.is_plain) == (is_enum, is_plain)


def test_a_patch_may_change_the_editable_fields() -> None:
    assert fields.editable_fields(Thing) == {"note", "rate", "due_at", "title", "limit"}


def test_null_in_a_patch_makes_what_the_field_says_where_the_field_is_never_none() -> None:
    assert fields.null_replacements(Thing) == {"note": "", "rate": 0}


def test_a_function_is_compiled_from_lines_and_uses_the_names_that_it_is_given() -> None:
    add = fields.compile_function("add", ["one", "other"], ["total = one + other", "return total + MORE"], {"MORE": 5})

    assert add.__name__ == "add"
    assert add(1, 2) == 8


def test_a_constructor_is_compiled_from_an_expression_for_each_field() -> None:
    row: dict[str, Any] = {description.name: description.name for description in fields.describe(Thing)} | {
        "due_at": datetime(2026, 11, 20, tzinfo=UTC)
    }

    build = fields.compile_constructor(
        "build",
        Thing,
        ["row"],
        lambda description: (
            f"DEFAULTS[{description.name!r}]" if description.name == "rate" else f"values[{description.name!r}]"
        ),
        {"DEFAULTS": {"rate": 3}},
        before=["values = row"],
    )

    thing = build(row)

    assert thing == Thing(**{**row, "rate": 3})
    assert type(thing) is Thing
    with pytest.raises(FrozenInstanceError):
        thing.rate = 4  # type: ignore[misc]
