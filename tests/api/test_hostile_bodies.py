"""The cost of a hostile body is limited by its size, whatever is wrong with it.

The bodies are generated from the document, for every operation with a body. `make hostile` measures all of them. These
tests use those of one array or object of each operation, and count the errors that the validator creates, which does
not depend on the machine.
"""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.document import DOCUMENT_PATH
from contract.schemas import Check, Schemas
from contract.strict_json import MAX_DEPTH
from contract.wsgi_application import WsgiApplication
from tests.api.client import BASE, Client
from tests.contract.adapter_twin import build_function
from tests.contract.aws_events import http_api_event
from tests.fuzz.hostile_bodies import Target, build_hostile_bodies, build_valid_body, list_targets, walk_paths

pytestmark = pytest.mark.sweep

BUNDLE: dict[str, Any] = json.loads(DOCUMENT_PATH.read_bytes())
SCHEMAS = Schemas(BUNDLE)
TARGETS = list_targets(BUNDLE)
ORDINARY = [target for target in TARGETS if target.limit < 2**20 and target.media == "application/json"]
IMPORTS = [target for target in TARGETS if target.limit >= 2**20]
TOO_DEEP = f"The body is nested too deeply: arrays and objects may stand inside each other {MAX_DEPTH} deep."

MAX_ERRORS = 2_000
"""The most errors of the validator for one body. Each takes about 5 µs."""
MAX_EXTRA_SECONDS = 0.05
WHOLE_BODY_FILLINGS = {"zeros", "objects of one", "unknown names", "a long text"}
MAX_ROUNDS = 5
"""The most measurements of a body. The shortest one counts, because other processes only add time."""


@pytest.fixture
def error_counts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Record how many errors the validator returns, call by call."""
    counts: list[int] = []
    list_errors = Check.list_errors

    def list_and_count(check: Check, value: object, *, only_first: bool = False) -> list[Any]:
        errors = list_errors(check, value, only_first=only_first)
        counts.append(len(errors))
        return errors

    monkeypatch.setattr(Check, "list_errors", list_and_count)
    return counts


def measure_request(client: Client, target: Target, raw: bytes) -> tuple[int, float]:
    """Send a body and return the status and the CPU seconds of the request."""
    headers = {"Content-Type": target.media, "If-Match": "*"}
    started_at = time.process_time()
    status = client.request(target.method.upper(), target.path, raw=raw, headers=headers).status
    return status, time.process_time() - started_at


def measure_shortest(client: Client, target: Target, raw: bytes, goal: float = 0.0) -> float:
    """Return the shortest CPU time of several such requests, stopping at the first within `goal`."""
    shortest = float("inf")
    for _ in range(MAX_ROUNDS):
        shortest = min(shortest, measure_request(client, target, raw)[1])
        if shortest <= goal:
            break
    return shortest


def select_hostile_bodies(target: Target) -> Iterator[tuple[str, bytes]]:
    """Yield the hostile bodies for the first array of a body, or for the whole body, and those that are no JSON."""
    arrays = [path for path, schema in walk_paths(SCHEMAS, target.schema) if schema.get("type") == "array"]
    pointer = "".join(f"/{step}" for step in arrays[-1]) if arrays else "all"
    for name, raw in build_hostile_bodies(SCHEMAS, target):
        body_pointer, _, filling = name.partition(": ")
        if (body_pointer == pointer and (arrays or filling in WHOLE_BODY_FILLINGS)) or (
            not filling and target is ORDINARY[0]
        ):
            yield name, raw


@pytest.mark.parametrize("target", ORDINARY, ids=str)
def test_no_hostile_body_takes_much_more_time_than_a_valid_one(
    mina: Client, error_counts: list[int], target: Target
) -> None:
    max_seconds = measure_shortest(mina, target, build_valid_body(target)) + MAX_EXTRA_SECONDS

    for name, raw in select_hostile_bodies(target):
        error_counts.clear()
        status, seconds = measure_request(mina, target, raw)

        assert len(raw) <= target.limit
        assert status < 500, name
        assert sum(error_counts) <= MAX_ERRORS, name
        assert seconds <= max_seconds or measure_shortest(mina, target, raw, max_seconds) <= max_seconds, name


@pytest.mark.parametrize("target", IMPORTS, ids=str)
@pytest.mark.parametrize(
    "text",
    [
        b"[" + b",".join([b"0"] * 200_000) + b"]",
        b"[" + b",".join([b"{}"] * 100_000) + b"]",
        b'"' + b"a" * 4_000_000 + b'"',
        b'"' + b" " * 4_000_000 + b'"',
        b"{" + b",".join(b'"%05x":0' % number for number in range(200_000)) + b"}",
    ],
    ids=["zeros", "empty objects", "a long text", "blanks", "unknown names"],
)
def test_no_hostile_import_creates_many_errors(error_counts: list[int], target: Target, text: bytes) -> None:
    check = SCHEMAS.get_check(target.schema, "request")
    filling = json.loads(text)
    total = 0

    for path, _ in walk_paths(SCHEMAS, target.schema):
        if len(path) > 2:
            continue
        error_counts.clear()
        check.find_violations(with_part(target.example, path, filling))

        assert sum(error_counts) <= MAX_ERRORS, path
        total += sum(error_counts)
    # Errors are counted at all.
    assert total > 0


def with_part(example: Any, path: tuple[str | int, ...], filling: object) -> object:
    """Return a copy of the example with another value at a path."""
    if not path:
        return filling
    step, *below = path
    if isinstance(step, int):
        return [with_part(example[0] if example else {}, tuple(below), filling), *example[1:]]
    return {**example, step: with_part(example.get(step), tuple(below), filling)}


def nest_alternately(depth: int) -> bytes:
    """Return arrays and objects nested alternately, `depth` deep."""
    opening, closing = (b"[", b'{"title":'), (b"]", b"}")
    begin = b"".join(opening[level % 2] for level in range(depth))
    return begin + b"0" + b"".join(closing[level % 2] for level in reversed(range(depth)))


NESTED: dict[str, Callable[[int], bytes]] = {
    "arrays": lambda depth: b"[" * depth + b"]" * depth,
    "objects": lambda depth: b'{"a":' * depth + b"0" + b"}" * depth,
    "both": nest_alternately,
}


def by_socket(application: WsgiApplication) -> Callable[[str, bytes], tuple[int, Any]]:
    client = Client(application)

    def send(path: str, raw: bytes) -> tuple[int, Any]:
        response = client.request("POST", path, raw=raw)
        return response.status, response.json

    return send


def by_event(application: WsgiApplication) -> Callable[[str, bytes], tuple[int, Any]]:
    response = build_function(application)

    def send(path: str, raw: bytes) -> tuple[int, Any]:
        received = response(
            http_api_event("POST", BASE + path, raw.decode(), {"Content-Type": "application/json"}), None
        )
        return received["statusCode"], json.loads(received["body"])

    return send


@pytest.mark.parametrize("nested", NESTED.values(), ids=NESTED)
@pytest.mark.parametrize("transport", [by_socket, by_event])
def test_no_depth_of_nesting_is_a_server_error(
    application: WsgiApplication, transport: Any, nested: Callable[[int], bytes]
) -> None:
    send = transport(application)

    for depth in range(1, 2_001):
        # All depths in arrays; else those around the limits of the libraries, and some in between.
        if nested is not NESTED["arrays"] and depth % 20 and not 190 < depth < 260 and not 1_020 < depth < 1_030:
            continue
        status, problem = send("/users", nested(depth))

        assert status == 400, depth
        assert (problem["detail"] == TOO_DEEP) is (depth > MAX_DEPTH), (depth, problem)


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_every_operation_rejects_a_body_that_is_too_deep(mina: Client, target: Target) -> None:
    for depth in (MAX_DEPTH + 1, 254, 255, 256, 900, 1_024, 1_025, 5_000):
        for nested in NESTED.values():
            headers = {"Content-Type": target.media, "If-Match": "*"}
            response = mina.request(target.method.upper(), target.path, raw=nested(depth), headers=headers)

            assert (response.status, response.json["detail"]) == (400, TOO_DEEP)


def test_an_export_at_the_depth_limit_is_imported_once_per_key(mina: Client) -> None:
    example = next(target.example for target in TARGETS if target.operation == "import_trello")
    deep = json.loads(b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1))

    responses = [mina.post("/imports/trello", {**example, "extra": deep}, Idempotency_Key="k1") for _ in range(2)]

    assert [response.status for response in responses] == [201, 201]
    assert responses[1].headers["idempotency-replayed"] == "true"
