"""A request and a response of HTTP, as the edge and everything behind it know them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from contract.request_context import RequestContext

Headers = tuple[tuple[str, str], ...]
"""Names and values. Names are lower-case, and may repeat."""


@dataclass(slots=True)
class Request:
    """A request that passed the edge."""

    method: str
    """The method; GET for HEAD."""
    path: str
    """The percent-decoded path, below the mount prefix."""
    query: str
    """The query string as it was sent."""
    headers: Mapping[str, str]
    """The headers by lower-case name."""
    body: bytes
    mount: str
    """The prefix before the path in the client's URL, percent-encoded."""
    context: RequestContext
    """What is known about the request, for the request log."""


@dataclass(slots=True)
class Response:
    """A response."""

    status: int
    headers: Headers
    body: bytes
    change: Any = None
    """What is committed before the response is sent, or None."""
    code: str | None = None
    """The code of a problem document."""


HttpApplication = Callable[[Request], Response]
"""Answers a request that passed the edge."""


def add_mount(mount: str, headers: Headers) -> Headers:
    """Return the headers with the mount prefix before the paths in Location and Link.

    It is added last, so that a stored response can be replayed wherever the application is mounted.
    """
    return tuple((name, _ADD_MOUNT[name](mount, value) if name in _ADD_MOUNT else value) for name, value in headers)


_ADD_MOUNT: dict[str, Callable[[str, str], str]] = {
    "location": lambda mount, path: mount + path,
    "link": lambda mount, link: f"<{mount}{link.removeprefix('<')}",
}
