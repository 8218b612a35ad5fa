"""Receivers on loopback, which behave as badly as receivers do."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

NAME = "hooks.example.test"

Behaviour = Callable[[socket.socket, threading.Event], None]
"""What a receiver does with a connection, until the event is set."""


class Receiver:
    """A server on a port of this machine; use it as a context.

    Attributes:
        port: Its port.
        requests: What it has read, one text for each connection.
        server_names: The names that clients have asked for in the handshake.
    """

    def __init__(self, behave: Behaviour, tls_context: ssl.SSLContext | None = None) -> None:
        self._behave = behave
        self._tls_context = tls_context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]
        self._connections: list[socket.socket] = []
        self.port: int = self._listener.getsockname()[1]
        self.requests: list[bytes] = []
        self.server_names: list[str | None] = []

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._stop.set()
        for connection in (self._listener, *self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for connection in (self._listener, *self._connections):
            connection.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(connection,))
                self._connections.append(connection)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            if self._tls_context:
                connection = self._tls_context.wrap_socket(connection, server_side=True)
                self._connections.append(connection)
            self._behave(_Recorded(connection, self.requests), self._stop)  # type: ignore[arg-type]
        with suppress(OSError):
            connection.close()


class _Recorded:
    """A connection whose requests are remembered."""

    def __init__(self, connection: socket.socket, requests: list[bytes]) -> None:
        self._connection = connection
        self._requests = requests
        self.sendall = connection.sendall

    def read_request(self) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            request += self._connection.recv(65_536)
        head, _, body = request.partition(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        while len(body) < length:
            body += self._connection.recv(65_536)
        self._requests.append(head + b"\r\n\r\n" + body)


def respond(content: bytes) -> Behaviour:
    """Return a behaviour that sends this after the request, and closes the connection."""

    def behave(connection: socket.socket, _: threading.Event) -> None:
        connection.read_request()  # type: ignore[attr-defined]
        connection.sendall(content)

    return behave


def respond_forever(beginning: bytes, piece: bytes, pause: float = 0.0) -> Behaviour:
    """Return a behaviour that sends a beginning after the request, and then a piece again and again."""

    def behave(connection: socket.socket, stop: threading.Event) -> None:
        connection.read_request()  # type: ignore[attr-defined]
        connection.sendall(beginning)
        while not stop.wait(pause):
            connection.sendall(piece)

    return behave


def hang(_: socket.socket, stop: threading.Event) -> None:
    """Accept a connection, and do nothing with it."""
    stop.wait()


@contextmanager
def run_tls_receiver(behave: Behaviour, certificate: tuple[Path, Path]) -> Iterator[Receiver]:
    """Run a receiver with a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with Receiver(behave, context) as receiver:
        context.sni_callback = lambda _, name, __: receiver.server_names.append(name)
        yield receiver
