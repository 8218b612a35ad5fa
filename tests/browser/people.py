"""People who use the board: each with a token, a browser, and the API for what a test needs to be there."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.request import Request, urlopen

from playwright.sync_api import Locator, Page

from tests.live_server import LiveServer


@dataclass(frozen=True)
class Person:
    """Someone with a token, whose browser finds the server at `origin`."""

    server: LiveServer
    origin: str
    token: str
    id: str = ""

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        """Call the API; the JSON of the answer, None without any. Raises HTTPError for what it refuses."""
        request = Request(  # noqa: S310 - the address is the test's own server.
            f"{self.server.url}v1/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
            | {name.replace("_", "-"): value for name, value in headers.items()},
        )
        with urlopen(request) as answer:  # noqa: S310 - as above.
            text = answer.read()
        return json.loads(text) if text else None

    def board(self, *titles: str, **wishes: Any) -> str:
        """A new board with these cards in its first list; its id."""
        board = self.ask("POST", "boards", {"name": "Website", **wishes})
        for title in titles:
            self.ask("POST", f"boards/{board['id']}/cards", {"title": title})
        return str(board["id"])

    def friend(self, user_id: str) -> "Person":
        """Someone new."""
        made = self.ask("POST", "users", {"id": user_id, "name": user_id.title()})
        return Person(self.server, self.origin, made["token"], user_id)

    def visit(self, page: Page, board_id: str = "") -> None:
        """Sign in with the page, and open the board."""
        page.goto(f"{self.origin}#token={self.token}")
        page.get_by_role("heading", name="Boards", exact=True).wait_for()
        if board_id:
            page.evaluate("(hash) => { location.hash = hash }", f"#/boards/{board_id}")
            page.locator(".lists").wait_for()


def column(page: Page, name: str) -> Locator:
    """The list of that name."""
    return page.get_by_role("region", name=name, exact=True)


def titles(page: Page, name: str) -> Locator:
    """The titles of the cards in that list, from the top."""
    return column(page, name).locator(".card .title")


def card(page: Page, title: str) -> Locator:
    """The card of that title."""
    return page.locator(".card-open", has=page.get_by_text(title, exact=True))


def write_down_time(page: Page) -> Locator:
    """The part of the open card that its time is in, with an hour written in its form and not yet saved."""
    time = page.get_by_role("region", name="Time and cost")
    time.get_by_role("button", name="Add a time entry").click()
    time.get_by_label("From").fill("2026-03-02T14:00")
    time.get_by_label("To", exact=True).fill("2026-03-02T15:00")
    return time


def drag(page: Page, title: str, list_name: str) -> None:
    """Take a card by mouse and let it go at the end of a list."""
    # What someone else does may draw the card anew at this very moment.
    start = card(page, title).bounding_box() or card(page, title).bounding_box()
    goal = column(page, list_name).locator(".cards").bounding_box()
    assert start
    assert goal
    page.mouse.move(start["x"] + 20, start["y"] + 12)
    page.mouse.down()
    page.mouse.move(goal["x"] + 40, goal["y"] + goal["height"] - 4, steps=8)
    page.mouse.up()
