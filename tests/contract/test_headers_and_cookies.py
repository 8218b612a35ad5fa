"""Header and cookie parameters are parsed and bound like any other."""

from typing import Any

import pytest

from tests.contract.contract_app import Result, serve, serve_parameter
from tests.contract.openapi_documents import INTEGER, STRING, document, operation, parameter


@pytest.mark.parametrize(("location", "header"), [("header", "Value"), ("cookie", "Cookie")])
@pytest.mark.parametrize(
    ("schema", "text", "value"),
    [
        (INTEGER, "5", 5),
        ({"type": "number"}, "2.5", 2.5),
        ({"type": "boolean"}, "true", True),
        (STRING, "plain", "plain"),
    ],
    ids=["integer", "number", "boolean", "string"],
)
def test_a_typed_parameter_arrives_as_its_type(
    location: str, header: str, schema: dict[str, Any], text: str, value: object
) -> None:
    client = serve_parameter(location, schema)
    sent = f"value={text}" if location == "cookie" else text

    response = client.get("/v1/things", headers={header: sent})

    assert response.status == 200
    assert client.recorded == [value]


@pytest.mark.parametrize("text", ["x", "1_0", "+5", "1.0", "", "9" * 400])
def test_a_header_that_is_no_integer_is_rejected(text: str) -> None:
    client = serve_parameter("header", INTEGER)

    assert client.get("/v1/things", headers={"Value": text}).problem == (400, "invalid_header")


@pytest.mark.parametrize("text", ["x", "1_0", "+5", "1.0", "", "9" * 400])
def test_a_cookie_that_is_no_integer_is_rejected(text: str) -> None:
    client = serve_parameter("cookie", INTEGER)

    assert client.get("/v1/things", headers={"Cookie": f"value={text}"}).problem == (400, "invalid_parameter")


@pytest.mark.parametrize("location", ["header", "cookie"])
def test_an_absent_optional_parameter_is_left_to_the_function(location: str) -> None:
    operation_object = operation("get_thing", parameter("value", location, INTEGER))
    functions = {"get_thing": lambda value=7: Result({"value": value})}
    client = serve(document({"/things": {"get": operation_object}}), functions)

    assert client.get("/v1/things").json() == {"value": 7}


@pytest.mark.parametrize("location", ["header", "cookie"])
def test_an_absent_required_parameter_is_rejected(location: str) -> None:
    client = serve_parameter(location, INTEGER, required=True)

    response = client.get("/v1/things")

    assert response.status == 400
    assert response.json()["errors"][0]["pointer"] == f"/{location}/value"


@pytest.mark.parametrize("location", ["header", "cookie"])
def test_a_default_is_filled_in(location: str) -> None:
    operation_object = operation("get_thing", parameter("value", location, {**INTEGER, "default": 5}))
    client = serve(
        document({"/things": {"get": operation_object}}), {"get_thing": lambda value: Result({"value": value})}
    )

    assert client.get("/v1/things").json() == {"value": 5}


def test_the_name_of_a_header_ignores_case_and_its_hyphens_become_underscores() -> None:
    operation_object = operation("get_thing", parameter("X-Some-Value", "header", INTEGER))
    functions = {"get_thing": lambda x_some_value=None: Result({"value": x_some_value})}
    client = serve(document({"/things": {"get": operation_object}}), functions)

    assert client.get("/v1/things", headers={"x-sOME-value": "3"}).json() == {"value": 3}


def test_a_list_in_a_header_may_have_blanks_after_its_commas() -> None:
    client = serve_parameter("header", {"type": "array", "items": INTEGER})

    client.get("/v1/things", headers={"Value": "1, 2 ,3"})

    assert client.recorded == [[1, 2, 3]]


@pytest.mark.parametrize(
    "header",
    ["value=5; other=1", "other=1;value=5", "$Version=1; value=5;", "lonely; value=5", "a=b=c; value=5", "=; value=5"],
)
def test_other_cookies_are_ignored(header: str) -> None:
    client = serve_parameter("cookie", INTEGER)

    assert client.get("/v1/things", headers={"Cookie": header}).status == 200
    assert client.recorded == [5]


@pytest.mark.parametrize("header", ["", ";", "lonely", "=", "\xff\xfe", "a" * 4_000])
def test_odd_cookies_are_no_error_for_an_operation_without_cookies(header: str) -> None:
    client = serve(document({"/things": {"get": operation("get_thing")}}), {"get_thing": lambda: Result({})})

    assert client.get("/v1/things", headers={"Cookie": header, "traceparent": "broken"}).status == 200


def test_a_function_need_not_take_headers_that_the_contract_handles() -> None:
    operation_object = operation(
        "get_thing", parameter("Idempotency-Key", "header", STRING), parameter("If-None-Match", "header", STRING)
    )
    client = serve(document({"/things": {"get": operation_object}}), {"get_thing": lambda: Result({})})

    assert client.get("/v1/things", headers={"Idempotency-Key": "k", "If-None-Match": '"1"'}).status == 200


def test_a_header_that_the_contract_handles_is_validated() -> None:
    operation_object = operation(
        "get_thing", parameter("Idempotency-Key", "header", {"type": "string", "maxLength": 3})
    )
    client = serve(document({"/things": {"get": operation_object}}), {"get_thing": lambda: Result({})})

    assert client.get("/v1/things", headers={"Idempotency-Key": "long"}).problem == (400, "invalid_header")
