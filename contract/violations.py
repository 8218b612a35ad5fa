"""Faults: what is wrong with a value, where, and what to do about it.

A sentence is made when something is wrong and never before, out of the document's own words: its names, its bounds,
its examples. Nothing that was sent stands in it.
"""

import itertools
import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

TYPE_NAMES = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "array": "an array",
    "object": "an object",
    "null": "null",
}

MAX_VIOLATIONS = 10
"""An answer names at most this many faults: it helps a person, and it stays small."""
MAX_VIOLATIONS_BYTES = 2_000
"""Bytes of all faults of an answer together; the first is always named."""
_MAX_ERRORS_READ = 100
"""Errors of a validator that are looked at: a map may have any number of them, all at one place."""
_MAX_CHARACTERS_READ = 30_000
"""Characters of a text that are looked at to say what is wrong with it: more than any text of a request may have."""
_MAX_NAMES_LISTED = 30
"""Names in a list that a person reads."""
_MAX_LIST_CHARACTERS = 200
"""Characters of such a list."""
_MAX_EXAMPLE_CHARACTERS = 100
"""Characters of an example that a sentence has room for."""

LIKE_EXTENSION = "x-tackboard-like"
"""The extension of a schema whose values can't be made up: what one looks like. An example would be sent by tools."""

_MOST_SPECIFIC_KEYWORDS = ("enum", "type", "additionalProperties", "format", "pattern")
"""Keywords that say more than others do: a form, for one, says more than a length."""

Schema = dict[str, Any]
"""A schema of the document."""


class Violation(NamedTuple):
    """One thing that is wrong: where (a JSON Pointer, RFC 6901), a stable code and a sentence without the value."""

    pointer: str
    code: str
    message: str


class LocatedError(NamedTuple):
    """What a validator raised, where in the whole value that is, and how to find the schema of a path of keywords."""

    path: list[str | int]
    raised: Any
    schema_at: Callable[[list[str | int]], Schema]


def violations_from_errors(errors: Iterable[LocatedError], names: frozenset[str]) -> list[Violation]:
    """A validator's errors as at most `MAX_VIOLATIONS` faults: one for each place, which is the most telling one there.

    `names` are those that a pointer may name.
    """
    places: dict[str, LocatedError] = {}
    for error in itertools.islice(errors, _MAX_ERRORS_READ):
        where = build_pointer(error.path, names)
        if error.raised.kind.name == "required":
            where += f"/{error.raised.kind.property}"
        if where in places:
            places[where] = min(places[where], error, key=_specificity)
        elif len(places) < MAX_VIOLATIONS:
            places[where] = error
        else:
            break
    found: list[Violation] = []
    room = MAX_VIOLATIONS_BYTES
    for where, error in places.items():
        fault = Violation(where, *_code_and_message(error))
        room -= sum(len(text.encode()) for text in fault)
        if found and room < 0:
            break
        found.append(fault)
    return found


def build_pointer(path: Iterable[str | int], names: frozenset[str]) -> str:
    """A JSON Pointer (RFC 6901) of at most 200 characters.

    It ends before a property name that isn't among the document's `names`: the client made that one up.
    """
    known = itertools.takewhile(lambda part: type(part) is int or part in names, path)
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in known)[:200]


def list_known(names: Iterable[str]) -> str:
    """The end of a sentence about an unknown name: those that are known."""
    return f"known here: {_join_names(sorted(names)) or 'none'}"


def _specificity(error: LocatedError) -> int:
    """How little an error tells, beside another one at the same place."""
    keyword = error.raised.kind.name
    return (
        _MOST_SPECIFIC_KEYWORDS.index(keyword) if keyword in _MOST_SPECIFIC_KEYWORDS else len(_MOST_SPECIFIC_KEYWORDS)
    )


def _code_and_message(error: LocatedError) -> tuple[str, str]:
    """Code and sentence of an error."""
    keyword = error.raised.kind.name
    if keyword in _FIXED_MESSAGES:
        return _FIXED_MESSAGES[keyword]
    if keyword not in _MESSAGES:
        return "invalid", "does not keep the schema"
    code, say = _MESSAGES[keyword]
    # The last step of the path is the keyword itself.
    return code, say(error.raised, error.schema_at(error.raised.evaluation_path[:-1]))


def _join_names(names: list[str], max_names: int = _MAX_NAMES_LISTED) -> str:
    """As many words as a person reads."""
    shown = ", ".join(names[:max_names])
    if len(shown) > _MAX_LIST_CHARACTERS:
        cut = shown[:_MAX_LIST_CHARACTERS]
        return f"{cut.rpartition(', ')[0] or cut}, …"
    return f"{shown}, …" if len(names) > max_names else shown


def _pluralize(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _example_phrase(schema: Schema) -> str:
    """The schema's own example, where it fits on a line, as the end of a sentence."""
    example = schema.get("example", schema.get(LIKE_EXTENSION))
    fits = type(example) is str and example.isprintable() and 0 < len(example) <= _MAX_EXAMPLE_CHARACTERS
    return f" like '{example}'" if fits else ""


_FORBIDDEN_CHARACTERS = {
    "line": (re.compile(r"[\x00-\x1f\x7f-\x9f]"), "must be one line without control characters"),
    "block": (
        re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]"),
        "must have no control characters but line feeds and tabs",
    ),
}
"""By the kind of text: what it must not have, and the sentence about that."""


def _pattern_message(error: Any, schema: Schema) -> str:
    """What a value that breaks a pattern should be, and how long it may be where the example doesn't show that."""
    value = error.instance
    must = _form_message(value[:_MAX_CHARACTERS_READ], schema)
    most = schema.get("maxLength", len(value))
    too_long = len(value) > most != schema.get("minLength")
    return f"{must}, and must have at most {_pluralize(most, 'character', 'characters')}" if too_long else must


def _form_message(value: str, schema: Schema) -> str:
    """Of a text it is said in words what is wrong with it; of anything else, few learn more than from an example."""
    if kind := _FORBIDDEN_CHARACTERS.get(schema.get("x-tackboard-text", "")):
        unwanted, sentence = kind
        if unwanted.search(value):
            return sentence
        if all(unicodedata.category(character)[0] in "CZ" for character in value):
            return "must not be blank"
    like = _example_phrase(schema)
    return f"must look{like}" if like else "has characters or a form that are not allowed here"


def _property_count_message(bound: str, limit: int, schema: Schema) -> str:
    """How many properties there may be: by name, where the document names them. What is required doesn't count."""
    required = schema.get("required", [])
    free = sorted(schema.get("properties", {}).keys() - required)
    number = limit - len(required)
    if schema.get("additionalProperties") is not False or not free or number < 1:
        return f"must have {bound} {_pluralize(limit, 'property', 'properties')}"
    bound = "exactly" if schema.get("minProperties") == schema.get("maxProperties") else bound
    return f"must have {bound} {'one' if number == 1 else number} of: {_join_names(free)}"


def _type_message(error: Any, schema: Schema) -> str:
    kinds = error.kind.types
    must = "must be " + " or ".join(TYPE_NAMES.get(kind, kind) for kind in kinds)
    return must + _example_phrase(schema) if kinds[-1] == "string" else must


def _enum_message(options: list[Any]) -> str:
    return "must be one of " + _join_names(["null" if option is None else str(option) for option in options], 12)


def _length_message(bound: str) -> Callable[[Any, Schema], str]:
    return lambda error, _: f"must have {bound} {_pluralize(error.kind.limit, 'character', 'characters')}"


def _item_count_message(bound: str) -> Callable[[Any, Schema], str]:
    return lambda error, _: f"must have {bound} {_pluralize(error.kind.limit, 'item', 'items')}"


def _limit_message(bound: str) -> Callable[[Any, Schema], str]:
    return lambda error, _: f"must be {bound} {error.kind.limit}"


_FIXED_MESSAGES = {
    "required": ("required", "is required and missing"),
    "falseSchema": ("read_only", "must not be sent"),
    "uniqueItems": ("not_unique", "must not hold the same item twice"),
    "not": ("not_allowed", "holds what must not stand together"),
}
"""By the keyword that is broken: the code and the sentence, whatever the schema says."""

_MESSAGES: dict[str, tuple[str, Callable[[Any, Schema], str]]] = {
    "type": ("type", _type_message),
    "enum": ("enum", lambda error, _: _enum_message(error.kind.options)),
    "format": ("format", lambda error, part: f"must be a valid {error.kind.format}{_example_phrase(part)}"),
    "pattern": ("pattern", _pattern_message),
    "minLength": ("too_short", _length_message("at least")),
    "maxLength": ("too_long", _length_message("at most")),
    "minimum": ("too_small", _limit_message("at least")),
    "maximum": ("too_large", _limit_message("at most")),
    "exclusiveMinimum": ("too_small", _limit_message("greater than")),
    "exclusiveMaximum": ("too_large", _limit_message("less than")),
    "multipleOf": ("multiple_of", lambda error, _: f"must be a multiple of {error.kind.multiple_of}"),
    "minItems": ("too_few", _item_count_message("at least")),
    "maxItems": ("too_many", _item_count_message("at most")),
    "minProperties": ("too_few", lambda error, part: _property_count_message("at least", error.kind.limit, part)),
    "maxProperties": ("too_many", lambda error, part: _property_count_message("at most", error.kind.limit, part)),
    "additionalProperties": (
        "unknown_property",
        lambda _, part: f"has a property that the document does not name; {list_known(part.get('properties', {}))}",
    ),
}
"""By the keyword that is broken: the code, and the sentence about an error and the schema that holds the keyword."""
