"""A request and a response of HTTP, as the edge and everything behind it know them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

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


class FeedPosition(Protocol):
    """How far a response has got in the feed of a board."""

    @property
    def board_id(self) -> str:
        """The board."""

    @property
    def seq(self) -> int:
        """The board's own seq at the moment of the response."""

    @property
    def last_seq(self) -> int:
        """Where the next request goes on."""

    @property
    def has_news(self) -> bool:
        """Whether the response has anything that the client doesn't know."""

    @property
    def has_more(self) -> bool:
        """Whether more has happened until `seq` than the response has."""

    @property
    def wait_seconds(self) -> int:
        """How long the client wants to wait for news."""


@dataclass(slots=True)
class Response:
    """A response.

    With a `feed_position` it is not all that the client asked for. A server that can hold requests answers again when
    the board has another seq: instead of sending the response, within `wait_seconds`, or to go on with it if it
    `is_stream`. Any other server sends it as it is.
    """

    status: int
    headers: Headers
    body: bytes
    change: Any = None
    """What is committed before the response is sent, or None: it has `list_board_seqs`."""
    code: str | None = None
    """The code of a problem document."""
    feed_position: FeedPosition | None = None
    is_stream: bool = False


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
