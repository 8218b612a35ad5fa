"""A line to a server that somebody listens in on: it counts how often one waits for the other, and it can break."""

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Literal, Self

_BUFFER_BYTES = 65_536


class TcpProxy:
    """Connections to `port` of this machine go on to the server's; use it as a context.

    `round_trips` counts how often the client has spoken after the server. `lose` breaks the connection that next
    carries something: before the server hears the request, or after it has answered, and only once.
    """

    def __init__(self, server_port: int) -> None:
        self._server = ("127.0.0.1", server_port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.round_trips = 0
        self.drop_next: Literal["request", "answer"] | None = None
        self._threads = [threading.Thread(target=self._accept)]
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        for connection in (self._listening, *self._sockets):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(self._server)
                self._sockets += client, server
                line = threading.Thread(target=self._forward_requests, args=(client, server))
                self._threads.append(line)
                line.start()

    def _forward_requests(self, client: socket.socket, server: socket.socket) -> None:
        """Both ways, for a client that waits for an answer before it asks again."""
        back = threading.Thread(target=self._forward_responses, args=(client, server))
        self._threads.append(back)
        back.start()
        self._has_answered = True
        with suppress(OSError):
            while request := client.recv(_BUFFER_BYTES):
                if self.drop_next == "request":
                    self.drop_next = None
                    break
                self.round_trips += self._has_answered
                self._has_answered = False
                server.sendall(request)
        for connection in (client, server):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _forward_responses(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while answer := server.recv(_BUFFER_BYTES):
                self._has_answered = True
                if self.drop_next == "answer":
                    self.drop_next = None
                    break
                client.sendall(answer)
        for connection in (client, server):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
