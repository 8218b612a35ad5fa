"""Serve an edge as a WSGI application (PEP 3333)."""

import sys
from collections.abc import Callable, Iterable
from http import HTTPStatus
from urllib.parse import quote
from wsgiref.types import StartResponse, WSGIEnvironment

from contract.edge import BodyReader, Edge

_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
_BODY_HEADERS = {"CONTENT_TYPE": "content-type", "CONTENT_LENGTH": "content-length"}


class WsgiApplication:
    """A WSGI application around an edge."""

    def __init__(self, edge: Edge, prepare: Callable[[], None] = lambda: None) -> None:
        """Serve an edge. `prepare` does in advance what the first requests would do, before a process is copied."""
        self.edge = edge
        self.prepare = prepare

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Process one request."""
        response = self.edge.answer(
            environ["REQUEST_METHOD"],
            _decode_native(environ.get("PATH_INFO", "")),
            environ.get("QUERY_STRING", ""),
            read_headers(environ),
            _build_body_reader(environ),
            peer=environ.get("REMOTE_ADDR") or "",
            mount=read_mount(environ),
            is_https=environ.get("wsgi.url_scheme") == "https",
        )
        start_response(_STATUS_LINES.get(response.status, f"{response.status} -"), list(response.headers))
        return [response.body]


def read_headers(environ: WSGIEnvironment) -> dict[str, str]:
    """Return the headers of a WSGI request by lower-case name, as Latin-1 text."""
    headers = {
        name[5:].lower().replace("_", "-"): value if value.isascii() else to_latin_1(value)
        for name, value in environ.items()
        if name.startswith("HTTP_") and name not in ("HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH")
    }
    for name, header in _BODY_HEADERS.items():
        if value := environ.get(name):
            headers[header] = to_latin_1(value)
    return headers


def read_mount(environ: WSGIEnvironment) -> str:
    """Return the prefix of a WSGI request, percent-encoded: one slash at the start, none at the end."""
    segments = environ.get("SCRIPT_NAME", "").strip("/")
    return f"/{quote(_decode_native(segments), safe='/$')}" if segments else ""


def to_latin_1(text: str) -> str:
    """Return a text as Latin-1 text: unchanged, or the bytes of its UTF-8 if an adapter passed other characters."""
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass").decode("latin-1")
    return text


def _decode_native(native: str) -> str:
    """Decode a native string of WSGI as UTF-8. Invalid bytes become surrogates, which the edge rejects."""
    return native if native.isascii() else to_latin_1(native).encode("latin-1").decode("utf-8", "surrogateescape")


def _build_body_reader(environ: WSGIEnvironment) -> BodyReader:
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
