"""Cross-origin requests: an exact list of origins, preflights at the edge, and Vary for caches."""

import pytest

from contract.edge import Edge
from contract.messages import Response
from tests.contract.client import Client
from tests.contract.contract_app import Result, serve
from tests.contract.openapi_documents import document, operation

ORIGIN = "https://board.example.org"
PREFLIGHT = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization, if-match"}

FOREIGN = [
    "https://evil.example.org",
    "https://board.example.org.evil.com",
    "https://board.example.org:8443",
    "http://board.example.org",
    "HTTPS://BOARD.EXAMPLE.ORG",
    "https://board.example.org/",
    "https://xboard.example.org",
    f"{ORIGIN}, {ORIGIN}",
    "null",
    "*",
    "",
]


def thing(*origins: str) -> Client:
    """Serve GET /v1/thing to pages of these origins."""
    openapi_document = document({"/thing": {"get": operation("get_thing")}})
    return serve(openapi_document, {"get_thing": lambda: Result({})}, origins=origins)


def test_a_page_of_an_allowed_origin_may_read_the_response() -> None:
    response = thing(ORIGIN).get("/v1/thing", headers={"Origin": ORIGIN})

    assert response.status == 200
    assert response.header("access-control-allow-origin") == ORIGIN
    exposed = response.header("access-control-expose-headers") or ""
    assert {"ETag", "Location", "Link", "Retry-After", "X-Request-Id"} <= set(exposed.split(", "))
    assert {"Allow", "WWW-Authenticate"} <= set(exposed.split(", "))


@pytest.mark.parametrize("target", ["/v1/nowhere", "/v1/thing?unknown=1", "/%00", "/?" + "a" * 9_000])
def test_a_page_of_an_allowed_origin_may_read_problems(target: str) -> None:
    response = thing(ORIGIN).get(target, headers={"Origin": ORIGIN})

    assert response.status >= 400
    assert response.header("access-control-allow-origin") == ORIGIN


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_page_of_any_other_origin_may_not_read_the_response(origin: str) -> None:
    response = thing(ORIGIN).get("/v1/thing", headers={"Origin": origin})

    assert response.status == 200
    assert response.header("access-control-allow-origin") is None
    assert response.header("access-control-expose-headers") is None


def test_the_response_names_the_origin_of_the_request() -> None:
    client = thing(ORIGIN, "http://localhost:8000")

    allowed = [
        client.get("/v1/thing", headers={"Origin": origin}).header("access-control-allow-origin")
        for origin in (ORIGIN, "http://localhost:8000", "http://localhost:8001")
    ]

    assert allowed == [ORIGIN, "http://localhost:8000", None]


@pytest.mark.parametrize("headers", [{}, {"Origin": ORIGIN}, {"Origin": "https://evil.example.org"}])
def test_the_response_varies_by_origin(headers: dict[str, str]) -> None:
    assert thing(ORIGIN).get("/v1/thing", headers=headers).header("vary") == "Origin"


def test_without_allowed_origins_there_are_no_cors_headers() -> None:
    response = thing().get("/v1/thing", headers={"Origin": ORIGIN})

    assert response.header("vary") is None
    assert response.header("access-control-allow-origin") is None


@pytest.mark.parametrize("target", ["/v1/thing", "/v1/things/of/anyone"])
def test_a_preflight_is_answered_without_a_token(target: str) -> None:
    response = thing(ORIGIN).send("OPTIONS", target, headers={"Origin": ORIGIN, **PREFLIGHT}, token=None)

    assert response.status == 204
    assert response.body == b""
    assert response.header("content-type") is None
    assert response.header("access-control-allow-origin") == ORIGIN
    assert response.header("vary") == "Origin"
    assert "PATCH" in (response.header("access-control-allow-methods") or "").split(", ")
    allowed = (response.header("access-control-allow-headers") or "").lower().split(", ")
    assert {"authorization", "if-match", "if-none-match", "idempotency-key", "content-type"} <= set(allowed)
    assert int(response.header("access-control-max-age") or 0) > 0


@pytest.mark.parametrize(
    "header",
    ["traceparent", "tracestate", "baggage", "sentry-trace", "x-requested-with", "cache-control", "prefer"],
)
def test_headers_that_libraries_add_are_allowed(header: str) -> None:
    requested = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": f"authorization,{header}"}
    client = thing(ORIGIN)

    preflight = client.send("OPTIONS", "/v1/thing", headers={"Origin": ORIGIN, **requested}, token=None)
    response = client.get("/v1/thing", headers={"Origin": ORIGIN, header: "1"})

    assert header in (preflight.header("access-control-allow-headers") or "").lower().split(", ")
    assert response.status == 200


def test_credentials_are_never_allowed() -> None:
    client = thing(ORIGIN)

    for method, more in (("GET", {}), ("OPTIONS", PREFLIGHT)):
        response = client.send(method, "/v1/thing", headers={"Origin": ORIGIN, **more})
        assert response.header("access-control-allow-credentials") is None


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_preflight_from_any_other_origin_allows_nothing(origin: str) -> None:
    response = thing(ORIGIN).send("OPTIONS", "/v1/thing", headers={"Origin": origin, **PREFLIGHT}, token=None)

    assert response.status == 204
    assert not [name for name, _ in response.headers if name.startswith("access-control-")]


def test_a_preflight_allows_nothing_without_allowed_origins() -> None:
    response = thing().send("OPTIONS", "/v1/thing", headers={"Origin": ORIGIN, **PREFLIGHT}, token=None)

    assert not [name for name, _ in response.headers if name.startswith("access-control-")]


def test_options_without_a_requested_method_is_no_preflight() -> None:
    response = thing(ORIGIN).send("OPTIONS", "/v1/thing", headers={"Origin": ORIGIN})

    assert response.problem == (405, "method_not_allowed")


@pytest.mark.parametrize(("headers", "end"), [((), "tracestate, X-Requested-With"), (("X-Own", "b3"), "X-Own, b3")])
def test_a_setting_lets_pages_send_more_headers(headers: tuple[str, ...], end: str) -> None:
    edge = Edge(
        lambda _: Response(200, (), b""), new_request_id=lambda: "made-here", origins=[ORIGIN], cors_headers=headers
    )
    preflight = {"origin": ORIGIN, **{name.lower(): value for name, value in PREFLIGHT.items()}}

    allowed = dict(edge.answer("OPTIONS", "/", "", preflight, None).headers)["access-control-allow-headers"]

    assert allowed.endswith(f", {end}")
    assert {"traceparent", "tracestate", "baggage"} <= set(allowed.split(", "))


def test_other_vary_headers_of_a_response_are_kept() -> None:
    edge = Edge(
        lambda _: Response(200, (("vary", "Accept-Encoding"),), b""),
        new_request_id=lambda: "made-here",
        origins=[ORIGIN],
    )

    response = edge.answer("GET", "/", "", {}, lambda _: b"")

    assert [value for name, value in response.headers if name == "vary"] == ["Accept-Encoding", "Origin"]
