"""A server in the local network without https, where browsers offer fewer functions: everything works."""

import re
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import LAN_HOST, Visit
from tests.browser.page_objects import User, card, card_titles, drag, fill_time_form, list_region, open_account_menu

pytestmark = pytest.mark.browser


@pytest.fixture
def lan_user(mina: User) -> User:
    """Return the owner, with an address of the local network and plain http."""
    return replace(mina, origin=f"http://{LAN_HOST}:{urlsplit(mina.origin).port}/")


def test_the_page_works_without_https(lan_user: User, visit: Visit) -> None:
    page = visit.page
    lan_user.sign_in(page)
    assert page.evaluate("isSecureContext") is False

    page.get_by_label("Name of the board").fill("Spring release")
    page.get_by_role("button", name="Create board").click()
    list_region(page, "To do").get_by_label("Title of the card").fill("One")
    list_region(page, "To do").get_by_role("button", name="Add").click()
    expect(card_titles(page, "To do")).to_have_text(["One"])
    page.get_by_label("Name of the list").fill("Review")
    page.keyboard.press("Enter")
    expect(list_region(page, "Review")).to_be_visible()
    drag(page, "One", "Doing")
    expect(list_region(page, "Doing").locator(".running")).to_have_text(re.compile(r"00:00:\d\d"))

    card(page, "One").click()
    dialog = page.get_by_role("dialog")
    for label, text in (("Add a checklist", "Steps"), ("Add an item", "First"), ("New label", "Urgent")):
        dialog.get_by_label(label).fill(text)
        page.keyboard.press("Enter")
        expect(dialog.get_by_text(text).first).to_be_visible()
    dialog.get_by_label("Write a comment").fill("Sent by http")
    dialog.get_by_role("button", name="Comment", exact=True).click()
    expect(dialog.locator(".comments .markdown")).to_have_text("Sent by http")
    time = fill_time_form(page)
    time.get_by_role("button", name="Save").click()
    expect(time.get_by_role("table")).to_contain_text("01:00:00")
    dialog.get_by_role("button", name="Resolve").click()
    expect(card_titles(page, "Done")).to_have_text(["One"])
    dialog.get_by_role("button", name="Archive").click()
    page.locator(".notification", has_text="is archived").get_by_role("button", name="Undo").click()
    expect(card_titles(page, "Done")).to_have_text(["One"])

    page.get_by_role("link", name="Flow").click()
    with page.expect_download():
        page.get_by_role("button", name="Download as CSV").click()
    open_account_menu(page, "Sign in on another device")
    dialog.get_by_role("button", name="Copy: Sign-in link").click()
    expect(dialog.get_by_text("Copied.")).to_be_visible()
    expect(dialog.get_by_role("img", name="QR code of the sign-in link")).to_be_visible()
    assert not visit.errors


def test_the_documentation_works_without_https(lan_user: User, visit: Visit) -> None:
    page = visit.page
    page.goto(f"{lan_user.origin}docs/#token={lan_user.token}")

    operation = page.locator("[id$='-create_board']")
    operation.get_by_role("button").first.click()
    operation.get_by_role("button", name="Execute").click()

    expect(operation.locator(".live-responses-table .response-col_status").last).to_have_text(re.compile("201"))
    assert not visit.errors
