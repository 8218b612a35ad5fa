"""The request log: one line for each request, under any WSGI server, without client input."""

import json
import logging
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from contract.log_lines import (
    FORMATTERS,
    LEVELS,
    LogLine,
    LogLineFormatter,
    build_stderr_writer,
    format_as_json,
    format_as_text,
)
from contract.messages import Response
from contract.request_context import RequestContext
from contract.request_log import RequestLog, RequestTimes
from contract.wsgi_application import WsgiApplication
from kanban.store import Store
from tests.api.client import Client
from tests.api.test_socket import build_client
from tests.aws.test_request_records import CANARY, PLANTED
from tests.contract.client import call, environ
from tests.live_server import ROOT, LiveServer

NOW = datetime(2026, 11, 29, 14, tzinfo=UTC)


@pytest.fixture
def lines() -> list[LogLine]:
    return []


@pytest.fixture
def request_log(application: WsgiApplication, lines: list[LogLine]) -> RequestLog:
    stopwatch = iter(range(1_000_000))
    return RequestLog(application, lambda: NOW, lambda: next(stopwatch) / 100, lines.append)


@pytest.fixture
def anonymous(request_log: RequestLog) -> Client:
    return Client(request_log)


def test_a_line_has_user_operation_board_and_status(
    request_log: RequestLog, mina: Client, lines: list[LogLine]
) -> None:
    board = mina.post("/boards", {"name": "Atelier"}).json["id"]
    headers = {"Authorization": f"Bearer {mina.token}", "X-Request-Id": "from-the-client"}
    request = environ("GET", f"/v1/boards/{board}?embed=lists", headers=headers)

    response = call(request_log, request | {"REMOTE_ADDR": "203.0.113.7", "HTTP_X_FORWARDED_FOR": "198.51.100.1"})

    assert lines[-1] == {
        "time": "2026-11-29T14:00:00.000+00:00",
        "level": "INFO",
        "message": "request",
        "request_id": "from-the-client",
        "method": "GET",
        "path": f"/v1/boards/{board}",
        "operation": "get_board",
        "route": "GET /boards/{board_id}",
        "status": 200,
        "ms": 10.0,
        "bytes": len(response.body),
        "user_id": "mina",
        "token_id": lines[-1]["token_id"],
        "board_id": board,
        "auth": "token",
        "address": "203.0.113.7",
        "retries": 0,
        "store_calls": 0,
        "store_ms": 0.0,
    }
    assert re.fullmatch(r"tok_[0-9a-z]{26}", lines[-1]["token_id"])


def test_a_problem_has_its_code_and_a_static_file_its_path(
    anonymous: Client, request_log: RequestLog, lines: list[LogLine]
) -> None:
    anonymous.get("/boards")
    for path in ("/", "/docs/", "/openapi.json", "/nowhere"):
        call(request_log, environ("GET", path))

    assert [(line["status"], line.get("code"), line.get("path")) for line in lines] == [
        (401, "unauthenticated", "/v1/boards"),
        (200, None, "/"),
        (200, None, "/docs/"),
        (200, None, "/openapi.json"),
        (404, "not_found", None),
    ]


def test_the_id_of_a_user_stays_out_of_the_path(mina: Client, lines: list[LogLine]) -> None:
    board = mina.post("/boards", {"name": "Atelier"}).json["id"]
    mina.get(f"/boards/{board}/members/mina")

    assert lines[-1]["path"] == f"/v1/boards/{board}/members/{{user_id}}"


@pytest.mark.parametrize("planted", PLANTED, ids=repr)
def test_the_log_never_contains_client_input(
    request_log: RequestLog, lines: list[LogLine], planted: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    sent = dict(planted)
    body = json.dumps(sent.pop("body")).encode() if "body" in sent else None
    headers = {"Content-Type": "application/json"}
    with caplog.at_level(logging.DEBUG, "tackboard"):
        method, target = sent.pop("method"), sent.pop("target")
        call(request_log, environ(method, target, body, headers | sent) | {"REMOTE_ADDR": CANARY})

    (line,) = lines
    assert CANARY not in format_as_json(line) + format_as_text(line) + caplog.text


def test_the_log_never_contains_a_new_token(mina: Client, lines: list[LogLine]) -> None:
    mina.post("/users/me/tokens", {"name": CANARY, "scopes": ["read"]})

    written = "".join(format_as_json(line) + format_as_text(line) for line in lines)
    assert "tkb_" not in written
    assert CANARY not in written


@pytest.fixture
def log() -> Iterator[StringIO]:
    """Return the text of everything else that the application logs."""
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(LogLineFormatter(format_as_text))
    logger = logging.getLogger("tackboard")
    logger.addHandler(handler)
    yield written
    logger.removeHandler(handler)


def test_a_traceback_has_the_request_id_of_the_response(
    mina: Client, store: Store, lines: list[LogLine], log: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object, **__: object) -> None:
        raise RuntimeError(CANARY)

    monkeypatch.setattr(store, "page_boards", crash)
    failed = mina.get("/boards")

    request_id = failed.headers["x-request-id"]
    assert failed.status == 500
    assert (lines[-1]["level"], lines[-1]["request_id"], lines[-1]["code"]) == ("ERROR", request_id, "internal_error")
    head, *frames = log.getvalue().splitlines()
    assert head.endswith(f"ERROR tackboard: A request failed: 'RuntimeError' request_id={request_id}")
    assert frames[-1].endswith(" crash")
    assert CANARY not in log.getvalue()


def test_an_uncaught_exception_is_answered_and_logged(lines: list[LogLine], log: StringIO) -> None:
    def crash(*_: object) -> Any:
        raise RuntimeError(CANARY)

    response = call(RequestLog(crash, lambda: NOW, lambda: 0.0, lines.append), environ("GET", "/v1/health"))

    assert response.problem == (500, "internal_error")
    assert (lines[0]["status"], lines[0]["code"]) == (500, "internal_error")
    assert "A request failed: RuntimeError" in log.getvalue()
    assert CANARY not in log.getvalue()


def test_a_line_can_be_formatted_as_text(anonymous: Client, lines: list[LogLine]) -> None:
    anonymous.get("/boards", X_Request_Id="abc")

    size = lines[0]["bytes"]
    assert format_as_text(lines[0]) == (
        f"2026-11-29T14:00:00.000+00:00 INFO  GET /v1/boards 401 10.0 ms {size} B"
        " request_id=abc operation=list_boards route=GET /boards code=unauthenticated retries=0"
        " store_calls=0 store_ms=0.0"
    )


# Slow and blocked requests


def write_line(
    lines: list[LogLine], times: RequestTimes, seconds: Mapping[str, float] = {}, *, level: str = "info"
) -> None:
    """Write the line of a request that took these times, of which one second is slow."""
    context = RequestContext()
    for name, value in seconds.items():
        setattr(context, name, value)
    log = RequestLog(lambda *_: [], lambda: NOW, lambda: 0.0, lines.append, levels=LEVELS[level], slow_seconds=1.0)
    log.log_response(context, Response(200, (), b""), method="GET", times=times, size=0)


@pytest.mark.parametrize(
    ("times", "seconds", "part"),
    [
        (RequestTimes(0.2, 0.9), {"store_seconds": 0.1}, "queue"),
        (RequestTimes(1.2, 0.1), {"store_seconds": 0.2, "turn_seconds": 0.9}, "turn"),
        (RequestTimes(1.2, 0.1), {"store_seconds": 0.2, "pause_seconds": 0.9}, "pause"),
        (RequestTimes(1.2, 0.1), {"store_seconds": 1.1, "lock_seconds": 0.9}, "lock"),
        (RequestTimes(1.2, 0.1), {"store_seconds": 1.0, "lock_seconds": 0.1}, "store"),
        (RequestTimes(1.2, 0.1), {"store_seconds": 0.2, "turn_seconds": 0.2}, "other"),
    ],
)
def test_the_line_of_a_slow_request_says_where_the_time_went(
    lines: list[LogLine], times: RequestTimes, seconds: dict[str, float], part: str
) -> None:
    write_line(lines, times, seconds)

    assert (lines[0]["level"], lines[0]["slow"]) == ("WARNING", part)


@pytest.mark.parametrize("times", [RequestTimes(0.5, 0.4), RequestTimes(3.0, 0.0, held_seconds=60.0)])
def test_a_quick_request_and_one_that_is_held_are_not_slow(lines: list[LogLine], times: RequestTimes) -> None:
    write_line(lines, times)

    assert lines[0]["level"] == "INFO"
    assert "slow" not in lines[0]


def test_only_waits_that_took_time_have_fields(lines: list[LogLine]) -> None:
    write_line(lines, RequestTimes(0.2, 0.0), {"store_seconds": 0.1, "lock_seconds": 0.0009, "turn_seconds": 0.05})

    assert (lines[0]["store_ms"], lines[0]["turn_ms"]) == (100.0, 50.0)
    assert "lock_ms" not in lines[0]
    assert "pause_ms" not in lines[0]


def test_lines_below_the_level_are_left_out(lines: list[LogLine]) -> None:
    for level in ("info", "warning", "error"):
        write_line(lines, RequestTimes(0.2, 0.0), level=level)
        write_line(lines, RequestTimes(1.2, 0.0), level=level)

    assert [line["level"] for line in lines] == ["INFO", "WARNING", "WARNING"]


def test_a_write_that_waits_for_another_process_says_so_in_the_log(tmp_path: Path) -> None:
    with LiveServer(tmp_path, LOG_LEVEL="warning", SLOW_REQUEST_MS="100") as server:
        client = build_client(server)
        with closing(sqlite3.connect(tmp_path / "tackboard.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert client.post("/boards", {"name": "Atelier"}).status == 503
        (line,) = server.log

    assert (line["level"], line["code"], line["slow"]) == ("ERROR", "busy", "lock")
    assert 4_900 < line["lock_ms"] <= line["store_ms"] <= line["ms"]
    assert line["store_calls"] > 1


# Destinations of the log


def test_a_closed_log_stops_no_request(application: WsgiApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    with closing(os.fdopen(writing, "w")) as closed_stream:
        monkeypatch.setattr(sys, "stderr", closed_stream)
        anonymous = Client(RequestLog(application, lambda: NOW, lambda: 0.0, build_stderr_writer(format_as_json)))
        os.close(reading)

        assert [anonymous.get("/health").status for _ in range(3)] == [200] * 3

    monkeypatch.setattr(sys, "stderr", None)
    build_stderr_writer(format_as_json)({})


def test_the_server_logs_each_request_and_each_malformed_one(tmp_path: Path) -> None:
    with LiveServer(tmp_path) as server:
        for sent in (b"GET /v1/health HTTP/1.1", b"GET /v1/x HTTP/1.1", b"GET /v1/x HTTP/9", b"\x16\x03\x01"):
            with socket.create_connection(server.host_and_port, timeout=30) as connection:
                connection.sendall(sent + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
                while connection.recv(65_536):
                    pass
        # A line is written before its response is sent.
        lines = server.log

    assert [(line["status"], line.get("operation"), line["address"]) for line in lines] == [
        (200, "get_health", "127.0.0.1"),
        (404, None, "127.0.0.1"),
        (400, None, "127.0.0.1"),
        (400, None, "127.0.0.1"),
    ]
    assert all(re.fullmatch("[0-9a-f]{32}", line["request_id"]) for line in lines)


def test_a_server_with_a_closed_log_serves_and_stops_cleanly(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    environment = os.environ | {"PORT": "0", "HOST": "127.0.0.1", "STORE_URL": f"sqlite:///{tmp_path}/tackboard.db"}
    command = [sys.executable, "-m", "cli", "run"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=writing, text=True
    ) as process:
        os.close(writing)
        os.close(reading)
        assert process.stdout
        address = next(match for line in process.stdout if (match := re.search(r"127\.0\.0\.1:(\d+)", line)))
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", int(address[1])), timeout=30) as connection:
                connection.sendall(b"GET /v1/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


@pytest.mark.parametrize("written", FORMATTERS.values(), ids=FORMATTERS)
def test_every_line_is_a_single_line(
    written: Callable[[LogLine], str], anonymous: Client, lines: list[LogLine]
) -> None:
    anonymous.get("/boards/%0a%0d", X_Request_Id="a\nb")

    assert "\n" not in written(lines[0])
