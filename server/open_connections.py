"""How many connections there may be, and which one has to go when there is no room for another."""

import socket
from collections import Counter
from typing import Protocol

MAX_CONNECTIONS = 10_000
"""The most connections at once; fewer if the operating system allows fewer open files."""
MAX_CONNECTIONS_PER_ADDRESS = 1_000
"""The most connections from one IPv4 address or one IPv6 network of 64 bits. This machine's own have no such limit."""

_OTHER_FILES = 200
"""How many files may be open besides connections: the store's, and those of the process."""


class Connection(Protocol):
    """A connection that can be closed at once."""

    def abort(self) -> None:
        """Close the connection without sending what is left to send."""


class Connections:
    """All connections of a server, counted by address. Only the event loop may use it.

    A connection is idle from its begin, and from each response on, until the next request has arrived as a whole.
    """

    def __init__(
        self, max_connections: int = MAX_CONNECTIONS, max_per_address: int = MAX_CONNECTIONS_PER_ADDRESS
    ) -> None:
        self._max_connections = max_connections
        self._max_per_address = max_per_address
        self._count = 0
        self._counts: Counter[bytes] = Counter()
        # In the order in which they became idle.
        self._idle: dict[Connection, None] = {}

    @property
    def count(self) -> int:
        """How many connections are open."""
        return self._count

    def add(self, connection: Connection, address: str) -> bool:
        """Count a connection, and return whether there is room for it. The one that is idle the longest makes room."""
        network = _get_network(address)
        self._count += 1
        self._counts[network] += 1
        if network != _LOOPBACK and self._counts[network] > self._max_per_address:
            return False
        if self._count > self._max_connections:
            longest_idle = next(iter(self._idle), None)
            if longest_idle is None:
                return False
            del self._idle[longest_idle]
            longest_idle.abort()
        self._idle[connection] = None
        return True

    def remove(self, connection: Connection, address: str) -> None:
        """Forget a connection that has ended."""
        network = _get_network(address)
        self._count -= 1
        self._counts[network] -= 1
        if not self._counts[network]:
            del self._counts[network]
        self._idle.pop(connection, None)

    def mark_idle(self, connection: Connection) -> None:
        """Note that a connection has got its response."""
        self._idle[connection] = None

    def mark_busy(self, connection: Connection) -> None:
        """Note that a request has arrived."""
        self._idle.pop(connection, None)


_LOOPBACK = b""


def _get_network(address: str) -> bytes:
    """Return the network that an address is counted for."""
    if ":" not in address:
        return _LOOPBACK if address.startswith("127.") else address.encode()
    try:
        packed = socket.inet_pton(socket.AF_INET6, address.partition("%")[0])
    except OSError:
        return address.encode()
    if packed[:12] == b"\0" * 10 + b"\xff\xff":
        return _get_network(socket.inet_ntop(socket.AF_INET, packed[12:]))
    return _LOOPBACK if packed == b"\0" * 15 + b"\1" else packed[:8]


def allow_connections(max_connections: int = MAX_CONNECTIONS) -> int:
    """Let this process have that many connections, or as many as the system allows; return how many these are."""
    try:
        import resource  # noqa: PLC0415 - Windows has no such limit, and no such module.
    except ImportError:
        return max_connections
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = max_connections + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max_connections if soft == resource.RLIM_INFINITY else max(1, min(max_connections, soft - _OTHER_FILES))
