"""Parameters: from the wire's text to checked values, by JSON's own grammar.

Python's `int` and `float` accept blanks, underscores and digits of every script; the document doesn't. An unknown
query parameter, or a scalar given twice, is an error: silently ignoring what a client asked for helps nobody.

An array in a query is read in every spelling that clients have for it, whichever the document names: items separated
by a comma, by `%2C`, or by repeating the name. An encoded comma separates only items that can't hold one. Otherwise it
is part of an item, as it is behind a REST API or a load balancer, where every comma arrives encoded: there only a
repeated name separates such items.
"""

import re
from collections.abc import Mapping
from keyword import iskeyword
from typing import Any
from urllib.parse import unquote_to_bytes

from contract.faults import TYPE_NAMES, Fault, known_here
from contract.problems import invalid
from contract.schemas import Schema, Schemas

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,29})")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,29})(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,2})?")

# Formats and patterns whose texts have no comma. The pattern takes characters and classes one by one: a range between
# two of these characters never includes the comma, which sorts before all of them.
_FORMATS_WITHOUT_COMMA = frozenset(("byte", "date", "date-time", "ipv4", "ipv6", "time", "uuid"))
_PATTERN_WITHOUT_COMMA = re.compile(
    r"\^(?:(?:[A-Za-z0-9_-]|\\d|\[[A-Za-z0-9_-]+\])(?:[+*?]|\{[0-9]+(?:,[0-9]*)?\})?)+\$"
)

_STYLES = {"path": "simple", "header": "simple", "query": "form", "cookie": "form"}


class Parameter:
    """One parameter of one operation."""

    __slots__ = (
        "argument",
        "check",
        "default",
        "explode",
        "item_type",
        "items_may_hold_commas",
        "key",
        "name",
        "place",
        "required",
        "type",
    )

    def __init__(self, described: Schema, schemas: Schemas) -> None:
        self.name: str = described["name"]
        self.place: str = described["in"]
        self.key = self.name.lower() if self.place == "header" else self.name
        self.argument = argument_of(self.name)
        self.required: bool = described.get("required", False)
        schema = schemas.resolve(described["schema"])
        self.type: str = schema.get("type", "string")
        items = schemas.resolve(schema.get("items", {}))
        self.item_type: str = items.get("type", "string")
        self.items_may_hold_commas = may_hold_commas(items)
        self.explode: bool = described.get("explode", described.get("style", _STYLES[self.place]) == "form")
        self.default: Any = schema.get("default")
        self.check = schemas.check(described["schema"], "request")

    @staticmethod
    def unsupported(described: Schema, schemas: Schemas) -> str | None:
        """Why this package could not read such a parameter as the document says, or None."""
        if "schema" not in described:
            return "has no schema"
        if described.get("style", _STYLES[described["in"]]) != _STYLES[described["in"]]:
            return f"has the style {described['style']!r}, which isn't supported"
        schema = schemas.resolve(described["schema"])
        kind, what = schema.get("type"), "is"
        if kind == "array":
            kind, what = schemas.resolve(schema.get("items", {})).get("type"), "has items that are"
        if kind not in ("string", "integer", "number", "boolean"):
            return f"{what} {TYPE_NAMES.get(kind, 'of no type of their own')}, which isn't supported"
        return None

    def split(self, raw: list[str]) -> list[str]:
        """Decode the texts that a query gives under this name: one for each item of an array, one for a scalar."""
        if self.type != "array" or (self.explode and self.items_may_hold_commas):
            return [_decoded(text) for text in raw]
        if self.items_may_hold_commas:
            return [_decoded(item) for text in raw if text for item in text.split(",")]
        return [item for text in raw if text for item in _decoded(text).split(",")]

    def read(self, given: list[str]) -> Any:
        """The value of the texts given under this name; raises a 400 that names the parameter."""
        try:
            value = self._cast(given)
        except ValueError as reason:
            raise self.refused([Fault("", "type", str(reason))]) from None
        faults = self.check.faults(value)
        if faults:
            raise self.refused(faults)
        if self.check.tidy:
            tidied = self.check.tidy(value)
            if tidied != value and (faults := self.check.faults(tidied)):
                raise self.refused(faults)
            value = tidied
        return value

    def refused(self, faults: list[Fault]) -> Exception:
        """The 400 for this parameter."""
        code = "invalid_header" if self.place == "header" else "invalid_parameter"
        named = [Fault(f"/{self.place}/{self.name}{fault.pointer}", fault.code, fault.message) for fault in faults]
        return invalid(code, f"The {self.place} parameter '{self.name}' {faults[0].message}.", named)

    def missing(self) -> Exception:
        """The 400 for its absence."""
        return self.refused([Fault("", "required", "is required and missing")])

    def _cast(self, given: list[str]) -> Any:
        if self.type != "array":
            if len(given) > 1:
                raise ValueError("must be given once")
            return cast(given[0], self.type)
        if self.place == "query":
            return [cast(text, self.item_type) for text in given]
        blanks = " " if self.place == "header" else ""
        return [cast(text.strip(blanks), self.item_type) for text in given[0].split(",")] if given[0] else []


def may_hold_commas(schema: Schema) -> bool:
    """Whether a text that keeps the schema may have a comma in it; True where it can't be told."""
    if schema.get("type", "string") != "string" or schema.get("format") in _FORMATS_WITHOUT_COMMA:
        return False
    if "enum" in schema:
        return any("," in value for value in schema["enum"] if value is not None)
    return _PATTERN_WITHOUT_COMMA.fullmatch(schema.get("pattern", "")) is None


def argument_of(name: str) -> str:
    """The name under which a function takes a parameter; a word of Python's own gets an underscore: `from_`."""
    argument = name.lower().replace("-", "_")
    return f"{argument}_" if iskeyword(argument) else argument


def cast(text: str, kind: str) -> Any:
    """Wire text as a value of a JSON type; raises ValueError with the end of a sentence."""
    if kind == "integer":
        if _INTEGER.fullmatch(text):
            return int(text)
    elif kind == "number":
        if _NUMBER.fullmatch(text):
            return float(text)
    elif kind == "boolean":
        if text in ("true", "false"):
            return text == "true"
    else:
        return text
    raise ValueError(f"must be {TYPE_NAMES[kind]}")


def read_query(raw: str, parameters: Mapping[str, Parameter], into: dict[str, Any]) -> None:
    """Read a query string into arguments; raises a 400 for anything that the document doesn't name."""
    given: dict[str, list[str]] = {}
    for pair in raw.split("&") if raw else ():
        if pair:
            name, _, text = pair.partition("=")
            given.setdefault(_decoded(name), []).append(text)
    for name, texts in given.items():
        parameter = parameters.get(name)
        if parameter is None:
            known = known_here(parameters)
            # Its name is the client's own, so nothing but its place is pointed at.
            fault = Fault("/query", "unknown_parameter", f"has a parameter that the document does not name; {known}")
            raise invalid("invalid_parameter", f"There is an unknown query parameter; {known}.", [fault])
        into[parameter.argument] = parameter.read(parameter.split(texts))
    for parameter in parameters.values():
        if parameter.argument not in into:
            if parameter.required:
                raise parameter.missing()
            if parameter.default is not None:
                into[parameter.argument] = parameter.default


def _decoded(text: str) -> str:
    """Percent-decoding that refuses broken escapes, bytes that aren't UTF-8 and control characters."""
    if "%" not in text and "+" not in text:
        return text
    if _BROKEN_ESCAPE.search(text):
        raise _unreadable("has a broken percent escape")
    try:
        decoded = unquote_to_bytes(text.replace("+", " ")).decode()
    except UnicodeDecodeError:
        raise _unreadable("is not UTF-8") from None
    if _CONTROL.search(decoded):
        raise _unreadable("has a control character")
    return decoded


def _unreadable(reason: str) -> Exception:
    return invalid("invalid_parameter", f"The query string {reason}.", [Fault("/query", "invalid", reason)])


_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def read_cookies(header: str) -> dict[str, str]:
    """The cookies of a Cookie header (RFC 6265, section 5.4); parts without a `=` are not ours and are skipped."""
    pairs = (part.strip().partition("=") for part in header.split(";"))
    return {name: value for name, equals, value in pairs if equals}
