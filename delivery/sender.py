"""Call a URL by HTTP that a user or an operator has chosen, within a time, a size and a policy of addresses."""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

from delivery.addresses import Address, AddressForbidden, AddressPolicy, parse_address
from delivery.targets import Target, parse_target
from delivery.time_budget import BudgetedSocket, TimeBudget, wrap_in_tls

CALL_SECONDS = 10.0
"""How long a call may take, from the look-up of the name to the end of the response."""

MAX_RESPONSE_BYTES = 1024
"""How much of a response's body is read."""

_READ_BYTES = 65_536

Resolver = Callable[[str, int], Sequence[str]]
"""Returns the addresses of a host, best first. May raise OSError, also for a name that doesn't exist."""


class CallFailed(Exception):
    """Raised when no response arrives. The message is a sentence for the operator of the server that is called."""


@dataclass(frozen=True, slots=True)
class CallResponse:
    """What a receiver responded: its status, and the beginning of the body."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class WholeResponse:
    """What a server responded whose body matters: its status, its media type without parameters, and the whole body."""

    status: int
    media_type: str
    body: bytes


def resolve(host: str, port: int, *, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[str]:
    """Return the addresses of a host as the system resolves it."""
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)]


class Sender:
    """Sends messages and requests. Threads may share it.

    It follows no redirects, uses no proxy, keeps no connection, and connects only to an address that was judged: the
    name is looked up once, so that it can't be another address a moment later.
    """

    def __init__(
        self,
        policy: AddressPolicy,
        *,
        resolve_host: Resolver = resolve,
        tls_context: ssl.SSLContext | None = None,
        seconds: float = CALL_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._policy = policy
        self._resolve_host = resolve_host
        self._tls_context = tls_context
        self._seconds = seconds
        self._monotonic = monotonic

    def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> CallResponse:
        """Post the body and return the response with any status.

        Raises:
            InvalidTarget: The URL can't be one of a receiver.
            AddressForbidden: It leads to an address that is not permitted.
            CallFailed: No response arrived in time, or none that is HTTP.
        """
        with self._call("POST", url, body, headers) as response:
            return CallResponse(response.status, _read_beginning(response))

    def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, *, max_response_bytes: int
    ) -> WholeResponse:
        """Send a request and return the response with any status.

        Raises:
            InvalidTarget: The URL can't be one of a server.
            AddressForbidden: It leads to an address that is not permitted.
            CallFailed: No whole response arrived in time, none that is HTTP, or a longer one.
        """
        with self._call(method, url, body, headers) as response:
            content = b""
            while len(content) <= max_response_bytes and (piece := response.read1(_READ_BYTES)):
                content += piece
            if len(content) > max_response_bytes:
                raise CallFailed(f"The response is longer than {max_response_bytes // 1024} KB.")
            if response.length:
                raise CallFailed("The response ended early.")
            return WholeResponse(response.status, response.headers.get_content_type(), content)

    @contextmanager
    def _call(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Iterator[http.client.HTTPResponse]:
        """Return a context with the response, whose body is still to be read. Raises as `request` does, also there."""
        target = parse_target(url)
        budget = TimeBudget(self._seconds, self._monotonic)
        try:
            addresses = self._judge_addresses(target, budget)
            http_connection = http.client.HTTPConnection(target.host, target.port)
            http_connection.default_port = 443 if target.is_tls else 80
            with closing(self._connect(target, addresses, budget)) as connection:
                http_connection.sock = BudgetedSocket(connection, budget)
                http_connection.request(method, target.request_target, body, {**headers, "Connection": "close"})
                yield http_connection.getresponse()
        except TimeoutError:
            raise CallFailed(f"There was no response within {self._seconds:g} seconds.") from None
        except ssl.SSLCertVerificationError as error:
            raise CallFailed(f"The certificate is not valid: {error.verify_message}.") from error
        except ssl.SSLError as error:
            raise CallFailed("The host does not speak TLS as expected.") from error
        except OSError as error:
            raise CallFailed(f"The connection failed: {error.strerror or 'it was closed'}.") from error
        except (http.client.HTTPException, ValueError) as error:
            # http.client raises ValueError for lengths and chunks that are no numbers.
            raise CallFailed("The response is not valid HTTP.") from error

    def _judge_addresses(self, target: Target, budget: TimeBudget) -> Sequence[Address]:
        """Return the addresses to connect to. Raises AddressForbidden if any of them is not permitted."""
        if target.address is not None:
            addresses = [target.address]
        else:
            texts = _call_in_thread(lambda: self._resolve_host(target.host, target.port), budget)
            addresses = [parse_address(text) for text in texts]
        if not addresses:
            raise CallFailed("The name of the host has no address.")
        if not all(self._policy.permits(address, is_tls=target.is_tls) for address in addresses):
            raise AddressForbidden(
                "The name of the host leads to an address that is not permitted: only public addresses are,"
                " by https, unless the operator of this server has named others."
            )
        return addresses

    def _connect(self, target: Target, addresses: Sequence[Address], budget: TimeBudget) -> socket.socket:
        """Return a connection to the first address that accepts one. Raises OSError."""
        connection = _open_connection(addresses, target.port, budget)
        if not target.is_tls:
            return connection
        context = self._tls_context or _default_tls_context()
        return wrap_in_tls(connection, context, target.host.removesuffix("."), budget)


def _open_connection(addresses: Sequence[Address], port: int, budget: TimeBudget) -> socket.socket:
    *others, last = addresses
    for number, address in enumerate(others):
        # An address that never answers leaves time for those that follow.
        patience = budget.remaining() / (len(addresses) - number)
        with suppress(OSError):
            return socket.create_connection((str(address), port), timeout=patience)
    return socket.create_connection((str(last), port), timeout=budget.remaining())


def _read_beginning(response: http.client.HTTPResponse) -> bytes:
    """Return the beginning of a body, as far as it arrives in time: its status counts, the body is for people."""
    body = b""
    with suppress(OSError, http.client.HTTPException, ValueError):
        while len(body) < MAX_RESPONSE_BYTES and (piece := response.read1(MAX_RESPONSE_BYTES - len(body))):
            body += piece
    return body


def _call_in_thread(call: Callable[[], Sequence[str]], budget: TimeBudget) -> Sequence[str]:
    """Return what a call returns that can't be interrupted. Raises TimeoutError, and leaves it to its thread then."""
    results: list[Any] = []

    def run() -> None:
        try:
            results.append(call())
        except (OSError, UnicodeError) as error:
            results.append(error)

    thread = threading.Thread(target=run, name="resolver", daemon=True)
    thread.start()
    thread.join(budget.remaining())
    if not results:
        raise TimeoutError("The name was not resolved in time.")
    if isinstance(results[0], Exception):
        raise CallFailed("The name of the host could not be resolved.") from results[0]
    addresses: Sequence[str] = results[0]
    return addresses


@cache
def _default_tls_context() -> ssl.SSLContext:
    """Return a context that checks certificates. To create one reads all authorities of the system."""
    return ssl.create_default_context()
