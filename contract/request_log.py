"""Write one log line for each request, with the same fields under WSGI and on Lambda.

A line has no text that a client chose: of a path it has the template in the document with ids that this server made,
and an unknown path is left out.
"""

import json
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from contract.log_lines import REQUEST_ID, LogLine, match_whole
from contract.problems import PROBLEM_JSON, Problem, internal_error
from contract.request_context import start_request_context

log = logging.getLogger("tackboard")

_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_ID = re.compile(r"([a-z]{3}_[0-9a-z]{26})")
_BOARD_ID = re.compile(r"(brd_[0-9a-z]{26})")
_ADDRESS = re.compile(r"([0-9A-Fa-f.:]{2,45})")
_SERVER_ERROR = 500


def build_log_line(
    context: Mapping[str, Any],
    *,
    at: datetime,
    milliseconds: float,
    method: object,
    address: object,
    status: int,
    content_type: str | None,
    body: bytes,
) -> dict[str, Any]:
    """Build the log line of a request from its context and its response. Unknown fields are left out."""
    operation = context.get("operation")
    caller = context.get("caller")
    line = {
        "time": at.isoformat(timespec="milliseconds"),
        "level": "ERROR" if status >= _SERVER_ERROR else "INFO",
        "message": "request",
        "request_id": match_whole(REQUEST_ID, context.get("request_id")),
        "method": method if isinstance(method, str) and method in _METHODS else None,
        "path": _format_path(context),
        "operation": operation.id if operation else None,
        "route": f"{operation.method.upper()} {operation.path}" if operation else None,
        "status": status,
        "code": json.loads(body)["code"] if body and content_type == PROBLEM_JSON else None,
        "ms": milliseconds,
        "bytes": len(body),
        "user_id": getattr(caller, "user_id", None),
        "token_id": getattr(caller, "token_id", None),
        "board_id": match_whole(_BOARD_ID, context.get("path_values", {}).get("board_id")),
        "auth": "token" if caller else None,
        "address": match_whole(_ADDRESS, address),
        "retries": context.get("retries", 0),
    }
    return {name: value for name, value in line.items() if value is not None}


def _format_path(context: Mapping[str, Any]) -> str | None:
    """Return the path of the document. A parameter that is no id made here stays a name in braces."""
    operation = context.get("operation")
    if operation is None:
        return context.get("page")
    path: str = operation.path
    for name, value in context["path_values"].items():
        if _ID.fullmatch(value):
            path = path.replace(f"{{{name}}}", value)
    return f"{context['prefix']}{path}"


def _start_internal_error(start_response: StartResponse, context: Mapping[str, Any]) -> bytes:
    """Start a 500 response for an uncaught exception and return its body."""
    problem = internal_error()
    headers = [("content-type", PROBLEM_JSON), ("cache-control", "no-store"), ("x-content-type-options", "nosniff")]
    if "request_id" in context:
        headers.append(("x-request-id", context["request_id"]))
    start_response(f"{problem.status} Internal Server Error", headers)
    return problem.encode()


class RequestLog:
    """A WSGI middleware that writes one log line for each request."""

    def __init__(
        self,
        application: WSGIApplication,
        clock: Callable[[], datetime],
        stopwatch: Callable[[], float],
        write: Callable[[LogLine], None],
    ) -> None:
        self._application = application
        self._clock = clock
        self._stopwatch = stopwatch
        self._write = write

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Process one request."""
        started_at = self._stopwatch()
        context = start_request_context()
        status, content_type = _SERVER_ERROR, None

        def start(status_line: str, headers: list[tuple[str, str]], *rest: Any) -> Callable[[bytes], object]:
            nonlocal status, content_type
            status, content_type = int(status_line[:3]), dict(headers).get("content-type")
            return start_response(status_line, headers, *rest)

        try:
            body = b"".join(self._application(environ, start))
        except Exception as error:
            # The WSGI server would log the path, and not the request id.
            log.exception("A request failed: %s", type(error).__name__)
            body = _start_internal_error(start, context)
        self._write(
            build_log_line(
                context,
                at=self._clock(),
                milliseconds=round((self._stopwatch() - started_at) * 1000, 3),
                method=environ["REQUEST_METHOD"],
                address=environ.get("REMOTE_ADDR"),
                status=status,
                content_type=content_type,
                body=body,
            )
        )
        return [body]

    def log_rejected_request(self, problem: Problem, request_id: str, address: str | None) -> None:
        """Write the line of a request that the server rejected because it is malformed."""
        line = build_log_line(
            {"request_id": request_id},
            at=self._clock(),
            milliseconds=0.0,
            method=None,
            address=address,
            status=problem.status,
            content_type=PROBLEM_JSON,
            body=problem.encode(),
        )
        self._write(line)
