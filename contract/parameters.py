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

from contract.problems import bad_request
from contract.schemas import Schema, Schemas
from contract.violations import TYPE_NAMES, Violation, list_known

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,29})")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,29})(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,2})?")

# Formats and patterns whose texts have no comma. The pattern takes characters and classes one by one: a range between
# two of these characters never includes the comma, which sorts before all of them.
_FORMATS_WITHOUT_COMMA = frozenset(("byte", "date", "date-time", "ipv4", "ipv6", "time", "uuid"))
_PATTERN_WITHOUT_COMMA = re.compile(
    r"\^(?:(?:[A-Za-z0-9_-]|\\d|\[[A-Za-z0-9_-]+\])(?:[+*?]|\{[0-9]+(?:,[0-9]*)?\})?)+\$"
)

_SUPPORTED_STYLES = {"path": "simple", "header": "simple", "query": "form", "cookie": "form"}


class Parameter:
    """One parameter of one operation."""

    __slots__ = (
        "argument",
        "check",
        "default",
        "explode",
        "item_type",
        "items_may_contain_commas",
        "key",
        "location",
        "name",
        "required",
        "type",
    )

    def __init__(self, parameter_object: Schema, schemas: Schemas) -> None:
        self.name: str = parameter_object["name"]
        self.location: str = parameter_object["in"]
        self.key = self.name.lower() if self.location == "header" else self.name
        self.argument = argument_name(self.name)
        self.required: bool = parameter_object.get("required", False)
        schema = schemas.resolve(parameter_object["schema"])
        self.type: str = schema.get("type", "string")
        items = schemas.resolve(schema.get("items", {}))
        self.item_type: str = items.get("type", "string")
        self.items_may_contain_commas = may_contain_commas(items)
        self.explode: bool = parameter_object.get(
            "explode", parameter_object.get("style", _SUPPORTED_STYLES[self.location]) == "form"
        )
        self.default: Any = schema.get("default")
        self.check = schemas.get_check(parameter_object["schema"], "request")

    @staticmethod
    def explain_unsupported(parameter_object: Schema, schemas: Schemas) -> str | None:
        """Why this package could not read such a parameter as the document says, or None."""
        if "schema" not in parameter_object:
            return "has no schema"
        if (
            parameter_object.get("style", _SUPPORTED_STYLES[parameter_object["in"]])
            != _SUPPORTED_STYLES[parameter_object["in"]]
        ):
            return f"has the style {parameter_object['style']!r}, which isn't supported"
        schema = schemas.resolve(parameter_object["schema"])
        kind, what = schema.get("type"), "is"
        if kind == "array":
            kind, what = schemas.resolve(schema.get("items", {})).get("type"), "has items that are"
        if kind not in ("string", "integer", "number", "boolean"):
            return f"{what} {TYPE_NAMES.get(kind, 'of no type of their own')}, which isn't supported"
        return None

    def split(self, encoded_texts: list[str]) -> list[str]:
        """Decode the texts that a query gives under this name: one for each item of an array, one for a scalar."""
        if self.type != "array" or (self.explode and self.items_may_contain_commas):
            return [_percent_decode(text) for text in encoded_texts]
        if self.items_may_contain_commas:
            return [_percent_decode(item) for text in encoded_texts if text for item in text.split(",")]
        return [item for text in encoded_texts if text for item in _percent_decode(text).split(",")]

    def parse(self, texts: list[str]) -> Any:
        """The value of the texts given under this name; raises a 400 that names the parameter."""
        try:
            value = self._parse_texts(texts)
        except ValueError as reason:
            raise self.build_problem([Violation("", "type", str(reason))]) from None
        faults = self.check.find_violations(value)
        if faults:
            raise self.build_problem(faults)
        if self.check.normalize:
            tidied = self.check.normalize(value)
            if tidied != value and (faults := self.check.find_violations(tidied)):
                raise self.build_problem(faults)
            value = tidied
        return value

    def build_problem(self, violations: list[Violation]) -> Exception:
        """The 400 for this parameter."""
        code = "invalid_header" if self.location == "header" else "invalid_parameter"
        named = [
            Violation(f"/{self.location}/{self.name}{fault.pointer}", fault.code, fault.message) for fault in violations
        ]
        return bad_request(code, f"The {self.location} parameter '{self.name}' {violations[0].message}.", named)

    def build_missing_problem(self) -> Exception:
        """The 400 for its absence."""
        return self.build_problem([Violation("", "required", "is required and missing")])

    def _parse_texts(self, texts: list[str]) -> Any:
        if self.type != "array":
            if len(texts) > 1:
                raise ValueError("must be given once")
            return parse_scalar(texts[0], self.type)
        if self.location == "query":
            return [parse_scalar(text, self.item_type) for text in texts]
        blanks = " " if self.location == "header" else ""
        return [parse_scalar(text.strip(blanks), self.item_type) for text in texts[0].split(",")] if texts[0] else []


def may_contain_commas(schema: Schema) -> bool:
    """Whether a text that keeps the schema may have a comma in it; True where it can't be told."""
    if schema.get("type", "string") != "string" or schema.get("format") in _FORMATS_WITHOUT_COMMA:
        return False
    if "enum" in schema:
        return any("," in value for value in schema["enum"] if value is not None)
    return _PATTERN_WITHOUT_COMMA.fullmatch(schema.get("pattern", "")) is None


def argument_name(name: str) -> str:
    """The name under which a function takes a parameter; a word of Python's own gets an underscore: `from_`."""
    argument = name.lower().replace("-", "_")
    return f"{argument}_" if iskeyword(argument) else argument


def parse_scalar(text: str, json_type: str) -> Any:
    """Wire text as a value of a JSON type; raises ValueError with the end of a sentence."""
    if json_type == "integer":
        if _INTEGER.fullmatch(text):
            return int(text)
    elif json_type == "number":
        if _NUMBER.fullmatch(text):
            return float(text)
    elif json_type == "boolean":
        if text in ("true", "false"):
            return text == "true"
    else:
        return text
    raise ValueError(f"must be {TYPE_NAMES[json_type]}")


def parse_query(raw: str, parameters: Mapping[str, Parameter], arguments: dict[str, Any]) -> None:
    """Read a query string into arguments; raises a 400 for anything that the document doesn't name."""
    given: dict[str, list[str]] = {}
    for pair in raw.split("&") if raw else ():
        if pair:
            name, _, text = pair.partition("=")
            given.setdefault(_percent_decode(name), []).append(text)
    for name, texts in given.items():
        parameter = parameters.get(name)
        if parameter is None:
            known = list_known(parameters)
            # Its name is the client's own, so nothing but its place is pointed at.
            fault = Violation(
                "/query", "unknown_parameter", f"has a parameter that the document does not name; {known}"
            )
            raise bad_request("invalid_parameter", f"There is an unknown query parameter; {known}.", [fault])
        arguments[parameter.argument] = parameter.parse(parameter.split(texts))
    for parameter in parameters.values():
        if parameter.argument not in arguments:
            if parameter.required:
                raise parameter.build_missing_problem()
            if parameter.default is not None:
                arguments[parameter.argument] = parameter.default


def _percent_decode(text: str) -> str:
    """Percent-decoding that refuses broken escapes, bytes that aren't UTF-8 and control characters."""
    if "%" not in text and "+" not in text:
        return text
    if _BROKEN_ESCAPE.search(text):
        raise _undecodable_query("has a broken percent escape")
    try:
        decoded = unquote_to_bytes(text.replace("+", " ")).decode()
    except UnicodeDecodeError:
        raise _undecodable_query("is not UTF-8") from None
    if _CONTROL_CHARACTER.search(decoded):
        raise _undecodable_query("has a control character")
    return decoded


def _undecodable_query(reason: str) -> Exception:
    return bad_request("invalid_parameter", f"The query string {reason}.", [Violation("/query", "invalid", reason)])


_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")


def parse_cookies(header: str) -> dict[str, str]:
    """The cookies of a Cookie header (RFC 6265, section 5.4); parts without a `=` are not ours and are skipped."""
    pairs = (part.strip().partition("=") for part in header.split(";"))
    return {name: value for name, equals, value in pairs if equals}
