"""The server for one machine: waitress, one process with a few threads, in lanes.

waitress takes a request in whole before it gives it to a thread, so a slow client keeps no thread waiting. What it
refuses by itself, because it isn't HTTP or is far too large, gets a problem document, as everything else does.
"""

import re
import secrets
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
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
"""Threads for requests that read, and for those that write: one more than heavy operations ever hold.

Python runs one thread at a time; the others wait for the store, and more of them would only wait for each other.
"""

PROBE_PATHS = ("/v1/health", "/v1/ready")
"""What supervisors and load balancers ask for. Each has a thread of its own, so nothing ever stands before it."""

_SHUTDOWN_SECONDS = 5.0


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 chooses a free one. Raises OSError, also for a host that there is not."""
    family, *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    return socket.create_server((host, port), family=family)


def serve(
    application: WSGIApplication,
    listener: socket.socket,
    note_refusal: Callable[[Problem, str, str], None] = lambda *_: None,
) -> None:
    """Answer until a KeyboardInterrupt; then finish what was begun, for five seconds at most.

    `note_refusal` is told what was refused because it was no request, under which id, and the client's address.
    A second one ends it at once. Must be called in the main thread, which hears no further signal to stop afterwards.
    """
    server = create_server(
        application,
        sockets=[listener],
        _dispatcher=_LaneDispatcher(),
        ident=None,
        asyncore_use_poll=True,
        connection_limit=1000,
        # Well above what the application takes: it says no itself, after a body that is not far too large.
        max_request_header_size=8 * MAX_HEADER_BYTES,
        max_request_body_size=64 * MAX_BODY_BYTES,
    )
    server.channel_class = _Channel
    server.note_refusal = note_refusal
    with suppress(KeyboardInterrupt):
        server.run()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    server.close()


class _LaneDispatcher:
    """Gives requests to threads, those of each kind to threads of their own.

    Writers wait for each other, and for heavy operations that write: however long that takes, readers go on. And
    whatever both do, the probes are answered.
    """

    def __init__(self) -> None:
        self._readers, self._writers = ThreadedTaskDispatcher(), ThreadedTaskDispatcher()
        self._probes = {path: ThreadedTaskDispatcher() for path in PROBE_PATHS}
        self._readers.set_thread_count(READER_THREADS)
        self._writers.set_thread_count(WRITER_THREADS)
        for lane in self._probes.values():
            lane.set_thread_count(1)

    def add_task(self, channel: HTTPChannel) -> None:
        """Have the channel's next request answered."""
        self._lane_for(channel.requests[0]).add_task(channel)

    def _lane_for(self, request: HTTPRequestParser) -> ThreadedTaskDispatcher:
        # What is refused may have neither a method nor a path.
        if request.error:
            return self._readers
        if request.command not in ("GET", "HEAD"):
            return self._writers
        return self._probes.get(request.path, self._readers)

    def shutdown(self) -> None:
        """Finish what was begun, and drop what waits."""
        lanes = (self._readers, self._writers, *self._probes.values())
        for lane in lanes:
            lane.set_thread_count(0)
        end = time.monotonic() + _SHUTDOWN_SECONDS
        for lane in lanes:
            lane.shutdown(timeout=max(0.0, end - time.monotonic()))


class _Parser(HTTPRequestParser):  # type: ignore[misc] # waitress is untyped.
    """Takes a method in any case: whether it exists is the application's to say, and `get` is not GET.

    Refuses what RFC 9112 tells a server to refuse and waitress lets pass: something in front of this server may read
    such a request in another way, and then a part of it becomes a request of its own.
    """

    def parse_header(self, header_plus: bytes) -> None:
        if _FOLDED_HEADER.search(header_plus):
            raise ParsingError("A header goes on in the next line")
        if _HUGE_CONTENT_LENGTH.search(header_plus):
            # Python makes no number of so many digits, and waitress would drop the connection without a word.
            self.error = RequestEntityTooLarge("Content-Length has too many digits")
            return
        method, blank, rest = header_plus.partition(b" ")
        is_both = _TRANSFER_ENCODING.search(header_plus) and _CONTENT_LENGTH.search(header_plus)
        super().parse_header(method.upper() + blank + rest)
        self.command = method.decode("latin-1")
        if is_both:
            raise ParsingError("Transfer-Encoding and Content-Length don't go together")
        if self.version not in ("1.0", "1.1"):
            raise ParsingError("Only HTTP/1.0 and HTTP/1.1 are spoken here")
        # waitress joins headers of one name with a comma and a blank, so that two hosts are none.
        if not _HOST.fullmatch(self.headers.get("HOST", "" if self.version == "1.0" else " ")):
            raise ParsingError("Host is missing, stands twice, or is none")


_FOLDED_HEADER = re.compile(rb"\r\n[ \t]")
_HUGE_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*[0-9]{19}", re.IGNORECASE)
_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length:", re.IGNORECASE)
_TRANSFER_ENCODING = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
_HOST = re.compile(r"[A-Za-z0-9._~%!$&'()*+,;=:\[\]-]*")


class _Task(WSGITask):  # type: ignore[misc] # waitress is untyped.
    """Hands over method and path as they were sent, and keeps the connection after answers that have no body."""

    def set_close_on_finish(self) -> None:
        # waitress closes after an answer without a length. 204 and 304 have no body that could be of any length.
        wants_close = self.request.headers.get("CONNECTION", "").lower() == "close"
        if self.has_body or wants_close or self.version != "1.1":
            super().set_close_on_finish()

    def get_environment(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environment()
        environ["REQUEST_METHOD"] = self.request.command
        environ["PATH_INFO"] = self.request.path
        return environ


class _ProblemTask(ErrorTask):  # type: ignore[misc] # waitress is untyped.
    """Says no with a problem document where waitress has a page of plain text."""

    def execute(self) -> None:
        problem = _problem_for_status(self.request.error.code)
        body = problem.encode()
        request_id = secrets.token_hex(16)
        self.channel.server.note_refusal(problem, request_id, self.channel.addr[0])
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
    if status >= 500 and status != 501:  # noqa: PLR2004 - 501 is a transfer coding that nobody uses: the client's fault.
        return internal_error()
    return Problem(400, "malformed_request", "The request is not well-formed HTTP.")
