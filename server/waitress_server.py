"""The server for one machine: waitress, in one process with a few threads.

waitress reads a whole request before it hands it to a thread, so a slow client occupies no thread. Requests that it
rejects by itself, because they are not HTTP or far too large, get a problem document like all others.
"""

import gc
import re
import secrets
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from wsgiref.types import WSGIApplication

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import create_server
from waitress.task import ErrorTask, ThreadedTaskDispatcher, WSGITask
from waitress.utilities import RequestEntityTooLarge

from contract.edge import MAX_BODY_BYTES, MAX_HEADER_BYTES
from contract.heavy_operations import MAX_CONCURRENT
from contract.problems import PROBLEM_JSON, Problem, internal_error

READER_THREADS = WRITER_THREADS = MAX_CONCURRENT + 1
"""How many threads serve reads, and how many serve writes: one more than heavy operations can occupy.

Python runs one thread at a time while the others wait for the store; more threads would only wait for each other.
"""

PROBE_PATHS = ("/v1/health", "/v1/ready")
"""The paths that supervisors and load balancers request. Each has a thread of its own, so nothing delays it."""

_SWITCH_INTERVAL_SECONDS = 0.001
"""For how long a thread computes while others wait. A probe waits for several such turns, Python's own are 5 ms."""

_SHUTDOWN_SECONDS = 5.0


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 chooses a free one. Raises OSError, also if the host does not exist."""
    family, *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    return socket.create_server((host, port), family=family)


def serve(
    application: WSGIApplication,
    listener: socket.socket,
    log_rejected_request: Callable[[Problem, str, str], None] = lambda *_: None,
) -> None:
    """Serve until a KeyboardInterrupt, then finish the requests that have begun, for at most five seconds.

    `log_rejected_request` is called with the problem, the request id and the client's address when waitress rejects a
    request. Must be called in the main thread, which ignores further signals to stop afterwards.
    """
    server = create_server(
        application,
        sockets=[listener],
        _dispatcher=_LaneDispatcher(),
        ident=None,
        asyncore_use_poll=True,
        connection_limit=1000,
        # Well above the application's limits: the application rejects what is not far too large by itself.
        max_request_header_size=8 * MAX_HEADER_BYTES,
        max_request_body_size=64 * MAX_BODY_BYTES,
    )
    server.channel_class = _Channel
    server.log_rejected_request = log_rejected_request
    with suppress(KeyboardInterrupt):
        _keep_pauses_short()
        server.run()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    server.close()


def _keep_pauses_short() -> None:
    """Bound how long a thread that computes, or a garbage collection, keeps all other threads waiting."""
    sys.setswitchinterval(_SWITCH_INTERVAL_SECONDS)
    # No thread runs during a collection. What the start has made stays until the end: visiting all of it each time
    # takes longer than visiting what requests hold.
    with _postpone_interrupts():
        gc.collect()
    gc.freeze()


@contextmanager
def _postpone_interrupts() -> Iterator[None]:
    """Postpone signals to stop until the end of this context, which then raises KeyboardInterrupt.

    Python drops an exception that is raised in a callback of a garbage collection: the signal would be lost.
    """
    received: list[int] = []
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    handlers = {number: handler for number, handler in handlers.items() if callable(handler)}
    for number in handlers:
        signal.signal(number, lambda number, _: received.append(number))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if received:
        raise KeyboardInterrupt


class _LaneDispatcher:
    """Dispatch reads, writes and probes to threads of their own.

    Writes wait for each other, and for heavy operations that write. Reads are not delayed by that, and probes are
    delayed by neither.
    """

    def __init__(self) -> None:
        self._readers, self._writers = ThreadedTaskDispatcher(), ThreadedTaskDispatcher()
        self._probes = {path: ThreadedTaskDispatcher() for path in PROBE_PATHS}
        self._readers.set_thread_count(READER_THREADS)
        self._writers.set_thread_count(WRITER_THREADS)
        for lane in self._probes.values():
            lane.set_thread_count(1)

    def add_task(self, channel: HTTPChannel) -> None:
        """Dispatch the channel's next request."""
        self._lane_for(channel.requests[0]).add_task(channel)

    def _lane_for(self, request: HTTPRequestParser) -> ThreadedTaskDispatcher:
        # A rejected request may have neither a method nor a path.
        if request.error:
            return self._readers
        if request.command not in ("GET", "HEAD"):
            return self._writers
        return self._probes.get(request.path, self._readers)

    def shutdown(self) -> None:
        """Finish the requests that have begun, and drop those that wait."""
        lanes = (self._readers, self._writers, *self._probes.values())
        for lane in lanes:
            lane.set_thread_count(0)
        end = time.monotonic() + _SHUTDOWN_SECONDS
        for lane in lanes:
            lane.shutdown(timeout=max(0.0, end - time.monotonic()))


class _Parser(HTTPRequestParser):  # type: ignore[misc] # waitress is untyped.
    """Parse a request as RFC 9112 demands where waitress is more lenient.

    A proxy in front of this server may read an ambiguous request in another way, and then a part of it becomes a
    request of its own (request smuggling): such requests are rejected. The method keeps its case, because `get` is not
    GET: the application decides which methods exist.
    """

    def parse_header(self, header_plus: bytes) -> None:
        if _FOLDED_HEADER.search(header_plus):
            raise ParsingError("A header continues on the next line")
        if _HUGE_CONTENT_LENGTH.search(header_plus):
            # Python parses no number with so many digits: waitress would drop the connection without a response.
            self.error = RequestEntityTooLarge("Content-Length has too many digits")
            return
        method, blank, rest = header_plus.partition(b" ")
        is_both = _TRANSFER_ENCODING.search(header_plus) and _CONTENT_LENGTH.search(header_plus)
        super().parse_header(method.upper() + blank + rest)
        self.command = method.decode("latin-1")
        if is_both:
            raise ParsingError("Transfer-Encoding and Content-Length exclude each other")
        if self.version not in ("1.0", "1.1"):
            raise ParsingError("Only HTTP/1.0 and HTTP/1.1 are supported")
        # waitress joins repeated headers with a comma and a blank, which no host contains.
        if not _HOST.fullmatch(self.headers.get("HOST", "" if self.version == "1.0" else " ")):
            raise ParsingError("Host is missing, repeated or invalid")


_FOLDED_HEADER = re.compile(rb"\r\n[ \t]")
_HUGE_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*[0-9]{19}", re.IGNORECASE)
_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length:", re.IGNORECASE)
_TRANSFER_ENCODING = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
_HOST = re.compile(r"[A-Za-z0-9._~%!$&'()*+,;=:\[\]-]*")


class _Task(WSGITask):  # type: ignore[misc] # waitress is untyped.
    """Pass method and path on as they were sent, and keep the connection after responses without a body."""

    def set_close_on_finish(self) -> None:
        # waitress closes the connection after a response without a length, but 204 and 304 never have a body.
        wants_close = self.request.headers.get("CONNECTION", "").lower() == "close"
        if self.has_body or wants_close or self.version != "1.1":
            super().set_close_on_finish()

    def get_environment(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environment()
        environ["REQUEST_METHOD"] = self.request.command
        environ["PATH_INFO"] = self.request.path
        return environ


class _ProblemTask(ErrorTask):  # type: ignore[misc] # waitress is untyped.
    """Reject a request with a problem document instead of waitress's plain text."""

    def execute(self) -> None:
        problem = _problem_for_status(self.request.error.code)
        body = problem.encode()
        request_id = secrets.token_hex(16)
        self.channel.server.log_rejected_request(problem, request_id, self.channel.addr[0])
        self.status = f"{problem.status} {problem.to_json_object()['title']}"
        self.response_headers += [
            ("Content-Type", PROBLEM_JSON),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Request-Id", request_id),
        ]
        self.content_length = len(body)
        self.set_close_on_finish()
        self.write(body)


class _Channel(HTTPChannel):  # type: ignore[misc] # waitress is untyped.
    """A connection."""

    parser_class = _Parser
    task_class = _Task
    error_task_class = _ProblemTask


def _problem_for_status(status: int) -> Problem:
    if status == 413:  # noqa: PLR2004 - Content Too Large.
        return Problem(413, "body_too_large", f"A body has at most {MAX_BODY_BYTES} bytes.")
    if status == 431:  # noqa: PLR2004 - Request Header Fields Too Large.
        return Problem(431, "headers_too_large", f"All headers together have at most {MAX_HEADER_BYTES} bytes.")
    if status >= 500 and status != 501:  # noqa: PLR2004 - 501: the client's transfer coding is not supported.
        return internal_error()
    return Problem(400, "malformed_request", "The request is not well-formed HTTP.")
