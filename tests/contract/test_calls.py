"""Calls: their idempotency key, their fingerprint, the commit step and dependencies."""

from typing import Any

import pytest

from contract.messages import Response
from contract.operations import Call
from tests.contract.client import Client
from tests.contract.contract_app import Result, serve
from tests.contract.openapi_documents import STRING, document, json_body, operation, parameter

LINE = {**STRING, "x-tackboard-text": "line"}


@pytest.fixture
def client() -> Client:
    """Serve POST /v1/parents/{parent}/things with a key and PUT without one; record (key, fingerprint) of each call."""
    recorded: list[Any] = []

    def commit(call: Call, handle: Any) -> Response:
        recorded.append((call.idempotency_key, call.compute_fingerprint()))
        response: Response = handle()
        return response

    parent = parameter("parent", "path", STRING)
    body = json_body({"type": "object", "properties": {"name": LINE, "n": {"type": "integer"}}}, required=False)
    key = parameter("Idempotency-Key", "header", STRING)
    return serve(
        document(
            {
                "/parents/{parent}/things": {
                    "post": operation("make_thing", parent, key, body=body),
                    "put": operation("put_thing", parent, body=body),
                }
            }
        ),
        {
            "make_thing": lambda parent, body: Result({"parent": parent, "body": body}),
            "put_thing": lambda parent, body: Result({"parent": parent, "body": body}),
        },
        commit=commit,
        recorded=recorded,
    )


def get_key_and_fingerprint(
    client: Client, body: bytes, parent: str = "a", method: str = "POST", key: str | None = "k"
) -> Any:
    """Send a request and return the key and the fingerprint of its call."""
    headers = {"Content-Type": "application/json", **({"Idempotency-Key": key} if key else {})}
    assert client.send(method, f"/v1/parents/{parent}/things", body, headers).status == 200
    return client.recorded[-1]


@pytest.mark.parametrize(
    "body",
    [b'{"name":"x","n":1}', b'{ "n" : 1,\n"name": "x" }', b'{"n":1.0,"name":"\\u0078"}', b'{"name":" x ","n":1}'],
)
def test_equivalent_json_has_the_same_fingerprint(client: Client, body: bytes) -> None:
    assert get_key_and_fingerprint(client, body) == get_key_and_fingerprint(client, b'{"name":"x","n":1}')


def test_another_body_or_path_has_another_fingerprint(client: Client) -> None:
    fingerprints = {
        get_key_and_fingerprint(client, b'{"name":"x"}')[1],
        get_key_and_fingerprint(client, b'{"name":"y"}')[1],
        get_key_and_fingerprint(client, b'{"name":"x","n":1}')[1],
        get_key_and_fingerprint(client, b"{}")[1],
        get_key_and_fingerprint(client, b'{"name":"x"}', parent="b")[1],
    }

    assert len(fingerprints) == 5


def test_a_key_counts_only_where_the_document_names_it(client: Client) -> None:
    assert get_key_and_fingerprint(client, b"{}")[0] == "k"
    assert get_key_and_fingerprint(client, b"{}", key=None)[0] is None
    assert get_key_and_fingerprint(client, b"{}", method="PUT")[0] is None


def test_the_commit_step_may_call_the_function_several_times() -> None:
    calls: list[int] = []

    def get_thing() -> Result:
        calls.append(len(calls))
        return Result({"time": len(calls)})

    def commit(_: Call, handle: Any) -> Response:
        handle()
        response: Response = handle()
        return response

    client = serve(document({"/thing": {"get": operation("get_thing")}}), {"get_thing": get_thing}, commit=commit)

    assert client.get("/v1/thing").json() == {"time": 2}


def test_the_commit_step_gets_the_extensions_of_the_operation() -> None:
    recorded: list[dict[str, Any]] = []

    def commit(call: Call, handle: Any) -> Response:
        recorded.append(call.operation.extensions)
        response: Response = handle()
        return response

    operation_object = {**operation("get_thing"), "x-role": "viewer", "x-scope": "read"}
    client = serve(document({"/thing": {"get": operation_object}}), {"get_thing": lambda: Result({})}, commit=commit)

    client.get("/v1/thing")

    assert recorded == [{"x-role": "viewer", "x-scope": "read"}]


def test_a_dependency_is_built_for_each_call() -> None:
    operation_object = operation("get_thing", parameter("q", "query", STRING))
    client = serve(
        document({"/thing": {"get": operation_object}}),
        {"get_thing": lambda user_id, clock, q=None: Result({"user_id": user_id, "clock": clock, "q": q})},
        dependencies={"user_id": lambda call: call.caller.user_id, "clock": lambda _: 12, "unused": lambda _: 1 / 0},
    )

    assert client.get("/v1/thing?q=x").json() == {"user_id": "usr_1", "clock": 12, "q": "x"}


def test_a_parameter_wins_over_a_dependency_of_the_same_name() -> None:
    operation_object = operation("get_thing", parameter("user_id", "query", STRING))
    client = serve(
        document({"/thing": {"get": operation_object}}),
        {"get_thing": lambda user_id="nobody": Result({"user_id": user_id})},
        dependencies={"user_id": lambda _: "the application's"},
    )

    assert client.get("/v1/thing?user_id=mine").json() == {"user_id": "mine"}


def test_an_error_that_is_no_problem_is_logged_as_it_is_and_becomes_a_500(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> Result:
        raise ZeroDivisionError

    client = serve(document({"/things": {"get": operation("get_things")}}), {"get_things": fail})

    assert client.get("/v1/things").problem == (500, "internal_error")
    (record,) = [record for record in caplog.records if record.exc_info]
    assert record.exc_info
    assert record.exc_info[0] is ZeroDivisionError
