"""A client over a real socket, which may break at any time."""

import http.client
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from tests.api.client import BASE, Client, HttpResponse
from tests.live_server import LiveServer

CONNECTION_ERRORS = (OSError, http.client.HTTPException)
"""What a request raises when the server goes away under it."""


@dataclass(frozen=True)
class SocketClient(Client):
    """A client that opens a connection for each request, and always closes it."""

    host: str = ""
    port: int = 0

    def _call(self, method: str, path: str, headers: Mapping[str, str], raw: bytes) -> HttpResponse:
        with closing(http.client.HTTPConnection(self.host, self.port, timeout=30)) as connection:
            connection.request(method, BASE + path, raw or None, dict(headers))
            response = connection.getresponse()
            content = response.read()
        return HttpResponse(response.status, {name.lower(): value for name, value in response.getheaders()}, content)


def connect_client(server: LiveServer, token: str) -> SocketClient:
    """Return a client of a server with a token."""
    host, port = server.host_and_port
    return SocketClient(_no_application, token, host=host, port=port)


def _no_application(*_: Any) -> Any:
    raise AssertionError("A client on a socket calls no application.")
