"""Routing: one path for each operation, no redirects, and a 405 that lists every method."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from contract.route_tree import RouteTree
from tests.contract.client import Client, call, environ
from tests.contract.contract_app import Result, serve, serve_parameter
from tests.contract.openapi_documents import INTEGER, STRING, Schema, document, operation, parameter

ID: Schema = {"type": "string", "pattern": "^[a-z0-9_]{1,20}$"}


@pytest.fixture
def things() -> Client:
    """Serve GET and POST /v1/things, GET, PATCH and DELETE /v1/things/{thing_id}, and GET /v1/things/mine."""
    id_parameters = [parameter("thing_id", "path", ID)]
    return serve(
        document(
            {
                "/things": {"get": operation("list_things"), "post": operation("make_thing")},
                "/things/mine": {"get": operation("get_my_thing"), "patch": operation("change_my_thing")},
                "/things/{thing_id}": {
                    "parameters": id_parameters,
                    "get": operation("get_thing"),
                    "patch": operation("change_thing"),
                    "delete": operation("delete_thing", responses={"204": {"description": "Gone."}}),
                },
            }
        ),
        {
            "list_things": lambda: Result({"all": True}),
            "make_thing": lambda: Result({}),
            "get_my_thing": lambda: Result({"id": "my own"}),
            "change_my_thing": lambda: Result({}),
            "get_thing": lambda thing_id: Result({"id": thing_id}),
            "change_thing": lambda thing_id: Result({"id": thing_id}),
            "delete_thing": lambda thing_id: Result(None, 204, change=thing_id),
        },
    )


UNKNOWN_PATHS = [
    "/",
    "/v1",
    "/v1/",
    "/things",
    "/v1things",
    "/v2/things",
    "/V1/things",
    "/v1/Things",
    "//things",
    "//v1/things",
    "/v1//things",
    "/v1/things/",
    "/v1/things//",
    "/v1/things/a/",
    "/v1/things/a/b",
    "/v1/things/a%2Fb",
    "/v1/things/a%0a",
    "/v1/things/%0a",
    "/v1/things%0a",
    "/v1/things/%00",
    "/v1/things/%7f",
    "/v1/things/%ff",
    "/v1/things/%c0%af",
    "/v1/./things",
    "/v1/x/../things",
    "/v1/things;a=b",
]


@pytest.mark.parametrize("target", UNKNOWN_PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_unknown_path_is_a_404(things: Client, method: str, target: str) -> None:
    response = things.send(method, target)

    assert response.status == 404
    assert response.header("location") is None
    assert response.header("content-type") == "application/problem+json"


@pytest.mark.parametrize("target", ["/v1", "/v1/", "/v1/things/", "/v1/openapi.json", "/v1/docs", "/nowhere"])
def test_a_404_points_to_the_document(things: Client, target: str) -> None:
    response = things.get(target)

    assert response.problem == (404, "not_found")
    assert "/openapi.json" in response.json()["detail"]


@pytest.mark.parametrize("text", ["..", "A", "a b", "a" * 21, "%252F", "caf%C3%A9", "'%20OR%201=1"])
def test_a_path_parameter_is_validated(things: Client, text: str) -> None:
    assert things.get(f"/v1/things/{text}").problem == (400, "invalid_parameter")


def test_a_path_parameter_is_decoded_once(things: Client) -> None:
    assert things.get("/v1/things/%61b").json() == {"id": "ab"}


def test_a_concrete_path_wins_over_one_with_a_parameter(things: Client) -> None:
    assert things.get("/v1/things/mine").json() == {"id": "my own"}


@pytest.mark.parametrize(
    ("target", "allowed"),
    [
        ("/v1/things", "GET, HEAD, POST"),
        ("/v1/things/a", "GET, HEAD, PATCH, DELETE"),
        ("/v1/things/mine", "GET, HEAD, PATCH"),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "TRACE", "OPTIONS", "FOO", "get", "CONNECT"])
def test_a_405_names_every_method_of_the_path_once(things: Client, target: str, allowed: str, method: str) -> None:
    response = things.send(method, target)

    assert response.problem == (405, "method_not_allowed")
    assert sorted((response.header("allow") or "").split(", ")) == sorted(allowed.split(", "))


def test_a_405_comes_before_authentication(things: Client) -> None:
    assert things.send("DELETE", "/v1/things", token=None).status == 405


def test_method_override_headers_are_ignored(things: Client) -> None:
    assert things.get("/v1/things", headers={"X-HTTP-Method-Override": "POST"}).json() == {"all": True}


def test_head_has_the_headers_of_get_and_no_body(things: Client) -> None:
    get, head = things.get("/v1/things/a"), things.send("HEAD", "/v1/things/a")

    length = ("content-length", str(len(get.body)))
    assert (head.status, head.headers) == (get.status, [*get.headers, length])
    assert head.body == b""
    assert things.breaches == []


@pytest.mark.parametrize("target", ["/v1/things/a?unknown=1", "/v1/nowhere", "/v1/things?" + "a" * 10_000])
def test_a_problem_has_no_body_in_response_to_head(things: Client, target: str) -> None:
    get, head = things.get(target), things.send("HEAD", target)

    assert head.status == get.status
    assert head.header("content-type") == "application/problem+json"
    assert head.body == b""


@pytest.mark.parametrize(("text", "value"), [("5", 5), ("-5", -5), ("0", 0)])
def test_an_integer_in_a_path_arrives_as_an_integer(text: str, value: int) -> None:
    client = serve_parameter("path", INTEGER)

    assert client.get(f"/v1/things/{text}").status == 200
    assert client.recorded == [value]


@pytest.mark.parametrize("text", ["007", "%2B5", "1_0", "%205", "5%20", "1.0", "x", "%D9%A5", "9" * 400, "1001"])
def test_a_path_parameter_that_is_no_integer_is_rejected(text: str) -> None:
    client = serve_parameter("path", INTEGER)

    response = client.get(f"/v1/things/{text}")

    assert response.status in (400, 404)
    assert len(response.body) < 4096
    assert client.recorded == []


def test_a_number_in_a_path_arrives_as_a_number() -> None:
    client = serve_parameter("path", {"type": "number", "minimum": 0, "maximum": 9})

    assert client.get("/v1/things/2.50").status == 200
    assert client.recorded == [2.5]


def test_a_path_parameter_may_have_a_hyphen_and_share_its_segment() -> None:
    operation_object = operation("get_thing", parameter("thing-id", "path", ID), parameter("kind", "path", STRING))
    client = serve(
        document({"/things/{thing-id}.{kind}": {"get": operation_object}}),
        {"get_thing": lambda thing_id, kind: Result({"id": thing_id, "kind": kind})},
    )

    assert client.get("/v1/things/a1.csv").json() == {"id": "a1", "kind": "csv"}


CREATED: dict[str, Any] = {"201": {"description": "Made.", "headers": {"Location": {"schema": STRING}}}}


def serve_creation(path: str, **operation_fields: Any) -> Client:
    """Serve a POST that returns the location /things/7."""
    created = operation("make_thing", parameter("id", "path", INTEGER), responses=CREATED)
    return serve(
        document({path: {"post": created}}, **operation_fields),
        {"make_thing": lambda id: Result(status=201, location=f"/things/{id}")},  # noqa: A006 - the document's name.
    )


def test_a_location_starts_with_the_base_path() -> None:
    response = serve_creation("/places/{id}/things").send("POST", "/v1/places/7/things")

    assert response.status == 201
    assert response.header("location") == "/v1/things/7"


def test_a_location_starts_with_the_mount_prefix() -> None:
    client = serve_creation("/places/{id}/things")
    request = environ("POST", "/v1/places/7/things", headers={"Authorization": "Bearer the-good-token"})
    request["SCRIPT_NAME"] = "/prod"

    response = call(client.application, request)

    assert response.status == 201
    assert response.header("location") == "/prod/v1/things/7"


def test_a_405_under_a_prefix_names_the_methods() -> None:
    client = serve_creation("/places/{id}/things")
    request = environ("DELETE", "/v1/places/7/things")
    request["SCRIPT_NAME"] = "/prod"

    assert call(client.application, request).header("allow") == "POST"


@pytest.mark.parametrize(
    ("url", "prefix"),
    [
        ("/v1", "/v1"),
        ("/v1/", "/v1"),
        ("/api/v1", "/api/v1"),
        ("/", ""),
        ("https://example.org/v1", "/v1"),
        ("https://example.org", ""),
    ],
)
def test_the_base_path_is_the_path_of_the_first_server(url: str, prefix: str) -> None:
    client = serve_creation("/places/{id}", servers=[{"url": url}, {"url": "https://example.org/elsewhere"}])

    created = client.send("POST", f"{prefix}/places/7")
    rejected = client.send("PUT", f"{prefix}/places/7")

    assert created.header("location") == f"{prefix}/things/7"
    assert rejected.header("allow") == "POST"


def test_a_concrete_segment_wins_over_a_parameter_in_any_order() -> None:
    id_parameters = [parameter("thing_id", "path", ID)]
    client = serve(
        document(
            {
                "/things/{thing_id}": {"parameters": id_parameters, "get": operation("get_thing")},
                "/things/{thing_id}/parts": {"parameters": id_parameters, "get": operation("list_parts")},
                "/things/mine": {"get": operation("get_my_thing")},
            }
        ),
        {
            "get_thing": lambda thing_id: Result({"id": thing_id}),
            "list_parts": lambda thing_id: Result({"parts_of": thing_id}),
            "get_my_thing": lambda: Result({"id": "my own"}),
        },
    )

    assert client.get("/v1/things/mine").json() == {"id": "my own"}
    assert client.get("/v1/things/yours").json() == {"id": "yours"}
    assert client.get("/v1/things/mine/parts").json() == {"parts_of": "mine"}


TEMPLATES = [
    "/things/{id}",
    "/things/mine",
    "/things/{id}/parts",
    "/{kind}/mine/parts",
    "/{kind}/new",
    "/things/{a}-{b}/x",
]


def test_the_order_of_the_paths_in_the_document_does_not_matter() -> None:
    for templates in itertools.permutations(TEMPLATES):
        ensure_all_are_found(templates)


def ensure_all_are_found(templates: Sequence[str]) -> None:
    tree: RouteTree[str] = RouteTree()
    for template in templates:
        tree.add(template, "GET", template)

    def find(path: str) -> tuple[str, Mapping[str, str]] | None:
        match = tree.find(path)
        return (match[0]["GET"], match[1]) if match else None

    assert find("/things/7") == ("/things/{id}", {"id": "7"})
    assert find("/things/mine") == ("/things/mine", {})
    assert find("/things/new") == ("/things/{id}", {"id": "new"})
    assert find("/boards/new") == ("/{kind}/new", {"kind": "boards"})
    assert find("/things/mine/parts") == ("/things/{id}/parts", {"id": "mine"})
    assert find("/boards/mine/parts") == ("/{kind}/mine/parts", {"kind": "boards"})
    assert find("/things/1-2/x") == ("/things/{a}-{b}/x", {"a": "1", "b": "2"})
    for path in (
        "",
        "/",
        "/things",
        "/boards/7",
        "/boards/7/parts",
        "/things//parts",
        "/things/12/x",
        "/things/mine/x",
    ):
        assert find(path) is None
