"""Connections to one server over HTTP/1.1 that stay open between requests."""

import select
import socket
import ssl
from collections import deque
from contextlib import suppress
from http.client import HTTPConnection, HTTPSConnection
from typing import NamedTuple
from urllib.parse import urlsplit

from stores.dynamodb.calls import CONNECT_SECONDS, MAX_IDLE_CONNECTIONS, READ_SECONDS


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
        self._host, self._port = parts.hostname or "", parts.port
        self._tls = ssl.create_default_context(cafile=ca_bundle) if parts.scheme == "https" else None
        self._connect_seconds = connect_seconds
        self._read_seconds = read_seconds
        self._idle: deque[HTTPConnection] = deque()

    def post(self, headers: dict[str, str], body: bytes) -> HttpResponse:
        """Send a request to the path `/` and return the response.

        Nothing is sent twice: a connection that the server has closed meanwhile is not used.

        Raises:
            OSError: The server can't be reached or can't be trusted, or the connection fails or times out.
            HTTPException: The response is not HTTP, or ends too early.
        """
        connection = self._take_connection()
        try:
            connection.request("POST", "/", body, headers)
            response = connection.getresponse()
            content = response.read()
        except BaseException:
            connection.close()
            raise
        # The connection has closed itself if the response said so.
        if connection.sock is not None and len(self._idle) < MAX_IDLE_CONNECTIONS:
            self._idle.append(connection)
        else:
            connection.close()
        return HttpResponse(response.status, content, response.getheader("x-amz-crc32"))

    def close(self) -> None:
        """Close the connections that are not in use."""
        while connection := self._pop_idle():
            connection.close()

    def _take_connection(self) -> HTTPConnection:
        while connection := self._pop_idle():
            if not _has_input(connection.sock):
                return connection
            connection.close()
        return self._connect()

    def _pop_idle(self) -> HTTPConnection | None:
        with suppress(IndexError):
            return self._idle.pop()
        return None

    def _connect(self) -> HTTPConnection:
        connection = (
            HTTPSConnection(self._host, self._port, timeout=self._connect_seconds, context=self._tls)
            if self._tls
            else HTTPConnection(self._host, self._port, timeout=self._connect_seconds)
        )
        try:
            connection.connect()
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            connection.sock.settimeout(self._read_seconds)
        except BaseException:
            connection.close()
            raise
        return connection


def _has_input(connection: socket.socket) -> bool:
    """Tell whether something arrived at an idle connection: it has been closed, or what would follow is no response."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))
