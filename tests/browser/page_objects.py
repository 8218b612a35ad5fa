"""Users of the page, who can also call the API, and locators of what the page shows."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from playwright.sync_api import Browser, Locator, Page

from tests.live_server import LiveServer

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@dataclass(frozen=True)
class User:
    """A user with a token. `origin` is the address of the page."""

    server: LiveServer
    origin: str
    token: str
    id: str = ""

    def request(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        """Call the API and return the parsed body; None if it is empty.

        Raises HTTPError: the response is an error.
        """
        request = Request(  # noqa: S310 - the address is the test's own server.
            f"{self.server.url}v1/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
            | {name.replace("_", "-"): value for name, value in headers.items()},
        )
        with urlopen(request) as response:  # noqa: S310 - as above.
            text = response.read()
        return json.loads(text) if text else None

    def create_board(self, *titles: str, **fields: Any) -> str:
        """Create a board with these cards in its first list and return its id."""
        board = self.request("POST", "boards", {"name": "Website", **fields})
        for title in titles:
            self.request("POST", f"boards/{board['id']}/cards", {"title": title})
        return str(board["id"])

    def create_user(self, user_id: str) -> "User":
        """Create another user."""
        created = self.request("POST", "users", {"id": user_id, "name": user_id.title()})
        return User(self.server, self.origin, created["token"], user_id)

    def sign_in(self, page: Page, board_id: str = "") -> None:
        """Sign in on the page, and open the board if there is one."""
        page.goto(f"{self.origin}#token={self.token}")
        page.get_by_role("heading", name="Boards", exact=True).wait_for()
        if board_id:
            page.evaluate("(hash) => { location.hash = hash }", f"#/boards/{board_id}")
            page.locator(".lists").wait_for()


def open_account_menu(page: Page, item: str) -> None:
    """Choose an item of the menu under the user's name."""
    page.get_by_role("button", name="Account:").click()
    page.locator("#account-menu").get_by_role("button", name=item, exact=True).click()


def sign_in_with_token(page: Page, token: str) -> None:
    """Type a token on the sign-in page."""
    page.get_by_text("Sign in with a token", exact=True).click()
    page.get_by_label("Your token").fill(token)
    page.get_by_role("button", name="Sign in with this token").click()


def list_region(page: Page, name: str) -> Locator:
    """Return the list with a name."""
    return page.get_by_role("region", name=name, exact=True)


def card_titles(page: Page, name: str) -> Locator:
    """Return the titles of the cards in a list, from the top."""
    return list_region(page, name).locator(".card .title")


def card(page: Page, title: str) -> Locator:
    """Return the button of the card with a title."""
    return page.locator(".card-open", has=page.get_by_text(title, exact=True))


def fill_time_form(page: Page) -> Locator:
    """Fill the time form of the open card with an hour, without saving it. Return the section of the card."""
    time = page.get_by_role("region", name="Time and cost")
    time.get_by_role("button", name="Add a time entry").click()
    time.get_by_label("From").fill("2026-03-02T14:00")
    time.get_by_label("To", exact=True).fill("2026-03-02T15:00")
    return time


def drag(page: Page, title: str, list_name: str) -> None:
    """Drag a card to the end of a list by mouse."""
    # A change by someone else can redraw the card between the two calls.
    start = card(page, title).bounding_box() or card(page, title).bounding_box()
    target = list_region(page, list_name).locator(".cards").bounding_box()
    assert start
    assert target
    page.mouse.move(start["x"] + 20, start["y"] + 12)
    page.mouse.down()
    page.mouse.move(target["x"] + 40, target["y"] + target["height"] - 4, steps=8)
    page.mouse.up()


@contextmanager
def open_phone(browser: Browser) -> Iterator[Page]:
    """Open a page on another device: a narrow screen in the dark."""
    context = browser.new_context(
        viewport={"width": 360, "height": 740}, color_scheme="dark", reduced_motion="reduce", has_touch=True
    )
    yield context.new_page()
    context.close()


def find_violations(page: Page) -> list[Any]:
    """Return what axe-core finds wrong with what a page shows."""
    page.evaluate(AXE.read_text())
    report = page.evaluate("(rules) => axe.run({ runOnly: rules })", RULES)
    return [
        (violation["id"], node["target"], node["failureSummary"])
        for violation in report["violations"]
        for node in violation["nodes"]
    ]
