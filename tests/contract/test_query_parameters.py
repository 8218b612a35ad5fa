"""Query parameters: grammar of JSON, no duplicates, no unknown names, arrays in every serialization."""

import pytest

from contract.parameters import may_contain_commas
from tests.contract.contract_app import Result, serve, serve_body, serve_parameter
from tests.contract.openapi_documents import INTEGER, OBJECT, STRING, Schema, document, operation, parameter

INVALID_INTEGERS = [
    "1_0",
    "%2B5",
    "+5",
    "%205",
    "5%20",
    "1e1",
    "1.0",
    "1.5",
    "",
    "abc",
    "NaN",
    "null",
    "true",
    "0x10",
    "007",
    "--1",
    "1,2",
    "9" * 400,
    "%D9%A5",
    "%EF%BC%95",
    "1001",
    "-1001",
    "5%0A",
    "5%00",
]


@pytest.mark.parametrize("text", INVALID_INTEGERS)
def test_a_value_that_is_no_json_integer_is_rejected(text: str) -> None:
    client = serve_parameter("query", INTEGER)

    response = client.get(f"/v1/things?value={text}")

    assert response.problem == (400, "invalid_parameter")
    assert client.recorded == []


@pytest.mark.parametrize(("text", "value"), [("5", 5), ("-5", -5), ("0", 0), ("-0", 0), ("%35", 5), ("1000", 1000)])
def test_an_integer_arrives_as_an_integer(text: str, value: int) -> None:
    client = serve_parameter("query", INTEGER)

    assert client.get(f"/v1/things?value={text}").status == 200
    assert client.recorded == [value]


@pytest.mark.parametrize(("text", "value"), [("1", 1.0), ("1.25", 1.25), ("-2e1", -20.0), ("0.5E-1", 0.05)])
def test_a_number_arrives_as_a_number(text: str, value: float) -> None:
    client = serve_parameter("query", {"type": "number", "minimum": -100, "maximum": 100})

    assert client.get(f"/v1/things?value={text}").status == 200
    assert client.recorded == [value]


@pytest.mark.parametrize(
    "text", ["NaN", "inf", "Infinity", "1e99", "1e999", ".5", "5.", "1_0", "+1", "%201", "9" * 400]
)
def test_a_value_that_is_no_json_number_is_rejected(text: str) -> None:
    client = serve_parameter("query", {"type": "number", "minimum": -100, "maximum": 100})

    assert client.get(f"/v1/things?value={text}").problem == (400, "invalid_parameter")


@pytest.mark.parametrize(("text", "status"), [("true", 200), ("false", 200), ("True", 400), ("1", 400), ("", 400)])
def test_a_boolean_is_true_or_false(text: str, status: int) -> None:
    client = serve_parameter("query", {"type": "boolean"})

    assert client.get(f"/v1/things?value={text}").status == status


def test_false_arrives_as_false() -> None:
    client = serve_parameter("query", {"type": "boolean"})

    client.get("/v1/things?value=false")

    assert client.recorded == [False]


def test_text_is_decoded_once_and_a_plus_is_a_space() -> None:
    client = serve_parameter("query", STRING)

    for raw in ("a+b%20c", "a+b", "a%20b", "caf%C3%A9", "a%2Bb", "%2525", "a=b", "%26%3D", ""):
        client.get(f"/v1/things?value={raw}")

    assert client.recorded == ["a b c", "a b", "a b", "café", "a+b", "%25", "a=b", "&=", ""]


@pytest.mark.parametrize("raw", ["%zz", "%", "%4", "%ff", "%c0%af", "%ed%a0%80", "%00", "%0d%0a", "%7F"])
def test_broken_escapes_and_control_characters_are_rejected(raw: str) -> None:
    client = serve_parameter("query", STRING)

    for query in (f"value={raw}", f"{raw}=1"):
        response = client.get(f"/v1/things?{query}")

        assert response.problem == (400, "invalid_parameter")
        assert [violation["pointer"] for violation in response.json()["errors"]] == ["/query"]


@pytest.mark.parametrize("query", ["other=1", "value=1&other=1", "VALUE=1", "value[]=1", "value%20=1", "cursor=", "=1"])
def test_an_unknown_parameter_is_rejected_and_the_known_ones_are_listed(query: str) -> None:
    client = serve_parameter("query", INTEGER)

    response = client.get(f"/v1/things?{query}")

    assert response.problem == (400, "invalid_parameter")
    assert response.json()["detail"] == "There is an unknown query parameter; the known ones are: value."
    assert response.json()["errors"] == [
        {
            "pointer": "/query",
            "code": "unknown_parameter",
            "message": "has an unknown parameter; the known ones are: value",
        }
    ]


def test_the_message_says_so_if_no_parameter_is_known() -> None:
    client = serve_body(OBJECT)

    response = client.send("POST", "/v1/things?a=1", b"{}", {"Content-Type": "application/json"})

    assert response.problem == (400, "invalid_parameter")
    assert response.json()["detail"] == "There is an unknown query parameter; the known ones are: none."


def test_a_thousand_parameters_are_rejected_with_a_small_response() -> None:
    client = serve_parameter("query", INTEGER)

    assert client.get("/v1/things?" + "&".join(f"p{n}=1" for n in range(1_000))).problem == (400, "invalid_parameter")


@pytest.mark.parametrize("query", ["value=1&value=2", "value=1&value=1", "value=&value=1", "value=1&%76alue=2"])
def test_a_scalar_sent_twice_is_rejected(query: str) -> None:
    client = serve_parameter("query", INTEGER)

    response = client.get(f"/v1/things?{query}")

    assert response.problem == (400, "invalid_parameter")
    assert response.json()["errors"] == [{"pointer": "/query/value", "code": "type", "message": "must be given once"}]


def test_empty_parts_of_a_query_are_ignored() -> None:
    client = serve_parameter("query", INTEGER)

    assert client.get("/v1/things?&value=1&").status == 200
    assert client.get("/v1/things?").status == 200
    assert client.recorded == [1, None]


def test_a_default_is_filled_in() -> None:
    client = serve_parameter("query", {**INTEGER, "default": 50})

    client.get("/v1/things")
    client.get("/v1/things?value=7")

    assert client.recorded == [50, 7]


@pytest.mark.parametrize("default", [0, False, ""])
def test_a_falsy_default_is_filled_in(default: object) -> None:
    json_type = {int: "integer", bool: "boolean", str: "string"}[type(default)]
    client = serve_parameter("query", {"type": json_type, "default": default})

    client.get("/v1/things")

    assert client.recorded == [default]


def test_a_missing_required_parameter_is_rejected() -> None:
    client = serve_parameter("query", INTEGER, required=True)

    response = client.get("/v1/things")

    assert response.problem == (400, "invalid_parameter")
    assert response.json()["errors"] == [
        {"pointer": "/query/value", "code": "required", "message": "is required and missing"}
    ]


def array(items: Schema) -> Schema:
    return {"type": "array", "items": items, "maxItems": 3}


ITEMS = array(STRING)
NUMBERS = array(INTEGER)
FRUIT = array({"type": "string", "enum": ["fig", "pear", "plum"]})


@pytest.mark.parametrize("explode", [False, True])
@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("value=fig,pear,plum", ["fig", "pear", "plum"]),
        ("value=fig%2Cpear%2cplum", ["fig", "pear", "plum"]),
        ("value=fig&value=pear&value=plum", ["fig", "pear", "plum"]),
        ("value=fig,pear&value=plum", ["fig", "pear", "plum"]),
        ("value=fig%2Cpear,plum", ["fig", "pear", "plum"]),
        ("value=fig&val%75e=p%65ar%2Cplum", ["fig", "pear", "plum"]),
        ("value=plum", ["plum"]),
        ("value=", []),
        ("value=&value=plum", ["plum"]),
        ("", None),
    ],
)
def test_an_array_without_commas_in_items_accepts_every_serialization(
    query: str, value: list[str] | None, *, explode: bool
) -> None:
    client = serve_parameter("query", FRUIT, explode=explode)

    assert client.get(f"/v1/things?{query}").status == 200
    assert client.recorded == [value]


COMMA_SERIALIZATIONS = ["1,2,3", "1%2C2%2C3", "1,2%2C3"]


@pytest.mark.parametrize("text", COMMA_SERIALIZATIONS)
def test_an_array_of_numbers_accepts_every_serialization(text: str) -> None:
    client = serve_parameter("query", NUMBERS, explode=False)

    assert client.get(f"/v1/things?value={text}").status == 200
    assert client.recorded == [[1, 2, 3]]


@pytest.mark.parametrize(
    "items",
    [
        {"type": "boolean"},
        {"type": "number", "minimum": 0, "maximum": 9},
        {"type": "string", "pattern": "^(?:true|false|[12])$", "enum": ["true", "false", "1", "2"]},
        {"type": "string", "pattern": r"^crd_[0-9a-hj-np-tv-z]{3,26}$"},
        {"type": "string", "pattern": r"^\d{4}-[A-Z]{2}x?[a-z_-]*$"},
        {"type": "string", "format": "date"},
        {"type": "string", "format": "uuid"},
    ],
    ids=str,
)
def test_schemas_whose_values_contain_no_comma_are_recognized(items: Schema) -> None:
    assert not may_contain_commas(items)


@pytest.mark.parametrize(
    "items",
    [
        STRING,
        {"type": "string", "enum": ["a", "a,b"]},
        {"type": "string", "pattern": "^[^a]+$"},
        {"type": "string", "pattern": "^.{1,3}$"},
        {"type": "string", "pattern": "^a,b$"},
        {"type": "string", "pattern": "^[+-Z]+$"},
        {"type": "string", "pattern": "^[a-z,]+$"},
        {"type": "string", "pattern": r"^\w\W$"},
        {"type": "string", "pattern": "[a-z]+"},
        {"type": "string", "pattern": "^[a-z]+|.*$"},
        {"type": "string", "pattern": "^[a-z]$|,"},
        {"type": "string", "format": "uri"},
        {"type": "string", "format": "email"},
    ],
    ids=str,
)
def test_schemas_whose_values_may_contain_a_comma_are_recognized(items: Schema) -> None:
    assert may_contain_commas(items)


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("value=a,b", ["a", "b"]),
        ("value=a%2Cb,c", ["a,b", "c"]),
        ("value=a%2Cb&value=c", ["a,b", "c"]),
        ("value=a,b&value=c", ["a", "b", "c"]),
        ("value=a", ["a"]),
        ("value=", []),
    ],
)
def test_an_encoded_comma_is_part_of_an_item_that_may_contain_one(query: str, value: list[str]) -> None:
    client = serve_parameter("query", ITEMS, explode=False)

    assert client.get(f"/v1/things?{query}").status == 200
    assert client.recorded == [value]


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("value=a,b", ["a,b"]),
        ("value=a%2Cb", ["a,b"]),
        ("value=a,b&value=c", ["a,b", "c"]),
        ("value=", [""]),
        ("", None),
    ],
)
def test_a_comma_never_separates_exploded_items_that_may_contain_one(query: str, value: list[str] | None) -> None:
    client = serve_parameter("query", ITEMS, explode=True)

    assert client.get(f"/v1/things?{query}").status == 200
    assert client.recorded == [value]


@pytest.mark.parametrize("explode", [False, True])
@pytest.mark.parametrize(
    "query",
    [
        "value=1,x",
        "value=1,",
        "value=,",
        "value=1%2C",
        "value=1,%205",
        "value=1,2,3,4",
        "value=1%2C2%2C3%2C4",
        "value=1&value=2&value=3&value=4",
        "value=1&value=x",
        "value=1,2&value=3&value=4",
        "value=1%252C2",
    ],
)
def test_every_item_of_an_array_is_validated(query: str, *, explode: bool) -> None:
    client = serve_parameter("query", NUMBERS, explode=explode)

    assert client.get(f"/v1/things?{query}").problem == (400, "invalid_parameter")
    assert client.recorded == []


@pytest.mark.parametrize("query", ["value=fig,fig", "value=fig%2Cfig", "value=fig&value=fig"])
def test_a_duplicate_item_is_rejected_in_every_serialization(query: str) -> None:
    client = serve_parameter("query", {**FRUIT, "uniqueItems": True}, explode=False)

    assert client.get(f"/v1/things?{query}").problem == (400, "invalid_parameter")


def test_an_operation_overrides_a_parameter_of_its_path_item() -> None:
    recorded: list[int] = []

    def get_thing(value: int) -> Result:
        recorded.append(value)
        return Result({})

    path_item = {
        "parameters": [parameter("value", "query", {**INTEGER, "default": 1})],
        "get": operation("get_thing", parameter("value", "query", {**INTEGER, "default": 2})),
    }
    client = serve(document({"/things": path_item}), {"get_thing": get_thing})

    client.get("/v1/things")

    assert recorded == [2]


def test_a_parameter_may_be_a_reference() -> None:
    openapi_document = document({"/things": {"get": operation("get_thing", {"$ref": "#/components/parameters/Value"})}})
    openapi_document["components"]["parameters"] = {"Value": parameter("value", "query", INTEGER)}
    client = serve(openapi_document, {"get_thing": lambda value=None: Result({"value": value})})

    assert client.get("/v1/things?value=3").json() == {"value": 3}
