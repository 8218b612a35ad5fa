"""A document that can't be enforced is rejected, with a message that names the operation."""

from collections.abc import Callable
from typing import Any

import pytest

from contract.operations import BadDocument, check_document
from tests.contract.contract_app import Result, serve
from tests.contract.openapi_documents import (
    INTEGER,
    OBJECT,
    STRING,
    Schema,
    document,
    json_body,
    object_schema,
    operation,
    parameter,
    response_object,
)


def nothing() -> Result:
    """Take no argument."""
    return Result({})


def echo(body: object) -> Result:
    """Take a body."""
    return Result(body)


def start(operation_object: Schema, function: Callable[..., Any] = nothing, **paths: Schema) -> None:
    """Start with this operation at GET /v1/things and this function."""
    serve(document({"/things": {"get": operation_object}, **paths}), {"get_things": function})


def test_an_operation_without_a_function_is_rejected() -> None:
    with pytest.raises(BadDocument, match=r"operations without a function: get_more, get_things\."):
        serve(document({"/things": {"get": operation("get_things"), "put": operation("get_more")}}), {})


def test_a_function_without_an_operation_is_rejected() -> None:
    with pytest.raises(BadDocument, match=r"functions without an operation in the document: get_thinks\."):
        serve(document({"/things": {"get": operation("get_things")}}), {"get_things": nothing, "get_thinks": nothing})


def test_an_operation_without_an_id_is_rejected() -> None:
    operation_object = operation("get_things")
    del operation_object["operationId"]

    with pytest.raises(BadDocument, match="GET /things needs an operationId of its own"):
        start(operation_object)


def test_two_operations_with_one_id_are_rejected() -> None:
    with pytest.raises(BadDocument, match="DELETE /things needs an operationId of its own"):
        serve(
            document({"/things": {"get": operation("get_things"), "delete": operation("get_things")}}),
            {"get_things": nothing},
        )


def test_a_function_with_an_unknown_parameter_is_rejected() -> None:
    with pytest.raises(BadDocument, match=r"Operation get_things: its function .* takes 'limt', which neither"):
        start(operation("get_things", parameter("limit", "query", INTEGER)), lambda limt=1: Result({"limit": limt}))


def test_a_function_with_an_undocumented_body_is_rejected() -> None:
    with pytest.raises(BadDocument, match=r"Operation get_things: .* takes 'body', which neither"):
        start(operation("get_things"), echo)


@pytest.mark.parametrize("location", ["query", "header", "cookie"])
def test_a_function_without_a_documented_parameter_is_rejected(location: str) -> None:
    with pytest.raises(BadDocument, match=r"Operation get_things: .* does not take 'limit', which the document names"):
        start(operation("get_things", parameter("limit", location, INTEGER)))


def test_a_function_without_a_documented_body_is_rejected() -> None:
    with pytest.raises(BadDocument, match=r"Operation get_things: .* does not take 'body', which the document names"):
        start(operation("get_things", body=json_body(OBJECT)))


def test_a_function_without_a_path_parameter_is_rejected() -> None:
    operation_object = operation("get_thing", parameter("id", "path", STRING))

    with pytest.raises(BadDocument, match=r"Operation get_thing: .* does not take 'id'"):
        serve(document({"/things/{id}": {"get": operation_object}}), {"get_thing": nothing})


@pytest.mark.parametrize("location", ["query", "header", "cookie"])
def test_an_optional_parameter_without_a_default_is_rejected(location: str) -> None:
    with pytest.raises(BadDocument, match=r"Operation get_things: .* takes 'limit' without a default"):
        start(operation("get_things", parameter("limit", location, INTEGER)), lambda limit: Result({"limit": limit}))


@pytest.mark.parametrize("location", ["query", "header", "cookie"])
def test_a_default_in_the_document_or_in_the_function_is_enough(location: str) -> None:
    limited = operation("get_things", parameter("limit", location, {**INTEGER, "default": 5}))

    start(limited, lambda limit: Result({"limit": limit}))
    start(operation("get_things", parameter("limit", location, INTEGER)), lambda limit=5: Result({"limit": limit}))
    start(
        operation("get_things", parameter("limit", location, INTEGER, required=True)),
        lambda limit: Result({"l": limit}),
    )


def test_two_parameters_with_one_argument_name_are_rejected() -> None:
    operation_object = operation(
        "get_things", parameter("x-limit", "query", INTEGER), parameter("x_limit", "header", INTEGER)
    )

    with pytest.raises(BadDocument, match=r"Operation get_things: .*'x_limit'"):
        start(operation_object, lambda x_limit=1: Result({"limit": x_limit}))


def test_a_parameter_named_body_is_rejected() -> None:
    operation_object = operation("get_things", parameter("body", "query", STRING), body=json_body(OBJECT))

    with pytest.raises(BadDocument, match=r"Operation get_things: .*'body'"):
        start(operation_object, echo)


def test_path_and_path_parameters_must_match() -> None:
    with pytest.raises(BadDocument, match=r"Operation get_thing: .*'id'"):
        serve(document({"/things/{id}": {"get": operation("get_thing")}}), {"get_thing": nothing})
    with pytest.raises(BadDocument, match=r"Operation get_things: .*'id'"):
        start(operation("get_things", parameter("id", "path", STRING)), lambda id: Result({"id": id}))  # noqa: A006


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "format": "datetime"},
        {"type": "array", "items": {"type": "string", "format": "colour"}},
        {"allOf": [{"type": "string", "format": "Date-Time"}]},
        {"type": "string", "format": "iri", "nullable": True},
    ],
    ids=["top", "items", "allOf", "nullable"],
)
def test_an_unknown_format_is_rejected(schema: Schema) -> None:
    operation_object = operation("get_things", parameter("value", "query", schema))

    with pytest.raises(
        BadDocument,
        match=r"^Operation get_things: the format '\S+' at #/paths/~1things/get/parameters/0/schema\S* is unknown",
    ):
        start(operation_object, lambda value=None: Result({"value": value}))


@pytest.mark.parametrize("pattern", ["(", "[z-a]", "*", "\\p{Nonsense}", "(?P<a>b"])
def test_an_invalid_pattern_is_rejected(pattern: str) -> None:
    operation_object = operation("get_things", parameter("value", "query", {"type": "string", "pattern": pattern}))

    with pytest.raises(
        BadDocument, match=r"^Operation get_things: the pattern .* at #/paths/~1things/get/parameters/0/schema can't be"
    ):
        start(operation_object, lambda value=None: Result({"value": value}))


def test_an_unknown_format_in_a_component_is_rejected() -> None:
    openapi_document = document(
        {"/things": {"get": operation("get_things")}}, schemas={"Thing": {"type": "string", "format": "colour"}}
    )

    with pytest.raises(
        BadDocument, match=r"^No operation: the format 'colour' at #/components/schemas/Thing is unknown"
    ):
        serve(openapi_document, {"get_things": nothing})


@pytest.mark.parametrize("status", ["default", "2XX", "4xx"])
def test_a_default_response_is_rejected(status: str) -> None:
    operation_object = operation(
        "get_things", responses={"200": response_object(OBJECT), status: response_object(OBJECT)}
    )

    with pytest.raises(BadDocument, match=f"Operation get_things: has the response '{status}'"):
        start(operation_object)


def test_a_response_without_a_schema_is_rejected() -> None:
    operation_object = operation(
        "get_things", responses={"200": {"description": "d", "content": {"application/json": {}}}}
    )

    with pytest.raises(BadDocument, match="Operation get_things: has a application/json response 200 without a schema"):
        start(operation_object)


def test_an_event_stream_without_the_json_of_its_messages_is_rejected() -> None:
    content = {"text/event-stream": {"schema": {"type": "string"}}}
    operation_object = operation("get_things", responses={"200": {"description": "d", "content": content}})

    with pytest.raises(BadDocument, match="has a text/event-stream response 200 without the JSON"):
        start(operation_object)


@pytest.mark.parametrize(
    ("location", "fields", "reason"),
    [
        ("query", {"style": "deepObject"}, "style 'deepObject'"),
        ("query", {"style": "pipeDelimited"}, "style 'pipeDelimited'"),
        ("query", {"style": "spaceDelimited"}, "style 'spaceDelimited'"),
        ("path", {"style": "label"}, "style 'label'"),
        ("path", {"style": "matrix"}, "style 'matrix'"),
    ],
)
def test_an_unsupported_parameter_style_is_rejected(location: str, fields: Schema, reason: str) -> None:
    operation_object = operation("get_thing", parameter("id", location, {"type": "array", "items": STRING}, **fields))
    path = "/things/{id}" if location == "path" else "/things"

    with pytest.raises(BadDocument, match=f"Operation get_thing: 'id' has the {reason}"):
        serve(document({path: {"get": operation_object}}), {"get_thing": lambda id=None: Result({"id": id})})  # noqa: A006


@pytest.mark.parametrize(
    "schema",
    [
        OBJECT,
        {"$ref": "#/components/schemas/Problem"},
        {"type": "array", "items": OBJECT},
        {"type": "array", "items": {"type": "array", "items": STRING}},
        {"allOf": [INTEGER]},
        {"type": "array", "items": {"oneOf": [INTEGER, STRING]}},
        {"enum": ["a", "b"]},
    ],
    ids=["object", "reference", "objects", "arrays", "allOf", "oneOf", "no type"],
)
def test_a_parameter_of_an_unsupported_type_is_rejected(schema: Schema) -> None:
    with pytest.raises(BadDocument, match=r"Operation get_things: 'value' .*, which isn't supported"):
        start(operation("get_things", parameter("value", "query", schema)), lambda value=None: Result(value))


def test_a_parameter_without_a_schema_is_rejected() -> None:
    operation_object = operation(
        "get_things", {"name": "value", "in": "query", "content": {"application/json": {"schema": OBJECT}}}
    )

    with pytest.raises(BadDocument, match="Operation get_things: 'value' has no schema"):
        start(operation_object, lambda value=None: Result(value))


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "*/*"])
def test_a_body_that_is_no_json_is_rejected(media: str) -> None:
    operation_object = operation("get_things", body=json_body(OBJECT, "application/json", media))

    with pytest.raises(BadDocument, match=r"Operation get_things: has a .* body, and only JSON is supported"):
        start(operation_object, echo)


def test_a_body_without_a_schema_is_rejected() -> None:
    operation_object = operation("get_things", body={"content": {"application/json": {}}})

    with pytest.raises(BadDocument, match="Operation get_things: has a application/json body without a schema"):
        start(operation_object, echo)


@pytest.mark.parametrize(
    "schema",
    [
        {**STRING, "default": "x"},
        {**STRING, "default": None, "nullable": True},
        object_schema({"a": {**INTEGER, "default": 0}}),
        {"type": "array", "items": object_schema({"a": {"type": "boolean", "default": False}})},
        {"allOf": [object_schema({"a": {**STRING, "default": "x"}})]},
        {"$ref": "#/components/schemas/Thing"},
        object_schema({"inner": {"$ref": "#/components/schemas/Thing"}}),
    ],
    ids=["top", "null", "property", "items", "allOf", "reference", "nested reference"],
)
def test_a_default_in_a_request_body_is_rejected(schema: Schema) -> None:
    thing = object_schema({"a": {**STRING, "default": "x"}, "again": {"$ref": "#/components/schemas/Thing"}})
    operation_object = operation("get_things", body=json_body(schema))

    with pytest.raises(BadDocument, match=r"Operation get_things: .*default"):
        serve(
            document({"/things": {"post": operation_object}}, schemas={"Thing": thing}),
            {"get_things": echo},
        )


def test_a_default_elsewhere_and_a_property_named_default_are_accepted() -> None:
    operation_object = operation(
        "get_things",
        parameter("limit", "query", {**INTEGER, "default": 5}),
        body=json_body(object_schema({"default": STRING, "example": {"type": "object", "example": {"default": 1}}})),
        responses={"200": response_object(object_schema({"a": {**STRING, "default": "x"}}))},
    )

    start(operation_object, lambda body, limit: Result({"a": f"{body}{limit}"}))


DEFAULT: Schema = {"type": "string", "default": "x"}


@pytest.mark.parametrize(
    ("schema", "starts"),
    [
        (object_schema({"a": STRING}), True),
        ({"$ref": "#/components/schemas/Tree"}, True),
        (object_schema({"a": {"$ref": "#/components/schemas/Tree"}, "b": DEFAULT}), False),
        (object_schema({"a": {"type": "array", "items": DEFAULT}}), False),
        ({"allOf": [OBJECT, object_schema({"a": DEFAULT})]}, False),
        ({"type": "object", "additionalProperties": DEFAULT}, False),
    ],
)
def test_a_default_anywhere_in_a_body_is_rejected(schema: Schema, *, starts: bool) -> None:
    tree = {"Tree": object_schema({"children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}})}
    described = document({"/things": {"post": operation("echo", body=json_body(schema))}}, schemas=tree)

    if starts:
        serve(described, {"echo": echo})
        return
    with pytest.raises(BadDocument, match="Operation echo: has a application/json body with a default in its schema"):
        serve(described, {"echo": echo})


def test_the_operations_that_a_fault_in_a_component_affects_are_named() -> None:
    inner = {"type": "object", "properties": {"color": {"type": "string", "format": "colour"}}}
    schemas: dict[str, Schema] = {
        "Inner": inner,
        "Outer": {"type": "array", "items": {"$ref": "#/components/schemas/Inner"}},
        "Same": {"allOf": [{"$ref": "#/components/schemas/Same"}, {"$ref": "#/components/schemas/Outer"}]},
    }
    same = json_body({"$ref": "#/components/schemas/Same"})
    paths = {
        "/a": {"post": operation("create_a", body=same)},
        "/b": {"post": operation("create_b", body=same), "get": operation("get_b")},
    }

    with pytest.raises(BadDocument, match=r"^Operation create_a and 1 more: the format 'colour' at"):
        check_document(document(paths, schemas=schemas), {}, {})
