"""Parse the URLs of receivers."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from delivery.addresses import Address, AddressPolicy

MAX_URL_CHARACTERS = 2048

_VISIBLE_ASCII = re.compile(r"[!-~]+")
_HOST_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST_NAME = re.compile(rf"(?=.{{1,253}}\.?$){_HOST_LABEL}(?:\.{_HOST_LABEL})*\.?")
_DEFAULT_PORTS = {"http": 80, "https": 443}


class InvalidTarget(Exception):
    """Raised when a URL can't be one of a receiver. The message is a sentence that doesn't repeat the URL."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a delivery goes.

    Attributes:
        is_tls: Whether the scheme is https.
        host: A name in lower case, or an address without brackets.
        port: The port.
        request_target: Path and query, as they are in the request line.
        address: The address, if the URL has one instead of a name.
    """

    is_tls: bool
    host: str
    port: int
    request_target: str
    address: Address | None = None


def parse_target(url: str) -> Target:
    """Return the parts of a URL. Raises InvalidTarget."""
    if len(url) > MAX_URL_CHARACTERS:
        raise InvalidTarget(f"A URL has at most {MAX_URL_CHARACTERS} characters.")
    # urlsplit drops tabs and line breaks, and some parsers take a backslash for a slash: then two would disagree.
    if not _VISIBLE_ASCII.fullmatch(url) or "\\" in url:
        raise InvalidTarget("A URL has visible ASCII characters only, and no backslash: encode the others.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise InvalidTarget("The URL has an invalid host or port.") from None
    if parts.scheme not in _DEFAULT_PORTS:
        raise InvalidTarget("The URL must begin with https://.")
    if "@" in parts.netloc:
        raise InvalidTarget("The URL must not have credentials: the signature authenticates each call.")
    if "#" in url:
        raise InvalidTarget("The URL must not have a fragment, because it is never sent.")
    if port == 0:
        raise InvalidTarget("The URL has an invalid host or port.")
    return Target(
        is_tls=parts.scheme == "https",
        host=host,
        port=_DEFAULT_PORTS[parts.scheme] if port is None else port,
        request_target=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        address=_parse_host(host, is_literal="[" in parts.netloc),
    )


def validate_target(url: str, policy: AddressPolicy) -> Target:
    """Return the parts of a URL that somebody sets. Raises InvalidTarget, also for what a delivery would never reach.

    What a name resolves to is judged at each delivery, because it may change.
    """
    target = parse_target(url)
    if not target.is_tls and not policy.permits_plain_http:
        raise InvalidTarget("The URL must begin with https://.")
    if target.address is not None and not policy.permits(target.address, is_tls=target.is_tls):
        raise InvalidTarget("The URL has an address that deliveries must not go to: use a public one.")
    if target.host.rstrip(".").endswith("localhost") and not policy.permits_loopback:
        raise InvalidTarget("The URL names this machine, where deliveries must not go to.")
    return target


def _parse_host(host: str, *, is_literal: bool) -> Address | None:
    """Return the address that a host is, None for a name. Raises InvalidTarget."""
    try:
        # An address with a zone is one of a network card of this machine.
        return ip_address(host.replace("%", " "))
    except ValueError:
        if is_literal or not _HOST_NAME.fullmatch(host):
            raise InvalidTarget("The URL has an invalid host or port.") from None
        return None
