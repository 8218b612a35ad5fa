"""Write one log line for each request, with the same fields under WSGI and on Lambda.

A line has no text that a client chose: of a path it has the template in the document with ids that this server made,
and an unknown path is left out.
"""

import logging
import re
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import orjson

from contract.log_lines import LEVELS, REQUEST_ID, LogLine, match_whole
from contract.messages import Response
from contract.problems import PROBLEM_JSON, Problem, internal_error
from contract.request_context import RequestContext, start_request_context

log = logging.getLogger("tackboard")

_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_ID = re.compile(r"[a-z]{3}_[0-9a-z]{26}")
_IDS = re.compile(rf"{_ID.pattern}(?:/{_ID.pattern})*")
"""Ids separated by slashes, which no path parameter contains."""
_ADDRESS = re.compile(r"[0-9A-Fa-f.:]{2,45}")
_SERVER_ERROR = 500
_NOTABLE_SECONDS = 0.001
"""How long a wait must be to have a field of its own."""


def build_log_line(
    context: RequestContext,
    *,
    at: datetime,
    milliseconds: float,
    method: object,
    status: int,
    size: int,
) -> dict[str, Any]:
    """Build the log line of a request from its context and its response. Unknown fields are left out.

    `size` is the number of bytes in the body of the response.
    """
    line: dict[str, Any] = {
        "time": _format_time(at),
        "level": "ERROR" if status >= _SERVER_ERROR else "INFO",
        "message": "request",
    }
    # A client may choose the request id.
    request_id = context.request_id if context.has_own_id else match_whole(REQUEST_ID, context.request_id)
    if request_id:
        line["request_id"] = request_id
    if isinstance(method, str) and method in _METHODS:
        line["method"] = method
    operation, caller = context.operation, context.caller
    path = describe_path(context)
    if path is not None:
        line["path"] = path
    if operation is not None:
        line["operation"] = operation.id
        line["route"] = operation.route
    line["status"] = status
    if context.code is not None:
        line["code"] = context.code
    line["ms"] = milliseconds
    line["bytes"] = size
    if caller is not None:
        line["user_id"] = caller.user_id
        line["token_id"] = caller.token_id
        line["auth"] = "token"
    board_id = context.path_values.get("board_id", "")
    if board_id.startswith("brd_") and (path is context.path or _ID.fullmatch(board_id)):
        line["board_id"] = board_id
    if _ADDRESS.fullmatch(context.address):
        line["address"] = context.address
    line["retries"] = context.retries
    return line


def describe_path(context: RequestContext) -> str | None:
    """Return the path of a request, in which ids that were not made here are names in braces; None if it is unknown."""
    operation, values = context.operation, context.path_values
    if operation is None:
        return context.page
    if not values or _IDS.fullmatch("/".join(values.values())):
        return context.path
    path: str = operation.path
    for name, value in values.items():
        if _ID.fullmatch(value):
            path = path.replace(f"{{{name}}}", value)
    return path


def _format_time(at: datetime) -> str:
    """Format a time in UTC with milliseconds, as `isoformat` would: orjson needs a fifth of the instructions."""
    text = orjson.dumps(at).decode()
    # orjson leaves out a fraction that is zero.
    return f"{text[1:24]}+00:00" if at.microsecond else f"{text[1:20]}.000+00:00"


@dataclass(frozen=True, slots=True)
class RequestTimes:
    """How long a request took."""

    seconds: float
    """To answer it."""
    queue_seconds: float
    """Until a thread was free."""
    held_seconds: float | None = None
    """While it waited for news, or was answered with a stream."""


class RequestLog:
    """A WSGI middleware that writes one log line for each request."""

    def __init__(
        self,
        application: WSGIApplication,
        clock: Callable[[], datetime],
        stopwatch: Callable[[], float],
        write: Callable[[LogLine], None],
        *,
        levels: Container[str] = LEVELS["info"],
        slow_seconds: float = inf,
    ) -> None:
        """Write the lines of these levels. From `slow_seconds` on, a request is slow, and its line a warning."""
        self._application = application
        self._clock = clock
        self._stopwatch = stopwatch
        self._write_line = write
        self._levels = levels
        self._slow_seconds = slow_seconds

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Process one request."""
        started_at = self._stopwatch()
        context = start_request_context()
        status = _SERVER_ERROR

        def start(status_line: str, headers: list[tuple[str, str]], *rest: Any) -> Callable[[bytes], object]:
            nonlocal status
            status = int(status_line[:3])
            return start_response(status_line, headers, *rest)

        try:
            body = b"".join(self._application(environ, start))
        except Exception as error:
            # The WSGI server would log the path, and not the request id.
            log.exception("A request failed: %s", type(error).__name__)
            body = _start_internal_error(start, context)
        seconds = self._stopwatch() - started_at
        line = build_log_line(
            context,
            at=self._clock(),
            milliseconds=_to_milliseconds(seconds),
            method=environ["REQUEST_METHOD"],
            status=status,
            size=len(body),
        )
        self._finish(line, context, RequestTimes(seconds, 0.0))
        return [body]

    def log_response(
        self,
        context: RequestContext,
        response: Response,
        *,
        method: str,
        times: RequestTimes,
        size: int,
    ) -> None:
        """Write the line of a request; `size` is the number of bytes of the body that was sent."""
        line = build_log_line(
            context,
            at=self._clock(),
            milliseconds=_to_milliseconds(times.seconds),
            method=method,
            status=response.status,
            size=size,
        )
        line["queue_ms"] = _to_milliseconds(times.queue_seconds)
        if times.held_seconds is not None:
            line["held_ms"] = _to_milliseconds(times.held_seconds)
        self._finish(line, context, times)

    def log_rejected_request(self, problem: Problem, request_id: str, address: str | None) -> None:
        """Write the line of a request that the server rejected because it is malformed."""
        context = RequestContext()
        context.request_id, context.has_own_id, context.code = request_id, True, problem.code
        context.address = address or ""
        line = build_log_line(
            context,
            at=self._clock(),
            milliseconds=0.0,
            method=None,
            status=problem.status,
            size=len(problem.encode()),
        )
        self._write(line)

    def _finish(self, line: dict[str, Any], context: RequestContext, times: RequestTimes) -> None:
        """Write a line, with where the time went, and the trace."""
        line["store_calls"] = context.store_calls
        line["store_ms"] = _to_milliseconds(context.store_seconds)
        for name, seconds in (
            ("lock_ms", context.lock_seconds),
            ("turn_ms", context.turn_seconds),
            ("pause_ms", context.pause_seconds),
        ):
            if seconds >= _NOTABLE_SECONDS:
                line[name] = _to_milliseconds(seconds)
        if context.trace_id:
            line["trace_id"] = context.trace_id
        # What is held is answered many times, within minutes.
        if times.held_seconds is None and times.seconds + times.queue_seconds >= self._slow_seconds:
            line["slow"] = _find_longest_part(context, times)
            if line["level"] == "INFO":
                line["level"] = "WARNING"
        self._write(line)

    def _write(self, line: LogLine) -> None:
        if line["level"] in self._levels:
            self._write_line(line)


def _find_longest_part(context: RequestContext, times: RequestTimes) -> str:
    """Return what most of the time of a request went to."""
    waits = context.turn_seconds + context.pause_seconds
    parts = {
        "queue": times.queue_seconds,
        "turn": context.turn_seconds,
        "pause": context.pause_seconds,
        "lock": context.lock_seconds,
        "store": context.store_seconds - context.lock_seconds,
        "other": times.seconds - context.store_seconds - waits,
    }
    return max(parts, key=parts.__getitem__)


def _to_milliseconds(seconds: float) -> float:
    """Return milliseconds with three digits after the point."""
    return round(seconds * 1_000_000) / 1000


def _start_internal_error(start_response: StartResponse, context: RequestContext) -> bytes:
    """Start a 500 response for an uncaught exception and return its body."""
    problem = internal_error()
    context.code = problem.code
    headers = [("content-type", PROBLEM_JSON), ("cache-control", "no-store"), ("x-content-type-options", "nosniff")]
    if context.request_id:
        headers.append(("x-request-id", context.request_id))
    start_response(f"{problem.status} Internal Server Error", headers)
    return problem.encode()
