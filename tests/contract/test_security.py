"""Authentication: every operation needs a token, except for the public ones."""

from typing import Any

import pytest

from contract.operations import BadDocument, Call
from contract.problems import Problem
from tests.contract.client import TOKEN, Client
from tests.contract.contract_app import Caller, Result, serve
from tests.contract.openapi_documents import STRING, Schema, document, operation, parameter, problems

PUBLIC = frozenset(("get_thing",))
OPTIONAL: list[Schema] = [{"bearer": []}, {}]


def serve_caller(*, public: frozenset[str] = frozenset(), top: Schema | None = None, **operation_fields: Any) -> Client:
    """Serve GET /v1/thing that returns the caller."""
    openapi_document = document({"/thing": {"get": operation("get_thing", **operation_fields)}}, **(top or {}))
    return serve(
        openapi_document,
        {"get_thing": lambda caller: Result({"caller": caller.user_id if caller else None})},
        dependencies={"caller": lambda call: call.caller},
        public_operations=public,
    )


INVALID_TOKENS = {
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


@pytest.mark.parametrize("authorization", INVALID_TOKENS.values(), ids=INVALID_TOKENS)
def test_an_invalid_token_is_a_401_with_a_challenge(authorization: str | None) -> None:
    client = serve_caller()
    headers = {"Authorization": authorization} if authorization is not None else {}

    response = client.get("/v1/thing", headers=headers, token=None)

    assert response.problem == (401, "unauthenticated")
    assert response.header("www-authenticate") == 'Bearer realm="tackboard"'


@pytest.mark.parametrize("authorization", [TOKEN, f"Token {TOKEN}", "Basic dXNlcjpwYXNz", f"Bearer{TOKEN}", ""])
def test_a_missing_scheme_is_explained(authorization: str) -> None:
    response = serve_caller().get("/v1/thing", headers={"Authorization": authorization}, token=None)

    assert "must be the word Bearer" in response.json()["detail"]
    assert TOKEN not in response.body.decode()


def test_an_unknown_token_with_a_scheme_gets_another_message() -> None:
    response = serve_caller().get("/v1/thing", headers={"Authorization": "Bearer unknown"}, token=None)

    assert response.json()["detail"] == "The token is not valid."


@pytest.mark.parametrize("authorization", [f"Bearer {TOKEN}", f"bearer {TOKEN}", f"BEARER   {TOKEN} "])
def test_a_valid_token_identifies_the_caller(authorization: str) -> None:
    response = serve_caller().get("/v1/thing", headers={"Authorization": authorization}, token=None)

    assert response.json() == {"caller": "usr_1"}


def test_the_token_is_checked_before_the_request() -> None:
    client = serve_caller()

    assert client.get("/v1/thing?unknown=1", token=None).status == 401
    assert client.get("/v1/thing?unknown=1", token="bad").status == 401
    assert client.get("/v1/thing?unknown=1").status == 400


def test_an_optional_token_may_be_absent_but_not_invalid() -> None:
    client = serve_caller(public=PUBLIC, security=OPTIONAL)

    assert client.get("/v1/thing", token=None).json() == {"caller": None}
    assert client.get("/v1/thing").json() == {"caller": "usr_1"}
    assert client.get("/v1/thing", token="bad").problem == (401, "unauthenticated")
    assert client.get("/v1/thing", headers={"Authorization": "Basic x"}, token=None).status == 401


def test_an_operation_without_security_ignores_tokens() -> None:
    client = serve_caller(public=PUBLIC, security=[])

    assert client.get("/v1/thing", token=None).json() == {"caller": None}
    assert client.get("/v1/thing", token="bad").json() == {"caller": None}


@pytest.mark.parametrize(
    ("top", "operation_fields"),
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
def test_an_unsecured_operation_that_is_not_public_stops_the_start(top: Schema, operation_fields: Schema) -> None:
    with pytest.raises(BadDocument, match="Operation get_thing can be called without a token"):
        serve_caller(top=top, **operation_fields)

    assert serve_caller(public=PUBLIC, top=top, **operation_fields).get("/v1/thing", token=None).status == 200


def test_a_document_without_global_security_stops_the_start() -> None:
    openapi_document = document({"/thing": {"get": operation("get_thing")}})
    del openapi_document["security"]

    with pytest.raises(BadDocument, match="Operation get_thing can be called without a token"):
        serve(openapi_document, {"get_thing": lambda: Result({})})


def test_a_public_operation_may_require_a_token() -> None:
    assert serve_caller(public=PUBLIC).get("/v1/thing", token=None).status == 401


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
    openapi_document = document({"/thing": {"get": operation("get_thing")}})
    openapi_document["components"]["securitySchemes"] = schemes

    with pytest.raises(BadDocument, match=r"Operation get_thing .*'bearer'"):
        serve(openapi_document, {"get_thing": lambda: Result({})}, public_operations=public)


@pytest.mark.parametrize(
    ("security", "reason"),
    [
        ([{"bearer": []}, {"key": []}], "asks for 'key', which is no scheme for bearer tokens"),
        ([{"bearer": [], "key": []}], "asks for 'bearer' and for more"),
        ([{"bearer": [], "second": []}], "asks for 'bearer' and for more"),
        ([{"bearer": ["admin"]}], "asks for 'bearer' and for more"),
        ([{}, {"bearer": []}], "must name {} last"),
    ],
    ids=["an unknown alternative", "an unknown scheme too", "two schemes at once", "a scope", "nothing first"],
)
def test_an_unsupported_security_requirement_stops_the_start(security: list[Schema], reason: str) -> None:
    openapi_document = document({"/thing": {"get": operation("get_thing", security=security)}})
    openapi_document["components"]["securitySchemes"]["second"] = {"type": "http", "scheme": "bearer"}

    with pytest.raises(BadDocument, match=f"Operation get_thing {reason}"):
        serve(openapi_document, {"get_thing": lambda: Result({})}, public_operations=PUBLIC)


def test_a_second_scheme_of_bearer_tokens_is_an_alternative() -> None:
    openapi_document = document({"/thing": {"get": operation("get_thing", security=[{"bearer": []}, {"second": []}])}})
    openapi_document["components"]["securitySchemes"]["second"] = {"type": "http", "scheme": "Bearer"}

    client = serve(openapi_document, {"get_thing": lambda: Result({})})

    assert client.get("/v1/thing").status == 200
    assert client.get("/v1/thing", token="bad").status == 401
    assert client.get("/v1/thing", token=None).status == 401


def test_a_domain_error_of_authenticate_becomes_its_problem() -> None:
    def authenticate(*_: object) -> Caller:
        raise TimeoutError

    operation_object = operation("get_thing", responses={"200": {"description": "Fine."}, **problems(401, 503)})
    client = serve(
        document({"/thing": {"get": operation_object}}),
        {"get_thing": lambda: Result(None)},
        authenticate=authenticate,
        to_problem=lambda error: Problem(503, "busy", "Wait.") if isinstance(error, TimeoutError) else None,
    )

    assert client.get("/v1/thing").problem == (503, "busy")
    assert client.get("/v1/thing", token=None).status == 401


def test_an_unknown_error_of_authenticate_is_a_500() -> None:
    def authenticate(*_: object) -> Caller:
        raise ZeroDivisionError

    client = serve(
        document({"/thing": {"get": operation("get_thing")}}),
        {"get_thing": lambda: Result({})},
        authenticate=authenticate,
    )

    assert client.get("/v1/thing").problem == (500, "internal_error")


def test_the_commit_step_may_reject_a_call_before_the_function_is_called() -> None:
    calls: list[str] = []

    def commit(call: Call, handle: Any) -> Any:
        del handle
        raise Problem(403, "forbidden", f"{call.caller.user_id} may not {call.operation.id}.")

    client = serve(
        document({"/thing": {"get": operation("get_thing", parameter("q", "query", STRING))}}),
        {"get_thing": lambda q=None: calls.append(q)},
        commit=commit,
    )

    response = client.get("/v1/thing")

    assert response.problem == (403, "forbidden")
    assert response.json()["detail"] == "usr_1 may not get_thing."
    assert calls == []
