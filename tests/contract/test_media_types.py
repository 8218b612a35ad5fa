"""Media types of requests (415) and responses (406)."""

import pytest

from tests.contract.client import Client
from tests.contract.contract_app import Result, serve, serve_body
from tests.contract.openapi_documents import INTEGER, STRING, document, object_schema, operation, response_object

BODY_SCHEMA = object_schema({"n": INTEGER}, "n")


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "APPLICATION/JSON",
        "Application/Json; Charset=UTF-8",
        "application/json;charset=utf-8",
        'application/json; charset="utf-8"',
        "application/json ; charset=utf8",
        "application/json; profile=x",
    ],
)
def test_json_is_accepted_with_any_spelling_of_its_media_type(media_type: str) -> None:
    client = serve_body(BODY_SCHEMA)

    good = client.post("/v1/things", {"n": 1}, media_type)
    bad = client.post("/v1/things", {"n": "one"}, media_type)

    assert good.status == 200
    assert bad.problem == (400, "invalid_body")
    assert client.recorded == [{"n": 1}]


@pytest.mark.parametrize(
    "media_type",
    [
        "",
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        ";;;",
        "application",
        "application/json, application/json",
        "application/jsonx",
        "application/*",
        "*/*",
        "application/json; charset=latin-1",
        "application/json; charset=utf-16",
        "application/merge-patch+json",
    ],
)
def test_any_other_media_type_is_a_415(media_type: str) -> None:
    client = serve_body(BODY_SCHEMA)

    response = client.post("/v1/things", {"n": 1}, media_type)

    assert response.problem == (415, "unsupported_media_type")
    assert client.recorded == []


def test_a_body_without_a_media_type_is_a_415() -> None:
    client = serve_body(BODY_SCHEMA)

    assert client.send("POST", "/v1/things", b'{"n": 1}').problem == (415, "unsupported_media_type")


@pytest.mark.parametrize("content_encoding", ["gzip", "deflate", "br", "GZIP", "gzip, identity", "identity, gzip"])
def test_an_encoded_body_is_a_415(content_encoding: str) -> None:
    client = serve_body(BODY_SCHEMA)

    response = client.send(
        "POST",
        "/v1/things",
        b"\x1f\x8b\x08",
        {"Content-Type": "application/json", "Content-Encoding": content_encoding},
    )

    assert response.problem == (415, "unsupported_media_type")


@pytest.mark.parametrize("content_encoding", ["", "identity", "Identity"])
def test_the_content_encoding_identity_is_accepted(content_encoding: str) -> None:
    client = serve_body(BODY_SCHEMA)
    headers = {"Content-Type": "application/json", "Content-Encoding": content_encoding}

    assert client.send("POST", "/v1/things", b'{"n": 1}', headers).status == 200


@pytest.mark.parametrize("body", [None, b"", b"{}"], ids=["none", "empty", "an empty object"])
def test_an_operation_without_a_body_ignores_its_media_type(body: bytes | None) -> None:
    openapi_document = document({"/things": {"post": operation("act")}})
    del openapi_document["paths"]["/things"]["post"]["responses"]["415"]
    client = serve(openapi_document, {"act": lambda: Result({})})

    response = client.send("POST", "/v1/things", body, {"Content-Type": "text/plain", "Content-Encoding": "gzip"})

    assert response.status == 200
    assert client.breaches == []


def test_the_encoding_of_an_absent_body_is_ignored() -> None:
    client = serve_body(BODY_SCHEMA, required=False)

    assert client.send("POST", "/v1/things", headers={"Content-Encoding": "gzip"}).status == 200


def test_every_media_type_of_the_document_is_accepted() -> None:
    client = serve_body(BODY_SCHEMA, "application/json", "application/merge-patch+json")

    assert client.post("/v1/things", {"n": 1}, "application/merge-patch+json").status == 200
    assert client.post("/v1/things", {"n": 1}, "application/json").status == 200
    assert client.post("/v1/things", {"n": 1}, "text/plain").status == 415


def test_an_optional_body_may_be_absent() -> None:
    client = serve_body(BODY_SCHEMA, required=False)

    response = client.send("POST", "/v1/things")

    assert response.status == 200
    assert client.recorded == [None]


def test_a_present_optional_body_is_validated() -> None:
    client = serve_body(BODY_SCHEMA, required=False)

    assert client.post("/v1/things", {"n": "one"}).problem == (400, "invalid_body")


def test_a_required_body_may_not_be_absent() -> None:
    client = serve_body(BODY_SCHEMA)

    response = client.send("POST", "/v1/things")

    assert response.problem == (400, "malformed_json")
    assert client.recorded == []


@pytest.mark.parametrize("media_type", ["text/plain", "application/json", ""])
def test_an_unexpected_body_is_rejected_unless_it_is_empty(media_type: str) -> None:
    client = serve(document({"/things": {"post": operation("act")}}), {"act": lambda: Result({})})

    assert client.post("/v1/things", b"\x00 no JSON", media_type).problem == (400, "malformed_json")
    assert client.post("/v1/things", b'{"a": 1}', media_type).problem == (400, "invalid_body")
    assert client.post("/v1/things", b"{}", media_type).status == 200
    assert client.post("/v1/things", b"", media_type).status == 200


def test_an_unexpected_body_is_described_by_what_is_wrong_with_it() -> None:
    client = serve(document({"/things": {"post": operation("act")}}), {"act": lambda: Result({})})

    has_properties = client.post("/v1/things", {"a": 1}).json()["errors"]
    is_no_object = client.post("/v1/things", [1]).json()["errors"]

    unknown = "has an unknown property; the known ones are: none"
    assert has_properties == [{"pointer": "", "code": "unknown_property", "message": unknown}]
    assert is_no_object == [
        {"pointer": "", "code": "type", "message": "must be an object without properties, or nothing"}
    ]


@pytest.fixture
def two_formats() -> Client:
    """Serve GET /v1/thing as JSON or as plain text."""
    operation_object = operation(
        "get_thing", responses={"200": response_object(STRING, "application/json", "text/plain")}
    )
    return serve(document({"/thing": {"get": operation_object}}), {"get_thing": lambda: Result("ça va")})


@pytest.mark.parametrize(
    ("accept", "media_type", "body"),
    [
        (None, "application/json", '"ça va"'),
        ("", "application/json", '"ça va"'),
        ("*/*", "application/json", '"ça va"'),
        ("application/json", "application/json", '"ça va"'),
        ("APPLICATION/JSON", "application/json", '"ça va"'),
        ("text/plain", "text/plain", "ça va"),
        ("Text/*", "text/plain", "ça va"),
        ("image/png, text/plain", "text/plain", "ça va"),
        ("application/json;q=0.1, text/plain", "text/plain", "ça va"),
        ("text/plain;q=0.1, application/json;q=0.2", "application/json", '"ça va"'),
        ("application/json;q=0, */*", "text/plain", "ça va"),
    ],
)
def test_the_response_has_the_media_type_that_the_client_prefers(
    two_formats: Client, accept: str | None, media_type: str, body: str
) -> None:
    response = two_formats.get("/v1/thing", headers={"Accept": accept} if accept is not None else None)

    assert response.status == 200
    assert response.header("content-type") == (
        media_type if media_type.endswith("json") else f"{media_type}; charset=utf-8"
    )
    assert response.body == body.encode()


@pytest.mark.parametrize(
    "accept", ["image/png", "application/*;q=0", "application/xml, text/html", "nonsense", "*/*;q=0"]
)
def test_an_accept_header_that_excludes_everything_is_a_406(accept: str) -> None:
    client = serve(document({"/thing": {"get": operation("get_thing")}}), {"get_thing": lambda: Result({})})

    response = client.get("/v1/thing", headers={"Accept": accept})

    assert response.problem == (406, "not_acceptable")
    assert response.json()["detail"] == "The response is available as application/json."


def test_a_response_without_a_body_is_always_acceptable() -> None:
    operation_object = operation("delete_thing", responses={"204": {"description": "Gone."}})
    client = serve(document({"/thing": {"delete": operation_object}}), {"delete_thing": lambda: Result(None, 204)})

    response = client.send("DELETE", "/v1/thing", headers={"Accept": "image/png"})

    assert response.status == 204
    assert response.header("content-type") is None
    assert response.header("content-length") in (None, "0")
    assert response.body == b""


def test_accept_is_checked_before_the_body() -> None:
    client = serve_body(BODY_SCHEMA)

    response = client.send(
        "POST", "/v1/things", b"no JSON", {"Content-Type": "application/json", "Accept": "image/png"}
    )

    assert response.status == 406
    assert client.recorded == []
