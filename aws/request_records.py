"""Write one line of JSON for each request, which is log and metrics at once, and one for every other log message.

CloudWatch reads metrics out of a line that describes them in `_aws` (the embedded metric format). A line says which
operation was called and with what result, but nothing that was sent: no body, no query, no token, no text of an
exception that isn't ours.
"""

import logging
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from aws.lambda_events import find_header
from contract.log_lines import (
    REQUEST_ID,
    configure_root_logger,
    encode_as_json,
    encode_constant,
    format_as_json,
    match_whole,
)
from contract.request_context import RequestContext, start_request_context
from contract.request_log import build_log_line

_TRACE_ID_PATTERN = re.compile(r"(?:Self=[^;]*;)?Root=(1-[0-9a-f]{8}-[0-9a-z]{24})(?:;.*)?")

_USUAL_METRICS = [{"Name": "Requests", "Unit": "Count"}, {"Name": "Latency", "Unit": "Milliseconds"}]
_THROTTLED_STATUSES = (429, 503)
_CONFLICT_STATUSES = (409, 412)
_REFUSED_STATUSES = (401, 403)
_LOWEST_ERROR = 400
_LOWEST_SERVER_ERROR = 500


class RequestRecorder:
    """Writes a line for each request."""

    def __init__(
        self,
        stage: str,
        clock: Callable[[], datetime],
        stopwatch: Callable[[], float],
        write: Callable[[bytes], object],
    ) -> None:
        self._stage = stage
        self._clock = clock
        self._stopwatch = stopwatch
        self._write = write
        self._cold = True

    def record(
        self,
        respond: Callable[[Mapping[str, Any]], dict[str, Any]],
        event: Mapping[str, Any],
        lambda_context: object,
    ) -> dict[str, Any]:
        """Return the response to an event, and write the line of the request. What `respond` raises is not recorded."""
        began = self._stopwatch()
        context = start_request_context()
        context.address = _read_address(event)
        try:
            response = respond(event)
            milliseconds = round((self._stopwatch() - began) * 1_000_000) / 1000
            line = self._build_line(event, lambda_context, context, response, milliseconds)
            self._write(encode_as_json(line))
        finally:
            self._cold = False
        return response

    def _build_line(
        self,
        event: Mapping[str, Any],
        lambda_context: object,
        context: RequestContext,
        response: Mapping[str, Any],
        milliseconds: float,
    ) -> dict[str, Any]:
        now = self._clock()
        gateway = _get_part(event, "requestContext")
        http = _get_part(gateway, "http")
        method = http.get("method") if isinstance(http, dict) else event.get("httpMethod")
        body = response.get("body") or ""
        line = build_log_line(
            context,
            at=now,
            milliseconds=milliseconds,
            method=method,
            status=response["statusCode"],
            size=len(body) if body.isascii() else len(body.encode()),
        )
        if gateway_request_id := match_whole(REQUEST_ID, _get_part(gateway, "requestId")):
            line["gateway_request_id"] = gateway_request_id
        if invocation_id := getattr(lambda_context, "aws_request_id", None):
            line["invocation_id"] = invocation_id
        if trace_id := match_whole(_TRACE_ID_PATTERN, find_header(event, "x-amzn-trace-id")):
            line["trace_id"] = trace_id
        line["cold_start"] = self._cold
        line["store_calls"] = context.store_calls
        self._add_metrics(line, context, now)
        return line

    def _add_metrics(self, line: dict[str, Any], context: RequestContext, now: datetime) -> None:
        """Add the metrics of a request. Rare ones are left out if they are zero: each metric costs money."""
        status = line["status"]
        rare = _find_rare_metrics(status, context) if status >= _LOWEST_ERROR or context.is_replayed else ()
        directives = _build_directives(rare) if rare else _USUAL_DIRECTIVES
        if status in _REFUSED_STATUSES:
            directives = [*_build_directives(rare), _REFUSALS]
            line["Refusals"] = 1
        line["_aws"] = {"Timestamp": int(now.timestamp() * 1000), "CloudWatchMetrics": directives}
        line["Stage"] = self._stage
        line["Operation"] = context.operation.id if context.operation else "none"
        line["Requests"] = 1
        line["Latency"] = line["ms"]
        for name in rare:
            line[name] = 1


def configure_lambda_logging() -> None:
    """Write log messages as lines of JSON to standard output, which Lambda sends to CloudWatch."""
    configure_root_logger(sys.stdout, format_as_json)
    logging.getLogger().setLevel(logging.INFO)
    # At every start, connexion logs what it loads, and botocore where it finds credentials.
    for chatty in ("botocore", "connexion"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def write_to_stdout(line: bytes) -> None:
    """Write a line to standard output at once."""
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


def _find_rare_metrics(status: int, context: RequestContext) -> list[str]:
    """Return the metrics that only some requests have."""
    metrics = {
        "ServerErrors": status >= _LOWEST_SERVER_ERROR,
        "Throttles": status in _THROTTLED_STATUSES,
        "Conflicts": status in _CONFLICT_STATUSES,
        "Replays": context.is_replayed,
    }
    return [name for name, is_due in metrics.items() if is_due]


_REFUSALS = {"Namespace": "Tackboard", "Dimensions": [["Stage"]], "Metrics": [{"Name": "Refusals", "Unit": "Count"}]}
"""What describes the metric of all refusals, at which an alarm looks. One for each operation would cost more."""


def _build_directives(counts: Iterable[str]) -> list[dict[str, Any]]:
    """Build what describes the metrics in a line: the usual ones, and these counts."""
    metrics = [*_USUAL_METRICS, *({"Name": name, "Unit": "Count"} for name in counts)]
    return [{"Namespace": "Tackboard", "Dimensions": [["Stage", "Operation"]], "Metrics": metrics}]


_USUAL_DIRECTIVES = encode_constant(_build_directives(()))
"""What describes the metrics in nearly every line, encoded once."""


def _get_part(whole: object, name: str) -> object:
    return whole.get(name) if isinstance(whole, dict) else None


def _read_address(event: Mapping[str, Any]) -> str:
    """Return the address that the gateway is connected to, which the application may know better."""
    gateway = _get_part(event, "requestContext")
    address = _get_part(_get_part(gateway, "http") or _get_part(gateway, "identity"), "sourceIp")
    return address if isinstance(address, str) else ""
