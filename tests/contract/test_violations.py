"""Messages of violations say how to correct the input, with names, limits and examples of the document."""

from typing import Any

import pytest

from tests.contract.client import Client
from tests.contract.contract_app import serve_body, serve_parameter
from tests.contract.openapi_documents import INTEGER, STRING, Schema, object_schema

DATE_TIME: Schema = {
    "type": "string",
    "format": "date-time",
    "pattern": "^[0-9-]{10}T[0-9:]{8}Z$",
    "minLength": 20,
    "maxLength": 20,
    "example": "2026-11-20T14:00:00Z",
}
KEY: Schema = {"type": "string", "pattern": "^[!-~]{1,20}$", "minLength": 1, "maxLength": 20, "example": "JIRA-481"}
KEY_WITHOUT_EXAMPLE: Schema = {
    **{name: value for name, value in KEY.items() if name != "example"},
    "x-tackboard-like": "JIRA-481",
}
LINE: Schema = {
    "type": "string",
    "pattern": "^ *[^ \u0000-\u001f][^\u0000-\u001f]*$",
    "minLength": 1,
    "maxLength": 20,
    "example": "Fix the login page",
    "x-tackboard-text": "line",
}
TOO_LONG = "must have at most 20 characters"
BLOCK: Schema = {**LINE, "pattern": "^[^\u0000-\u0008\u000b-\u001f]*$", "x-tackboard-text": "block"}


def get_errors(client: Client, value: object) -> list[tuple[str, str, str]]:
    """Send an invalid body and return pointer, code and message of each error."""
    response = client.post("/v1/things", value)
    assert response.problem == (400, "invalid_body")
    return [(error["pointer"], error["code"], error["message"]) for error in response.json()["errors"]]


def get_only_error(schema: Schema, value: object) -> tuple[str, str]:
    """Send an invalid property and return code and message of its only error."""
    ((pointer, code, message),) = get_errors(serve_body(object_schema({"value": schema})), {"value": value})
    assert pointer == "/value"
    return code, message


@pytest.mark.parametrize(
    ("schema", "value", "code", "message"),
    [
        (DATE_TIME, "2026-12-01", "format", "must be a valid date-time like '2026-11-20T14:00:00Z'"),
        (DATE_TIME, "", "format", "must be a valid date-time like '2026-11-20T14:00:00Z'"),
        (DATE_TIME, "2026-11-20T14:00:00+01:00", "pattern", "must look like '2026-11-20T14:00:00Z'"),
        (KEY, "with blanks", "pattern", "must look like 'JIRA-481'"),
        (KEY, "", "pattern", "must look like 'JIRA-481'"),
        (KEY_WITHOUT_EXAMPLE, "with blanks", "pattern", "must look like 'JIRA-481'"),
        (KEY, "k" * 21, "pattern", f"must look like 'JIRA-481', and {TOO_LONG}"),
        (LINE, "", "pattern", "must not be blank"),
        (LINE, "   ", "pattern", "must not be blank"),
        (LINE, "a\nb", "pattern", "must be one line without control characters"),
        (LINE, "\x07" * 21, "pattern", f"must be one line without control characters, and {TOO_LONG}"),
        (LINE, "a" * 21, "too_long", TOO_LONG),
        (BLOCK, "a\r\nb", "pattern", "must have no control characters but line feeds and tabs"),
        ({**LINE, "pattern": "^[a-z ]+$"}, "ABC", "pattern", "must look like 'Fix the login page'"),
        (DATE_TIME, 1764000000, "type", "must be a string like '2026-11-20T14:00:00Z'"),
        ({**DATE_TIME, "nullable": True}, False, "type", "must be null or a string like '2026-11-20T14:00:00Z'"),
        ({**INTEGER, "example": "one"}, "x", "type", "must be an integer"),
        ({"type": "string", "enum": ["a", "b"]}, 1, "enum", "must be one of a, b"),
    ],
)
def test_each_pointer_has_one_violation_and_it_is_the_most_specific(
    schema: Schema, value: object, code: str, message: str
) -> None:
    assert get_only_error(schema, value) == (code, message)


@pytest.mark.parametrize("example", ["a\nb", "", "x" * 101, 7, None], ids=["lines", "empty", "long", "number", "none"])
def test_an_example_that_does_not_fit_into_a_message_is_left_out(example: object) -> None:
    schema = {"type": "string", "pattern": "^[a-z]+$", "example": example}

    assert get_only_error(schema, "A") == ("pattern", "has characters or a form that are not allowed here")


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (object_schema({"inner": object_schema({"key": KEY})}), {"inner": {"key": " "}}),
        (object_schema({"inner": {"type": "array", "items": KEY}}), {"inner": [" "]}),
        ({"type": "object", "additionalProperties": object_schema({"key": KEY})}, {"a": {"key": " "}}),
        (object_schema({"key": {"allOf": [STRING, KEY]}}), {"key": " "}),
        (object_schema({"key": {**KEY, "nullable": True}}), {"key": " "}),
        (object_schema({"key": {"$ref": "#/components/schemas/Key"}}), {"key": " "}),
        (object_schema({"$ref": {"$ref": "#/components/schemas/Same"}}), {"$ref": " "}),
        ({"$ref": "#/components/schemas/Whole"}, {"inner": [{"key": " "}]}),
    ],
)
def test_the_example_is_found_wherever_its_schema_is(schema: Schema, value: object) -> None:
    whole = object_schema({"inner": {"type": "array", "items": {"$ref": "#/components/schemas/Whole"}}, "key": KEY})
    client = serve_body(schema, schemas={"Key": KEY, "Same": {"$ref": "#/components/schemas/Key"}, "Whole": whole})

    ((_, code, message),) = get_errors(client, value)

    assert (code, message) == ("pattern", "must look like 'JIRA-481'")


@pytest.mark.parametrize(("location", "target"), [("query", "/v1/things?value=+"), ("path", "/v1/things/%20")])
def test_the_message_of_a_parameter_has_its_example(location: str, target: str) -> None:
    client = serve_parameter(location, KEY)

    response = client.get(target)

    assert response.problem == (400, "invalid_parameter")
    assert response.json()["detail"] == f"The {location} parameter 'value' must look like 'JIRA-481'."


def test_the_message_of_an_unknown_property_lists_the_known_ones() -> None:
    known = {"due_at": STRING, "title": STRING, "id": {**STRING, "readOnly": True}}
    client = serve_body(object_schema({**known, "inner": object_schema({"b": STRING, "a": STRING})}))

    assert get_errors(client, {"inner": {"c": 1}, "due": 1, "other": 2}) == [
        ("/inner", "unknown_property", "has an unknown property; the known ones are: a, b"),
        ("", "unknown_property", "has an unknown property; the known ones are: due_at, inner, title"),
    ]


def test_a_violation_of_the_whole_body_is_a_sentence() -> None:
    response = serve_body(object_schema({"a": STRING})).post("/v1/things", [])

    assert response.json()["detail"] == "The body is invalid: it must be an object."


def test_a_long_list_of_known_properties_is_shortened() -> None:
    client_of_short_names = serve_body(object_schema({f"p{number:02}": STRING for number in range(31)}))
    client_of_long_names = serve_body(object_schema({f"{letter * 50}": STRING for letter in "abcdef"}))

    ((_, _, message_of_short_names),) = get_errors(client_of_short_names, {"x": 1})
    ((_, _, message_of_long_names),) = get_errors(client_of_long_names, {"x": 1})

    assert message_of_short_names.endswith("p28, p29, …")
    assert message_of_long_names.endswith(f"the known ones are: {'a' * 50}, {'b' * 50}, {'c' * 50}, …")
    assert len(message_of_short_names) <= 300
    assert len(message_of_long_names) <= 300


def text_object(properties: str, *required: str, **bounds: int) -> Schema:
    """Build the schema of an object with these text properties and no others."""
    return {**object_schema(dict.fromkeys(properties, STRING), *required), **bounds}


@pytest.mark.parametrize(
    ("schema", "names", "code", "message"),
    [
        (
            text_object("cab", minProperties=1, maxProperties=1),
            "",
            "too_few",
            "must have exactly one of: a, b, c",
        ),
        (
            text_object("cab", minProperties=1, maxProperties=1),
            "abc",
            "too_many",
            "must have exactly one of: a, b, c",
        ),
        (text_object("cab", minProperties=1), "", "too_few", "must have at least one of: a, b, c"),
        (text_object("cab", maxProperties=1), "ab", "too_many", "must have at most one of: a, b, c"),
        (text_object("cab", maxProperties=2), "abc", "too_many", "must have at most 2 of: a, b, c"),
        (text_object("cabl", "l", maxProperties=2), "lab", "too_many", "must have at most one of: a, b, c"),
        (
            text_object("cabl", "l", minProperties=2, maxProperties=2),
            "l",
            "too_few",
            "must have exactly one of: a, b, c",
        ),
        (text_object("abl", "l", maxProperties=1), "la", "too_many", "must have at most 1 property"),
        ({"type": "object", "maxProperties": 2}, "abc", "too_many", "must have at most 2 properties"),
    ],
)
def test_the_allowed_number_of_properties_is_given_with_their_names(
    schema: Schema, names: str, code: str, message: str
) -> None:
    assert get_only_error(schema, dict.fromkeys(names, "x")) == (code, message)


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        ({"type": "string", "maxLength": 1}, "ab", "must have at most 1 character"),
        ({"type": "string", "minLength": 1}, "", "must have at least 1 character"),
        ({"type": "array", "items": INTEGER, "minItems": 1}, [], "must have at least 1 item"),
        ({"type": "array", "items": INTEGER, "maxItems": 0}, [1], "must have at most 0 items"),
    ],
)
def test_a_count_of_one_is_singular(schema: Schema, value: Any, message: str) -> None:
    assert get_only_error(schema, value)[1] == message


def test_violations_of_a_map_with_client_chosen_names_are_one() -> None:
    client = serve_body(object_schema({"map": {"type": "object", "additionalProperties": INTEGER}, "last": INTEGER}))

    errors = get_errors(client, {"map": {f"name{number}": "x" for number in range(1_000)}, "last": 1})

    assert errors == [("/map", "type", "must be an integer")]


@pytest.mark.parametrize(("count", "end"), [(30, "p28, p29"), (31, "p28, p29, …")])
def test_thirty_known_properties_are_listed(count: int, end: str) -> None:
    client = serve_body(object_schema({f"p{number:02}": STRING for number in range(count)}))

    ((_, _, message),) = get_errors(client, {"x": 1})

    assert message.endswith(end)


@pytest.mark.parametrize(("length", "end"), [(98, "b" * 98), (99, "…")])
def test_known_properties_of_200_characters_are_listed(length: int, end: str) -> None:
    client = serve_body(object_schema({"a" * 100: STRING, "b" * length: STRING}))

    ((_, _, message),) = get_errors(client, {"x": 1})

    assert message.endswith(end)


def test_an_example_of_100_characters_is_part_of_the_message() -> None:
    schema = {"type": "string", "pattern": "^[a-z]+$", "example": "x" * 100}

    assert get_only_error(schema, "A") == ("pattern", f"must look like '{'x' * 100}'")
