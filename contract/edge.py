"""The outermost layer: limits on every request, headers on every response, HEAD and CORS.

Sizes, paths and headers are checked before routing, so that no layer below gets a request that the document could not
describe. The response to HEAD loses its body here and keeps its Content-Length. Cross-origin requests (CORS in the
Fetch standard) are allowed by an exact list of origins.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from contract.bridge import AsgiApp, Message, Receive, Send
from contract.problems import PROBLEM_JSON, Problem
from contract.request_context import set_request_context

MAX_BODY_BYTES = 256 * 1024
"""The longest request body in bytes."""
BODY_LIMIT_EXTENSION = "x-tackboard-body-limit"
"""The extension of an operation with another limit for its body. Its path must have no parameters."""
MAX_PATH_CHARACTERS = 2 * 1024
"""The longest path in characters, percent-decoded."""
MAX_QUERY_BYTES = 8 * 1024
"""The longest query string in bytes."""
MAX_HEADER_BYTES = 32 * 1024
"""The most bytes that names and values of all headers have together."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_FORBIDDEN_IN_PATH = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_FORBIDDEN_IN_QUERY = re.compile(rb"[^\x21-\x7e]")
_ALLOWED_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
# The API ignores the headers in the second line (the mock reads Prefer). Libraries for tracing and fetching add them
# to every request, and a browser sends no request at all when one of its headers is not allowed.
_ALLOWED_HEADERS = (
    "Accept, Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-Id, "
    "baggage, Cache-Control, Prefer, sentry-trace, traceparent, tracestate, X-Requested-With"
)
_EXPOSED_HEADERS = (
    "Allow, Deprecation, ETag, Idempotency-Replayed, Link, Location, Retry-After, Sunset, "
    "WWW-Authenticate, X-Request-Id"
)


class Edge:
    """The outermost ASGI application: limits, common headers, HEAD and CORS."""

    def __init__(
        self,
        app: AsgiApp,
        *,
        new_request_id: Callable[[], str],
        origins: Iterable[str] = (),
        body_limits: Mapping[str, int] | None = None,
    ) -> None:
        """Wrap an ASGI application. `body_limits` are bytes by path, where they differ from the usual limit."""
        self._app = app
        self._body_limits = body_limits or {}
        self._new_request_id = new_request_id
        self._origins = frozenset(origin.encode() for origin in origins)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Reject the request, answer a preflight, or read the whole body and pass the request on."""
        headers = dict(scope["headers"])
        scope["request_id"] = request_id = self._choose_request_id(headers)
        set_request_context(request_id=request_id)
        common_headers = self._build_common_headers(scope, headers, request_id)
        if scope["method"] == "HEAD":
            send = _make_head_sender(send)

        async def send_with_common_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _add_common_headers(message["headers"], common_headers)
            await send(message)

        try:
            max_body_bytes = self._body_limits.get(scope["path"].removeprefix(scope["root_path"]), MAX_BODY_BYTES)
            _validate_head(scope, headers, max_body_bytes)
            body = await _read_body(receive, max_body_bytes)
        except Problem as problem:
            await _send_problem(problem, send_with_common_headers)
            return
        if scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
            await send_with_common_headers(
                {"type": "http.response.start", "status": 204, "headers": self._build_preflight_headers(headers)}
            )
            await send_with_common_headers({"type": "http.response.body", "body": b""})
            return

        async def receive_whole() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, receive_whole, send_with_common_headers)

    def _choose_request_id(self, headers: dict[bytes, bytes]) -> str:
        request_id = headers.get(b"x-request-id", b"").decode("latin-1")
        return request_id if _REQUEST_ID.fullmatch(request_id) else self._new_request_id()

    def _build_common_headers(
        self, scope: Message, headers: dict[bytes, bytes], request_id: str
    ) -> list[tuple[bytes, bytes]]:
        common_headers = [
            (b"x-request-id", request_id.encode()),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
        ]
        if scope["scheme"] == "https":
            common_headers.append((b"strict-transport-security", b"max-age=63072000; includeSubDomains"))
        if self._origins:
            common_headers.append((b"vary", b"Origin"))
            if headers.get(b"origin") in self._origins:
                common_headers.append((b"access-control-allow-origin", headers[b"origin"]))
                common_headers.append((b"access-control-expose-headers", _EXPOSED_HEADERS.encode()))
        return common_headers

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
    """Add the common headers to those of a response. A header of the response itself wins."""
    own_headers = list(headers)
    # Vary adds up: a file varies by its encoding, and by the origin where origins are allowed.
    own_names = {name for name, _ in own_headers} - {b"vary"}
    return own_headers + [(name, value) for name, value in common_headers if name not in own_names]


def _make_head_sender(send: Send) -> Send:
    """Return a `send` that turns a response to GET into one to HEAD: no body, but its length (RFC 9110, section 8.6).

    The headers wait until the length is known. Without it, a server would send the length of the empty body.
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
        # 204 and 304 have no length, and a static file has set its own.
        if start["status"] not in (204, 304) and b"content-length" not in dict(start["headers"]):
            start["headers"] = [*start["headers"], (b"content-length", str(length).encode())]
        await send(start)
        await send({"type": "http.response.body", "body": b""})

    return send_head


def find_body_limits(document: Mapping[str, Any]) -> dict[str, int]:
    """Return the limits of bodies in bytes, by full path, where the document sets one."""
    base_path = document["servers"][0]["url"]
    return {
        f"{base_path}{path}": operation[BODY_LIMIT_EXTENSION]
        for path, path_item in document["paths"].items()
        for operation in path_item.values()
        if isinstance(operation, dict) and BODY_LIMIT_EXTENSION in operation
    }


def _validate_head(scope: Message, headers: dict[bytes, bytes], max_body_bytes: int) -> None:
    """Validate sizes, then the characters of path and query. Raises Problem: 413, 414, 431, 404 or 400."""
    if len(scope["path"]) > MAX_PATH_CHARACTERS or len(scope["query_string"]) > MAX_QUERY_BYTES:
        raise Problem(
            414,
            "uri_too_long",
            f"A path has at most {MAX_PATH_CHARACTERS} characters, a query at most {MAX_QUERY_BYTES} bytes.",
        )
    if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADER_BYTES:
        raise Problem(431, "headers_too_large", f"All headers together have at most {MAX_HEADER_BYTES} bytes.")
    declared_length = headers.get(b"content-length", b"0")
    if declared_length.isdigit() and (len(declared_length) > 18 or int(declared_length) > max_body_bytes):  # noqa: PLR2004 - int() of a short text only.
        raise _body_too_large(max_body_bytes)
    if _FORBIDDEN_IN_PATH.search(scope["path"]):
        raise Problem(404, "not_found", "There is nothing here.")
    if _FORBIDDEN_IN_QUERY.search(scope["query_string"]):
        raise Problem(400, "malformed_request", "The query string has characters that must be percent-encoded.")


async def _read_body(receive: Receive, max_bytes: int) -> bytes:
    body, has_more = b"", True
    while has_more:
        message = await receive()
        body += message.get("body", b"")
        has_more = message.get("more_body", False)
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
