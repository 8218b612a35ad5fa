"""One line of JSON for each request: what was done, how it went, never with what."""

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.factory import create_app
from aws.deadline import Deadline
from aws.function import Function
from aws.request_records import RequestRecorder, write_to_stdout
from contract.log_lines import LogLineFormatter
from contract.request_context import start_request_context
from kanban.errors import NotFound
from kanban.store import Busy, Store
from stores import open_store
from tests.contract.adapter_twin import build_function
from tests.contract.aws_events import EVENT_BUILDERS, http_api_event, rest_api_event

Ask = Callable[..., dict[str, Any]]
NOW = datetime(2026, 11, 21, 14, tzinfo=UTC)
CANARY = "canary7Xq"
CONTEXT = SimpleNamespace(aws_request_id="8476a536-e9f4-11e8-9739-2dfe598c3fcd")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(f"sqlite:///{tmp_path}/tackboard.db")) as opened:
        yield opened


@pytest.fixture
def lines() -> list[bytes]:
    return []


@pytest.fixture
def ask(store: Store, lines: list[bytes]) -> Ask:
    """Return a function that sends a request and returns the line that was written about it."""
    stopwatch = iter(range(1_000_000))
    records = RequestRecorder("test", lambda: NOW, lambda: next(stopwatch) / 100, lines.append)
    answering = Function(create_app(store, clock=lambda: NOW, open_signup=True), Deadline(), records, dict)

    def send(
        method: str, target: str, body: object = None, shape: Any = http_api_event, **headers: str
    ) -> dict[str, Any]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent["Content-Type"] = "application/json"
        answer = answering(shape(method, target, json.dumps(body) if body is not None else None, sent), CONTEXT)
        line: dict[str, Any] = json.loads(lines[-1])
        return line | {"answered": json.loads(answer.get("body") or "null")}

    return send


def test_a_line_says_who_did_what_where_and_how_it_went(ask: Ask) -> None:
    made = ask("POST", "/v1/users", {"name": "Mina"})["answered"]
    bearer = {"Authorization": f"Bearer {made['token']}"}
    board = ask("POST", "/v1/boards", {"name": "Atelier"}, **bearer)["answered"]
    line = ask("GET", f"/v1/boards/{board['id']}?embed=lists", X_Request_Id="from-the-client", **bearer)

    assert {name: value for name, value in line.items() if name not in ("answered", "_aws")} == {
        "time": "2026-11-21T14:00:00.000+00:00",
        "level": "INFO",
        "message": "request",
        "request_id": "from-the-client",
        "method": "GET",
        "path": f"/v1/boards/{board['id']}",
        "gateway_request_id": "JKJaXmPLvHcESHA=",
        "invocation_id": CONTEXT.aws_request_id,
        "trace_id": "1-5e6722a7-cc56xmpl46db7ae02d4da47e",
        "operation": "get_board",
        "route": "GET /boards/{board_id}",
        "status": 200,
        "ms": 10.0,
        "bytes": len(json.dumps(line["answered"], separators=(",", ":"))),
        "token_id": line["token_id"],
        "address": "192.0.2.1",
        "user_id": made["user"]["id"] if "user" in made else made["id"],
        "board_id": board["id"],
        "auth": "token",
        "cold_start": False,
        "store_calls": 0,
        "retries": 0,
        "Stage": "test",
        "Operation": "get_board",
        "Requests": 1,
        "Latency": 10.0,
    }


def test_a_refusal_has_its_code(ask: Ask) -> None:
    line = ask("GET", "/v1/boards", Authorization="Bearer nobody's")

    assert (line["status"], line["code"], line["level"]) == (401, "unauthenticated", "INFO")


def test_only_the_first_request_is_a_cold_start(ask: Ask) -> None:
    assert [ask("GET", "/v1/health")["cold_start"] for _ in range(3)] == [True, False, False]


@pytest.mark.parametrize("shape", EVENT_BUILDERS.values(), ids=EVENT_BUILDERS)
def test_every_shape_of_event_is_recorded(ask: Ask, shape: Any) -> None:
    line = ask("GET", "/v1/ready", shape=shape)

    assert (line["operation"], line["trace_id"]) == ("get_ready", "1-5e6722a7-cc56xmpl46db7ae02d4da47e")


def test_metrics_are_as_cloudwatch_reads_them(ask: Ask) -> None:
    line = ask("GET", "/v1/health")
    described = line["_aws"]
    (directive,) = described["CloudWatchMetrics"]

    assert described["Timestamp"] == NOW.timestamp() * 1000
    assert directive["Namespace"] == "Tackboard"
    assert directive["Dimensions"] == [["Stage", "Operation"]]
    assert all(isinstance(line[name], str) for name in directive["Dimensions"][0])
    assert {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]} == {
        "Requests": "Count",
        "Latency": "Milliseconds",
    }
    assert all(isinstance(line[metric["Name"]], int | float) for metric in directive["Metrics"])


def measured(line: dict[str, Any]) -> set[str]:
    return {metric["Name"] for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]} - {"Requests", "Latency"}


def test_what_is_rare_is_measured_when_it_happens(ask: Ask) -> None:
    bearer = {"Authorization": f"Bearer {ask('POST', '/v1/users', {'name': 'Mina'})['answered']['token']}"}
    first = ask("POST", "/v1/boards", {"name": "Atelier"}, Idempotency_Key="one", **bearer)
    again = ask("POST", "/v1/boards", {"name": "Atelier"}, Idempotency_Key="one", **bearer)
    board = f"/v1/boards/{first['answered']['id']}"
    stale = ask("PATCH", board, {"name": "Studio"}, If_Match='"1-old"', **bearer)

    assert measured(first) == set()
    assert measured(again) == {"Replays"}
    assert (stale["status"], measured(stale)) == (412, {"Conflicts"})


def test_refusals_are_counted_for_all_operations_together(ask: Ask) -> None:
    line = ask("GET", "/v1/boards")
    *_, refusals = line["_aws"]["CloudWatchMetrics"]

    assert (line["status"], measured(line)) == (401, set())
    assert refusals["Dimensions"] == [["Stage"]]
    assert [(metric["Name"], line[metric["Name"]]) for metric in refusals["Metrics"]] == [("Refusals", 1)]


def test_a_busy_store_is_a_throttle_and_an_error(ask: Ask, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def ready() -> None:
        raise Busy

    monkeypatch.setattr(store, "check_ready", ready)
    line = ask("GET", "/v1/ready")

    assert (line["status"], line["level"]) == (503, "ERROR")
    assert measured(line) == {"Throttles", "ServerErrors"}


PLANTED: list[dict[str, Any]] = [
    {"method": "POST", "target": "/v1/users", "body": {"name": CANARY}},
    {"method": "POST", "target": "/v1/users", "body": {CANARY: CANARY}},
    {"method": "POST", "target": "/v1/users", "body": CANARY},
    {"method": "GET", "target": f"/v1/{CANARY}"},
    {"method": "GET", "target": f"/v1/boards/{CANARY}"},
    {"method": "GET", "target": f"/v1/boards?cursor={CANARY}"},
    {"method": "GET", "target": f"/v1/boards?{CANARY}={CANARY}"},
    {"method": CANARY, "target": "/v1/boards"},
]
HEADERS = ("Authorization", "Cookie", "Accept", "Idempotency-Key", "If-Match", "If-None-Match", "Origin", "Referer")
PLANTED += [{"method": "GET", "target": "/v1/boards", name: CANARY} for name in HEADERS]
PLANTED += [
    {"method": "GET", "target": "/v1/boards", "Authorization": f"Bearer {CANARY}"},
    {"method": "GET", "target": "/v1/boards", "Authorization": f"Bearer tkb_{CANARY}"},
    {"method": "GET", "target": "/v1/boards", "X-Request-Id": f"tkb_{CANARY}"},
    {"method": "GET", "target": "/v1/boards", "X-Amzn-Trace-Id": f"Root=1-5e6722a7-cc56a;{CANARY}"},
    {"method": "GET", "target": "/v1/boards", "User-Agent": CANARY, "X-Forwarded-For": CANARY, "Host": CANARY},
    {"method": "POST", "target": "/v1/users", "body": {"name": "x"}, CANARY: CANARY},
]


@pytest.mark.parametrize("shape", [http_api_event, rest_api_event])
@pytest.mark.parametrize("planted", PLANTED, ids=repr)
def test_what_a_client_sends_is_never_written_down(
    ask: Ask, lines: list[bytes], planted: dict[str, Any], shape: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "tackboard"):
        ask(shape=shape, **planted)

    assert lines
    assert CANARY not in b"".join(lines).decode() + caplog.text


def test_a_token_that_is_shown_is_not_written_down(ask: Ask, lines: list[bytes]) -> None:
    token = ask("POST", "/v1/users", {"name": "Mina"})["answered"]["token"]
    ask("POST", "/v1/users/me/tokens", {"name": "x", "scopes": ["read"]}, Authorization=f"Bearer {token}")

    assert "tkb_" not in b"".join(lines).decode()


# What is logged besides.


@pytest.fixture
def logged() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """Yield a logger as on Lambda, and what it wrote."""
    written = io.StringIO()
    out = logging.StreamHandler(written)
    out.setFormatter(LogLineFormatter())
    logger = logging.getLogger("tackboard.on-lambda")
    logger.addHandler(out)
    yield logger, written
    logger.removeHandler(out)


def test_the_text_of_a_foreign_exception_stays_out(logged: tuple[logging.Logger, io.StringIO]) -> None:
    logger, written = logged
    try:
        int(CANARY)
    except ValueError as error:
        logger.error("A request failed: %r", error, exc_info=error)  # noqa: TRY400 - as the application does.

    line = json.loads(written.getvalue())
    assert CANARY not in written.getvalue()
    assert line["message"] == "A request failed: 'ValueError'"
    assert line["level"] == "ERROR"
    assert line["trace"][0].startswith(__file__)


def test_the_text_of_an_exception_of_ours_is_said(logged: tuple[logging.Logger, io.StringIO]) -> None:
    logger, written = logged
    logger.error("The store is unavailable: %s", NotFound("board"))

    assert json.loads(written.getvalue())["message"] == f"The store is unavailable: {NotFound('board')}"


def test_a_line_is_written_at_once(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    write_to_stdout(b'{"status":200}\n')

    assert capfdbinary.readouterr().out == b'{"status":200}\n'


def test_a_line_bears_the_id_of_its_request(logged: tuple[logging.Logger, io.StringIO]) -> None:
    logger, written = logged
    start_request_context().request_id = "abc"
    logger.warning("Something.")

    assert json.loads(written.getvalue())["request_id"] == "abc"


def test_a_crash_is_told_without_what_was_sent(
    store: Store, lines: list[bytes], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def crash(digest: str) -> None:
        raise RuntimeError(digest + CANARY)

    monkeypatch.setattr(store, "read_token_by_digest", crash)
    out = logging.StreamHandler(sys.stdout)
    out.setFormatter(LogLineFormatter())
    monkeypatch.setattr(logging.getLogger("tackboard"), "handlers", [out])
    bearer = {"Authorization": "Bearer tkb_sBLLj0dhm6gcAqTGfDSwegqmjwczkz2rwUM8"}
    answer = build_function(create_app(store), lines)(http_api_event("GET", "/v1/boards", headers=bearer), None)

    assert answer["statusCode"] == 500
    assert CANARY not in capsys.readouterr().out + b"".join(lines).decode()
