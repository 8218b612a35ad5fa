"""Sockets whose every wait is for what is left of one budget of time.

The timeout of a socket is for each read, so a server that sends a byte from time to time could hold a caller forever:
in the headers, in the handshake of TLS, or by reading a large request slowly.
"""

import io
import selectors
import socket
import ssl
from collections.abc import Callable
from typing import Any

_PIECE_BYTES = 65_536


class TimeBudget:
    """A number of seconds, from now on."""

    def __init__(self, seconds: float, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._end = monotonic() + seconds

    def remaining(self) -> float:
        """Return the seconds that are left. Raises TimeoutError if none are."""
        seconds = self._end - self._monotonic()
        if seconds <= 0:
            raise TimeoutError("The time is used up.")
        return seconds


class BudgetedSocket:
    """A connected socket as `http.client` uses one. Whoever has opened the connection closes it."""

    def __init__(self, connection: socket.socket, budget: TimeBudget) -> None:
        self._connection = connection
        self._budget = budget

    def sendall(self, data: Any) -> None:
        """Send all of a bytes-like object. Raises TimeoutError."""
        rest = memoryview(data)
        while rest:
            self._connection.settimeout(self._budget.remaining())
            rest = rest[self._connection.send(rest[:_PIECE_BYTES]) :]

    def makefile(self, *_: Any) -> io.BufferedReader:
        """Return a file to read from, which raises TimeoutError."""
        return io.BufferedReader(_BudgetedReader(self._connection, self._budget), _PIECE_BYTES)

    def close(self) -> None:
        """Do nothing: `http.client` calls this before the body is read if the receiver closes the connection."""


class _BudgetedReader(io.RawIOBase):
    def __init__(self, connection: socket.socket, budget: TimeBudget) -> None:
        self._connection = connection
        self._budget = budget

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connection.settimeout(self._budget.remaining())
        return self._connection.recv_into(buffer)


def wrap_in_tls(
    connection: socket.socket, context: ssl.SSLContext, server_name: str, budget: TimeBudget
) -> ssl.SSLSocket:
    """Return the connection with TLS; the certificate must be one of that name. Raises OSError, and closes it then."""
    try:
        secured = context.wrap_socket(connection, server_hostname=server_name, do_handshake_on_connect=False)
    except BaseException:
        connection.close()
        raise
    try:
        secured.settimeout(0)
        _shake_hands(secured, budget)
    except BaseException:
        secured.close()
        raise
    return secured


def _shake_hands(secured: ssl.SSLSocket, budget: TimeBudget) -> None:
    """Do the handshake, which reads and writes several times."""
    while True:
        try:
            secured.do_handshake()
        except ssl.SSLWantReadError:
            _wait_for(secured, selectors.EVENT_READ, budget)
        except ssl.SSLWantWriteError:
            _wait_for(secured, selectors.EVENT_WRITE, budget)
        else:
            return


def _wait_for(connection: socket.socket, event: int, budget: TimeBudget) -> None:
    """Wait until the connection can be read or written. `select.select` takes no file number above 1,023."""
    with selectors.DefaultSelector() as selector:
        selector.register(connection, event)
        selector.select(budget.remaining())
