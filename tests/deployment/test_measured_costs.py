"""What the bill in docs/deploy.md says of one request is what the requests of a team consume here.

The page of a team polls the feed of events, and moves cards. The board has three lists, and the card a due date.
"""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from app.factory import create_app
from aws.deadline import Deadline
from aws.function import Function
from aws.request_records import RequestRecorder
from infrastructure.deployment.package_build import ROOT
from stores import open_store
from tests.contract.aws_events import http_api_event
from tests.deployment.test_costs import PAGE
from tests.engines.dynamodb_meter import Units, run_meter
from tests.engines.dynamodb_server import create_table_url

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)

LOG_OVERHEAD_BYTES = 26
"""What CloudWatch counts for each line besides its text."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one request consumes."""

    units: Units
    log_bytes: int


@pytest.fixture(scope="module")
def costs(dynoxide: str) -> Iterator[dict[str, Cost]]:
    """Measure a read and a write."""
    with run_meter(dynoxide) as meter, closing(open_store(create_table_url(meter.address))) as store:
        lines: list[str] = []
        recorder = RequestRecorder("prod", lambda: NOON, lambda: 0.0, lines.append)
        application = create_app(store, clock=lambda: NOON, open_signup=True)
        function = Function(application, Deadline(), recorder, dict)
        context = SimpleNamespace(aws_request_id="8476a536-e9f4-11e8-9739-2dfe598c3fcd")
        headers = {"Content-Type": "application/json"}

        def send(method: str, path: str, body: object = None, **more: str) -> Any:
            sent = headers | {name.replace("_", "-"): value for name, value in more.items()}
            text = None if body is None else json.dumps(body)
            response = function(http_api_event(method, f"/v1{path}", text, sent), context)
            assert response["statusCode"] < 300, response["body"]
            return json.loads(response["body"])

        def measure(method: str, path: str, body: object = None, **more: str) -> Cost:
            meter.units = Units()
            send(method, path, body, **more)
            line = len(lines[-1].encode()) + len(access_line().encode())
            return Cost(replace(meter.units), line + 2 * LOG_OVERHEAD_BYTES)

        headers["Authorization"] = f"Bearer {send('POST', '/users', {'name': 'Mina'})['token']}"
        board = f"/boards/{send('POST', '/boards', {'name': 'Website'})['id']}"
        *_, done = (list_["id"] for list_ in send("GET", f"{board}/lists")["items"])
        card = send("POST", f"{board}/cards", {"title": "Write the copy", "due_at": "2026-12-24T10:00:00Z"})["id"]
        seq = send("GET", board)["seq"]
        yield {
            "read": measure("GET", f"{board}/events?after={seq}"),
            "write": measure("POST", f"{board}/cards/{card}/move", {"list_id": done}, Idempotency_Key="one"),
        }


def access_line() -> str:
    """Return a line of the gateway's access log, with values as long as they usually are."""
    values = {
        "requestId": "JKJaXmPLvHcESHA=",
        "requestTimeEpoch": "1795269600000",
        "identity.sourceIp": "192.0.2.101",
        "routeKey": "POST /v1/boards/{board_id}/cards/{card_id}/move",
        "status": "200",
        "responseLength": "1234",
        "responseLatency": "27",
        "integrationLatency": "25",
        "integrationStatus": "200",
        "error.message": "-",
        "integrationErrorMessage": "-",
    }
    settings = (ROOT / "serverless.yml").read_text()
    (lines,) = re.findall(r"    httpApi:\n      format: >-\n((?: {8}.+\n)+)", settings)
    line = " ".join(lines.split())
    return re.sub(r"\$context\.([A-Za-z]+(?:\.[A-Za-z]+)?)", lambda name: values[name[1]], line)


def read_numbers(pattern: str) -> list[float]:
    (numbers,) = re.findall(pattern, PAGE)
    return [float(number) for number in ([numbers] if isinstance(numbers, str) else numbers)]


def test_a_read_consumes_what_the_bill_says(costs: dict[str, Cost]) -> None:
    units = costs["read"].units

    assert [units.reads] == read_numbers(r"four in five are reads of (\d+) read units")
    assert units.table_writes == units.index_writes == 0


def test_a_write_consumes_what_the_bill_says(costs: dict[str, Cost]) -> None:
    units = costs["write"].units
    reads, writes = read_numbers(r"one in five is a write that takes (\d+) read units and (\d+) write units")

    assert units.reads == reads
    # AWS doesn't say how it charges index entries within a transaction: the bill counts each twice, as items.
    assert units.table_writes + 2 * units.index_writes == writes


def test_the_log_lines_of_a_request_are_as_long_as_the_bill_says(costs: dict[str, Cost]) -> None:
    (kilobytes,) = read_numbers(r"a log line and an access log line take ([0-9.]+) KB together")

    mean = 0.8 * costs["read"].log_bytes + 0.2 * costs["write"].log_bytes

    assert round(mean / 1000, 1) == kilobytes
