"""The Lambda function over a metered DynamoDB on this machine: what its requests consume."""

import json
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from app.factory import create_app
from aws.deadline import Deadline
from aws.function import Function
from aws.request_records import RequestRecorder
from infrastructure.deployment.package_build import ROOT
from stores import open_store
from tests.contract.aws_events import http_api_event
from tests.engines.dynamodb_meter import Meter, Units, run_meter
from tests.engines.dynamodb_server import create_table_url

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)

LOG_OVERHEAD_BYTES = 26
"""What CloudWatch counts for each line besides its text."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one request consumes, and the body and entity tag of its response."""

    units: Units
    log_bytes: int
    body: str
    etag: str

    def count_writes(self) -> float:
        """Return the write units. AWS doesn't say how it charges index entries in a transaction: they count twice."""
        return self.units.table_writes + 2 * self.units.index_writes


class MeteredFunction:
    """The function, called by one user."""

    def __init__(self, function: Function, meter: Meter, lines: list[bytes]) -> None:
        self._function = function
        self._meter = meter
        self._lines = lines
        self._headers = {"Content-Type": "application/json"}
        self._headers["Authorization"] = f"Bearer {self.send('POST', '/users', {'name': 'Mina'})['token']}"

    def send(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        """Send a request, and return the JSON of its response."""
        return json.loads(self.measure(method, path, body, **headers).body)

    def measure(self, method: str, path: str, body: object = None, **headers: str) -> Cost:
        """Send a request, and return what it consumed."""
        self._meter.units = Units()
        sent = self._headers | {name.replace("_", "-"): value for name, value in headers.items()}
        text = None if body is None else json.dumps(body)
        context = SimpleNamespace(aws_request_id="8476a536-e9f4-11e8-9739-2dfe598c3fcd")
        response = self._function(http_api_event(method, f"/v1{path}", text, sent), context)
        assert response["statusCode"] < 400, response["body"]
        line = len(self._lines[-1].rstrip()) + len(format_access_line().encode())
        etag = {name.lower(): value for name, value in response["headers"].items()}.get("etag", "")
        return Cost(replace(self._meter.units), line + 2 * LOG_OVERHEAD_BYTES, response.get("body") or "", etag)


@contextmanager
def open_metered_function(dynoxide: str) -> Iterator[tuple[MeteredFunction, str]]:
    """Yield a function on a new table of that server, and the name of the table."""
    with run_meter(dynoxide) as meter:
        url = create_table_url(meter.address)
        with closing(open_store(url)) as store:
            lines: list[bytes] = []
            recorder = RequestRecorder("prod", lambda: NOON, lambda: 0.0, lines.append)
            function = Function(create_app(store, clock=lambda: NOON, open_signup=True), Deadline(), recorder, dict)
            yield MeteredFunction(function, meter, lines), url.partition("//")[2].partition("?")[0]


def format_access_line() -> str:
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
