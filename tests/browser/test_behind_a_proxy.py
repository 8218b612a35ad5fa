"""The board behind a real nginx and a real Caddy that compress, with https and HTTP/2, as the guide sets them up."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.people import Person, card
from tests.proxies.proxies import PROXIES

pytestmark = pytest.mark.browser

LONG = "Compresses well. " * 200


@pytest.mark.parametrize("name", PROXIES)
@pytest.mark.parametrize("prefix", ["", "kanban/"], ids=["root", "prefix"])
def test_a_card_is_edited_again_and_again(
    browser: Browser, mina: Person, tmp_path: Path, name: str, prefix: str
) -> None:
    board = mina.board("One")
    (found,) = mina.ask("GET", f"boards/{board}/cards")["items"]
    mina.ask("PATCH", f"boards/{board}/cards/{found['id']}", {"description": LONG}, If_Match="*")
    with (
        PROXIES[name](tmp_path, mina.server.host_and_port) as proxy,
        browser.new_context(ignore_https_errors=True) as context,
    ):
        page = context.new_page()
        conditions: list[str] = []
        page.on("request", lambda sent: conditions.append(sent.headers.get("if-match", "")))
        page.goto(f"{proxy.url}{prefix}#token={mina.token}")
        page.get_by_role("link", name="Website").first.wait_for()
        page.evaluate("(hash) => { location.hash = hash }", f"#/boards/{board}")
        card(page, "One").click()
        title = page.get_by_role("dialog").get_by_label("Title of the card")
        for text in ("Two", "Three"):
            title.fill(text)
            title.press("Enter")
            expect(card(page, text)).to_have_count(1)
        comment = page.get_by_role("region", name="Comments")
        comment.get_by_label("Write a comment").fill(LONG)
        comment.get_by_role("button", name="Comment", exact=True).click()
        comment.get_by_role("button", name="Edit").click()
        comment.get_by_label("Your comment").fill("Short")
        comment.get_by_role("button", name="Save").click()
        expect(comment.locator(".markdown")).to_have_text("Short")

    assert mina.ask("GET", f"boards/{board}/cards/{found['id']}")["title"] == "Three"
    # The page sends the versions that it read, so that it works where a proxy rewrites tags in a way of its own, too.
    assert [each for each in conditions if each] == ['"2"', '"3"', '"1"']
