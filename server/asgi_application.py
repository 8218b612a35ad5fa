"""Serve an edge as an ASGI application: bodies are read on the event loop, and requests are answered in lanes.

The edge and everything behind it stay synchronous. Health is answered on the loop itself, so that nothing delays it.
Requests that wait for news of a board are held on the loop (`server.held_requests`), where they cost no thread.
"""

import asyncio
import io
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Any, NoReturn
from urllib.parse import unquote_to_bytes

from contract.edge import Edge
from contract.heavy_operations import HEAVY, MAX_CONCURRENT, REMOTE, build_busy_problem
from contract.messages import Response
from contract.problems import PROBLEM_JSON, Problem
from contract.request_context import RequestContext, end_request_context, start_request_context
from contract.request_log import RequestLog, RequestTimes
from server.compression import compress_response
from server.followers import Followers, FollowSettings, ReadSeqs
from server.held_requests import HeldRequests, ReceivedRequest, RequestEnded
from server.lanes import Lane, LaneFull
from server.open_connections import MAX_CONNECTIONS

HEALTH_PATH = "/v1/health"
READY_PATH = "/v1/ready"
"""The paths that supervisors and load balancers request. Nothing else delays them."""

MAX_WAITING = 500
"""The most requests that wait in a lane. One more is answered at once with 503."""
MAX_WAITING_FOR_REMOTE = 50
"""The same for what waits for servers of others: at five seconds each, more would wait for a minute."""
MAX_UNANSWERED_BODY_BYTES = 128 * 1024 * 1024
"""The most bytes that all bodies have together, until their requests are answered."""
MAX_DISCARDED_BYTES = 16 * 1024 * 1024
"""How much a client whose request is rejected may go on to send."""
MIN_BODY_BYTES_PER_SECOND = 16 * 1024
"""How fast a body must arrive after the time that any body may take."""

WATCH_END = "tackboard.watch_end"
"""The extension of ASGI that returns a future which is done when the connection has ended."""

_REMOTE_THREADS = 4
_SLOWEST = 1 / MIN_BODY_BYTES_PER_SECOND
_READ_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))
_TURN_SECONDS = 0.002
_BODY_HEADERS = frozenset(("content-length", "transfer-encoding"))
_NO_LENGTH = frozenset((204, 304))

_Scope = Any
_Receive = Callable[[], Awaitable[Any]]
_Send = Callable[[Any], Awaitable[None]]
Observe = Callable[[RequestContext, int, RequestTimes, str], None]
"""Is called with each request that was answered, its status, its times, and its lane, if it needed a thread."""
RejectRequest = Callable[[Problem, str, _Scope, _Receive, _Send], Awaitable[None]]
"""Answers a request that is no strict HTTP, from a client's address."""


class Lanes:
    """The lanes of a server. Writes wait for each other, and for heavy operations; reads do not."""

    def __init__(self, quick_thread_count: int = 1, max_waiting: int = MAX_WAITING) -> None:
        """Start the threads: `quick_thread_count` for reads, and one more than that for writes."""
        self.reads = Lane("read", quick_thread_count, max_waiting)
        # One more: a write may have to wait until another request has had its turn at a board.
        self.writes = Lane("write", quick_thread_count + 1, max_waiting)
        self.ready = Lane("ready", 1, max_waiting)
        # A heavy operation takes so long that a client had better retry than wait for a thread.
        self.heavy = Lane("heavy", MAX_CONCURRENT, 0)
        # They wait for servers of others, so their threads cost little, and those servers may be slow.
        self.remote = Lane("remote", _REMOTE_THREADS, MAX_WAITING_FOR_REMOTE)
        # As many as are held may wait for it: however many there are, they delay only each other.
        self.held = Lane("held", quick_thread_count, MAX_CONNECTIONS)

        self.all = (self.reads, self.writes, self.ready, self.heavy, self.remote, self.held)

    def close(self) -> None:
        """Let all threads end after what they have begun."""
        for lane in self.all:
            lane.close()


class AsgiApplication:
    """An ASGI application around an edge."""

    def __init__(
        self,
        edge: Edge,
        lanes: Lanes,
        log: RequestLog | None = None,
        *,
        body_seconds: float = 30.0,
        mount: str = "",
        follow_settings: FollowSettings,
        read_seqs: ReadSeqs | None = None,
        observe: Observe | None = None,
    ) -> None:
        """`body_seconds` is how long any body may take to arrive; a long one may take longer.

        `mount` is the prefix of all paths in the client's URLs, such as `/kanban`. A proxy may have removed it.
        `read_seqs` finds out what other processes have committed, `observe` counts requests.
        """
        self._edge = edge
        self._lanes = lanes
        self._log = log
        self._observe = observe
        self._body_seconds = body_seconds
        self._mount = mount
        self._unanswered_body_bytes = 0
        self._next_turn_at = 0.0
        self._followers = Followers(lanes.held, read_seqs, follow_settings)
        self._held_requests = HeldRequests(
            self._followers, lanes.held, follow_settings, self._answer_held, self._log_response
        )

    @property
    def held_count(self) -> int:
        """How many requests wait for news or are answered with a stream."""
        return self._followers.count

    def stop(self) -> None:
        """End what is held. Only the event loop may call it."""
        self._followers.stop()

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        """Process one request."""
        request = _read_request(scope, self._mount)
        limit = self._edge.find_body_limit(request.path)
        body = bytearray()
        try:
            declared_length = int(request.headers.get("content-length", 0))
            is_refused = declared_length > limit
            has_more = declared_length <= MAX_DISCARDED_BYTES and "expect" not in request.headers
            if not is_refused and not _BODY_HEADERS.isdisjoint(request.headers):
                has_more = await self._read_body(receive, body, limit)
                is_refused = len(body) > limit
            if is_refused:
                # The edge rejects a body that is declared or found to be too long.
                if has_more:
                    await self._discard_body(receive)
                response = self._answer(request, body)
            else:
                response = await self._answer_in_lane(request, body)
                if response.feed_position is not None:
                    end = scope["extensions"][WATCH_END]()
                    response = await self._held_requests.hold(request, response, response.feed_position, end, send)
        except RequestEnded:
            return
        except Problem as problem:
            is_refused, response = True, self._refuse(request, problem)
        except asyncio.CancelledError:
            is_refused, response = True, self._refuse(request, _stopping())
        finally:
            self._unanswered_body_bytes -= len(body)
        await _send_response(send, response.status, response.headers, response.body, closes=is_refused)

    async def reject(self, problem: Problem, address: str, scope: _Scope, receive: _Receive, send: _Send) -> None:
        """Answer a request that is no strict HTTP: its path, its method and its headers are not known."""
        del scope, receive
        request_id = secrets.token_hex(16)
        if self._log:
            self._log.log_rejected_request(problem, request_id, address)
        if self._observe:
            context = RequestContext()
            context.code = problem.code
            self._observe(context, problem.status, RequestTimes(0.0, 0.0), "")
        headers = (
            ("content-type", PROBLEM_JSON),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-request-id", request_id),
            *((name.lower(), value) for name, value in problem.headers.items()),
        )
        await _send_response(send, problem.status, headers, problem.encode(), closes=True)

    async def _read_body(self, receive: _Receive, body: bytearray, limit: int) -> bool:
        """Read a body, at most a bit more than the limit, and return whether it goes on.

        Raises Problem, or RequestEnded.
        """
        try:
            async with asyncio.timeout(self._body_seconds) as timeout:
                while len(body) <= limit:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise RequestEnded
                    piece = message["body"]
                    body += piece
                    self._unanswered_body_bytes += len(piece)
                    if not message["more_body"]:
                        return False
                    if self._unanswered_body_bytes > MAX_UNANSWERED_BODY_BYTES:
                        raise _busy()
                    timeout.reschedule((timeout.when() or 0) + len(piece) * _SLOWEST)
        except TimeoutError:
            await self._take_turn()
            raise Problem(408, "request_timeout", "The body did not arrive in time.") from None
        return True

    async def _discard_body(self, receive: _Receive) -> None:
        """Read on to the end of a body that is too long. Raises Problem, or RequestEnded.

        Some proxies close the connection to a client whose request is answered too early, and the client never sees
        the response. A body that is long or slow beyond measure is answered too early.
        """
        discarded_bytes, has_more = 0, True
        with suppress(TimeoutError):
            async with asyncio.timeout(self._body_seconds):
                while has_more and discarded_bytes <= MAX_DISCARDED_BYTES:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise RequestEnded
                    discarded_bytes += len(message["body"])
                    has_more = message["more_body"]

    async def _take_turn(self) -> None:
        """Wait, so that thousands of bodies that are late at once don't occupy the loop with their responses."""
        now = asyncio.get_running_loop().time()
        self._next_turn_at = max(self._next_turn_at + _TURN_SECONDS, now)
        await asyncio.sleep(self._next_turn_at - now)

    async def _answer_in_lane(self, request: ReceivedRequest, body: bytearray) -> Response:
        """Answer a request in its lane. Raises Problem if the lane is full."""
        if request.path == HEALTH_PATH and request.method in _READ_METHODS:
            return self._answer(request, body)
        weight = self._edge.find_weight(request.method, request.path)
        lane = self._choose_lane(request, weight)
        request.lane = lane.name
        try:
            response = await lane.run(partial(self._answer, request, body, time.perf_counter()))
        except LaneFull:
            request.lane = ""
            raise (build_busy_problem() if weight == HEAVY else _busy()) from None
        if response.change is not None:
            for board_id, seq in response.change.list_board_seqs():
                self._followers.announce(board_id, seq)
        return response

    def _choose_lane(self, request: ReceivedRequest, weight: str | None) -> Lane:
        if weight == HEAVY:
            return self._lanes.heavy
        if weight == REMOTE:
            return self._lanes.remote
        if request.method not in _READ_METHODS:
            return self._lanes.writes
        return self._lanes.ready if request.path == READY_PATH else self._lanes.reads

    def _answer(self, request: ReceivedRequest, body: bytearray, arrived_at: float | None = None) -> Response:
        """Answer and log a request that has arrived at a time of `perf_counter`."""
        return self._answer_and_log(request, io.BytesIO(body).read if body else None, arrived_at)

    def _refuse(self, request: ReceivedRequest, problem: Problem) -> Response:
        """Return a problem with what the edge adds to every response."""

        def read_body(_: int) -> NoReturn:
            raise problem

        return self._answer_and_log(request, read_body, None)

    def _answer_held(self, request: ReceivedRequest) -> Response:
        """Answer a request that is held, and was answered before."""
        return self._answer_and_log(request, None, None)

    def _answer_and_log(
        self, request: ReceivedRequest, read_body: Callable[[int], bytes] | None, arrived_at: float | None
    ) -> Response:
        """Answer a request, and log it if that is all that it gets."""
        started_at = time.perf_counter()
        context, earlier = start_request_context(), request.context
        context.can_stream, context.is_continued = True, request.is_answered
        response = self._edge.answer(
            request.method,
            request.path,
            request.query,
            request.headers,
            read_body,
            peer=request.address,
            mount=self._mount,
            is_https=False,
        )
        end_request_context()
        if request.is_answered:
            _continue_context(context, earlier)
        response = compress_response(request, context, response)
        request.context = context
        request.seconds += time.perf_counter() - started_at
        request.queue_seconds += 0.0 if arrived_at is None else started_at - arrived_at
        request.is_answered = response.feed_position is not None
        if not request.is_answered and request.sent_bytes is None:
            self._log_response(request, response)
        return response

    def _log_response(self, request: ReceivedRequest, response: Response) -> None:
        held_seconds = None if request.held_since is None else time.monotonic() - request.held_since
        times = RequestTimes(request.seconds, request.queue_seconds, held_seconds)
        if self._observe is not None:
            self._observe(request.context, response.status, times, request.lane)
        if self._log is not None:
            self._log.log_response(
                request.context,
                response,
                method=request.method,
                times=times,
                size=len(response.body) if request.sent_bytes is None else request.sent_bytes,
            )


def _continue_context(context: RequestContext, earlier: RequestContext) -> None:
    """Let the context of an answer go on with that of the answer before."""
    context.has_own_id = earlier.has_own_id
    context.store_calls += earlier.store_calls
    context.store_seconds += earlier.store_seconds
    if context.operation is None:
        # The server rejects what it can't hold before the application gets it again.
        context.operation, context.caller = earlier.operation, earlier.caller
        context.path, context.path_values = earlier.path, earlier.path_values


_RETRY_SOON = {"Retry-After": "1"}


def _busy() -> Problem:
    return Problem(503, "busy", "Too many requests wait for the server: try again in a moment.", headers=_RETRY_SOON)


def _stopping() -> Problem:
    return Problem(503, "busy", "The server is stopping: try again in a moment.", headers=_RETRY_SOON)


def _read_request(scope: _Scope, mount: str) -> ReceivedRequest:
    path = scope["raw_path"]
    if mount and f"{path.decode('latin-1')}/".startswith(f"{mount}/"):
        path = path[len(mount) :]
    decoded = unquote_to_bytes(path) if b"%" in path else path
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1").rstrip(" \t")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    client = scope["client"]
    # Bytes that are not UTF-8 are surrogates, which the edge rejects.
    return ReceivedRequest(
        scope["method"],
        decoded.decode("utf-8", "surrogateescape"),
        scope["query_string"].decode("latin-1"),
        headers,
        client[0] if client else "",
    )


async def _send_response(
    send: _Send, status: int, headers: Iterable[tuple[str, str]], body: bytes, *, closes: bool
) -> None:
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    if status in _NO_LENGTH:
        raw = [header for header in raw if header[0] != b"content-length"]
    elif not any(name == b"content-length" for name, _ in raw):
        raw.append((b"content-length", b"%d" % len(body)))
    if closes:
        raw.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
