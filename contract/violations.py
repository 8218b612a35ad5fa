"""Violations: what in a request breaks the document, where, and how to correct it.

A message is built only when something is wrong. It uses names, limits and examples of the document and never repeats
what the client sent.
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
"""The most violations in one response: enough for a person, and the response stays small."""
MAX_VIOLATIONS_BYTES = 2_000
"""The most bytes of all violations in one response. The first one is always included."""
_MAX_ERRORS_READ = 100
"""The most errors of the validator that are read: a map may have any number of them at one pointer."""
_MAX_CHARACTERS_READ = 30_000
"""The most characters of a text that are read to describe its error: more than any valid text has."""
_MAX_NAMES_LISTED = 30
"""The most names in a list that a person reads."""
_MAX_LIST_CHARACTERS = 200
"""The most characters of such a list."""
_MAX_EXAMPLE_CHARACTERS = 100
"""The longest example in characters that is quoted in a message."""

LIKE_EXTENSION = "x-tackboard-like"
"""The extension of a schema with a sample value for messages only. Tools would send an `example` as it is."""

_KEYWORDS_BY_SPECIFICITY = ("enum", "type", "additionalProperties", "format", "pattern")
"""Keywords whose errors help most, the most helpful first: a pattern, for one, says more than a length."""

Schema = dict[str, Any]
"""A schema of the document."""


class Violation(NamedTuple):
    """One thing that is wrong: a JSON Pointer (RFC 6901), a stable code and a message that does not quote the value."""

    pointer: str
    code: str
    message: str


class LocatedError(NamedTuple):
    """An error of the validator, its path in the whole value, and a lookup from a keyword path to the schema."""

    path: list[str | int]
    raised: Any
    schema_at: Callable[[list[str | int]], Schema]


def violations_from_errors(errors: Iterable[LocatedError], names: frozenset[str]) -> list[Violation]:
    """Turn errors of the validator into at most `MAX_VIOLATIONS` violations, the most specific one for each pointer.

    `names` are the property names that may appear in a pointer.
    """
    error_by_pointer: dict[str, LocatedError] = {}
    for error in itertools.islice(errors, _MAX_ERRORS_READ):
        pointer = build_pointer(error.path, names)
        if error.raised.kind.name == "required":
            pointer += f"/{error.raised.kind.property}"
        if pointer in error_by_pointer:
            error_by_pointer[pointer] = min(error_by_pointer[pointer], error, key=_specificity)
        elif len(error_by_pointer) < MAX_VIOLATIONS:
            error_by_pointer[pointer] = error
        else:
            break
    violations: list[Violation] = []
    bytes_left = MAX_VIOLATIONS_BYTES
    for pointer, error in error_by_pointer.items():
        violation = Violation(pointer, *_code_and_message(error))
        bytes_left -= len("".join(violation).encode())
        if violations and bytes_left < 0:
            break
        violations.append(violation)
    return violations


def build_pointer(path: Iterable[str | int], names: frozenset[str]) -> str:
    """Build a JSON Pointer (RFC 6901) of at most 200 characters.

    It ends before a property that is not among the document's `names`, because the client chose that name.
    """
    pointer = ""
    for part in path:
        if type(part) is int:
            pointer += f"/{part}"
        elif part in names:
            pointer += "/" + str(part).replace("~", "~0").replace("/", "~1")
        else:
            break
    return pointer[:200]


def list_known(names: Iterable[str]) -> str:
    """List the known names, as the end of a message about an unknown one."""
    return f"the known ones are: {_join_names(sorted(names)) or 'none'}"


def _specificity(error: LocatedError) -> int:
    """Return the sort key of an error: the most specific error first."""
    keyword = error.raised.kind.name
    return (
        _KEYWORDS_BY_SPECIFICITY.index(keyword)
        if keyword in _KEYWORDS_BY_SPECIFICITY
        else len(_KEYWORDS_BY_SPECIFICITY)
    )


def _code_and_message(error: LocatedError) -> tuple[str, str]:
    """Return the code and the message of an error."""
    keyword = error.raised.kind.name
    if keyword in _FIXED_MESSAGES:
        return _FIXED_MESSAGES[keyword]
    if keyword not in _MESSAGES:
        return "invalid", "does not match the schema"
    code, build_message = _MESSAGES[keyword]
    # The last step of the path is the keyword itself.
    return code, build_message(error.raised, error.schema_at(error.raised.evaluation_path[:-1]))


def _join_names(names: list[str], max_names: int = _MAX_NAMES_LISTED) -> str:
    """Join names with commas, as many as a person reads."""
    joined = ", ".join(names[:max_names])
    if len(joined) > _MAX_LIST_CHARACTERS:
        cut = joined[:_MAX_LIST_CHARACTERS]
        return f"{cut.rpartition(', ')[0] or cut}, …"
    return f"{joined}, …" if len(names) > max_names else joined


def _pluralize(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _example_phrase(schema: Schema) -> str:
    """Quote the schema's example as the end of a message, if it fits on a line; else return an empty text."""
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
"""By `x-tackboard-text`: the forbidden characters and the message about them."""


def _pattern_message(error: Any, schema: Schema) -> str:
    """Say what form the value must have, and the maximum length if it is too long as well."""
    value = error.instance
    form = _form_message(value[:_MAX_CHARACTERS_READ], schema)
    max_length = schema.get("maxLength", len(value))
    is_too_long = len(value) > max_length != schema.get("minLength")
    return f"{form}, and must have at most {_pluralize(max_length, 'character', 'characters')}" if is_too_long else form


def _form_message(value: str, schema: Schema) -> str:
    """Say what is wrong with a text in words. For any other pattern, an example helps most."""
    if text_kind := _FORBIDDEN_CHARACTERS.get(schema.get("x-tackboard-text", "")):
        forbidden, message = text_kind
        if forbidden.search(value):
            return message
        if all(unicodedata.category(character)[0] in "CZ" for character in value):
            return "must not be blank"
    example = _example_phrase(schema)
    return f"must look{example}" if example else "has characters or a form that are not allowed here"


def _property_count_message(bound: str, limit: int, schema: Schema) -> str:
    """Say how many properties there may be, naming the optional ones where the document does."""
    required = schema.get("required", [])
    optional = sorted(schema.get("properties", {}).keys() - required)
    optional_limit = limit - len(required)
    if schema.get("additionalProperties") is not False or not optional or optional_limit < 1:
        return f"must have {bound} {_pluralize(limit, 'property', 'properties')}"
    bound = "exactly" if schema.get("minProperties") == schema.get("maxProperties") else bound
    return f"must have {bound} {'one' if optional_limit == 1 else optional_limit} of: {_join_names(optional)}"


def _type_message(error: Any, schema: Schema) -> str:
    types = error.kind.types
    message = "must be " + " or ".join(TYPE_NAMES.get(type_, type_) for type_ in types)
    return message + _example_phrase(schema) if types[-1] == "string" else message


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
    "not": ("not_allowed", "has a combination of values that is not allowed"),
}
"""By broken keyword: code and message, where the message does not depend on the schema."""

_MESSAGES: dict[str, tuple[str, Callable[[Any, Schema], str]]] = {
    "type": ("type", _type_message),
    "enum": ("enum", lambda error, _: _enum_message(error.kind.options)),
    "format": ("format", lambda error, schema: f"must be a valid {error.kind.format}{_example_phrase(schema)}"),
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
    "minProperties": ("too_few", lambda error, schema: _property_count_message("at least", error.kind.limit, schema)),
    "maxProperties": ("too_many", lambda error, schema: _property_count_message("at most", error.kind.limit, schema)),
    "additionalProperties": (
        "unknown_property",
        lambda _, schema: f"has an unknown property; {list_known(schema.get('properties', {}))}",
    ),
}
"""By broken keyword: code, and a function that builds the message from the error and the keyword's schema."""
