"""Judge the addresses of receivers: which ones a delivery may connect to.

Users choose where deliveries go, and their names resolve to whatever they like. So an address is judged after it was
resolved, as a number, and only a public one is permitted unless the operator has named its network.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NOT_PUBLIC: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "::/96",  # unspecified, loopback, and IPv4 addresses in an obsolete notation
        "64:ff9b::/96",  # NAT64: any IPv4 address, private ones too
        "64:ff9b:1::/48",  # NAT64 of a local network
        "100::/64",  # discarded
        "2001::/23",  # protocol assignments, such as Teredo
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: any IPv4 address
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
        "fc00::/7",  # private
        "fe80::/10",  # link-local
        "fec0::/10",  # site-local
        "ff00::/8",  # multicast
    )
)
"""What is not public. Versions of Python differ in what `is_global` lets through, so it is asked in addition only."""

_METADATA: frozenset[Address] = frozenset(
    ip_address(text)
    for text in (
        "100.100.100.200",  # Alibaba Cloud
        "168.63.129.16",  # Azure
        "169.254.169.254",  # AWS, Azure, Google Cloud and most others
        "169.254.170.2",  # credentials of containers on AWS
        "169.254.170.23",  # credentials of pods on AWS
        "192.0.0.192",  # Oracle Cloud
        "fd00:ec2::23",  # credentials of pods on AWS
        "fd00:ec2::254",  # AWS
        "fd20:ce::254",  # Google Cloud
    )
)
"""Where clouds hand out the credentials of a machine to whoever asks. No setting permits these."""

_NAT64 = ip_network("64:ff9b::/96")
_IPV4_COMPATIBLE = ip_network("::/96")


class AddressForbidden(Exception):
    """Raised when a name leads to an address that deliveries must not go to."""


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """Which addresses are permitted besides public ones.

    Attributes:
        networks: Networks that the operator has named. They may be reached without TLS.
        permits_loopback: Whether this machine may be reached, also without TLS.
    """

    networks: tuple[Network, ...] = ()
    permits_loopback: bool = False

    @property
    def permits_plain_http(self) -> bool:
        """Whether there is any address that may be reached without TLS."""
        return self.permits_loopback or bool(self.networks)

    def permits(self, address: Address, *, is_tls: bool) -> bool:
        """Tell whether a delivery may connect to this address."""
        address = _unmap(address)
        if any(candidate in _METADATA for candidate in (address, *_embedded_addresses(address))):
            return False
        if self.permits_loopback and address.is_loopback:
            return True
        if any(address in network for network in self.networks if network.version == address.version):
            return True
        return is_tls and is_public(address)


PUBLIC_ADDRESSES = AddressPolicy()
"""Permits public addresses alone."""


def parse_address(text: str) -> Address:
    """Return the address that a resolver gave, without its zone. Raises ValueError."""
    return ip_address(text.partition("%")[0])


def is_public(address: Address) -> bool:
    """Tell whether an address is one of the public internet."""
    address = _unmap(address)
    if any(address in network for network in _NOT_PUBLIC if network.version == address.version):
        return False
    return address not in _METADATA and address.is_global and not address.is_multicast


def _unmap(address: Address) -> Address:
    """Return the IPv4 address that is meant by one like ::ffff:10.0.0.1, which systems connect to by IPv4."""
    return (address.version == 6 and address.ipv4_mapped) or address  # noqa: PLR2004 - IPv6.


def _embedded_addresses(address: Address) -> Iterator[Address]:
    """Yield the IPv4 addresses that a gateway may forward to when it is sent to this IPv6 address."""
    if isinstance(address, IPv4Address):
        return
    if address.sixtofour is not None:
        yield address.sixtofour
    if address in _NAT64 or address in _IPV4_COMPATIBLE:
        yield IPv4Address(int(address) & 0xFFFFFFFF)
    if address.teredo is not None:
        yield from address.teredo
