"""The board behind nginx and Caddy with compression, https and HTTP/2, configured as in the guide."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.page_objects import User, card
from tests.live_server import LiveServer
from tests.proxies.proxies import PROXIES, free_port

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", params=["", "kanban/"], ids=["root", "prefix"])
def prefix(request: pytest.FixtureRequest) -> str:
    """Return what comes before every path of the server."""
    value: str = request.param
    return value


@pytest.fixture(scope="module")
def mina(prefix: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    """Return the owner of a server that knows of the proxy: other tests share one that would warn of it."""
    port = free_port()
    settings = {"TRUSTED_PROXIES": "127.0.0.1", "PORT": str(port), "PUBLIC_URL": f"http://127.0.0.1:{port}/{prefix}"}
    with LiveServer(tmp_path_factory.mktemp("server"), **settings) as server:
        assert server.token
        yield User(server, server.url, server.token)
        server.stop()
        assert not server.errors, server.describe_errors()


LONG_TEXT = "Compresses well. " * 200


@pytest.mark.parametrize("name", PROXIES)
def test_a_card_can_be_edited_repeatedly(browser: Browser, mina: User, tmp_path: Path, name: str, prefix: str) -> None:
    board = mina.create_board("One")
    (stored_card,) = mina.request("GET", f"boards/{board}/cards")["items"]
    mina.request("PATCH", f"boards/{board}/cards/{stored_card['id']}", {"description": LONG_TEXT}, If_Match="*")
    with (
        PROXIES[name](tmp_path, mina.server.host_and_port) as proxy,
        browser.new_context(ignore_https_errors=True) as context,
    ):
        page = context.new_page()
        if_match_headers: list[str] = []
        page.on("request", lambda request: if_match_headers.append(request.headers.get("if-match", "")))
        page.goto(f"{proxy.url}{prefix}#token={mina.token}")
        page.get_by_role("link", name="Website").first.wait_for()
        page.evaluate("(hash) => { location.hash = hash }", f"#/boards/{board}")
        card(page, "One").click()
        title = page.get_by_role("dialog").get_by_label("Title of the card")
        for text in ("Two", "Three"):
            title.fill(text)
            title.press("Enter")
            expect(card(page, text)).to_have_count(1)
        comments = page.get_by_role("region", name="Comments")
        comments.get_by_label("Write a comment").fill(LONG_TEXT)
        comments.get_by_role("button", name="Comment", exact=True).click()
        comments.get_by_role("button", name="Edit").click()
        comments.get_by_label("Your comment").fill("Short")
        comments.get_by_role("button", name="Save").click()
        expect(comments.locator(".markdown")).to_have_text("Short")

    assert mina.request("GET", f"boards/{board}/cards/{stored_card['id']}")["title"] == "Three"
    # The page sends versions and not entity tags, so it works behind proxies that rewrite tags.
    assert [header for header in if_match_headers if header] == ['"2"', '"3"', '"1"']
