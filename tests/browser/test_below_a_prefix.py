"""The pages of an application that is mounted below a prefix, with SCRIPT_NAME."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import expect

from app.factory import create_app
from kanban.store import Store
from stores import open_store
from tests.api.client import Client
from tests.browser.conftest import Visit
from tests.browser.page_objects import card_titles, list_region
from tests.contract.transports import listen

pytestmark = pytest.mark.browser


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(f"sqlite:///{tmp_path}/tackboard.db")) as store:
        yield store


@pytest.fixture
def address(store: Store) -> Iterator[str]:
    """Return the address of the page, with a token but without the slash at its end."""
    application = create_app(store, open_signup=True)
    token = Client(application).post("/users", {"name": "Mina"}).json["token"]
    with listen(application, "/tools/kanban") as port:
        yield f"http://127.0.0.1:{port}/tools/kanban#token={token}"


def test_the_board_works_below_a_prefix(address: str, visit: Visit) -> None:
    page = visit.page

    page.goto(address)
    page.get_by_label("Name of the board").fill("Website")
    page.get_by_role("button", name="Create board").click()
    list_region(page, "To do").get_by_label("Title of the card").fill("Write the copy")
    list_region(page, "To do").get_by_role("button", name="Add").click()
    expect(card_titles(page, "To do")).to_have_text(["Write the copy"])
    page.reload()

    expect(card_titles(page, "To do")).to_have_text(["Write the copy"])
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/tools/kanban/#/boards/brd_\w+", page.url)
    assert not visit.errors


def test_the_documentation_calls_the_api_below_a_prefix(address: str, visit: Visit) -> None:
    visit.page.goto(address.replace("kanban#", "kanban/docs#"))
    operation = visit.page.locator("[id$='-create_board']")
    operation.get_by_role("button").first.click()
    operation.get_by_role("button", name="Execute").click()

    status = operation.locator(".live-responses-table .response-col_status")
    expect(status.last).to_have_text(re.compile("201"))
    expect(operation.locator(".request-url")).to_contain_text("/tools/kanban/v1/boards")
    assert not visit.errors
