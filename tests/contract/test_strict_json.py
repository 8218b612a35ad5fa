"""Bodies are strict, unambiguous JSON. No input is a server error."""

import tracemalloc
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from contract import strict_json
from contract.edge import MAX_BODY_BYTES
from contract.problems import Problem
from tests.contract.client import Client
from tests.contract.contract_app import serve_body
from tests.contract.openapi_documents import INTEGER, STRING, object_schema

BODY_SCHEMA = {"type": "object", "properties": {"n": {"type": "number", "multipleOf": 5}}}

NOT_JSON = {
    "nothing": b"",
    "blanks": b"  \n",
    "cut off": b'{"a": 1',
    "text after the end": b'{"a": 1} x',
    "two documents": b"{}{}",
    "single quotes": b"{'a': 1}",
    "a trailing comma": b'{"a": 1,}',
    "a comment": b'{"a": 1} // one',
    "a bare word": b"undefined",
    "a leading zero": b'{"a": 01}',
    "a plus sign": b'{"a": +1}',
    "a raw control character": b'{"a": "\x01"}',
    "a raw line break in a text": b'{"a": "\n"}',
    "NUL": b'{"a": 1}\x00',
    "a byte order mark": b'\xef\xbb\xbf{"a": 1}',
    "NaN": b'{"n": NaN}',
    "Infinity": b'{"n": Infinity}',
    "minus Infinity": b'{"n": -Infinity}',
    "a number past every float": b'{"n": 1e999}',
    "an integer of 5,000 digits": b'{"n": ' + b"1" * 5_000 + b"}",
    "nested 100,000 deep in arrays": b"[" * 100_000 + b"]" * 100_000,
    "nested 20,000 deep in objects": b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    "an invalid byte": b'{"a": "\xff"}',
    "an overlong encoding": b'{"a": "\xc0\xaf"}',
    "a cut-off character": b'{"a": "\xe2\x82"}',
    "an encoded surrogate": b'{"a": "\xed\xa0\x80"}',
    "a lone surrogate": b'{"a": "\\ud800"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "gzip": bytes.fromhex("1f8b08000000000002ffabae050043bfa6a302000000"),
}


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
def test_invalid_json_is_rejected(body: bytes) -> None:
    client = serve_body(BODY_SCHEMA)

    response = client.post("/v1/things", body)

    assert response.problem == (400, "malformed_json")
    assert client.recorded == []


@pytest.mark.parametrize("body", [b"null", b"[]", b'"text"', b"1", b"true"])
def test_json_that_is_no_object_is_rejected_where_an_object_is_required(body: bytes) -> None:
    client = serve_body(BODY_SCHEMA)

    assert client.post("/v1/things", body).problem == (400, "invalid_body")


def test_nesting_up_to_the_limit_is_accepted() -> None:
    client = serve_body(BODY_SCHEMA)

    response = client.post("/v1/things", b'{"a":' * 200 + b"1" + b"}" * 200)

    assert response.status == 200


DUPLICATE_NAMES = {
    "twice": b'{"a": 1, "a": 2}',
    "twice with the same value": b'{"a": 1, "a": 1}',
    "nested": b'{"x": {"a": 1, "a": 2}}',
    "in an array": b'{"x": [{"a": 1}, {"a": 1, "a": 2}]}',
    "spelt once with an escape": b'{"a": 1, "\\u0061": 2}',
    "beside a text full of JSON": b'{"t": "{\\"a\\": 1, \\"b\\": 2}", "a": 1, "a": 2}',
    "with a colon in the name": b'{"a:b": 1, "a:b": 2}',
    "with an escaped quote in the name": b'{"a\\"": 1, "a\\"": 2}',
    "with a backslash at the end of a text": b'{"t": "\\\\", "a": 1, "a": 2}',
    "as the empty name": b'{"": 1, "": 2}',
}


@pytest.mark.parametrize("body", DUPLICATE_NAMES.values(), ids=DUPLICATE_NAMES)
def test_a_duplicate_name_is_rejected(body: bytes) -> None:
    client = serve_body({"type": "object"})

    response = client.post("/v1/things", body)

    assert response.problem == (400, "malformed_json")
    assert "twice" in response.json()["detail"]


SEEMING_DUPLICATES = {
    "the same name in two objects": b'{"x": {"a": 1}, "y": {"a": 2}, "a": 3}',
    "colons in texts": b'{"t": "12:00:00", "u": ["a:b", ":"], "v:": "::"}',
    "JSON in a text": b'{"t": "{\\"a\\": 1, \\"a\\": 2}"}',
    "escaped quotes": b'{"t": "say \\"a\\": \\"b\\"", "\\"": ":"}',
    "backslashes before a closing quote": b'{"t": "\\\\", "u": "\\\\\\\\", "v": "\\\\\\":"}',
    "names that differ in case": b'{"a": 1, "A": 2}',
    "no names at all": b"{}",
    "blanks around colons": b'{"a" : 1 ,\n "b"\t:\r\n2}',
}


@pytest.mark.parametrize("body", SEEMING_DUPLICATES.values(), ids=SEEMING_DUPLICATES)
def test_a_name_that_only_seems_duplicate_passes(body: bytes) -> None:
    client = serve_body({"type": "object"})

    assert client.post("/v1/things", body).status == 200


_BOUNDARIES = range(64 * 1024 - 60, 64 * 1024)
"""Lengths after which one of the chunks that strings are removed in ends within the next few bytes."""


@pytest.mark.parametrize("body", [*DUPLICATE_NAMES.values(), *SEEMING_DUPLICATES.values()])
def test_names_are_counted_across_chunks(body: bytes) -> None:
    rejected = [_is_rejected(b'{"p":"' + b"a" * (length - 12) + b'","q":' + body + b"}") for length in _BOUNDARIES]

    assert rejected == [body in DUPLICATE_NAMES.values()] * len(_BOUNDARIES)


def _is_rejected(raw: bytes) -> bool:
    try:
        strict_json.parse_json(raw, MAX_BODY_BYTES)
    except Problem:
        return True
    return False


@pytest.mark.parametrize(
    "body",
    [
        b"{" + b" , ".join(b'"%05x" : ":, "' % number for number in range(13_000)) + b"}",
        b"[" + b" , ".join([b'",:"'] * 32_000) + b',":"]',
        b'["' + b",:[" * 80_000 + b'"]',
        b'["' + b'\\"' * 120_000 + b':"]',
    ],
    ids=["names", "short texts", "a long text", "escapes"],
)
def test_strict_parsing_takes_no_more_memory_than_parsing(body: bytes) -> None:
    parser_bytes = _measure_peak(lambda: orjson.loads(body))

    assert _measure_peak(lambda: strict_json.parse_json(body, MAX_BODY_BYTES)) < 1.05 * parser_bytes


def _measure_peak(function: Callable[[], object]) -> int:
    """Return the most bytes that Python's objects take while a function runs."""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture
def integer_client() -> Client:
    """Serve an operation with the body {"n": integer}."""
    return serve_body(object_schema({"n": INTEGER}, "n"))


@pytest.mark.parametrize("text", [b"1.0", b"1e0", b"10e-1", b"1"])
def test_a_whole_number_is_an_integer_in_any_notation(integer_client: Client, text: bytes) -> None:
    response = integer_client.post("/v1/things", b'{"n": ' + text + b"}")

    assert response.status == 200
    assert integer_client.recorded == [{"n": 1}]
    assert type(integer_client.recorded[0]["n"]) is int


@pytest.mark.parametrize("value", [b"1.5", b'"1"', b"true", b"null", b"[1]", b"{}", b"1001", b"-1e3000"])
def test_a_value_that_is_no_integer_within_bounds_is_rejected(integer_client: Client, value: bytes) -> None:
    response = integer_client.post("/v1/things", b'{"n": ' + value + b"}")

    assert response.status == 400
    assert integer_client.recorded == []


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "number", "minimum": 0, "maximum": 2},
        {"anyOf": [INTEGER, {"type": "number", "minimum": 0, "maximum": 2}]},
    ],
    ids=["a number", "an integer or a number"],
)
def test_a_number_may_have_a_fraction(schema: dict[str, Any]) -> None:
    client = serve_body(schema)

    response = client.post("/v1/things", b"1.25")

    assert response.status == 200
    assert client.recorded == [1.25]


def test_twenty_thousand_unknown_names_are_rejected_with_a_small_response() -> None:
    client = serve_body(object_schema({"a": STRING}))
    body = b"{" + b",".join(b'"%x":0' % text for text in range(20_000)) + b"}"

    assert client.post("/v1/things", body).problem == (400, "invalid_body")


@pytest.mark.parametrize("name", ["__proto__", "id", "constructor"])
def test_an_unknown_property_is_rejected(name: str) -> None:
    client = serve_body(object_schema({"a": STRING}))

    response = client.post("/v1/things", {name: {}})

    assert response.problem == (400, "invalid_body")
    assert response.json()["errors"][0]["code"] == "unknown_property"


MAX_VALUES = 256 * 1024 // 8
MAX_CONTAINERS = 256 * 1024 // 24

DENSE_BODIES: dict[str, tuple[bytes, bool]] = {
    "as many values as there may be": (b"[" + b",".join([b"0"] * (MAX_VALUES - 1)) + b"]", True),
    "one more": (b"[" + b",".join([b"0"] * MAX_VALUES) + b"]", False),
    "as many arrays as there may be": (b"[" + b" , ".join([b"[ ]"] * (MAX_CONTAINERS - 1)) + b"]", True),
    "one array more": (b"[" + b",".join([b"[]"] * MAX_CONTAINERS) + b"]", False),
    "commas and brackets in a text": (b'["' + b",[{" * 80_000 + b'"]', True),
    "commas behind quotes in a text": (b'["' + b'\\",\\\\' * 40_000 + b'"]', True),
    "values behind a text that ends in a backslash": (b'["\\\\",' + b",".join([b"0"] * MAX_VALUES) + b"]", False),
}


@pytest.mark.parametrize(("body", "is_accepted"), DENSE_BODIES.values(), ids=DENSE_BODIES)
def test_a_body_with_too_many_values_is_rejected(body: bytes, *, is_accepted: bool) -> None:
    response = serve_body({"type": "array"}).post("/v1/things", body)

    assert (response.status == 200) is is_accepted
    assert is_accepted or "too many" in response.json()["detail"]


def test_null_for_an_optional_property_is_the_same_as_no_property() -> None:
    client = serve_body(object_schema({"a": {**STRING, "nullable": True}, "b": STRING}))

    assert client.post("/v1/things", {"a": None, "b": "x"}).status == 200

    assert client.recorded == [{"b": "x"}]
