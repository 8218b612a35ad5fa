"""Describe fields once, and compile mappings of values from their description.

A field of a value is described where its dataclass declares it: the annotation says its type, `field(metadata=...)`
the rest. What stores a value, shows it or reads it compiles a function from that description by name, so that a new
field needs no line there, and no two fields can be confused that have the same type. A compiled function has the
bytecode of one that was written by hand, and costs the same.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from functools import cache
from types import FunctionType, NoneType
from typing import Any, Literal, get_args

Sign = Literal[">=", "<=", "<", "="]
"""How a filter compares."""

PLAIN_TYPES = (str, int, bool, datetime)


@dataclass(frozen=True, slots=True)
class Field:
    """A field: its name, its type without None, whether it may be None, and what else its declaration says."""

    name: str
    type: Any
    is_optional: bool
    metadata: Mapping[str, Any]

    @property
    def is_editable(self) -> bool:
        """Whether a patch may change the field."""
        return "is_editable" in self.metadata

    @property
    def is_recorded(self) -> bool:
        """Whether events say from what to what the field changed."""
        return self.is_editable or "is_recorded" in self.metadata

    @property
    def is_enum(self) -> bool:
        """Whether the value is one of an enumeration's words."""
        return isinstance(self.type, type) and issubclass(self.type, StrEnum)

    @property
    def is_plain(self) -> bool:
        """Whether every mapping knows the value by its type: text, a number, a truth value, a time or a word."""
        return self.type in PLAIN_TYPES or self.is_enum


def editable(*, null: Any = None, is_text_private: bool = False) -> Mapping[str, Any]:
    """Describe a field that a patch may change; `null` is what null in a patch makes of it.

    Events say from what to what it changed, but only the lengths of a private text.
    """
    return {"is_editable": True, "null": null, "is_text_private": is_text_private}


def recordable(api_name: str | None = None) -> Mapping[str, Any]:
    """Describe a field that no patch changes, but whose changes events record; the API may show it by another name."""
    return {"is_recorded": True, "api_name": api_name}


def compares(field_name: str, sign: Sign) -> Mapping[str, Any]:
    """Describe a filter that compares a field of what is queried with its own value: see `kanban.card_filters`."""
    return {"compares": (field_name, sign)}


@cache
def describe(value_type: type) -> tuple[Field, ...]:
    """Return the fields of a dataclass in the order of their declaration."""
    return tuple(_describe(field.name, field.type, field.metadata) for field in fields(value_type))


def _describe(name: str, annotation: Any, metadata: Mapping[str, Any]) -> Field:
    members = get_args(annotation)
    if NoneType not in members:
        return Field(name, annotation, is_optional=False, metadata=metadata)
    (inner,) = (member for member in members if member is not NoneType)
    return Field(name, inner, is_optional=True, metadata=metadata)


@cache
def editable_fields(value_type: type) -> frozenset[str]:
    """Return the names of the fields that a patch may change."""
    return frozenset(field.name for field in describe(value_type) if field.is_editable)


@cache
def recorded_fields(value_type: type) -> tuple[Field, ...]:
    """Return the fields whose changes events record, in the order of their declaration."""
    return tuple(field for field in describe(value_type) if field.is_recorded)


@cache
def null_replacements(value_type: type) -> Mapping[str, Any]:
    """Return what null in a patch makes of the editable fields that are never None, by name."""
    return {
        field.name: field.metadata["null"]
        for field in describe(value_type)
        if field.is_editable and not field.is_optional and field.metadata["null"] is not None
    }


def compile_function(
    name: str,
    parameters: Sequence[str],
    lines: Sequence[str],
    names: Mapping[str, Any],
    *,
    make_names: Callable[[], Mapping[str, Any]] = dict,
) -> Any:
    """Return a function of these lines, which is compiled when it is first called.

    `names` are what it uses: types and functions of the caller's module. `make_names` returns more of them when the
    function is compiled. A start needs few of the many functions, and compiling all of them would make it several
    milliseconds longer.
    """
    namespace = dict(names)

    def compile_and_call(*arguments: Any) -> Any:
        namespace.update(make_names())
        body = "".join(f"    {line}\n" for line in lines)
        source = f"def {name}({', '.join(parameters)}):\n{body}"
        compiled: dict[str, FunctionType] = {}
        exec(compile(source, f"<{name}>", "exec"), namespace, compiled)  # noqa: S102 - the source is made of field names.
        # From now on the function has this code, and nothing stands between it and its caller.
        function.__code__ = compiled[name].__code__
        return function(*arguments)

    namespace["_compile_and_call"] = compile_and_call
    function = FunctionType(_call_compiler.__code__, namespace, name)
    return function


def _call_compiler(*arguments: Any) -> Any:
    """Lend its code to a function until its first call. `_compile_and_call` is one of that function's globals."""
    return _compile_and_call(*arguments)  # type: ignore[name-defined]  # noqa: F821


def compile_constructor(
    name: str,
    value_type: type,
    parameters: Sequence[str],
    expression_of: Callable[[Field], str],
    names: Mapping[str, Any],
    *,
    before: Sequence[str] = (),
) -> Any:
    """Compile a function that makes a value: each field of it from the expression that `expression_of` returns.

    A frozen dataclass sets its fields by `object.__setattr__`, which is most of the cost of reading a page. So the
    fields are set on an object of another class, which has the same slots and isn't frozen, and then it becomes a
    value: an object's class can be changed to one with the same slots.
    """
    lines = [
        *before,
        "value = Draft()",
        *(f"value.{field.name} = {expression_of(field)}" for field in describe(value_type)),
        f"value.__class__ = {value_type.__name__}",
        "return value",
    ]
    names = {**names, value_type.__name__: value_type}
    return compile_function(name, parameters, lines, names, make_names=lambda: {"Draft": _draft_class(value_type)})


@cache
def _draft_class(value_type: type) -> type:
    """Return a class with the slots of a dataclass, whose objects can be changed."""
    return type(f"{value_type.__name__}Draft", (), {"__slots__": tuple(field.name for field in describe(value_type))})
