"""A server of the local network without https: browsers keep some functions from it, and all works all the same."""

import re
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import ON_THE_LAN, Visit
from tests.browser.people import Person, card, column, drag, titles, write_down_time

pytestmark = pytest.mark.browser


@pytest.fixture
def neighbour(mina: Person) -> Person:
    """The owner, whose browser finds the server under a name of the local network, by plain http."""
    return replace(mina, origin=f"http://{ON_THE_LAN}:{urlsplit(mina.origin).port}/")


def test_everything_that_people_make_can_be_made_without_https(neighbour: Person, visit: Visit) -> None:
    page = visit.page
    neighbour.visit(page)
    assert page.evaluate("isSecureContext") is False

    page.get_by_label("Name of the board").fill("Spring release")
    page.get_by_role("button", name="Create board").click()
    column(page, "To do").get_by_label("Title of the card").fill("One")
    column(page, "To do").get_by_role("button", name="Add").click()
    expect(titles(page, "To do")).to_have_text(["One"])
    page.get_by_label("Name of the list").fill("Review")
    page.keyboard.press("Enter")
    expect(column(page, "Review")).to_be_visible()
    drag(page, "One", "Doing")
    expect(column(page, "Doing").locator(".running")).to_have_text(re.compile(r"00:00:\d\d"))

    card(page, "One").click()
    dialog = page.get_by_role("dialog")
    for label, text in (("Add a checklist", "Steps"), ("Add an item", "First"), ("New label", "Urgent")):
        dialog.get_by_label(label).fill(text)
        page.keyboard.press("Enter")
        expect(dialog.get_by_text(text).first).to_be_visible()
    dialog.get_by_label("Write a comment").fill("Said by http")
    dialog.get_by_role("button", name="Comment", exact=True).click()
    expect(dialog.locator(".comments .markdown")).to_have_text("Said by http")
    time = write_down_time(page)
    time.get_by_role("button", name="Save").click()
    expect(time.get_by_role("table")).to_contain_text("01:00:00")
    dialog.get_by_role("button", name="Resolve").click()
    expect(titles(page, "Done")).to_have_text(["One"])
    dialog.get_by_role("button", name="Archive").click()
    page.locator(".notification", has_text="is archived").get_by_role("button", name="Undo").click()
    expect(titles(page, "Done")).to_have_text(["One"])

    page.get_by_role("link", name="Flow").click()
    with page.expect_download():
        page.get_by_role("button", name="Download as CSV").click()
    assert not visit.complaints


def test_the_documentation_can_be_used_without_https(neighbour: Person, visit: Visit) -> None:
    page = visit.page
    page.goto(f"{neighbour.origin}docs/#token={neighbour.token}")

    operation = page.locator("[id$='-create_board']")
    operation.get_by_role("button").first.click()
    operation.get_by_role("button", name="Execute").click()

    expect(operation.locator(".live-responses-table .response-col_status").last).to_have_text(re.compile("201"))
    assert not visit.complaints
