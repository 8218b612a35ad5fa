"""A connection: uvicorn's, which parses with httptools (llhttp), with what uvicorn leaves open.

Requests that are no strict HTTP are rejected with a problem document: a proxy in front of this server may read an
ambiguous request in another way, and then a part of it becomes a request of its own (request smuggling). Every wait
for a client has an end. A client that still sends when it is rejected can read the response.
"""

import asyncio
import math
import re
from dataclasses import dataclass
from functools import partial
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from contract.edge import MAX_HEADER_BYTES
from contract.problems import Problem
from server.asgi_application import MAX_DISCARDED_BYTES, WATCH_END, RejectRequest
from server.open_connections import Connections

MAX_HEADERS = 100
"""The most headers of a request."""

_MAX_HEAD_BYTES = 4 * MAX_HEADER_BYTES
"""Well above the application's limits: it rejects by itself what is not far too large."""
_PIECE_BYTES = 4 * 1024
"""How much of a body arrives before it is passed on, unless it ends earlier."""
_MAX_JOINED_BYTES = 64 * 1024
"""Up to which length the body of a response is sent together with the head, and how much of one may arrive unread."""
_MAX_PIPELINED = 100
"""The most requests of one connection that may wait for their turn."""

_HOST = re.compile(rb"[A-Za-z0-9._~%!$&'()*+,;=:\[\]-]*")
_ABSOLUTE = re.compile(rb"https?://[^/?#]*", re.IGNORECASE)
_REQUEST_LINE = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+ [^\r\n]+ HTTP/1.[01]\r\n")
_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
_FOREVER = math.inf


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the server waits for clients, in seconds."""

    head: float = 10.0
    """For the line and the headers of a request, from the connection or from the first byte on."""
    idle: float = 45.0
    """For the next request on a connection, and for a client that reads nothing of its response."""
    farewell: float = 10.0
    """For a client that was rejected to stop sending, so that it can read the response."""


class HttpProtocol(HttpToolsProtocol):
    """A connection."""

    def __init__(self, patience: Patience, open_connections: Connections, reject: RejectRequest, **parts: Any) -> None:
        """Take `parts` from uvicorn. `reject` answers a request that the application does not get."""
        super().__init__(**parts)
        self._patience = patience
        self._open_connections = open_connections
        self._reject = reject
        self._address = ""
        self._latest: _Cycle | None = None
        """The request that arrived last; uvicorn has it in `cycle`."""
        self._deadline = _FOREVER
        self._has_begun = False
        """Whether a part of a request has arrived."""
        self._reads_body = False
        self._head_bytes = 0
        self._ends_in_data = False
        """Whether a request ends in the bytes that are being parsed."""
        self._is_deaf = False
        """Whether further input is discarded."""
        self._is_leaving = False
        """Whether the last response is sent, and the client only has to stop sending."""
        self._discarded_bytes = 0
        self._unsent_bytes = 0
        self._end: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, or close the connection if there is no room."""
        super().connection_made(transport)  # type: ignore[arg-type] # asyncio names the base of all transports.
        self._address = self.client[0] if self.client else ""
        self._deadline = self.loop.time() + self._patience.head
        if not self._open_connections.add(self, self._address):
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._open_connections.remove(self, self._address)
        if self._end and not self._end.done():
            self._end.set_result(None)
        super().connection_lost(exc)

    def watch_end(self) -> "asyncio.Future[None]":
        """Return the future that is done when the connection has ended: every request has it in its scope."""
        if self._end is None:
            self._end = self.loop.create_future()
            if self.transport.is_closing():
                self._end.set_result(None)
        return self._end

    def abort(self) -> None:
        """Close the connection without sending what is left to send."""
        self.transport.abort()

    def is_overdue(self, now: float) -> bool:
        """Return whether the client has let the server wait for too long."""
        return now >= self._deadline

    def end_wait(self, now: float) -> None:
        """Close the connection of a client that is overdue, unless it reads, slowly."""
        unsent_bytes = self.transport.get_write_buffer_size()
        if 0 < unsent_bytes < self._unsent_bytes:
            self._unsent_bytes, self._deadline = unsent_bytes, now + self._patience.idle
        elif self._has_begun and not (self._reads_body or self._is_deaf or unsent_bytes):
            self._deadline = _FOREVER
            self._refuse(Problem(408, "request_timeout", "The headers did not arrive in time."))
        else:
            self.abort()

    def data_received(self, data: bytes) -> None:
        """Parse what has arrived."""
        if self._is_deaf:
            self._discarded_bytes += len(data)
            if self._discarded_bytes > MAX_DISCARDED_BYTES:
                self.abort()
            return
        self._ends_in_data = False
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # No other protocol is offered. The request was answered as if it had not asked for one.
            self._is_deaf = True
        except httptools.HttpParserInvalidMethodError:
            is_first_in_data = not (self._ends_in_data or self._head_bytes)
            is_http = is_first_in_data and _REQUEST_LINE.match(data)
            self._refuse(_build_method_problem() if is_http else _build_malformed_problem())
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._refuse(cause if isinstance(cause, Problem) else _build_malformed_problem())
        else:
            if self._reads_body or self._ends_in_data:
                self._head_bytes = 0
                return
            self._head_bytes += len(data)
            if self._head_bytes > _MAX_HEAD_BYTES:
                self._refuse(_build_headers_problem())

    def on_message_begin(self) -> None:
        """Begin to read a request."""
        if self._is_deaf:
            return
        super().on_message_begin()
        self._has_begun, self._reads_body = True, False
        self._deadline = self.loop.time() + self._patience.head

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header. What follows the last chunk of a body (trailers) is ignored."""
        if self._reads_body or self._is_deaf:
            return
        if len(self.headers) >= MAX_HEADERS:
            raise Problem(431, "headers_too_large", f"A request has at most {MAX_HEADERS} headers.")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin to answer a request."""
        if self._is_deaf:
            return
        version = self.parser.get_http_version()
        self._ensure_is_strict(version)
        self._reads_body, self._deadline = True, _FOREVER
        path, _, query = _ABSOLUTE.sub(b"", self.url, count=1).partition(b"#")[0].partition(b"?")
        self.scope["method"] = self.parser.get_method().decode("ascii")
        self.scope["http_version"] = version
        self.scope["raw_path"], self.scope["query_string"] = path or b"/", query
        self.scope["extensions"] = {WATCH_END: self.watch_end}  # type: ignore[dict-item] # extensions may be anything.
        may_stay = version == "1.1" and self.parser.should_keep_alive() and not self.parser.should_upgrade()
        self._begin(self.app, may_stay=may_stay)

    def on_body(self, body: bytes) -> None:
        """Take a part of a body. Small parts are joined: a client that sends single bytes wakes nobody with each."""
        cycle = self._latest
        if self._is_deaf or cycle is None or cycle.response_complete:
            return
        cycle.body += body
        if len(cycle.body) >= _PIECE_BYTES:
            cycle.message_event.set()
        if len(cycle.body) > _MAX_JOINED_BYTES:
            self.flow.pause_reading()

    def on_message_complete(self) -> None:
        """Note that a request has arrived as a whole."""
        if self._is_deaf:
            return
        super().on_message_complete()
        self._has_begun = self._reads_body = False
        self._ends_in_data = True
        # A client that closes the connection after this request sends no other one.
        self._is_deaf = not self.cycle.keep_alive
        if self.cycle.response_complete:
            self._wait_for_next_request()
        else:
            self._open_connections.mark_busy(self)

    def on_response_complete(self) -> None:
        """Answer the next request that has arrived, or wait for one."""
        self.server_state.total_requests += 1
        if self.transport.is_closing() or self._is_leaving:
            return
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self.flow.resume_reading()
        if self._has_begun:
            # The rest of a body that nobody wants, or a part of the next request, which has its deadline.
            self._deadline = min(self._deadline, self.loop.time() + self._patience.farewell)
        else:
            self._wait_for_next_request()

    def pause_writing(self) -> None:
        """Wait for a client that reads slowly."""
        super().pause_writing()
        self._unsent_bytes = self.transport.get_write_buffer_size() + 1
        self._deadline = min(self._deadline, self.loop.time() + self._patience.idle)

    def resume_writing(self) -> None:
        """Go on to send. A response that is not complete has no deadline of its own."""
        super().resume_writing()
        if self._latest is not None and not self._latest.response_complete:
            self._deadline = _FOREVER

    def leave(self) -> None:
        """Close the connection after a response, once the client has stopped sending."""
        if not self._has_begun or self.transport.is_closing():
            self.transport.close()
            return
        # A connection that is closed while data arrives is reset, and the client would lose the response.
        self._is_deaf = self._is_leaving = True
        self._deadline = self.loop.time() + self._patience.farewell
        self.flow.resume_reading()
        self.transport.write_eof()

    def _wait_for_next_request(self) -> None:
        self._unsent_bytes = self.transport.get_write_buffer_size() + 1
        self._deadline = self.loop.time() + self._patience.idle
        self._open_connections.mark_idle(self)

    def _ensure_is_strict(self, version: str) -> None:
        """Check what httptools leaves open. Raises Problem."""
        hosts = [value for name, value in self.headers if name == b"host"]
        codings = [value for name, value in self.headers if name == b"transfer-encoding"]
        host = hosts[0] if len(hosts) == 1 else b"" if version == "1.0" and not hosts else b" "
        if (
            version not in ("1.0", "1.1")
            or (codings and (version == "1.0" or [coding.lower() for coding in codings] != [b"chunked"]))
            or not _HOST.fullmatch(host)
        ):
            raise _build_malformed_problem()
        if len(self.pipeline) >= _MAX_PIPELINED:
            raise Problem(400, "malformed_request", f"More than {_MAX_PIPELINED} requests wait for their turn.")

    def _refuse(self, problem: Problem) -> None:
        """Reject the request that is being read, after the responses to those before it."""
        if self._is_deaf:
            return
        self._is_deaf = True
        if self._reads_body and self._latest is not None:
            if self._latest.response_complete:
                self.leave()
            else:
                self._latest.refusal = problem
                self._latest.message_event.set()
            return
        self._has_begun = True
        self.scope = {"type": "http", "method": "GET", "http_version": "1.1", "headers": []}  # type: ignore[typeddict-item]
        self.expect_100_continue = False
        self._begin(partial(self._reject, problem, self._address), may_stay=False)

    def _begin(self, app: Any, *, may_stay: bool) -> None:
        """Answer a request, or let it wait for the responses to those before it."""
        earlier = self._latest
        self.cycle = self._latest = _Cycle(
            scope=self.scope,
            transport=_Transport(self),  # type: ignore[arg-type] # it is all that a cycle uses of a transport.
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=may_stay,
            on_response=self.on_response_complete,
        )
        if earlier is None or earlier.response_complete:
            self._start_asgi_task(self.cycle, app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, app))


class _Cycle(RequestResponseCycle):
    """A request and its response."""

    refusal: Problem | None = None
    """What is wrong with the body."""
    _ends_with_connection = False
    """Whether the end of the body is the end of the connection: HTTP/1.0 knows no chunks."""

    async def receive(self) -> Any:
        """Return the next part of the body. Raises Problem if the body is no well-formed HTTP."""
        message = await super().receive()
        if self.refusal is not None and not self.disconnected:
            raise self.refusal
        return message

    async def send(self, message: Any) -> None:
        """Send the head of a response together with the first part of its body."""
        transport: Any = self.transport
        transport.is_holding = message["type"] == "http.response.start"
        if transport.is_holding:
            has_length = any(name == b"content-length" for name, _ in message["headers"])
            if self.scope["http_version"] == "1.0" and not has_length:
                self.chunked_encoding, self._ends_with_connection = False, True
        elif self._ends_with_connection:
            self.expected_content_length = len(message["body"])
        await super().send(message)
        if not transport.is_holding:
            transport.flush()


class _Transport:
    """What a cycle uses of a transport. To close it is to leave the client."""

    __slots__ = ("_leave", "_pending", "_transport", "is_closing", "is_holding")

    def __init__(self, protocol: HttpProtocol) -> None:
        self._transport = protocol.transport
        self._leave = protocol.leave
        self._pending = b""
        self.is_closing = protocol.transport.is_closing
        self.is_holding = False
        """Whether what is written waits for more."""

    def write(self, data: bytes) -> None:
        if self.is_holding:
            self._pending += data
            return
        if len(data) < _MAX_JOINED_BYTES:
            self._transport.write(self._pending + data)
        else:
            self.flush()
            self._transport.write(data)
        self._pending = b""

    def flush(self) -> None:
        if self._pending:
            self._transport.write(self._pending)
            self._pending = b""

    def close(self) -> None:
        self.flush()
        self._leave()


def _build_malformed_problem() -> Problem:
    return Problem(400, "malformed_request", "The request is not well-formed HTTP.")


def _build_method_problem() -> Problem:
    return Problem(405, "method_not_allowed", f"Allowed here: {_METHODS}.", headers={"Allow": _METHODS})


def _build_headers_problem() -> Problem:
    return Problem(431, "headers_too_large", f"All headers together have at most {MAX_HEADER_BYTES} bytes.")
