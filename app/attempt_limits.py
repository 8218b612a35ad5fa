"""Limit how many wrong codes and invitations are sent: by each client address, and in all.

Each process counts on its own. Codes have so many digits that guessing takes longer than they are valid; the limits
keep it from being tried at the expense of others.
"""

from collections.abc import Callable
from typing import NamedTuple

from contract.client_address import find_network
from contract.rate_limit import RateLimiter
from kanban.errors import TooManyAttempts

MAX_FAILURES_PER_ADDRESS = 20
"""Failures in a minute by one client address."""

MAX_FAILURES = 300
"""Failures in a minute by all clients of a process."""

_ALL = "all"


class AttemptLimiter:
    """Counts failures. Beyond a limit, every attempt is refused, also one that would succeed. Thread-safe."""

    def __init__(self, unix_time: Callable[[], float]) -> None:
        """Create a limiter. `unix_time` returns seconds since any fixed time."""
        self._by_address = RateLimiter(MAX_FAILURES_PER_ADDRESS, unix_time)
        self._in_all = RateLimiter(MAX_FAILURES, unix_time)

    def ensure_allowed(self, address: str) -> None:
        """Raise TooManyAttempts if the address, or all addresses together, have failed too often just now."""
        client = find_network(address)
        wait = max(self._in_all.get_wait(_ALL), self._by_address.get_wait(client) if client else 0.0)
        if wait:
            raise TooManyAttempts(wait)

    def count_failure(self, address: str) -> None:
        """Count a failure of an address."""
        self._in_all.acquire(_ALL)
        if client := find_network(address):
            self._by_address.acquire(client)


class AttemptsOfClient(NamedTuple):
    """The attempts of the client of one request."""

    limiter: AttemptLimiter
    address: str

    def ensure_allowed(self) -> None:
        """Raise TooManyAttempts if this client, or all clients together, have failed too often just now."""
        self.limiter.ensure_allowed(self.address)

    def count_failure(self) -> None:
        """Count a failure of this client."""
        self.limiter.count_failure(self.address)
