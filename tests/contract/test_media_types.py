"""Media types of requests (415) and responses (406)."""

import pytest

from tests.contract.client import Client
from tests.contract.contract_app import Result, serve, serve_body
from tests.contract.openapi_documents import INTEGER, STRING, document, object_schema, operation, response

SOMETHING = object_schema({"n": INTEGER}, "n")


@pytest.mark.parametrize(
    "media",
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
def test_json_is_accepted_with_any_spelling_of_its_media_type(media: str) -> None:
    client = serve_body(SOMETHING)

    good = client.post("/v1/things", {"n": 1}, media)
    bad = client.post("/v1/things", {"n": "one"}, media)

    assert good.status == 200
    assert bad.problem == (400, "invalid_body")
    assert client.received == [{"n": 1}]


@pytest.mark.parametrize(
    "media",
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
def test_any_other_media_type_is_a_415(media: str) -> None:
    client = serve_body(SOMETHING)

    received = client.post("/v1/things", {"n": 1}, media)

    assert received.problem == (415, "unsupported_media_type")
    assert client.received == []


def test_a_body_without_a_media_type_is_a_415() -> None:
    client = serve_body(SOMETHING)

    assert client.send("POST", "/v1/things", b'{"n": 1}').problem == (415, "unsupported_media_type")


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "GZIP", "gzip, identity", "identity, gzip"])
def test_an_encoded_body_is_a_415(coding: str) -> None:
    client = serve_body(SOMETHING)

    received = client.send(
        "POST", "/v1/things", b"\x1f\x8b\x08", {"Content-Type": "application/json", "Content-Encoding": coding}
    )

    assert received.problem == (415, "unsupported_media_type")


@pytest.mark.parametrize("coding", ["", "identity", "Identity"])
def test_the_content_encoding_identity_is_accepted(coding: str) -> None:
    client = serve_body(SOMETHING)
    headers = {"Content-Type": "application/json", "Content-Encoding": coding}

    assert client.send("POST", "/v1/things", b'{"n": 1}', headers).status == 200


@pytest.mark.parametrize("body", [None, b"", b"{}"], ids=["none", "empty", "an empty object"])
def test_an_operation_without_a_body_ignores_its_media_type(body: bytes | None) -> None:
    described = document({"/things": {"post": operation("act")}})
    del described["paths"]["/things"]["post"]["responses"]["415"]
    client = serve(described, {"act": lambda: Result({})})

    received = client.send("POST", "/v1/things", body, {"Content-Type": "text/plain", "Content-Encoding": "gzip"})

    assert received.status == 200
    assert client.breaches == []


def test_the_encoding_of_an_absent_body_is_ignored() -> None:
    client = serve_body(SOMETHING, required=False)

    assert client.send("POST", "/v1/things", headers={"Content-Encoding": "gzip"}).status == 200


def test_every_media_type_of_the_document_is_accepted() -> None:
    client = serve_body(SOMETHING, "application/json", "application/merge-patch+json")

    assert client.post("/v1/things", {"n": 1}, "application/merge-patch+json").status == 200
    assert client.post("/v1/things", {"n": 1}, "application/json").status == 200
    assert client.post("/v1/things", {"n": 1}, "text/plain").status == 415


def test_an_optional_body_may_be_absent() -> None:
    client = serve_body(SOMETHING, required=False)

    received = client.send("POST", "/v1/things")

    assert received.status == 200
    assert client.received == [None]


def test_a_present_optional_body_is_validated() -> None:
    client = serve_body(SOMETHING, required=False)

    assert client.post("/v1/things", {"n": "one"}).problem == (400, "invalid_body")


def test_a_required_body_may_not_be_absent() -> None:
    client = serve_body(SOMETHING)

    received = client.send("POST", "/v1/things")

    assert received.problem == (400, "malformed_json")
    assert client.received == []


@pytest.mark.parametrize("media", ["text/plain", "application/json", ""])
def test_an_unexpected_body_is_rejected_unless_it_is_empty(media: str) -> None:
    client = serve(document({"/things": {"post": operation("act")}}), {"act": lambda: Result({})})

    assert client.post("/v1/things", b"\x00 no JSON", media).problem == (400, "malformed_json")
    assert client.post("/v1/things", b'{"a": 1}', media).problem == (400, "invalid_body")
    assert client.post("/v1/things", b"{}", media).status == 200
    assert client.post("/v1/things", b"", media).status == 200


@pytest.fixture
def bilingual() -> Client:
    """Serve GET /v1/thing as JSON or as plain text."""
    described = operation("get_thing", responses={"200": response(STRING, "application/json", "text/plain")})
    return serve(document({"/thing": {"get": described}}), {"get_thing": lambda: Result("ça va")})


@pytest.mark.parametrize(
    ("accept", "media", "body"),
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
    bilingual: Client, accept: str | None, media: str, body: str
) -> None:
    received = bilingual.get("/v1/thing", headers={"Accept": accept} if accept is not None else None)

    assert received.status == 200
    assert received.header("content-type") == (media if media.endswith("json") else f"{media}; charset=utf-8")
    assert received.body == body.encode()


@pytest.mark.parametrize(
    "accept", ["image/png", "application/*;q=0", "application/xml, text/html", "nonsense", "*/*;q=0"]
)
def test_an_accept_header_that_excludes_everything_is_a_406(accept: str) -> None:
    client = serve(document({"/thing": {"get": operation("get_thing")}}), {"get_thing": lambda: Result({})})

    received = client.get("/v1/thing", headers={"Accept": accept})

    assert received.problem == (406, "not_acceptable")
    assert received.json()["detail"] == "The answer can be had as application/json."


def test_a_response_without_a_body_is_always_acceptable() -> None:
    described = operation("delete_thing", responses={"204": {"description": "Gone."}})
    client = serve(document({"/thing": {"delete": described}}), {"delete_thing": lambda: Result(None, 204)})

    received = client.send("DELETE", "/v1/thing", headers={"Accept": "image/png"})

    assert received.status == 204
    assert received.header("content-type") is None
    assert received.header("content-length") in (None, "0")
    assert received.body == b""


def test_accept_is_checked_before_the_body() -> None:
    client = serve_body(SOMETHING)

    received = client.send(
        "POST", "/v1/things", b"no JSON", {"Content-Type": "application/json", "Accept": "image/png"}
    )

    assert received.status == 406
    assert client.received == []
