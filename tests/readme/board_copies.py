"""The clients of the guide that keep a copy of a board, as the guide prints them."""

from collections.abc import Callable
from typing import Any, Protocol

from tools.openapi.findings import ROOT

Query = dict[str, Any]


class BoardCopy(Protocol):
    """What the guide's class in Python has."""

    things: dict[str, dict[str, Any]]
    board: dict[str, Any]
    query: Query

    def catch_up(self) -> None:
        """Read pages until there are no more."""

    def read_page(self) -> bool:
        """Read one page; return whether there are more."""


def read_code(language: str, number: int = 0) -> str:
    """Return a block of the guide's code in a language: that which keeps a copy is the first."""
    blocks = (ROOT / "docs" / "guides.md").read_text().split(f"```{language}\n")[1:]
    return blocks[number].partition("```")[0]


def make_copy(get: Callable[[Query], tuple[int, Any]]) -> BoardCopy:
    """Return a copy of a board in Python; `get` returns the status and the JSON of a response."""
    names: dict[str, Any] = {}
    exec(read_code("python"), names)  # noqa: S102 - the guide's own code.
    copy: BoardCopy = names["BoardCopy"](get)
    return copy
