"""Parse parameters of path, query, headers and cookies, with the number grammar of JSON.

Python's `int` and `float` accept blanks, underscores and digits of every script; the document doesn't. An unknown
query parameter, or a scalar that is sent twice, is an error, so that no part of a request is ignored silently.

A query array is accepted in every serialization that clients use, whichever the document names: items separated by a
comma, by `%2C`, or by repeating the name. An encoded comma separates only items that can't contain one. Otherwise it is
part of an item. Behind a REST API or a load balancer every comma arrives encoded, so there only repeating the name
separates such items.
"""

import re
from collections.abc import Mapping, Sequence
from keyword import iskeyword
from typing import Any
from urllib.parse import unquote_to_bytes

from contract.problems import bad_request
from contract.schemas import Schema, Schemas
from contract.violations import TYPE_NAMES, Violation, list_known

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,29})")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,29})(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,2})?")

# Formats and patterns whose values contain no comma. The pattern matches characters and classes one by one: a range
# between two of these characters never includes the comma, which sorts before all of them.
_FORMATS_WITHOUT_COMMA = frozenset(("byte", "date", "date-time", "ipv4", "ipv6", "time", "uuid"))
_PATTERN_WITHOUT_COMMA = re.compile(
    r"\^(?:(?:[A-Za-z0-9_-]|\\d|\[[A-Za-z0-9_-]+\])(?:[+*?]|\{[0-9]+(?:,[0-9]*)?\})?)+\$"
)

_SUPPORTED_STYLES = {"path": "simple", "header": "simple", "query": "form", "cookie": "form"}


class Parameter:
    """One parameter of an operation."""

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
        """Return why this package can't parse such a parameter, as the end of a sentence; None if it can."""
        if "schema" not in parameter_object:
            return "has no schema"
        supported_style = _SUPPORTED_STYLES[parameter_object["in"]]
        if parameter_object.get("style", supported_style) != supported_style:
            return f"has the style {parameter_object['style']!r}, which isn't supported"
        schema = schemas.resolve(parameter_object["schema"])
        json_type, verb = schema.get("type"), "is"
        if json_type == "array":
            json_type, verb = schemas.resolve(schema.get("items", {})).get("type"), "has items that are"
        if json_type not in ("string", "integer", "number", "boolean"):
            return f"{verb} {TYPE_NAMES.get(json_type, 'of no type of their own')}, which isn't supported"
        return None

    def split(self, encoded_texts: list[str]) -> list[str]:
        """Percent-decode the texts of this name in a query: one text for each item of an array, one for a scalar."""
        if self.type != "array" or (self.explode and self.items_may_contain_commas):
            return [_percent_decode(text) for text in encoded_texts]
        if self.items_may_contain_commas:
            return [_percent_decode(item) for text in encoded_texts if text for item in text.split(",")]
        return [item for text in encoded_texts if text for item in _percent_decode(text).split(",")]

    def parse(self, texts: list[str]) -> Any:
        """Parse and validate the texts of this name. Raises Problem (400) that names the parameter."""
        try:
            value = self._parse_texts(texts)
        except ValueError as reason:
            raise self.build_problem([Violation("", "type", str(reason))]) from None
        violations = self.check.find_violations(value)
        if violations:
            raise self.build_problem(violations)
        if self.check.normalize:
            normalized = self.check.normalize(value)
            if normalized != value and (violations := self.check.find_violations(normalized)):
                raise self.build_problem(violations)
            value = normalized
        return value

    def build_problem(self, violations: list[Violation]) -> Exception:
        """Build the 400 for an invalid value of this parameter."""
        code = "invalid_header" if self.location == "header" else "invalid_parameter"
        own_pointer = f"/{self.location}/{self.name}"
        located = [violation._replace(pointer=own_pointer + violation.pointer) for violation in violations]
        return bad_request(code, f"The {self.location} parameter '{self.name}' {violations[0].message}.", located)

    def build_missing_problem(self) -> Exception:
        """Build the 400 for a missing required parameter."""
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


class PathParameters:
    """The path parameters of an operation."""

    __slots__ = ("_check_of_texts", "all")

    def __init__(self, parameters: Sequence[Parameter], schemas: Schemas) -> None:
        self.all = parameters
        are_texts = all(p.type == "string" and p.name == p.argument and not p.check.normalize for p in parameters)
        schemas_by_name = {p.name: p.check.openapi_schema for p in parameters}
        # Texts that stay as they are, such as ids, are validated by one call.
        self._check_of_texts = schemas.get_object_check(schemas_by_name, "request") if are_texts else None

    def parse(self, texts: Mapping[str, str], arguments: dict[str, Any]) -> None:
        """Parse the texts, which have the names of the parameters. Raises Problem (400) that names the parameter."""
        if self._check_of_texts is not None and self._check_of_texts.is_valid(texts):
            arguments.update(texts)
            return
        for parameter in self.all:
            arguments[parameter.argument] = parameter.parse([texts[parameter.name]])


def may_contain_commas(schema: Schema) -> bool:
    """Return whether a valid text may contain a comma; True if that is unknown."""
    if schema.get("type", "string") != "string" or schema.get("format") in _FORMATS_WITHOUT_COMMA:
        return False
    if "enum" in schema:
        return any("," in value for value in schema["enum"] if value is not None)
    return _PATTERN_WITHOUT_COMMA.fullmatch(schema.get("pattern", "")) is None


def argument_name(name: str) -> str:
    """Return the Python name of a parameter. A keyword gets an underscore: `from_`."""
    argument = name.lower().replace("-", "_")
    return f"{argument}_" if iskeyword(argument) else argument


def parse_scalar(text: str, json_type: str) -> Any:
    """Parse text as a value of a JSON type. Raises ValueError with the end of a sentence."""
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


def parse_query(query: str, parameters: Mapping[str, Parameter], arguments: dict[str, Any]) -> None:
    """Parse a query string into `arguments`. Raises Problem (400) for an unknown, invalid or missing parameter."""
    if not query and not parameters:
        return
    encoded_texts_by_name: dict[str, list[str]] = {}
    for pair in query.split("&"):
        if pair:
            name, _, text = pair.partition("=")
            encoded_texts_by_name.setdefault(_percent_decode(name), []).append(text)
    for name, encoded_texts in encoded_texts_by_name.items():
        parameter = parameters.get(name)
        if parameter is None:
            known = list_known(parameters)
            # The client chose the name, so the pointer does not repeat it.
            message = f"has an unknown parameter; {known}"
            violation = Violation("/query", "unknown_parameter", message)
            raise bad_request("invalid_parameter", f"There is an unknown query parameter; {known}.", [violation])
        arguments[parameter.argument] = parameter.parse(parameter.split(encoded_texts))
    for parameter in parameters.values():
        if parameter.argument not in arguments:
            if parameter.required:
                raise parameter.build_missing_problem()
            if parameter.default is not None:
                arguments[parameter.argument] = parameter.default


def _percent_decode(text: str) -> str:
    """Percent-decode a text. Raises Problem (400) for broken escapes, invalid UTF-8 and control characters."""
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
    """Parse a Cookie header (RFC 6265, section 5.4). Parts without `=` are skipped."""
    pairs = (part.strip().partition("=") for part in header.split(";"))
    return {name: value for name, equals, value in pairs if equals}
