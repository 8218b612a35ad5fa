"""Responses of HTTP/1.1, read from a connection.

This is strict, and knows no more than a service needs that answers requests with JSON. It takes a third of the time
of the standard library's client, which parses headers like those of a mail.
"""

import re
import socket
from typing import NamedTuple

_MAX_HEAD_BYTES = 65_536
_BUFFER_BYTES = 65_536

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([2-5][0-9]{2})(?: [^\r\n]*)?")
"""Of a response in the two versions that have this form. No request here asks for one that precedes another."""

_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\0\r\n]*?)[ \t]*")

_LENGTH = re.compile(rb"[0-9]{1,18}")
_CHUNK_HEAD = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\0\r\n]*)?")

_FRAMING_HEADERS = frozenset(("content-length", "transfer-encoding"))
_STATUSES_WITHOUT_BODY = frozenset((204, 304))


class HttpResponse(NamedTuple):
    """A response of a server.

    Attributes:
        status: Its status.
        content: Its body.
        crc32: The CRC-32 of the body as the header x-amz-crc32 has it, None without one.
    """

    status: int
    content: bytes
    crc32: str | None = None


class IncompleteResponse(Exception):
    """Raised when the server closes the connection before the end of its response."""


class MalformedResponse(Exception):
    """Raised when what the server sends is not a response of HTTP/1.1."""


def read_response(connection: socket.socket) -> tuple[HttpResponse, bool]:
    """Read one response; return it, and whether the connection can be used for another request.

    Raises IncompleteResponse or MalformedResponse.
    """
    incoming = _Incoming(connection)
    status, is_persistent, headers = _read_head(incoming)
    if status in _STATUSES_WITHOUT_BODY:
        content = b""
    elif "transfer-encoding" in headers:
        content = _read_chunks(incoming, headers)
    elif "content-length" in headers:
        content = incoming.take(int(_match(_LENGTH, headers["content-length"].encode("latin-1"))[0]))
    else:
        content, is_persistent = incoming.take_rest(), False
    stays_open = is_persistent and "close" not in headers.get("connection", "").lower() and incoming.is_empty
    return HttpResponse(status, content, headers.get("x-amz-crc32")), stays_open


def _read_head(incoming: "_Incoming") -> tuple[int, bool, dict[str, str]]:
    """Read a status line and headers; return the status, whether the protocol is HTTP/1.1, and the headers."""
    start, *lines = incoming.take_until(b"\r\n\r\n").split(b"\r\n")
    status_line = _match(_STATUS_LINE, start)
    headers: dict[str, str] = {}
    for line in lines:
        header = _match(_HEADER, line)
        name, value = header[1].decode("ascii").lower(), header[2].decode("latin-1")
        if name in _FRAMING_HEADERS and headers.get(name, value) != value:
            raise MalformedResponse
        headers[name] = value
    return int(status_line[2]), status_line[1] == b"1", headers


def _read_chunks(incoming: "_Incoming", headers: dict[str, str]) -> bytes:
    if headers["transfer-encoding"].lower() != "chunked" or "content-length" in headers:
        raise MalformedResponse
    chunks = []
    while length := int(_match(_CHUNK_HEAD, incoming.take_until(b"\r\n"))[1], 16):
        chunks.append(incoming.take(length))
        if incoming.take(2) != b"\r\n":
            raise MalformedResponse
    while trailer := incoming.take_until(b"\r\n"):
        _match(_HEADER, trailer)
    return b"".join(chunks)


def _match(pattern: re.Pattern[bytes], line: bytes) -> re.Match[bytes]:
    match = pattern.fullmatch(line)
    if not match:
        raise MalformedResponse
    return match


class _Incoming:
    """What arrives over a connection, taken piece by piece."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = b""

    @property
    def is_empty(self) -> bool:
        """Whether all that has arrived was taken."""
        return not self._buffer

    def take_until(self, end: bytes) -> bytes:
        """Return what comes before `end`, and skip that."""
        while (position := self._buffer.find(end)) < 0:
            if len(self._buffer) > _MAX_HEAD_BYTES:
                raise MalformedResponse
            self._buffer += self._receive()
        piece, self._buffer = self._buffer[:position], self._buffer[position + len(end) :]
        return piece

    def take(self, count: int) -> bytes:
        """Return so many bytes."""
        pieces, missing = [self._buffer], count - len(self._buffer)
        while missing > 0:
            pieces.append(self._receive())
            missing -= len(pieces[-1])
        whole = b"".join(pieces)
        self._buffer = whole[count:]
        return whole[:count]

    def take_rest(self) -> bytes:
        """Return everything up to the end of the connection."""
        pieces = [self._buffer]
        while piece := self._connection.recv(_BUFFER_BYTES):
            pieces.append(piece)
        self._buffer = b""
        return b"".join(pieces)

    def _receive(self) -> bytes:
        received = self._connection.recv(_BUFFER_BYTES)
        if not received:
            raise IncompleteResponse
        return received
