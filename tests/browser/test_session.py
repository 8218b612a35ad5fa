"""Addresses with a token: they sign in if nobody is signed in, and ask first otherwise."""

import json
import re

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.browser.conftest import Visit
from tests.browser.page_objects import User, card_titles, open_account_menu

pytestmark = pytest.mark.browser

STORED_TOKEN = "localStorage.getItem('tackboard.token')"


def _open_link(page: Page, person: User, token: str) -> None:
    """Open a link with a token from another page, as from a message."""
    page.goto("about:blank")
    page.goto(f"{person.origin}#token={token}")


def test_a_link_with_another_users_token_asks_before_switching(mina: User, visit: Visit) -> None:
    page = visit.page
    lou = mina.create_user("lou-sends-links")
    mina.sign_in(page)
    session = page.evaluate(STORED_TOKEN)

    _open_link(page, mina, lou.token)

    expect(page.get_by_role("dialog")).to_contain_text("You are signed in as Owner.")
    assert "tkb_" not in page.url
    assert page.evaluate(STORED_TOKEN) == session
    page.get_by_role("button", name="Stay signed in as Owner").click()
    expect(page.locator(".user-name")).to_have_text("Owner")
    page.reload()
    expect(page.locator(".user-name")).to_have_text("Owner")
    assert not visit.errors


def test_confirming_switches_to_the_other_user(mina: User, visit: Visit) -> None:
    page = visit.page
    lou = mina.create_user("lou-is-welcome")
    mina.sign_in(page)

    _open_link(page, mina, lou.token)
    page.get_by_role("button", name="Switch to Lou-Is-Welcome").click()

    expect(page.locator(".user-name")).to_have_text("Lou-Is-Welcome")
    page.reload()
    expect(page.locator(".user-name")).to_have_text("Lou-Is-Welcome")


def test_a_link_with_another_token_of_the_same_user_asks_too(mina: User, visit: Visit) -> None:
    page = visit.page
    created = mina.request("POST", "users/me/tokens", {"name": "Weaker", "scopes": ["read"]})
    mina.sign_in(page)
    session = page.evaluate(STORED_TOKEN)

    _open_link(page, mina, created["secret"])
    page.get_by_role("button", name="Keep the token").click()

    assert page.evaluate(STORED_TOKEN) == session


def test_a_link_with_an_invalid_token_is_reported_and_changes_nothing(mina: User, visit: Visit) -> None:
    page = visit.page
    mina.sign_in(page)
    session = page.evaluate(STORED_TOKEN)

    _open_link(page, mina, "x")

    expect(page.locator(".notification.error")).to_contain_text("You are still signed in as Owner.")
    expect(page.get_by_role("heading", name="Boards", exact=True)).to_be_visible()
    assert page.evaluate(STORED_TOKEN) == session
    assert "token" not in page.url


def test_a_token_that_cannot_be_checked_changes_nothing(mina: User, visit: Visit) -> None:
    page = visit.page
    lou = mina.create_user("lou-out-of-open_view")
    mina.sign_in(page)
    session = page.evaluate(STORED_TOKEN)

    page.route("**/v1/**", lambda route: route.abort())
    _open_link(page, mina, lou.token)

    expect(page.locator(".notification.error")).to_contain_text("could not be checked")
    assert page.evaluate(STORED_TOKEN) == session


def test_a_token_in_the_address_of_an_open_page_is_removed_and_the_board_stays(mina: User, visit: Visit) -> None:
    page = visit.page
    lou = mina.create_user("lou-in-the-address")
    board_id = mina.create_board("One")
    mina.sign_in(page, board_id)

    page.evaluate("(hash) => { location.hash = hash }", f"#token={lou.token}")

    expect(page.get_by_role("dialog")).to_contain_text("You are signed in as Owner.")
    assert page.url.endswith(f"#/boards/{board_id}")
    page.get_by_role("button", name="Stay signed in as Owner").click()
    expect(card_titles(page, "To do")).to_have_text(["One"])
    assert not visit.errors


def test_a_valid_token_replaces_a_revoked_one(mina: User, visit: Visit) -> None:
    page = visit.page
    created = mina.request("POST", "users/me/tokens", {"name": "Short", "scopes": ["read"]})
    User(mina.server, mina.origin, created["secret"]).sign_in(page)
    mina.request("DELETE", f"users/me/tokens/{created['token']['id']}")

    _open_link(page, mina, mina.token)

    expect(page.get_by_role("heading", name="Boards", exact=True)).to_be_visible()
    assert page.evaluate(STORED_TOKEN) not in {mina.token, created["secret"]}


def test_a_page_with_a_revoked_token_keeps_the_newer_token_of_another_tab(mina: User, visit: Visit) -> None:
    page = visit.page
    created = mina.request("POST", "users/me/tokens", {"name": "Short", "scopes": ["read", "write"]})
    board_id = mina.create_board("One")
    User(mina.server, mina.origin, created["secret"]).sign_in(page, board_id)
    page.evaluate("(token) => localStorage.setItem('tackboard.token', token)", mina.token)

    mina.request("DELETE", f"users/me/tokens/{created['token']['id']}")

    expect(page.get_by_label("Your sign-in code")).to_be_visible()
    assert page.evaluate(STORED_TOKEN) == mina.token


def test_signing_out_affects_all_tabs_and_the_documentation(mina: User, visit: Visit) -> None:
    page = visit.page
    other_tab = page.context.new_page()
    other_tab.goto(f"{mina.origin}docs/#token={mina.token}")
    expect(other_tab.get_by_role("button", name="Authorize")).to_have_class(re.compile(r"\blocked"))
    other_tab.goto(mina.origin)
    mina.sign_in(page)
    expect(other_tab.locator(".user-name")).to_have_text("Owner")

    open_account_menu(page, "Sign out")

    expect(other_tab.get_by_label("Your sign-in code")).to_be_visible()
    assert page.evaluate("localStorage.length") == 0


@pytest.mark.parametrize("agrees", [True, False])
def test_the_documentation_asks_before_it_switches_tokens(mina: User, visit: Visit, agrees: bool) -> None:
    page = visit.page
    lou = mina.create_user(f"lou-reads-{agrees}".lower())
    page.goto(f"{mina.origin}docs/#token={mina.token}")
    expect(page.get_by_role("button", name="Authorize")).to_have_class(re.compile(r"\blocked"))
    messages: list[str] = []

    def answer(dialog: Dialog) -> None:
        messages.append(dialog.message)
        (dialog.accept if agrees else dialog.dismiss)()

    page.on("dialog", answer)
    with page.expect_event("dialog"):
        page.evaluate("(token) => { location.hash = `token=${token}` }", lou.token)

    assert "tkb_" not in page.url
    assert f"Sign in as {lou.id.title()} instead?" in messages[0]
    # The page acts on the answer before the next frame.
    page.evaluate("() => new Promise(requestAnimationFrame)")
    authorization = json.loads(page.evaluate("localStorage.getItem('authorized')"))
    assert authorization["bearer"]["value"] == (lou if agrees else mina).token


def test_the_documentation_keeps_its_token_when_another_one_is_invalid(mina: User, visit: Visit) -> None:
    page = visit.page
    page.goto(f"{mina.origin}docs/#token={mina.token}")
    expect(page.get_by_role("button", name="Authorize")).to_have_class(re.compile(r"\blocked"))

    with page.expect_event("dialog") as dialog_event:
        page.on("dialog", lambda dialog: dialog.accept())
        page.evaluate("() => { location.hash = 'token=x' }")

    assert "You are still signed in" in dialog_event.value.message
    assert mina.token in page.evaluate("localStorage.getItem('authorized')")
