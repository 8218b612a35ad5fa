"""Formats, patterns and bounds of the document, with values in any script."""

import pytest

from tests.contract.contract_app import serve_body, serve_parameter

GOOD = {
    "uuid": ["6f2c1c3e-8f5e-4d0a-9d5b-0a4f6d0c1b2a"],
    "date": ["2026-02-28", "2024-02-29"],
    "date-time": ["2026-02-28T14:00:00Z", "2026-02-28T14:00:00.25+05:30"],
    "time": ["14:00:00Z", "14:00:00.5+01:00"],
    "uri": ["https://example.org/a?b#c", "urn:isbn:0451450523"],
    "byte": ["", "YQ==", "YWI=", "YWJj"],
    "email": ["someone@example.org"],
    "ipv4": ["192.0.2.1"],
    "ipv6": ["2001:db8::1"],
    "hostname": ["example.org"],
}
BAD = {
    "uuid": ["6f2c1c3e", "6f2c1c3e8f5e4d0a9d5b0a4f6d0c1b2g", ""],
    "date": ["2026-02-30", "2026-2-3", "2026-02-28T00:00:00Z", "99999-01-01", "٢٠٢٦-٠٢-٢٨", "2026-02-28\n"],
    "date-time": [
        "2026-02-30T14:00:00Z",
        "2026-02-28T14:00:00",
        "2026-02-28T25:00:00Z",
        "99999-02-28T14:00:00Z",
        "2026-02-28",
        "2026-02-28T14:00:00Z\n",
        "yesterday",
    ],
    "time": ["14:00:00", "25:00:00Z", "2 o'clock"],
    "uri": ["/relative", "no uri at all", "http://[broken"],
    "byte": ["YQ=", "YQ", "Y!==", "YQ==\n"],
    "email": ["someone", "@example.org"],
    "ipv4": ["256.0.0.1", "1.2.3"],
    "ipv6": ["2001:db8::g"],
    "hostname": ["-example.org", "exa mple.org"],
}


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in GOOD.items() for text in texts])
def test_a_value_of_the_format_passes(kind: str, text: str) -> None:
    client = serve_body({"type": "string", "format": kind})

    response = client.post("/v1/things", text)

    assert response.status == 200
    assert client.recorded == [text]


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in BAD.items() for text in texts])
def test_an_invalid_value_of_the_format_is_rejected(kind: str, text: str) -> None:
    client = serve_body({"type": "string", "format": kind})

    response = client.post("/v1/things", text)

    assert response.problem == (400, "invalid_body")
    assert response.json()["errors"] == [
        {"pointer": "", "code": "format", "message": f"must be a valid {kind}"},
    ]


@pytest.mark.parametrize(
    ("kind", "most"),
    [("int32", 2**31 - 1), ("int64", 2**63 - 1), (None, 2**63 - 1)],
    ids=["int32", "int64", "no format"],
)
def test_an_integer_is_limited_to_its_bits(kind: str | None, most: int) -> None:
    client = serve_body({"type": "integer", "format": kind} if kind else {"type": "integer"})

    fitting = [client.post("/v1/things", value) for value in (most, -most - 1)]
    passing = [client.post("/v1/things", value) for value in (most + 1, -most - 2, 10**20, 10**300)]

    assert [response.status for response in fitting] == [200, 200]
    assert [response.problem for response in passing] == [(400, "invalid_body")] * 4
    assert client.recorded == [most, -most - 1]


def test_bounds_in_the_document_win_over_those_of_the_format() -> None:
    client = serve_body({"type": "integer", "format": "int32", "minimum": 0, "maximum": 9})

    statuses = [client.post("/v1/things", value).status for value in (-1, 0, 9, 10)]

    assert statuses == [400, 200, 200, 400]


@pytest.mark.parametrize("text", ["ab\n", "ab\r", "\nab", "AB", "abc ", ""])
def test_a_pattern_matches_to_the_last_character(text: str) -> None:
    client = serve_body({"type": "string", "pattern": "^[a-z]+$"})

    assert client.post("/v1/things", text).problem == (400, "invalid_body")
    assert client.post("/v1/things", "ab").status == 200


@pytest.mark.parametrize("digits", ["١٢٣", "１２３", "१२३", "12३"])  # noqa: RUF001 - digits of other scripts.
def test_digits_of_other_scripts_match_no_digit_class(digits: str) -> None:
    client = serve_body({"type": "string", "pattern": "^\\d+$"})

    assert client.post("/v1/things", digits).problem == (400, "invalid_body")
    assert client.post("/v1/things", "123").status == 200


def test_a_pattern_with_a_unicode_class_works() -> None:
    client = serve_body({"type": "string", "pattern": "^\\p{L}+$"})

    assert client.post("/v1/things", "Ζωή").status == 200
    assert client.post("/v1/things", "R2").problem == (400, "invalid_body")


def test_a_pattern_applies_to_parameters_too() -> None:
    client = serve_parameter("query", {"type": "string", "pattern": "^\\d+$"})

    assert client.get("/v1/things?value=%D9%A1").problem == (400, "invalid_parameter")
    assert client.get("/v1/things?value=1").status == 200


def test_an_exclusive_bound_excludes_itself() -> None:
    client = serve_body(
        {"type": "number", "minimum": 0, "exclusiveMinimum": True, "maximum": 1, "exclusiveMaximum": False}
    )

    statuses = [client.post("/v1/things", value).status for value in (0, 0.5, 1, 1.5)]

    assert statuses == [400, 200, 200, 400]
