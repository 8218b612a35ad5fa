"""Calls: their idempotency key, their fingerprint, the commit step and dependencies."""

from typing import Any

import pytest

from contract.operations import Call
from contract.responses import Response
from tests.contract.client import Client
from tests.contract.contract_app import Result, serve
from tests.contract.openapi_documents import STRING, document, json_body, operation, parameter

LINE = {**STRING, "x-tackboard-text": "line"}


@pytest.fixture
def client() -> Client:
    """Serve POST /v1/places/{place}/things with a key and PUT without one; record (key, fingerprint) of each call."""
    seen: list[Any] = []

    def settle(call: Call, answer: Any) -> Response:
        seen.append((call.idempotency_key, call.compute_fingerprint()))
        response: Response = answer()
        return response

    place = parameter("place", "path", STRING)
    body = json_body({"type": "object", "properties": {"name": LINE, "n": {"type": "integer"}}}, required=False)
    key = parameter("Idempotency-Key", "header", STRING)
    return serve(
        document(
            {
                "/places/{place}/things": {
                    "post": operation("make_thing", place, key, body=body),
                    "put": operation("put_thing", place, body=body),
                }
            }
        ),
        {
            "make_thing": lambda place, body: Result({"place": place, "body": body}),
            "put_thing": lambda place, body: Result({"place": place, "body": body}),
        },
        commit=settle,
        seen=seen,
    )


def asked(client: Client, body: bytes, place: str = "a", method: str = "POST", key: str | None = "k") -> Any:
    """Send a request and return the key and the fingerprint of its call."""
    headers = {"Content-Type": "application/json", **({"Idempotency-Key": key} if key else {})}
    assert client.send(method, f"/v1/places/{place}/things", body, headers).status == 200
    return client.received[-1]


@pytest.mark.parametrize(
    "body",
    [b'{"name":"x","n":1}', b'{ "n" : 1,\n"name": "x" }', b'{"n":1.0,"name":"\\u0078"}', b'{"name":" x ","n":1}'],
)
def test_equivalent_json_has_the_same_fingerprint(client: Client, body: bytes) -> None:
    assert asked(client, body) == asked(client, b'{"name":"x","n":1}')


def test_another_body_or_path_has_another_fingerprint(client: Client) -> None:
    fingerprints = {
        asked(client, b'{"name":"x"}')[1],
        asked(client, b'{"name":"y"}')[1],
        asked(client, b'{"name":"x","n":1}')[1],
        asked(client, b"{}")[1],
        asked(client, b'{"name":"x"}', place="b")[1],
    }

    assert len(fingerprints) == 5


def test_a_key_counts_only_where_the_document_names_it(client: Client) -> None:
    assert asked(client, b"{}")[0] == "k"
    assert asked(client, b"{}", key=None)[0] is None
    assert asked(client, b"{}", method="PUT")[0] is None


def test_the_commit_step_may_call_the_function_several_times() -> None:
    times: list[int] = []

    def get_thing() -> Result:
        times.append(len(times))
        return Result({"time": len(times)})

    def settle(_: Call, answer: Any) -> Response:
        answer()
        response: Response = answer()
        return response

    client = serve(document({"/thing": {"get": operation("get_thing")}}), {"get_thing": get_thing}, commit=settle)

    assert client.get("/v1/thing").json() == {"time": 2}


def test_the_commit_step_gets_the_extensions_of_the_operation() -> None:
    seen: list[dict[str, Any]] = []

    def settle(call: Call, answer: Any) -> Response:
        seen.append(call.operation.extensions)
        response: Response = answer()
        return response

    described = {**operation("get_thing"), "x-role": "viewer", "x-scope": "read"}
    client = serve(document({"/thing": {"get": described}}), {"get_thing": lambda: Result({})}, commit=settle)

    client.get("/v1/thing")

    assert seen == [{"x-role": "viewer", "x-scope": "read"}]


def test_a_dependency_is_built_for_each_call() -> None:
    described = operation("get_thing", parameter("q", "query", STRING))
    client = serve(
        document({"/thing": {"get": described}}),
        {"get_thing": lambda who, clock, q=None: Result({"who": who, "clock": clock, "q": q})},
        dependencies={"who": lambda call: call.caller.user_id, "clock": lambda _: 12, "unused": lambda _: 1 / 0},
    )

    assert client.get("/v1/thing?q=x").json() == {"who": "usr_1", "clock": 12, "q": "x"}


def test_a_parameter_wins_over_a_dependency_of_the_same_name() -> None:
    described = operation("get_thing", parameter("who", "query", STRING))
    client = serve(
        document({"/thing": {"get": described}}),
        {"get_thing": lambda who="nobody": Result({"who": who})},
        dependencies={"who": lambda _: "the application's"},
    )

    assert client.get("/v1/thing?who=mine").json() == {"who": "mine"}
