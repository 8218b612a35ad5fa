"""The documentation at /docs/ in a browser, with its content security policy."""

import json
import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Visit
from tests.live_server import LiveServer
from tools.openapi.bundle import Bundle
from tools.openapi.findings import BUNDLE

pytestmark = pytest.mark.browser


OPERATIONS = {operation.id: operation for operation in Bundle(json.loads(BUNDLE.read_bytes())).operations}


def _filter(visit: Visit, text: str) -> None:
    """Show those operations only that have a text in their tag or path.

    Of more than 128 operations, Swagger UI renders those on the screen only.
    """
    visit.page.locator(".operation-filter-input").fill(text)
    expect(visit.page.locator(".operations-virtual")).to_have_count(0)


def _expand_operation(visit: Visit, name: str) -> Locator:
    """Find an operation by its tag, expand it and return it."""
    _filter(visit, OPERATIONS[name].node["tags"][0])
    operation = visit.page.locator(f"[id$='-{name}']")
    operation.get_by_role("button").first.click()
    return operation


def _execute(operation: Locator) -> Locator:
    """Execute an operation and return the cell with the status of the response."""
    operation.get_by_role("button", name="Execute").click()
    return operation.locator(".live-responses-table .response-col_status")


def test_an_address_with_a_token_signs_in(live_server: LiveServer, origin: str, visit: Visit) -> None:
    visit.page.goto(f"{origin}docs/#token={live_server.token}")

    status = _execute(_expand_operation(visit, "get_me"))

    expect(status.last).to_have_text(re.compile("200"))
    assert visit.page.url.startswith(f"{origin}docs/")
    assert "tkb_" not in visit.page.url
    assert not visit.errors


def test_a_reload_keeps_the_user_signed_in(live_server: LiveServer, origin: str, visit: Visit) -> None:
    visit.page.goto(f"{origin}docs/#token={live_server.token}")
    expect(visit.page.get_by_role("button", name="Authorize")).to_have_class(re.compile(r"\blocked"))

    visit.page.reload()
    status = _execute(_expand_operation(visit, "get_me"))

    expect(status.last).to_have_text(re.compile("200"))
    assert not visit.errors


def test_operations_create_and_list_boards(live_server: LiveServer, origin: str, visit: Visit) -> None:
    visit.page.goto(f"{origin}docs/#token={live_server.token}")

    create_status = _execute(_expand_operation(visit, "create_board"))
    expect(create_status.last).to_have_text(re.compile("201"))
    list_status = _execute(_expand_operation(visit, "list_boards"))

    # The parameters are not filled with their examples, some of which would be rejected.
    expect(list_status.last).to_have_text(re.compile("200"))
    assert not visit.errors


def test_an_operation_shows_its_scope_and_role(origin: str, visit: Visit) -> None:
    visit.page.goto(f"{origin}docs/")

    operation = _expand_operation(visit, "move_card")

    expect(operation.get_by_text("x-tackboard-scope")).to_be_visible()
    expect(operation.get_by_text("x-tackboard-role")).to_be_visible()
    assert not visit.errors


def test_operations_are_filtered_by_tag(origin: str, visit: Visit) -> None:
    visit.page.goto(f"{origin}docs/")
    _filter(visit, "health")
    expect(visit.page.locator("[id$='-get_health']")).to_be_visible()

    _filter(visit, "labels")

    expect(visit.page.locator("[id$='-list_labels']")).to_be_visible()
    expect(visit.page.locator("[id$='-get_health']")).to_have_count(0)


def test_both_pages_link_to_each_other_and_to_the_document(origin: str, visit: Visit) -> None:
    visit.page.goto(f"{origin}docs/")
    for link, path in (
        ("Read it as one long page", "docs/read"),
        ("Try it out", "docs/"),
        ("openapi.json", "openapi.json"),
    ):
        visit.page.get_by_role("navigation").get_by_role("link", name=link).click()
        expect(visit.page).to_have_url(f"{origin}{path}")


def test_the_redoc_page_shows_chapters_and_operations_without_errors(origin: str, visit: Visit) -> None:
    visit.page.goto(f"{origin}docs/read")

    # A heading of Redoc has a link before its text.
    expect(visit.page.locator("h2", has_text="Start a card")).to_be_attached(timeout=90_000)
    expect(
        visit.page.locator("h1", has_text="Concurrency").or_(visit.page.locator("h2", has_text="Concurrency"))
    ).to_be_attached()
    assert not visit.errors


def test_a_request_without_a_token_shows_a_problem(origin: str, visit: Visit) -> None:
    visit.page.goto(f"{origin}docs/")
    operation = _expand_operation(visit, "get_me")

    status = _execute(operation)

    expect(status.last).to_have_text(re.compile("401"))
    expect(operation.locator(".live-responses-table")).to_contain_text("unauthenticated")
