"""Authentication: every operation needs a token, except for the public ones."""

from typing import Any

import pytest

from contract.bridge import Exchange, WsgiBridge, build_scope, run_synchronously
from contract.operations import BadDocument, Call
from contract.problems import Problem
from tests.contract.client import TOKEN, Client, environ
from tests.contract.contract_app import Caller, Result, serve
from tests.contract.openapi_documents import STRING, Schema, document, operation, parameter, problems

PUBLIC = frozenset(("get_thing",))
OPTIONAL: list[Schema] = [{"bearer": []}, {}]


def asking(*, public: frozenset[str] = frozenset(), top: Schema | None = None, **described: Any) -> Client:
    """Serve GET /v1/thing that returns the caller."""
    made = document({"/thing": {"get": operation("get_thing", **described)}}, **(top or {}))
    return serve(
        made,
        {"get_thing": lambda caller: Result({"caller": caller.user_id if caller else None})},
        dependencies={"caller": lambda call: call.caller},
        public_operations=public,
    )


REFUSED = {
    "none": None,
    "empty": "",
    "the scheme alone": "Bearer",
    "an empty token": "Bearer ",
    "Basic": "Basic dXNlcjpwYXNz",
    "the token alone": TOKEN,
    "an unknown token": "Bearer unknown",
    "two tokens": f"Bearer {TOKEN} {TOKEN}",
    "two tokens with a comma": f"Bearer {TOKEN}, Bearer {TOKEN}",
    "another scheme": f"Token {TOKEN}",
    "not ASCII": "Bearer \xfc\xff",
    "the wrong case": f"Bearer {TOKEN.upper()}",
    "very long": "Bearer " + "x" * 8_000,
}


@pytest.mark.parametrize("authorization", REFUSED.values(), ids=REFUSED)
def test_an_invalid_token_is_a_401_with_a_challenge(authorization: str | None) -> None:
    client = asking()
    headers = {"Authorization": authorization} if authorization is not None else {}

    received = client.get("/v1/thing", headers=headers, token=None)

    assert received.problem == (401, "unauthenticated")
    assert received.header("www-authenticate") == 'Bearer realm="tackboard"'


def test_an_asgi_server_need_not_send_extensions() -> None:
    """https://asgi.readthedocs.io/en/latest/extensions.html: the key is optional."""
    scope = {name: value for name, value in build_scope(environ("GET", "/v1/thing")).items() if name != "extensions"}
    exchange, application = Exchange(lambda _: b""), asking().application
    assert isinstance(application, WsgiBridge)

    run_synchronously(application.asgi(scope, exchange.receive, exchange.send))

    assert exchange.status == 401


@pytest.mark.parametrize("authorization", [TOKEN, f"Token {TOKEN}", "Basic dXNlcjpwYXNz", f"Bearer{TOKEN}", ""])
def test_a_missing_scheme_is_explained(authorization: str) -> None:
    received = asking().get("/v1/thing", headers={"Authorization": authorization}, token=None)

    assert "must be the word Bearer" in received.json()["detail"]
    assert TOKEN not in received.body.decode()


def test_an_unknown_token_with_a_scheme_gets_another_message() -> None:
    received = asking().get("/v1/thing", headers={"Authorization": "Bearer unknown"}, token=None)

    assert received.json()["detail"] == "The token is not valid."


@pytest.mark.parametrize("authorization", [f"Bearer {TOKEN}", f"bearer {TOKEN}", f"BEARER   {TOKEN} "])
def test_a_valid_token_identifies_the_caller(authorization: str) -> None:
    received = asking().get("/v1/thing", headers={"Authorization": authorization}, token=None)

    assert received.json() == {"caller": "usr_1"}


def test_the_token_is_checked_before_the_request() -> None:
    client = asking()

    assert client.get("/v1/thing?unknown=1", token=None).status == 401
    assert client.get("/v1/thing?unknown=1", token="bad").status == 401
    assert client.get("/v1/thing?unknown=1").status == 400


def test_an_optional_token_may_be_absent_but_not_invalid() -> None:
    client = asking(public=PUBLIC, security=OPTIONAL)

    assert client.get("/v1/thing", token=None).json() == {"caller": None}
    assert client.get("/v1/thing").json() == {"caller": "usr_1"}
    assert client.get("/v1/thing", token="bad").problem == (401, "unauthenticated")
    assert client.get("/v1/thing", headers={"Authorization": "Basic x"}, token=None).status == 401


def test_an_operation_without_security_ignores_tokens() -> None:
    client = asking(public=PUBLIC, security=[])

    assert client.get("/v1/thing", token=None).json() == {"caller": None}
    assert client.get("/v1/thing", token="bad").json() == {"caller": None}


@pytest.mark.parametrize(
    ("top", "described"),
    [
        ({"security": []}, {}),
        ({"security": [{}]}, {}),
        ({"security": OPTIONAL}, {}),
        ({}, {"security": []}),
        ({}, {"security": [{}]}),
        ({}, {"security": OPTIONAL}),
    ],
    ids=["global none", "global empty", "global optional", "none", "empty", "optional"],
)
def test_an_unsecured_operation_that_is_not_public_stops_the_start(top: Schema, described: Schema) -> None:
    with pytest.raises(BadDocument, match="Operation get_thing can be called without a token"):
        asking(top=top, **described)

    assert asking(public=PUBLIC, top=top, **described).get("/v1/thing", token=None).status == 200


def test_a_document_without_global_security_stops_the_start() -> None:
    described = document({"/thing": {"get": operation("get_thing")}})
    del described["security"]

    with pytest.raises(BadDocument, match="Operation get_thing can be called without a token"):
        serve(described, {"get_thing": lambda: Result({})})


def test_a_public_operation_may_require_a_token() -> None:
    assert asking(public=PUBLIC).get("/v1/thing", token=None).status == 401


@pytest.mark.parametrize(
    "schemes",
    [
        {},
        {"other": {"type": "http", "scheme": "bearer"}},
        {"bearer": {"type": "http", "scheme": "basic"}},
        {"bearer": {"type": "apiKey", "in": "header", "name": "X-Key"}},
        {"bearer": {"type": "openIdConnect", "openIdConnectUrl": "https://example.org"}},
    ],
    ids=["no scheme", "another name", "basic", "api key", "OpenID Connect"],
)
@pytest.mark.parametrize("public", [PUBLIC, frozenset[str]()], ids=["public", "not public"])
def test_an_unsupported_security_scheme_stops_the_start(schemes: Schema, public: frozenset[str]) -> None:
    described = document({"/thing": {"get": operation("get_thing")}})
    described["components"]["securitySchemes"] = schemes

    with pytest.raises(BadDocument, match=r"Operation get_thing .*'bearer'"):
        serve(described, {"get_thing": lambda: Result({})}, public_operations=public)


@pytest.mark.parametrize(
    ("security", "why"),
    [
        ([{"bearer": []}, {"key": []}], "asks for 'key', which is no scheme for bearer tokens"),
        ([{"bearer": [], "key": []}], "asks for 'bearer' and for more"),
        ([{"bearer": [], "second": []}], "asks for 'bearer' and for more"),
        ([{"bearer": ["admin"]}], "asks for 'bearer' and for more"),
        ([{}, {"bearer": []}], "must name {} last"),
    ],
    ids=["an unknown alternative", "an unknown scheme too", "two schemes at once", "a scope", "nothing first"],
)
def test_an_unsupported_security_requirement_stops_the_start(security: list[Schema], why: str) -> None:
    described = document({"/thing": {"get": operation("get_thing", security=security)}})
    described["components"]["securitySchemes"]["second"] = {"type": "http", "scheme": "bearer"}

    with pytest.raises(BadDocument, match=f"Operation get_thing {why}"):
        serve(described, {"get_thing": lambda: Result({})}, public_operations=PUBLIC)


def test_a_second_scheme_of_bearer_tokens_is_an_alternative() -> None:
    described = document({"/thing": {"get": operation("get_thing", security=[{"bearer": []}, {"second": []}])}})
    described["components"]["securitySchemes"]["second"] = {"type": "http", "scheme": "Bearer"}

    client = serve(described, {"get_thing": lambda: Result({})})

    assert client.get("/v1/thing").status == 200
    assert client.get("/v1/thing", token="bad").status == 401
    assert client.get("/v1/thing", token=None).status == 401


def test_a_domain_error_of_authenticate_becomes_its_problem() -> None:
    def authenticate(_: str) -> Caller:
        raise TimeoutError

    described = operation("get_thing", responses={"200": {"description": "Fine."}, **problems(401, 503)})
    client = serve(
        document({"/thing": {"get": described}}),
        {"get_thing": lambda: Result(None)},
        authenticate=authenticate,
        to_problem=lambda error: Problem(503, "busy", "Wait.") if isinstance(error, TimeoutError) else None,
    )

    assert client.get("/v1/thing").problem == (503, "busy")
    assert client.get("/v1/thing", token=None).status == 401


def test_an_unknown_error_of_authenticate_is_a_500() -> None:
    def authenticate(_: str) -> Caller:
        raise ZeroDivisionError

    client = serve(
        document({"/thing": {"get": operation("get_thing")}}),
        {"get_thing": lambda: Result({})},
        authenticate=authenticate,
    )

    assert client.get("/v1/thing").problem == (500, "internal_error")


def test_the_commit_step_may_reject_a_call_before_the_function_is_called() -> None:
    called: list[str] = []

    def settle(call: Call, answer: Any) -> Any:
        del answer
        raise Problem(403, "forbidden", f"{call.caller.user_id} may not {call.operation.id}.")

    client = serve(
        document({"/thing": {"get": operation("get_thing", parameter("q", "query", STRING))}}),
        {"get_thing": lambda q=None: called.append(q)},
        commit=settle,
    )

    received = client.get("/v1/thing")

    assert received.problem == (403, "forbidden")
    assert received.json()["detail"] == "usr_1 may not get_thing."
    assert called == []
