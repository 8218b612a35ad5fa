"""Records: one line of JSON for each request, which is log and metrics at once, and one for anything else that is said.

CloudWatch reads metrics out of a line that describes them in `_aws` (the embedded metric format). A line says what
was done and how it went, never with what: no body, no query, no token, no text of an exception that isn't ours.
"""

import json
import logging
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from contract.notes import noted, open_pad

_OURS = ("app", "aws", "contract", "handlers", "kanban", "settling", "stores")
"""Where exceptions come from whose texts are written for operators; any other may hold a client's words."""

_TRACE = re.compile(r"(?:Self=[^;]*;)?Root=(1-[0-9a-f]{8}-[0-9a-z]{24})(?:;.*)?")
# Clients may choose the id of a request: one in which they put a token stays out.
_REQUEST = re.compile(r"((?!.*tkb_)[A-Za-z0-9._-]{1,64}=?)")
_BOARD = re.compile(r"(brd_[0-9a-z]{26})")

_NAMESPACE = "Tackboard"
_DIMENSIONS = [["Stage", "Operation"]]
_UNITS = {"Latency": "Milliseconds"}
_BUSY = (429, 503)
_CONFLICTS = (409, 412)
_SERVER_ERROR = 500


@dataclass(slots=True)
class Record:
    """What becomes known about a request."""

    pad: dict[str, Any]
    answer: Mapping[str, Any] = field(default_factory=dict)


class Records:
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
    def of(self, event: Mapping[str, Any], context: object) -> Iterator[Record]:
        """A record of one request, to be filled in; written when an answer is in it."""
        began = self._stopwatch()
        record = Record(open_pad())
        yield record
        if record.answer:
            milliseconds = round((self._stopwatch() - began) * 1000, 3)
            line = self._described(event, context, record, milliseconds) | self._measured(record, milliseconds)
            self._write(json.dumps(line, separators=(",", ":")))
        self._cold = False

    def _described(
        self, event: Mapping[str, Any], context: object, record: Record, milliseconds: float
    ) -> dict[str, Any]:
        operation = record.pad.get("operation")
        caller = record.pad.get("caller")
        status = record.answer["statusCode"]
        headers = _headers(record.answer)
        described = {
            "time": self._clock().isoformat(timespec="milliseconds"),
            "level": "ERROR" if status >= _SERVER_ERROR else "INFO",
            "message": "request",
            "request_id": _matching(_REQUEST, record.pad.get("request_id")),
            "gateway_request_id": _matching(_REQUEST, _part(event.get("requestContext"), "requestId")),
            "invocation_id": getattr(context, "aws_request_id", None),
            "trace_id": _matching(_TRACE, _headers(event).get("x-amzn-trace-id")),
            "operation": operation.id if operation else None,
            "route": f"{operation.method.upper()} {operation.path}" if operation else None,
            "status": status,
            "code": _code(record.answer, headers),
            "ms": milliseconds,
            "user_id": getattr(caller, "user_id", None),
            "board_id": _matching(_BOARD, record.pad.get("path_values", {}).get("board_id")),
            "auth": "token" if caller else None,
            "cold_start": self._cold,
            "store_calls": record.pad.get("store_calls", 0),
            "retries": record.pad.get("retries", 0),
        }
        return {name: value for name, value in described.items() if value is not None}

    def _measured(self, record: Record, milliseconds: float) -> dict[str, Any]:
        """The metrics of a request. What is rare is only there when it happened: a metric costs by being there."""
        operation = record.pad.get("operation")
        status = record.answer["statusCode"]
        rare = {
            "ServerErrors": status >= _SERVER_ERROR,
            "Throttles": status in _BUSY,
            "Conflicts": status in _CONFLICTS,
            "Replays": "idempotency-replayed" in _headers(record.answer),
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


def take_over_logging() -> None:
    """Write everything that is logged as lines of JSON to standard output, which Lambda sends to CloudWatch."""
    out = logging.StreamHandler(sys.stdout)
    out.setFormatter(Lines())
    root = logging.getLogger()
    root.handlers[:] = [out]
    root.setLevel(logging.INFO)
    # connexion tells what it loads, botocore where it finds credentials: nobody needs to know at each start.
    for chatty in ("botocore", "connexion"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


class Lines(logging.Formatter):
    """A record of the standard library's logging as one line of JSON.

    Of an exception that isn't ours it says the kind and the place, not the text, which may hold what a client sent.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        arguments = record.args if isinstance(record.args, tuple) else ()
        message = record.msg % tuple(_safe(each) for each in arguments) if arguments else str(record.msg)
        request_id = _matching(_REQUEST, noted("request_id"))
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": message,
            **({"request_id": request_id} if request_id else {}),
        }
        if record.exc_info and record.exc_info[1]:
            line["trace"] = [
                f"{frame.filename}:{frame.lineno} {frame.name}"
                for frame in traceback.extract_tb(record.exc_info[1].__traceback__)
            ]
        return json.dumps(line, separators=(",", ":"))


def _safe(argument: object) -> object:
    if not isinstance(argument, BaseException):
        return argument
    kind = type(argument)
    return argument if kind.__module__.partition(".")[0] in _OURS else kind.__name__


def _matching(pattern: re.Pattern[str], text: object) -> str | None:
    match = pattern.fullmatch(text) if isinstance(text, str) else None
    return match.group(1) if match else None


def _part(whole: object, name: str) -> object:
    return whole.get(name) if isinstance(whole, Mapping) else None


def _headers(message: Mapping[str, Any]) -> dict[str, str]:
    """The headers of an event or an answer of any shape, by lower-case name."""
    found = message.get("multiValueHeaders") or message.get("headers") or {}
    texts = {name.lower(): value[0] if isinstance(value, list) and value else value for name, value in found.items()}
    return {name: text for name, text in texts.items() if isinstance(text, str)}


def _code(answer: Mapping[str, Any], headers: Mapping[str, str]) -> str | None:
    if headers.get("content-type") != "application/problem+json" or not answer.get("body"):
        return None
    code: str = json.loads(answer["body"])["code"]
    return code
