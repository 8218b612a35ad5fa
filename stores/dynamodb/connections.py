"""Connections to one server over HTTP/1.1 that stay open between requests."""

import select
import socket
import ssl
from collections import deque
from contextlib import suppress
from urllib.parse import urlsplit

from stores.dynamodb.calls import CONNECT_SECONDS, MAX_IDLE_CONNECTIONS, READ_SECONDS
from stores.dynamodb.http_responses import HttpResponse, read_response

_PORTS = {"http": 80, "https": 443}


class ConnectionPool:
    """Sends requests to one server, each over a connection of its own. Threads may share a pool."""

    def __init__(
        self,
        url: str,
        ca_bundle: str,
        *,
        connect_seconds: float = CONNECT_SECONDS,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        """Create a pool for the server at a URL.

        Args:
            url: The URL of the server, without a path.
            ca_bundle: A file with the certificates that are trusted, if the URL asks for TLS.
            connect_seconds: How many seconds a connection may take.
            read_seconds: How many seconds a server may send nothing while its response is awaited.

        Raises:
            OSError: The file can't be read, or holds no certificates.
        """
        parts = urlsplit(url)
        self._address = (parts.hostname or "", parts.port or _PORTS[parts.scheme])
        self._tls = ssl.create_default_context(cafile=ca_bundle) if parts.scheme == "https" else None
        self._connect_seconds = connect_seconds
        self._read_seconds = read_seconds
        self._idle: deque[socket.socket] = deque()

    def post(self, headers: dict[str, str], body: bytes) -> HttpResponse:
        """Send a request to the path `/` and return the response.

        Nothing is sent twice: a connection that the server has closed meanwhile is not used.

        Raises:
            OSError: The server can't be reached or can't be trusted, or the connection fails or times out.
            IncompleteResponse: The response ends too early.
            MalformedResponse: The response is not HTTP.
        """
        connection = self._take_connection()
        try:
            connection.sendall(_request_head(headers, len(body)) + body)
            response, stays_open = read_response(connection)
        except BaseException:
            connection.close()
            raise
        if stays_open and len(self._idle) < MAX_IDLE_CONNECTIONS:
            self._idle.append(connection)
        else:
            connection.close()
        return response

    def close(self) -> None:
        """Close the connections that are not in use."""
        while connection := self._pop_idle():
            connection.close()

    def _take_connection(self) -> socket.socket:
        while connection := self._pop_idle():
            if not _has_input(connection):
                return connection
            connection.close()
        return self._connect()

    def _pop_idle(self) -> socket.socket | None:
        with suppress(IndexError):
            return self._idle.pop()
        return None

    def _connect(self) -> socket.socket:
        connection = socket.create_connection(self._address, self._connect_seconds)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_hostname=self._address[0])
            connection.settimeout(self._read_seconds)
        except BaseException:
            connection.close()
            raise
        return connection


def _has_input(connection: socket.socket) -> bool:
    """Tell whether something arrived at an idle connection: it has been closed, or what would follow is no response."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


def _request_head(headers: dict[str, str], length: int) -> bytes:
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    return f"POST / HTTP/1.1\r\n{lines}Accept-Encoding: identity\r\nContent-Length: {length}\r\n\r\n".encode("ascii")
