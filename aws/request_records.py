"""Write one line of JSON for each request, which is log and metrics at once, and one for every other log message.

CloudWatch reads metrics out of a line that describes them in `_aws` (the embedded metric format). A line says which
operation was called and with what result, but nothing that was sent: no body, no query, no token, no text of an
exception that isn't ours.
"""

import logging
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from contract.log_lines import REQUEST_ID, configure_root_logger, format_as_json, match_whole
from contract.request_context import start_request_context
from contract.request_log import build_log_line

_TRACE_ID_PATTERN = re.compile(r"(?:Self=[^;]*;)?Root=(1-[0-9a-f]{8}-[0-9a-z]{24})(?:;.*)?")

_NAMESPACE = "Tackboard"
_DIMENSIONS = [["Stage", "Operation"]]
_UNITS = {"Latency": "Milliseconds"}
_THROTTLED_STATUSES = (429, 503)
_CONFLICT_STATUSES = (409, 412)
_LOWEST_SERVER_ERROR = 500


@dataclass(slots=True)
class RequestRecord:
    """What is known about a request: its context, and the response once it is there."""

    context: dict[str, Any]
    response: Mapping[str, Any] = field(default_factory=dict)


class RequestRecorder:
    """Writes a line for each request."""

    def __init__(
        self,
        stage: str,
        clock: Callable[[], datetime],
        stopwatch: Callable[[], float],
        write: Callable[[str], object],
    ) -> None:
        self._stage = stage
        self._clock = clock
        self._stopwatch = stopwatch
        self._write = write
        self._cold = True

    @contextmanager
    def record(self, event: Mapping[str, Any], context: object) -> Iterator[RequestRecord]:
        """Yield a record of one request to fill in. It is written if it has a response."""
        began = self._stopwatch()
        record = RequestRecord(start_request_context())
        yield record
        if record.response:
            milliseconds = round((self._stopwatch() - began) * 1000, 3)
            line = self._build_log_fields(event, context, record, milliseconds) | self._build_metrics(
                record, milliseconds
            )
            self._write(format_as_json(line))
        self._cold = False

    def _build_log_fields(
        self, event: Mapping[str, Any], context: object, record: RequestRecord, milliseconds: float
    ) -> dict[str, Any]:
        gateway = event.get("requestContext")
        http = _get_part(gateway, "http")
        described = build_log_line(
            record.context,
            at=self._clock(),
            milliseconds=milliseconds,
            method=_get_part(http, "method") or event.get("httpMethod"),
            address=_get_part(http, "sourceIp") or _get_part(_get_part(gateway, "identity"), "sourceIp"),
            status=record.response["statusCode"],
            content_type=_get_headers(record.response).get("content-type"),
            body=(record.response.get("body") or "").encode(),
        )
        own = {
            "gateway_request_id": match_whole(REQUEST_ID, _get_part(gateway, "requestId")),
            "invocation_id": getattr(context, "aws_request_id", None),
            "trace_id": match_whole(_TRACE_ID_PATTERN, _get_headers(event).get("x-amzn-trace-id")),
            "cold_start": self._cold,
            "store_calls": record.context.get("store_calls", 0),
        }
        return described | {name: value for name, value in own.items() if value is not None}

    def _build_metrics(self, record: RequestRecord, milliseconds: float) -> dict[str, Any]:
        """Build the metrics of a request. Rare ones are left out if they are zero: each metric costs money."""
        operation = record.context.get("operation")
        status = record.response["statusCode"]
        rare = {
            "ServerErrors": status >= _LOWEST_SERVER_ERROR,
            "Throttles": status in _THROTTLED_STATUSES,
            "Conflicts": status in _CONFLICT_STATUSES,
            "Replays": "idempotency-replayed" in _get_headers(record.response),
        }
        values = {"Requests": 1, "Latency": milliseconds} | {name: 1 for name, happened in rare.items() if happened}
        metrics = [{"Name": name, "Unit": _UNITS.get(name, "Count")} for name in values]
        directive = {"Namespace": _NAMESPACE, "Dimensions": _DIMENSIONS, "Metrics": metrics}
        return {
            "_aws": {"Timestamp": int(self._clock().timestamp() * 1000), "CloudWatchMetrics": [directive]},
            "Stage": self._stage,
            "Operation": operation.id if operation else "none",
            **values,
        }


def configure_lambda_logging() -> None:
    """Write log messages as lines of JSON to standard output, which Lambda sends to CloudWatch."""
    configure_root_logger(sys.stdout, format_as_json)
    logging.getLogger().setLevel(logging.INFO)
    # At every start, connexion logs what it loads, and botocore where it finds credentials.
    for chatty in ("botocore", "connexion"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _get_part(whole: object, name: str) -> object:
    return whole.get(name) if isinstance(whole, Mapping) else None


def _get_headers(message: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers of an event or response of any format, by lower-case name."""
    headers = message.get("multiValueHeaders") or message.get("headers") or {}
    texts = {name.lower(): value[0] if isinstance(value, list) and value else value for name, value in headers.items()}
    return {name: text for name, text in texts.items() if isinstance(text, str)}
