"""Attributes: values as DynamoDB has them, by the letter of their type, and mappings compiled from fields by name.

Times and JSON documents are strings. A field that is None has no attribute.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from kanban.fields import Field, compile_constructor, compile_function, describe
from kanban.values import Color, Enforcement, JobKind, JobState, Role, Scope, Stage, TokenKind, WebhookState
from stores.dynamodb.keys import Item, format_timestamp

parse_timestamp = datetime.fromisoformat
"""Return the time of a timestamp in an item."""

# A lookup is several times faster than a call of the enumeration, and pages hold many of these.
WORDS: Mapping[str, Mapping[str, Any]] = {
    enumeration.__name__: {str(word): word for word in enumeration}
    for enumeration in (Role, Scope, TokenKind, Stage, Color, Enforcement, WebhookState, JobKind, JobState)
}
"""The words of each enumeration, by its name."""


def to_string(value: str) -> Item:
    """Return a string attribute."""
    return {"S": value}


def to_number(value: int) -> Item:
    """Return a number attribute."""
    return {"N": str(value)}


def to_boolean(value: bool) -> Item:  # noqa: FBT001  (it is the value)
    """Return a boolean attribute."""
    return {"BOOL": value}


def to_timestamp(at: datetime) -> Item:
    """Return a time in UTC as a string attribute."""
    return {"S": format_timestamp(at)}


def to_optional_string(value: str | None) -> Item | None:
    """Return a string attribute, or None for None."""
    return None if value is None else {"S": value}


def to_attribute(value: datetime | int | str) -> Item:
    """Return the attribute of a time, a number or a string."""
    if isinstance(value, datetime):
        return to_timestamp(value)
    return to_number(value) if isinstance(value, int) else to_string(value)


def drop_missing(**attributes: Item | None) -> Item:
    """Return the attributes that are not None, by name."""
    return {name: value for name, value in attributes.items() if value is not None}


def get_string(item: Item, name: str) -> str | None:
    """Return the string of an attribute, None without it."""
    attribute = item.get(name)
    return attribute["S"] if attribute else None


def get_number(item: Item, name: str) -> int | None:
    """Return the number of an attribute, None without it."""
    attribute = item.get(name)
    return int(attribute["N"]) if attribute else None


def get_timestamp(item: Item, name: str) -> datetime | None:
    """Return the time of an attribute, None without it."""
    attribute = item.get(name)
    return parse_timestamp(attribute["S"]) if attribute else None


def is_deleted(item: Item) -> bool:
    """Tell whether the item is of something deleted."""
    return "deleted_at" in item


_READ = {str: "item['{0}']['S']", int: "int(item['{0}']['N'])", bool: "item['{0}']['BOOL']"}
_WRITE = {
    str: "{{'S': value.{0}}}",
    int: "{{'N': str(value.{0})}}",
    bool: "{{'BOOL': value.{0}}}",
    datetime: "{{'S': format_timestamp(value.{0})}}",
}
_NAMES = {
    "format_timestamp": format_timestamp,
    "parse_timestamp": parse_timestamp,
    **{f"{name}_WORDS": words for name, words in WORDS.items()},
}


def _read_expression(field: Field) -> str:
    text = _READ[str].format(field.name)
    if field.type is datetime:
        parsed = f"parse_timestamp({text})"
    elif field.is_enum:
        parsed = f"{field.type.__name__}_WORDS[{text}]"
    else:
        parsed = _READ[field.type].format(field.name)
    return f"{parsed} if '{field.name}' in item else None" if field.is_optional else parsed


def compile_reader(
    value_type: type, parameters: Sequence[str], special: Mapping[str, str], names: Mapping[str, Any] | None = None
) -> Any:
    """Compile a function from an item to a value: each field from the attribute of its name.

    `special` are the expressions of other fields, by name, of the parameters (one is `item`) and of `names`.
    """
    return compile_constructor(
        f"{value_type.__name__}_from_item",
        value_type,
        parameters,
        lambda field: special[field.name] if field.name in special else _read_expression(field),
        {**_NAMES, **(names or {})},
    )


def compile_writer(
    value_type: type,
    without: Sequence[str],
    special: Mapping[str, str] | None = None,
    names: Mapping[str, Any] | None = None,
    parameters: Sequence[str] = ("value",),
) -> Any:
    """Compile a function from a value to attributes: one for each field that is not None, but for those `without`.

    `special` are the expressions of other attributes, by name, of `value` and of `names`; None leaves one out.
    """
    special = special or {}
    chosen = [field for field in describe(value_type) if field.name not in (*without, *special)]
    write = {field.name: _WRITE[str if field.is_enum else field.type].format(field.name) for field in chosen}
    required = ", ".join(f"{field.name!r}: {write[field.name]}" for field in chosen if not field.is_optional)
    lines = [f"attributes = {{{required}}}"]
    for field in chosen:
        if field.is_optional:
            lines += [f"if value.{field.name} is not None:", f"    attributes[{field.name!r}] = {write[field.name]}"]
    for name, expression in special.items():
        lines += [f"attribute = {expression}", "if attribute is not None:", f"    attributes[{name!r}] = attribute"]
    return compile_function(
        f"{value_type.__name__}_attributes", parameters, [*lines, "return attributes"], {**_NAMES, **(names or {})}
    )


def compile_json_reader(value_type: type) -> Any:
    """Compile a function from an object of a JSON document to a value, by name."""
    return compile_constructor(
        f"{value_type.__name__}_from_json",
        value_type,
        ("data",),
        _read_json_expression,
        _NAMES,
    )


def _read_json_expression(field: Field) -> str:
    text = f"data[{field.name!r}]"
    if field.type is not datetime:
        return text
    return (
        f"parse_timestamp({text}) if {text} is not None else None" if field.is_optional else f"parse_timestamp({text})"
    )


def compile_json_writer(value_type: type) -> Any:
    """Compile a function from a value to an object of a JSON document, by name."""
    members = []
    for field in describe(value_type):
        value = f"value.{field.name}"
        text = f"format_timestamp({value})" if field.type is datetime else value
        members.append(
            f"{field.name!r}: {text} if {value} is not None else None"
            if field.is_optional
            else f"{field.name!r}: {text}"
        )
    lines = [f"return {{{', '.join(members)}}}"]
    return compile_function(f"{value_type.__name__}_to_json", ("value",), lines, _NAMES)
