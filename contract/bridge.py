"""Run an ASGI application as a WSGI application, without an event loop.

Handlers are plain functions, so no coroutine in the stack ever suspends: each one runs to completion in the calling
thread, in a copy of the context. A coroutine that does suspend raises RuntimeError.
"""

import contextvars
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterable, MutableMapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from wsgiref.types import StartResponse, WSGIEnvironment

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Message, Receive, Send], Any]

_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


def run_synchronously(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that never suspends, in a copy of the current context. Raises RuntimeError if it suspends."""
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
        """Return the next chunk of the request body; an empty chunk is the last."""
        chunk = self._read(65_536)
        return {"type": "http.request", "body": chunk, "more_body": bool(chunk)}

    async def send(self, message: Message) -> None:
        """Collect a part of the response."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        else:
            self.body += message.get("body", b"")


class WsgiBridge:
    """A WSGI application (PEP 3333) around an ASGI application that never suspends."""

    def __init__(self, asgi: AsgiApp) -> None:
        self.asgi = asgi

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Process one request."""
        exchange = Exchange(_build_body_reader(environ))
        run_synchronously(self.asgi(build_scope(environ), exchange.receive, exchange.send))
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in exchange.headers]
        start_response(_STATUS_LINES.get(exchange.status, f"{exchange.status} -"), headers)
        return [exchange.body]


def _build_body_reader(environ: WSGIEnvironment) -> Callable[[int], bytes]:
    """Return a function that reads the body.

    It reads to the declared length. Without one it reads to the end if the server terminates the input, else nothing.
    """
    source = environ["wsgi.input"]
    declared_length = environ.get("CONTENT_LENGTH") or ""
    if not (declared_length.isascii() and declared_length.isdigit()):
        return source.read if environ.get("wsgi.input_terminated") else lambda _: b""
    # int() refuses numbers of thousands of digits. A length that long is read to the end of the input.
    remaining = int(declared_length) if len(declared_length) < 19 else sys.maxsize  # noqa: PLR2004 - 18 digits always fit in 64 bits.

    def read(size: int) -> bytes:
        nonlocal remaining
        chunk: bytes = source.read(min(size, remaining)) if remaining else b""
        remaining -= len(chunk)
        return chunk

    return read


def build_scope(environ: WSGIEnvironment) -> Message:
    """Build the ASGI scope of a WSGI request.

    In a path that is not UTF-8, invalid bytes become surrogates, which the edge rejects.
    """
    headers = [
        (name[5:].lower().replace("_", "-").encode("latin-1"), encode_native(value))
        for name, value in environ.items()
        if name.startswith("HTTP_") and name not in ("HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH")
    ]
    body_headers = {"CONTENT_TYPE": b"content-type", "CONTENT_LENGTH": b"content-length"}
    headers.extend((header, encode_native(environ[name])) for name, header in body_headers.items() if environ.get(name))
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
    """Write a prefix as PEP 3333 defines it: one slash at the start, none at the end."""
    return f"/{segments}" if (segments := name.strip("/")) else ""


def _decode_native(native: str) -> str:
    return encode_native(native).decode("utf-8", "surrogateescape")


def prefix_path(scope: Message, path: str = "") -> str:
    """Return the path as the client sees it: the mount prefix of this request, percent-encoded, and the path."""
    return quote(scope.get("root_path", ""), safe="/$") + path


def encode_native(native: str) -> bytes:
    """Encode a WSGI native string: Latin-1, or UTF-8 if an adapter passed text that is no Latin-1."""
    try:
        return native.encode("latin-1")
    except UnicodeEncodeError:
        return native.encode("utf-8", "surrogatepass")
