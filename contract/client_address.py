"""Find out where a request comes from, also behind proxies.

A proxy says it in `X-Forwarded-For` or `Forwarded` (RFC 7239), but so can every client. So these headers count only
if they come from a proxy whose network the operator has named. Each proxy appends the address of its own client, so
the last ones are those that trusted proxies have seen.
"""

import logging
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import NamedTuple

log = logging.getLogger("tackboard")

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MAX_PROXIES = 20
"""The most trusted proxies that a request may have passed."""

_MAX_ADDRESS_CHARACTERS = 80
_HTTPS = "https"
_PORT = re.compile(r"(?::[0-9]{1,5})?")
_FORWARDED_PAIR = r'[!#$%&\'*+.^_`|~0-9A-Za-z-]+=(?:[!#$%&\'*+.^_`|~0-9A-Za-z-]+|"[^"\\]*")'
_FORWARDED_ELEMENT = re.compile(rf"{_FORWARDED_PAIR}(?:;{_FORWARDED_PAIR})*")


class Client(NamedTuple):
    """Where a request comes from. There is one for each request, and a frozen dataclass takes longer to make."""

    address: str
    """The address in its usual notation, without port and zone, an IPv4 address always as such.

    What the server says if that is no address, such as an empty text for a Unix socket.
    """
    is_https: bool
    """Whether the client uses HTTPS."""


class TrustedProxies:
    """The proxies whose word counts."""

    def __init__(self, networks: Iterable[Network] = ()) -> None:
        self._networks = tuple(networks)
        self._has_warned = False

    def find_client(self, peer: str, headers: Mapping[str, str], *, is_https: bool) -> Client:
        """Return where a request comes from.

        Behind trusted proxies that is the last address in `X-Forwarded-For`, or in `Forwarded` if there is none, that
        is not a trusted proxy itself; if all of them are, the first one. In all other cases, and if a header is
        malformed, it is the peer.

        Args:
            peer: The address that the server is connected to.
            headers: The headers by lower-case name.
            is_https: Whether the peer uses HTTPS.
        """
        address = parse_address(peer) if self._networks else None
        if address is None or not self._trusts(address):
            if "x-forwarded-for" in headers and not self._has_warned:
                self._warn_about(peer)
            return Client(_format_address(peer), is_https)
        protocols = _split_from_end(headers.get("x-forwarded-proto", ""))
        client = direct = Client(str(address), protocols[0] == _HTTPS if protocols[0] else is_https)
        for hop in _read_hops(headers, protocols):
            hop_address = parse_address(hop.address)
            if hop_address is None:
                return direct
            client = Client(str(hop_address), hop.protocol == _HTTPS if hop.protocol else direct.is_https)
            if not self._trusts(hop_address):
                break
        return client

    def _warn_about(self, peer: str) -> None:
        """Say once that there seems to be a proxy on this machine, if it is this machine that is connected."""
        address = parse_address(peer)
        if address is not None and address.is_loopback:
            self._has_warned = True
            log.warning(
                "Requests from this machine have X-Forwarded-For, but TRUSTED_PROXIES names no proxy here: all clients "
                "of a proxy have its address in the log, and no limit by address."
            )

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


@lru_cache(1024)
def _format_address(text: str) -> str:
    """Return an address in its usual notation, and what is no address as it is."""
    address = parse_address(text)
    return text if address is None else str(address)


NO_PROXIES = TrustedProxies()
"""Believes only the connection itself."""


@lru_cache(1024)
def find_network(address: str) -> str | None:
    """Return the network that an address counts for; None for this machine and for what is no address.

    An IPv4 address counts alone. Whoever has an IPv6 address has a network of 64 bits to choose others from.
    """
    parsed = parse_address(address)
    if parsed is None or parsed.is_loopback:
        return None
    return str(parsed) if parsed.version == 4 else str(IPv6Network((parsed, 64), strict=False))  # noqa: PLR2004 - as in IPv4.


def parse_address(text: str) -> Address | None:
    """Return the address in a text that may have a port, brackets and a zone; None if there is none."""
    return _parse_short_address(text) if len(text) <= _MAX_ADDRESS_CHARACTERS else None


@lru_cache(1024)
def _parse_short_address(text: str) -> Address | None:
    if text.startswith("["):
        host, bracket, port = text[1:].partition("]")
        if not bracket or ":" not in host:
            return None
    elif text.count(":") == 1:
        host, colon, port = text.partition(":")
        port = colon + port
    else:
        host, port = text, ""
    if not _PORT.fullmatch(port):
        return None
    try:
        address = ip_address(host.partition("%")[0] if ":" in host else host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


class _Hop(NamedTuple):
    """What a proxy says about its client."""

    address: str
    protocol: str
    """In lower case, empty if it doesn't say."""


def _read_hops(headers: Mapping[str, str], protocols: list[str]) -> list[_Hop]:
    """Return what proxies say about their clients, the last one first."""
    if forwarded_for := headers.get("x-forwarded-for"):
        # Many proxies send one protocol with any number of addresses.
        last = len(protocols) - 1
        return [
            _Hop(address, protocols[min(index, last)]) for index, address in enumerate(_split_from_end(forwarded_for))
        ]
    if forwarded := headers.get("forwarded"):
        return [_read_element(element) for element in _split_from_end(forwarded)]
    return []


def _split_from_end(value: str) -> list[str]:
    """Return the last elements of a header in lower case, the last one first; an empty one if there is none.

    An element that a trusted proxy appends has no comma within quotes. What a client has sent before it may have any.
    """
    return [element.strip() for element in reversed(value.lower().rsplit(",", MAX_PROXIES)[-MAX_PROXIES:])]


def _read_element(element: str) -> _Hop:
    """Return what an element of `Forwarded` says. A malformed one says no address."""
    pairs: dict[str, str] = {}
    if _FORWARDED_ELEMENT.fullmatch(element):
        for pair in element.split(";"):
            name, _, value = pair.partition("=")
            pairs[name] = value.strip('"')
    return _Hop(pairs.get("for", ""), pairs.get("proto", ""))
