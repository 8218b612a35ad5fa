"""Compile functions from values to JSON objects, from the description of their fields."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from kanban.fields import Field, compile_function, describe
from kanban.timekeeping.timestamps import format_utc

_NAMES = {"format_utc": format_utc}


def compile_serializer(
    value_type: type,
    instead: Mapping[str, str],
    parameters: Sequence[str] = ("value",),
    names: Mapping[str, Any] | None = None,
) -> Any:
    """Compile a function from a value to its JSON object: one member for each field, in their order, by its type.

    `instead` are the members, as source, that take the place of a field's; an empty text leaves the field out. They
    may use the parameters and `names`. Raises TypeError for a field that is not plain and has no members there.
    """
    members = (instead[field.name] if field.name in instead else _member(field) for field in describe(value_type))
    lines = [f"return {{{', '.join(filter(None, members))}}}"]
    return compile_function(f"serialize_{value_type.__name__}", parameters, lines, {**_NAMES, **(names or {})})


def _member(field: Field) -> str:
    if not field.is_plain:
        raise TypeError(f"The JSON form of the field {field.name!r} must be given.")
    value = f"value.{field.name}"
    if field.type is datetime:
        text = f"format_utc({value})"
        value = f"{text} if {value} is not None else None" if field.is_optional else text
    return f"{field.name!r}: {value}"
