"""The edge: what no request may be, whoever it is for, and what every answer carries.

Sizes and the hygiene of paths and headers are settled here, before routing, so that nothing behind it meets a request
that the document could not describe. An answer to HEAD loses its body here and keeps the length of it. Cross-origin
rules (the Fetch standard's CORS) are an exact allow-list.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from contract.bridge import AsgiApp, Message
from contract.problems import PROBLEM_JSON, Problem
from contract.request_context import set_request_context

Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MAX_BODY_BYTES = 256 * 1024
"""Bytes of a request body."""
BODY_LIMIT_EXTENSION = "x-tackboard-body-limit"
"""The extension of an operation whose body may be larger; its path has no parameters."""
MAX_PATH_CHARACTERS = 2 * 1024
"""Characters of a decoded path."""
MAX_QUERY_BYTES = 8 * 1024
"""Bytes of a query string."""
MAX_HEADER_BYTES = 32 * 1024
"""Bytes of all names and values of headers."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_FORBIDDEN_IN_PATH = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_FORBIDDEN_IN_QUERY = re.compile(rb"[^\x21-\x7e]")
_ALLOWED_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
# The second line means nothing to the API (the mock reads Prefer). Libraries for tracing and fetching add these to
# every request, and a browser sends nothing at all when one header is not allowed.
_ALLOWED_HEADERS = (
    "Accept, Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-Id, "
    "baggage, Cache-Control, Prefer, sentry-trace, traceparent, tracestate, X-Requested-With"
)
_EXPOSED_HEADERS = (
    "Allow, Deprecation, ETag, Idempotency-Replayed, Link, Location, Retry-After, Sunset, "
    "WWW-Authenticate, X-Request-Id"
)


class Edge:
    """The outermost ASGI application."""

    def __init__(
        self,
        app: AsgiApp,
        *,
        new_request_id: Callable[[], str],
        origins: Iterable[str] = (),
        body_limits: Mapping[str, int] | None = None,
    ) -> None:
        """`limits` are those of paths whose bodies may be larger than others: see `body_limits`."""
        self._app = app
        self._body_limits = body_limits or {}
        self._new_request_id = new_request_id
        self._origins = frozenset(origin.encode() for origin in origins)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Refuse at once, or pass on with the whole body at hand."""
        headers = dict(scope["headers"])
        scope["request_id"] = request_id = self._choose_request_id(headers)
        set_request_context(request_id=request_id)
        always = self._build_common_headers(scope, headers, request_id)
        if scope["method"] == "HEAD":
            send = _make_head_sender(send)

        async def send_dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _add_common_headers(message["headers"], always)
            await send(message)

        try:
            most = self._body_limits.get(scope["path"].removeprefix(scope["root_path"]), MAX_BODY_BYTES)
            _validate_head(scope, headers, most)
            body = await _read_body(receive, most)
        except Problem as problem:
            await _send_problem(problem, send_dressed)
            return
        if scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
            await send_dressed(
                {"type": "http.response.start", "status": 204, "headers": self._build_preflight_headers(headers)}
            )
            await send_dressed({"type": "http.response.body", "body": b""})
            return

        async def receive_whole() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, receive_whole, send_dressed)

    def _choose_request_id(self, headers: dict[bytes, bytes]) -> str:
        sent = headers.get(b"x-request-id", b"").decode("latin-1")
        return sent if _REQUEST_ID.fullmatch(sent) else self._new_request_id()

    def _build_common_headers(
        self, scope: Message, headers: dict[bytes, bytes], request_id: str
    ) -> list[tuple[bytes, bytes]]:
        always = [
            (b"x-request-id", request_id.encode()),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
        ]
        if scope["scheme"] == "https":
            always.append((b"strict-transport-security", b"max-age=63072000; includeSubDomains"))
        if self._origins:
            always.append((b"vary", b"Origin"))
            if headers.get(b"origin") in self._origins:
                always.append((b"access-control-allow-origin", headers[b"origin"]))
                always.append((b"access-control-expose-headers", _EXPOSED_HEADERS.encode()))
        return always

    def _build_preflight_headers(self, headers: dict[bytes, bytes]) -> list[tuple[bytes, bytes]]:
        if headers.get(b"origin") not in self._origins:
            return []
        return [
            (b"access-control-allow-methods", _ALLOWED_METHODS.encode()),
            (b"access-control-allow-headers", _ALLOWED_HEADERS.encode()),
            (b"access-control-max-age", b"7200"),
        ]


def _add_common_headers(
    headers: Iterable[tuple[bytes, bytes]], common_headers: list[tuple[bytes, bytes]]
) -> list[tuple[bytes, bytes]]:
    """The response's headers and those that every response carries; what the response itself says goes first."""
    own = list(headers)
    # What an answer varies by adds up: a page by its coding, and by the origin too where there is more than one.
    named = {name for name, _ in own} - {b"vary"}
    return own + [(name, value) for name, value in common_headers if name not in named]


def _make_head_sender(send: Send) -> Send:
    """Sends the answer to GET as the answer to HEAD: its body left out, its length told (RFC 9110, section 8.6).

    The head waits until the length is known. A server that is told none would count the body that it gets: 0.
    """
    start: Message = {}
    length = 0

    async def send_head(message: Message) -> None:
        nonlocal length
        if message["type"] == "http.response.start":
            start.update(message)
            return
        length += len(message.get("body", b""))
        if message.get("more_body"):
            return
        # 204 and 304 have no length, and a page for people has told its own.
        if start["status"] not in (204, 304) and b"content-length" not in dict(start["headers"]):
            start["headers"] = [*start["headers"], (b"content-length", str(length).encode())]
        await send(start)
        await send({"type": "http.response.body", "body": b""})

    return send_head


def find_body_limits(document: Mapping[str, Any]) -> dict[str, int]:
    """Bytes of a body by path, where the document allows more than usual."""
    base = document["servers"][0]["url"]
    return {
        f"{base}{path}": operation[BODY_LIMIT_EXTENSION]
        for path, described in document["paths"].items()
        for operation in described.values()
        if isinstance(operation, dict) and BODY_LIMIT_EXTENSION in operation
    }


def _validate_head(scope: Message, headers: dict[bytes, bytes], max_body_bytes: int) -> None:
    """Sizes first, then hygiene; raises 413, 414, 431, 404 or 400."""
    if len(scope["path"]) > MAX_PATH_CHARACTERS or len(scope["query_string"]) > MAX_QUERY_BYTES:
        raise Problem(
            414,
            "uri_too_long",
            f"A path has at most {MAX_PATH_CHARACTERS} characters, a query at most {MAX_QUERY_BYTES} bytes.",
        )
    if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADER_BYTES:
        raise Problem(431, "headers_too_large", f"All headers together have at most {MAX_HEADER_BYTES} bytes.")
    declared = headers.get(b"content-length", b"0")
    if declared.isdigit() and (len(declared) > 18 or int(declared) > max_body_bytes):  # noqa: PLR2004 - no int() of a novel.
        raise _body_too_large(max_body_bytes)
    if _FORBIDDEN_IN_PATH.search(scope["path"]):
        raise Problem(404, "not_found", "There is nothing here.")
    if _FORBIDDEN_IN_QUERY.search(scope["query_string"]):
        raise Problem(400, "malformed_request", "The query string has characters that must be percent-encoded.")


async def _read_body(receive: Receive, max_bytes: int) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > max_bytes:
            raise _body_too_large(max_bytes)
    return body


def _body_too_large(max_bytes: int) -> Problem:
    return Problem(413, "body_too_large", f"A body has at most {max_bytes} bytes.")


async def _send_problem(problem: Problem, send: Send) -> None:
    headers: list[tuple[bytes, bytes]] = [(b"content-type", PROBLEM_JSON.encode())]
    headers += [(name.lower().encode(), value.encode("latin-1")) for name, value in problem.headers.items()]
    start: dict[str, Any] = {"type": "http.response.start", "status": problem.status, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": problem.encode()})
