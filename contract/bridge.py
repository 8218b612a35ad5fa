"""WSGI outside, ASGI inside, no event loop.

Handlers are plain functions, so nothing in the stack ever waits: a coroutine runs from its first step to its last in
the calling thread, in a copy of the context. A coroutine that does suspend is a mistake and is told so.
"""

import contextvars
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterable, MutableMapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from wsgiref.types import StartResponse, WSGIEnvironment

Message = MutableMapping[str, Any]
AsgiApp = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Any]

_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


def run_synchronously(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that never waits, in a copy of the current context."""
    contextvars.copy_context().run(_run_to_completion, coroutine)


def _run_to_completion(coroutine: Coroutine[Any, Any, None]) -> None:
    try:
        coroutine.send(None)
    except StopIteration:
        return
    coroutine.close()
    raise RuntimeError("The application waited for something; handlers and middlewares here must be synchronous.")


class Exchange:
    """One request and its response, as the ASGI messages `receive` and `send`."""

    __slots__ = ("_read", "body", "headers", "status")

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self.status = 500
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""

    async def receive(self) -> Message:
        """The next piece of the request's body; an empty piece is the last."""
        piece = self._read(65_536)
        return {"type": "http.request", "body": piece, "more_body": bool(piece)}

    async def send(self, message: Message) -> None:
        """Take a part of the response."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        else:
            self.body += message.get("body", b"")


class WsgiBridge:
    """A WSGI application (PEP 3333) over an ASGI application that never waits."""

    def __init__(self, asgi: AsgiApp) -> None:
        self.asgi = asgi

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        exchange = Exchange(_build_body_reader(environ))
        run_synchronously(self.asgi(build_scope(environ), exchange.receive, exchange.send))
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in exchange.headers]
        start_response(_STATUS_LINES.get(exchange.status, f"{exchange.status} -"), headers)
        return [exchange.body]


def _build_body_reader(environ: WSGIEnvironment) -> Callable[[int], bytes]:
    """Read the body to its declared length; to its end where the server marks it; else there is none."""
    source = environ["wsgi.input"]
    declared = environ.get("CONTENT_LENGTH") or ""
    if not (declared.isascii() and declared.isdigit()):
        return source.read if environ.get("wsgi.input_terminated") else lambda _: b""
    # Python doesn't read a number of thousands of digits; whatever is that long ends where the body ends.
    left = int(declared) if len(declared) < 19 else sys.maxsize  # noqa: PLR2004 - 18 digits always fit in 64 bits.

    def read(size: int) -> bytes:
        nonlocal left
        piece: bytes = source.read(min(size, left)) if left else b""
        left -= len(piece)
        return piece

    return read


def build_scope(environ: WSGIEnvironment) -> Message:
    """The ASGI scope of a WSGI request. A path that isn't UTF-8 keeps its bytes as surrogates: the edge refuses it."""
    headers = [
        (name[5:].lower().replace("_", "-").encode("latin-1"), encode_native(value))
        for name, value in environ.items()
        if name.startswith("HTTP_") and name not in ("HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH")
    ]
    own = {"CONTENT_TYPE": b"content-type", "CONTENT_LENGTH": b"content-length"}
    headers.extend((header, encode_native(environ[name])) for name, header in own.items() if environ.get(name))
    prefix = _decode_native(_normalize_prefix(environ.get("SCRIPT_NAME", "")))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": environ["REQUEST_METHOD"],
        "scheme": environ.get("wsgi.url_scheme", "http"),
        "path": prefix + _decode_native(environ.get("PATH_INFO", "")),
        "query_string": encode_native(environ.get("QUERY_STRING", "")),
        "root_path": prefix,
        "server": (environ.get("SERVER_NAME", ""), int(environ.get("SERVER_PORT") or 0)),
        "headers": headers,
        "extensions": {},
    }


def _normalize_prefix(name: str) -> str:
    """Write a prefix as PEP 3333 wants it, however an operator did: one slash in front, none at the end."""
    return f"/{words}" if (words := name.strip("/")) else ""


def _decode_native(native: str) -> str:
    return encode_native(native).decode("utf-8", "surrogateescape")


def prefix_path(scope: Message, path: str = "") -> str:
    """Return the address of a path of the application: the prefix of this request, percent-encoded, and the path."""
    return quote(scope.get("root_path", ""), safe="/$") + path


def encode_native(native: str) -> bytes:
    """WSGI strings are bytes read as Latin-1; an adapter that forgot so hands over real text, which is UTF-8."""
    try:
        return native.encode("latin-1")
    except UnicodeEncodeError:
        return native.encode("utf-8", "surrogatepass")
