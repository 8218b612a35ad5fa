"""Joining with consent: who is asked to join finds the board among the invitations, and joins or declines there."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Visit
from tests.browser.page_objects import User, card, find_violations, open_phone
from tests.live_server import LiveServer

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def owner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    """Return the owner of a server where joining takes consent."""
    with LiveServer(tmp_path_factory.mktemp("joining"), JOINING="consent") as server:
        assert server.token
        yield User(server, server.url, server.token)


def _add_by_id(page: Page, user: User) -> None:
    dialog = page.get_by_role("dialog", name="Members")
    dialog.get_by_text("Add a user by id").click()
    dialog.get_by_label("Id of the user").fill(user.id)
    dialog.get_by_role("button", name="Add a member").click()


def test_a_stranger_is_asked_and_joins_or_declines(owner: User, visit: Visit, browser: Browser) -> None:
    page = visit.page
    lou = owner.create_user("lou")
    board_id, other_id = owner.create_board("One", name="Relaunch"), owner.create_board("Two", name="SPAM")
    owner.request("PUT", f"boards/{other_id}/members/lou", {"role": "viewer"})
    owner.sign_in(page, board_id)
    page.get_by_role("button", name="Members").click()
    _add_by_id(page, lou)
    expect(page.locator(".notification")).to_contain_text("Lou is asked to join")
    row = page.get_by_role("dialog").get_by_role("listitem").filter(has_text="asked to join")
    expect(row).to_contain_text("Lou")
    assert find_violations(page) == []
    row.get_by_role("button", name="Take back the invitation of Lou").click()
    expect(row).to_have_count(0)
    owner.request("PUT", f"boards/{board_id}/members/lou", {"role": "editor"})
    # The dialog learns by itself what happens to invitations.
    expect(row).to_have_count(1)

    with open_phone(browser) as phone:
        lou.sign_in(phone)
        section = phone.get_by_role("region", name="Invitations for you")
        expect(section.get_by_role("listitem")).to_have_count(2)
        expect(section.get_by_role("listitem").first).to_contain_text("Owner asks you to join")
        assert find_violations(phone) == []
        assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
        section.get_by_role("button", name="Decline SPAM").click()
        expect(phone.locator(".notification")).to_contain_text("You have declined to join SPAM.")
        expect(section.get_by_role("listitem")).to_have_count(1)
        expect(section.get_by_role("heading")).to_be_focused()
        section.get_by_role("button", name="Join Relaunch").click()
        card(phone, "One").wait_for()
        assert board_id in phone.url
        phone.evaluate("location.hash = '#/'")
        expect(phone.get_by_role("link", name="Relaunch")).to_be_visible()
        expect(section).to_have_count(0)

    expect(row).to_have_count(0)
    expect(page.get_by_role("dialog").get_by_role("combobox", name="Lou")).to_have_value("editor")
    assert not visit.errors
