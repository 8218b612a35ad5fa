"""The page at /docs/ in a real browser, under its own security policy."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Visit
from tests.live_server import LiveServer

pytestmark = pytest.mark.browser


def _operation(visit: Visit, name: str) -> Locator:
    """An operation of the page, opened."""
    operation = visit.page.locator(f"[id$='-{name}']")
    operation.get_by_role("button").first.click()
    return operation


def _execute(operation: Locator) -> Locator:
    """The cell with the status of the answer that has come."""
    operation.get_by_role("button", name="Execute").click()
    return operation.locator(".live-responses-table .response-col_status")


def test_an_address_with_a_token_signs_its_reader_in(live_server: LiveServer, origin: str, visit: Visit) -> None:
    visit.page.goto(f"{origin}docs/#token={live_server.token}")

    status = _execute(_operation(visit, "get_me"))

    expect(status.last).to_have_text(re.compile("200"))
    assert visit.page.url.startswith(f"{origin}docs/")
    assert "tkb_" not in visit.page.url
    assert not visit.complaints


def test_the_reader_stays_signed_in_when_the_page_is_loaded_again(
    live_server: LiveServer, origin: str, visit: Visit
) -> None:
    visit.page.goto(f"{origin}docs/#token={live_server.token}")
    expect(visit.page.get_by_role("button", name="Authorize")).to_have_class(re.compile(r"\blocked"))

    visit.page.reload()
    status = _execute(_operation(visit, "get_me"))

    expect(status.last).to_have_text(re.compile("200"))
    assert not visit.complaints


def test_what_is_made_on_the_page_is_found_on_the_page(live_server: LiveServer, origin: str, visit: Visit) -> None:
    visit.page.goto(f"{origin}docs/#token={live_server.token}")

    made = _execute(_operation(visit, "create_board"))
    expect(made.last).to_have_text(re.compile("201"))
    found = _execute(_operation(visit, "list_boards"))

    # No parameter was filled in: the examples of some would have been refused.
    expect(found.last).to_have_text(re.compile("200"))
    assert not visit.complaints


def test_an_operation_says_which_scope_and_role_it_needs(origin: str, visit: Visit) -> None:
    visit.page.goto(f"{origin}docs/")

    operation = _operation(visit, "move_card")

    expect(operation.get_by_text("x-tackboard-scope")).to_be_visible()
    expect(operation.get_by_text("x-tackboard-role")).to_be_visible()
    assert not visit.complaints


def test_operations_are_filtered_by_tag(origin: str, visit: Visit) -> None:
    visit.page.goto(f"{origin}docs/")
    expect(visit.page.locator("[id$='-get_health']")).to_be_visible()

    visit.page.locator(".operation-filter-input").fill("labels")

    expect(visit.page.locator("[id$='-list_labels']")).to_be_visible()
    expect(visit.page.locator("[id$='-get_health']")).to_have_count(0)


def test_both_pages_lead_to_each_other_and_to_the_document(origin: str, visit: Visit) -> None:
    visit.page.goto(f"{origin}docs/")
    for link, path in (
        ("Read it as one long page", "docs/read"),
        ("Try it out", "docs/"),
        ("openapi.json", "openapi.json"),
    ):
        visit.page.get_by_role("navigation").get_by_role("link", name=link).click()
        expect(visit.page).to_have_url(f"{origin}{path}")


def test_the_reading_page_shows_every_chapter_and_operation_and_complains_of_nothing(origin: str, visit: Visit) -> None:
    visit.page.goto(f"{origin}docs/read")

    # A heading of Redoc has a link before its text.
    expect(visit.page.locator("h2", has_text="Start a card")).to_be_attached(timeout=90_000)
    expect(
        visit.page.locator("h1", has_text="Concurrency").or_(visit.page.locator("h2", has_text="Concurrency"))
    ).to_be_attached()
    assert not visit.complaints


def test_a_reader_without_a_token_sees_the_document_and_is_refused_with_a_problem(origin: str, visit: Visit) -> None:
    visit.page.goto(f"{origin}docs/")
    operation = _operation(visit, "get_me")

    status = _execute(operation)

    expect(status.last).to_have_text(re.compile("401"))
    expect(operation.locator(".live-responses-table")).to_contain_text("unauthenticated")
