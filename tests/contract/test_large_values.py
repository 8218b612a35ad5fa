"""Large invalid bodies get precise violations. A body that the validator can't check is rejected, not a 500."""

import json

import pytest

from contract.large_values import find_invalid_parts
from contract.schemas import Check, Schemas
from tests.contract.contract_app import serve_body
from tests.contract.openapi_documents import INTEGER, STRING, Schema, object_schema

CARD: Schema = object_schema({"title": {**STRING, "maxLength": 10}, "id": {**STRING, "readOnly": True}}, "title")
EXPORT: Schema = {
    **object_schema(
        {
            "name": {"type": "string", "maxLength": 5, "pattern": "^[a-z]+$", "example": "shop"},
            "cards": {"type": "array", "maxItems": 2_000, "items": CARD},
            "labels": {"type": "array", "maxItems": 9, "uniqueItems": True, "items": INTEGER, "nullable": True},
            "map": {"type": "object", "additionalProperties": INTEGER},
            "one": {"oneOf": [INTEGER, CARD]},
            "name_or_null": {
                "anyOf": [{"type": "string", "maxLength": 5}, {"type": "object", "nullable": True, "enum": [None]}]
            },
            "extra": {"type": "object"},
            "made_at": {**STRING, "readOnly": True},
        },
        "cards",
    )
}
VALID_CARD = {"title": "Copy"}
MANY_CARDS = [VALID_CARD] * 1_500


@pytest.mark.parametrize(
    ("value", "errors"),
    [
        ({"cards": [*MANY_CARDS, {"title": 1}]}, [("/cards/1500/title", "type")]),
        (
            {"cards": [{}, *MANY_CARDS, {}, VALID_CARD]},
            [("/cards/0/title", "required"), ("/cards/1501/title", "required")],
        ),
        ({"cards": [{**VALID_CARD, "id": "a"}, *MANY_CARDS]}, [("/cards/0/id", "read_only")]),
        ({"cards": MANY_CARDS, "made_at": "x"}, [("/made_at", "read_only")]),
        ({"cards": MANY_CARDS * 2}, [("/cards", "too_many")]),
        ({"cards": [0] * 3_000}, [("/cards", "too_many"), *((f"/cards/{index}", "type") for index in range(9))]),
        ({"extra": {"a": MANY_CARDS}}, [("/cards", "required")]),
        ({"cards": MANY_CARDS, "labels": [1, 1]}, [("/labels", "not_unique")]),
        ({"cards": {"a": MANY_CARDS}}, [("/cards", "type")]),
        ({"cards": MANY_CARDS, "name": MANY_CARDS}, [("/name", "type")]),
        ({"cards": MANY_CARDS, "due": 1, "name": 1}, [("", "unknown_property"), ("/name", "type")]),
        ({"cards": [], **{f"n{number}": 0 for number in range(9_000)}}, [("", "unknown_property")]),
        ({"cards": MANY_CARDS, "map": {"a": "x", **{f"n{number}": 0 for number in range(9_000)}}}, [("/map", "type")]),
        ({"cards": [], "name": "a" * 250_000}, [("/name", "too_long")]),
        ({"cards": [], "name": "A" * 250_000}, [("/name", "pattern")]),
        ({"cards": [], "name_or_null": "a" * 250_000}, [("/name_or_null", "too_long")]),
        ({"cards": [], "name_or_null": MANY_CARDS}, [("/name_or_null", "type")]),
        ({"cards": [], "one": MANY_CARDS}, [("", "invalid")]),
        ([0] * 30_000, [("", "type")]),
    ],
)
def test_violations_in_a_large_body_have_pointers(value: object, errors: list[tuple[str, str]]) -> None:
    response = serve_body(EXPORT).post("/v1/things", value)

    assert response.problem == (400, "invalid_body")
    assert [(error["pointer"], error["code"]) for error in response.json()["errors"]] == errors


@pytest.mark.parametrize(
    "value",
    [
        {"cards": MANY_CARDS, "a" * 300_000: 0, "a" * 300_001: 0},
        {"cards": [{"a" * 300_000: 0}] * 2},
        {"cards": [], "name": "A" * 250_000},
        {"cards": [], "extra": ["a" * 300_000]},
        {"cards": [], "map": dict.fromkeys((f"{number:0500}" for number in range(500)), "x")},
    ],
    ids=["names of the whole", "names of items", "a text", "texts of the wrong type", "names of a map"],
)
def test_the_invalid_parts_of_a_large_value_have_short_texts(value: object) -> None:
    """The validator copies a part into each error about it."""
    check = Schemas({"components": {"schemas": {"Export": EXPORT}}}).get_check(EXPORT, "request")

    parts = [part for _, _, part in find_invalid_parts(check, value)]

    assert parts
    assert max(len(json.dumps(part)) for part in parts) < 40_000


def test_violations_in_a_large_body_of_a_named_schema_have_pointers() -> None:
    client = serve_body({"$ref": "#/components/schemas/Export"}, schemas={"Export": EXPORT})

    response = client.post("/v1/things", {"cards": [*MANY_CARDS, {"title": 1}], "name": "A"})

    errors = [(error["pointer"], error["code"]) for error in response.json()["errors"]]
    assert errors == [("/name", "pattern"), ("/cards/1500/title", "type")]


def test_a_valid_large_body_is_accepted() -> None:
    assert serve_body(EXPORT).post("/v1/things", {"cards": MANY_CARDS, "labels": None}).status == 200


class Panic(BaseException):
    """Stands for a panic of the validator."""


def let_validator_raise(monkeypatch: pytest.MonkeyPatch, failure: type[BaseException]) -> None:
    """Let the validator of requests raise this; responses are validated."""
    is_valid = Check.is_valid

    def fail(check: Check, value: object) -> bool:
        if check.direction == "request":
            raise failure
        return is_valid(check, value)

    monkeypatch.setattr(Check, "is_valid", fail)


@pytest.mark.parametrize("failure", [ValueError, RecursionError, RuntimeError, Panic])
def test_a_crash_of_the_validator_is_logged_and_no_server_error(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, failure: type[BaseException]
) -> None:
    client = serve_body(object_schema({"a": STRING}))

    let_validator_raise(monkeypatch, failure)
    response = client.post("/v1/things", {"a": "x"})

    assert response.problem == (400, "invalid_body")
    assert client.recorded == []
    assert f"could not check a value: {failure.__name__}" in caplog.text


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
def test_an_interruption_ends_the_process_also_while_a_body_is_validated(
    monkeypatch: pytest.MonkeyPatch, interruption: type[BaseException]
) -> None:
    client = serve_body(object_schema({"a": STRING}))

    let_validator_raise(monkeypatch, interruption)

    with pytest.raises(interruption):
        client.post("/v1/things", {"a": "x"})


def test_a_lack_of_memory_is_no_fault_of_the_body(monkeypatch: pytest.MonkeyPatch) -> None:
    client = serve_body(object_schema({"a": STRING}))

    let_validator_raise(monkeypatch, MemoryError)

    assert client.post("/v1/things", {"a": "x"}).problem == (500, "internal_error")


def test_a_value_that_is_no_json_is_a_violation() -> None:
    assert Schemas({}).get_check(object_schema({"a": STRING}), "response").find_violations({"a": object()})
