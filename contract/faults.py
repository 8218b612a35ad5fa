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

MOST_FAULTS = 10
"""An answer names at most this many faults: it helps a person, and it stays small."""
MOST_TEXT = 2_000
"""Bytes of all faults of an answer together; the first is always named."""
_MOST_ERRORS = 100
"""Errors of a validator that are looked at: a map may have any number of them, all at one place."""
_MAX_LETTERS_TO_READ = 30_000
"""Characters of a text that are looked at to say what is wrong with it: more than any text of a request may have."""
_MOST_WORDS = 30
"""Names in a list that a person reads."""
_MOST_LETTERS = 200
"""Characters of such a list."""
_MOST_EXAMPLE = 100
"""Characters of an example that a sentence has room for."""

LIKE = "x-tackboard-like"
"""The extension of a schema whose values can't be made up: what one looks like. An example would be sent by tools."""

_TELLING = ("enum", "type", "additionalProperties", "format", "pattern")
"""Keywords that say more than others do: a form, for one, says more than a length."""

Part = dict[str, Any]
"""A schema of the document."""


class Fault(NamedTuple):
    """One thing that is wrong: where (a JSON Pointer, RFC 6901), a stable code and a sentence without the value."""

    pointer: str
    code: str
    message: str


class Error(NamedTuple):
    """What a validator raised, where in the whole value that is, and how to find the schema of a path of keywords."""

    path: list[str | int]
    raised: Any
    part_at: Callable[[list[str | int]], Part]


def faults_of(errors: Iterable[Error], names: frozenset[str]) -> list[Fault]:
    """A validator's errors as at most `MOST_FAULTS` faults: one for each place, which is the most telling one there.

    `names` are those that a pointer may name.
    """
    places: dict[str, Error] = {}
    for error in itertools.islice(errors, _MOST_ERRORS):
        where = pointer(error.path, names)
        if error.raised.kind.name == "required":
            where += f"/{error.raised.kind.property}"
        if where in places:
            places[where] = min(places[where], error, key=_silence)
        elif len(places) < MOST_FAULTS:
            places[where] = error
        else:
            break
    found: list[Fault] = []
    room = MOST_TEXT
    for where, error in places.items():
        fault = Fault(where, *_told(error))
        room -= sum(len(text.encode()) for text in fault)
        if found and room < 0:
            break
        found.append(fault)
    return found


def pointer(path: Iterable[str | int], names: frozenset[str]) -> str:
    """A JSON Pointer (RFC 6901) of at most 200 characters.

    It ends before a property name that isn't among the document's `names`: the client made that one up.
    """
    known = itertools.takewhile(lambda part: type(part) is int or part in names, path)
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in known)[:200]


def known_here(names: Iterable[str]) -> str:
    """The end of a sentence about an unknown name: those that are known."""
    return f"known here: {_listed(sorted(names)) or 'none'}"


def _silence(error: Error) -> int:
    """How little an error tells, beside another one at the same place."""
    keyword = error.raised.kind.name
    return _TELLING.index(keyword) if keyword in _TELLING else len(_TELLING)


def _told(error: Error) -> tuple[str, str]:
    """Code and sentence of an error."""
    keyword = error.raised.kind.name
    if keyword in _SAME_FOR_ALL:
        return _SAME_FOR_ALL[keyword]
    if keyword not in _SENTENCES:
        return "invalid", "does not keep the schema"
    code, say = _SENTENCES[keyword]
    # The last step of the path is the keyword itself.
    return code, say(error.raised, error.part_at(error.raised.evaluation_path[:-1]))


def _listed(words: list[str], most: int = _MOST_WORDS) -> str:
    """As many words as a person reads."""
    shown = ", ".join(words[:most])
    if len(shown) > _MOST_LETTERS:
        cut = shown[:_MOST_LETTERS]
        return f"{cut.rpartition(', ')[0] or cut}, …"
    return f"{shown}, …" if len(words) > most else shown


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _like(part: Part) -> str:
    """The schema's own example, where it fits on a line, as the end of a sentence."""
    example = part.get("example", part.get(LIKE))
    fits = type(example) is str and example.isprintable() and 0 < len(example) <= _MOST_EXAMPLE
    return f" like '{example}'" if fits else ""


_UNWANTED = {
    "line": (re.compile(r"[\x00-\x1f\x7f-\x9f]"), "must be one line without control characters"),
    "block": (
        re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]"),
        "must have no control characters but line feeds and tabs",
    ),
}
"""By the kind of text: what it must not have, and the sentence about that."""


def _form(error: Any, part: Part) -> str:
    """What a value that breaks a pattern should be, and how long it may be where the example doesn't show that."""
    value = error.instance
    must = _look(value[:_MAX_LETTERS_TO_READ], part)
    most = part.get("maxLength", len(value))
    too_long = len(value) > most != part.get("minLength")
    return f"{must}, and must have at most {_counted(most, 'character', 'characters')}" if too_long else must


def _look(value: str, part: Part) -> str:
    """Of a text it is said in words what is wrong with it; of anything else, few learn more than from an example."""
    if kind := _UNWANTED.get(part.get("x-tackboard-text", "")):
        unwanted, sentence = kind
        if unwanted.search(value):
            return sentence
        if all(unicodedata.category(character)[0] in "CZ" for character in value):
            return "must not be blank"
    like = _like(part)
    return f"must look{like}" if like else "has characters or a form that are not allowed here"


def _properties(bound: str, limit: int, part: Part) -> str:
    """How many properties there may be: by name, where the document names them. What is required doesn't count."""
    required = part.get("required", [])
    free = sorted(part.get("properties", {}).keys() - required)
    number = limit - len(required)
    if part.get("additionalProperties") is not False or not free or number < 1:
        return f"must have {bound} {_counted(limit, 'property', 'properties')}"
    bound = "exactly" if part.get("minProperties") == part.get("maxProperties") else bound
    return f"must have {bound} {'one' if number == 1 else number} of: {_listed(free)}"


def _type(error: Any, part: Part) -> str:
    kinds = error.kind.types
    must = "must be " + " or ".join(TYPE_NAMES.get(kind, kind) for kind in kinds)
    return must + _like(part) if kinds[-1] == "string" else must


def _one_of(options: list[Any]) -> str:
    return "must be one of " + _listed(["null" if option is None else str(option) for option in options], 12)


def _length(bound: str) -> Callable[[Any, Part], str]:
    return lambda error, _: f"must have {bound} {_counted(error.kind.limit, 'character', 'characters')}"


def _items(bound: str) -> Callable[[Any, Part], str]:
    return lambda error, _: f"must have {bound} {_counted(error.kind.limit, 'item', 'items')}"


def _amount(bound: str) -> Callable[[Any, Part], str]:
    return lambda error, _: f"must be {bound} {error.kind.limit}"


_SAME_FOR_ALL = {
    "required": ("required", "is required and missing"),
    "falseSchema": ("read_only", "must not be sent"),
    "uniqueItems": ("not_unique", "must not hold the same item twice"),
    "not": ("not_allowed", "holds what must not stand together"),
}
"""By the keyword that is broken: the code and the sentence, whatever the schema says."""

_SENTENCES: dict[str, tuple[str, Callable[[Any, Part], str]]] = {
    "type": ("type", _type),
    "enum": ("enum", lambda error, _: _one_of(error.kind.options)),
    "format": ("format", lambda error, part: f"must be a valid {error.kind.format}{_like(part)}"),
    "pattern": ("pattern", _form),
    "minLength": ("too_short", _length("at least")),
    "maxLength": ("too_long", _length("at most")),
    "minimum": ("too_small", _amount("at least")),
    "maximum": ("too_large", _amount("at most")),
    "exclusiveMinimum": ("too_small", _amount("greater than")),
    "exclusiveMaximum": ("too_large", _amount("less than")),
    "multipleOf": ("multiple_of", lambda error, _: f"must be a multiple of {error.kind.multiple_of}"),
    "minItems": ("too_few", _items("at least")),
    "maxItems": ("too_many", _items("at most")),
    "minProperties": ("too_few", lambda error, part: _properties("at least", error.kind.limit, part)),
    "maxProperties": ("too_many", lambda error, part: _properties("at most", error.kind.limit, part)),
    "additionalProperties": (
        "unknown_property",
        lambda _, part: f"has a property that the document does not name; {known_here(part.get('properties', {}))}",
    ),
}
"""By the keyword that is broken: the code, and the sentence about an error and the schema that holds the keyword."""
