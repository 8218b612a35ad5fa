"""Signing in by code, link and token, devices and tokens, signing out, and invitations."""

import os
import re
import time
from urllib.error import HTTPError

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import Visit
from tests.browser.page_objects import User, card, open_account_menu, open_phone, sign_in_with_token

pytestmark = pytest.mark.browser

STORED_TOKEN = "localStorage.getItem('tackboard.token')"


@pytest.fixture
def lou(mina: User) -> User:
    """Return a new user without a session."""
    return mina.create_user(f"lou-{os.urandom(8).hex()}")


def _expect_to_fit(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def _show_code(page: Page) -> tuple[Locator, str, str]:
    """Open the dialog with a code for another device; return the dialog, the code and the link."""
    open_account_menu(page, "Sign in on another device")
    dialog = page.get_by_role("dialog", name="Devices and keys")
    code = dialog.locator("output")
    expect(code).to_have_text(re.compile(r"^[0-9A-Z]{5}-[0-9A-Z]{5}$"))
    link = dialog.get_by_label("Sign-in link", exact=True).input_value()
    return dialog, code.inner_text(), link


def _invite(page: Page, role: str, people: str = "1") -> tuple[Locator, str]:
    """Create an invitation in the dialog of the members; return its section and the link."""
    page.get_by_role("button", name="Members").click()
    section = page.get_by_role("region", name="Invite by link")
    section.get_by_label("Role").select_option(role)
    section.get_by_label("How many people").fill(people)
    section.get_by_role("button", name="Create a link").click()
    return section, section.get_by_label("Invitation link", exact=True).input_value()


def _list_history(page: Page) -> list[str]:
    """Return the addresses in the history of a tab."""
    history = page.context.new_cdp_session(page).send("Page.getNavigationHistory")
    return [entry["url"] for entry in history["entries"]]


def test_a_link_signs_another_device_in_and_a_used_one_says_so(lou: User, visit: Visit, browser: Browser) -> None:
    page = visit.page
    lou.sign_in(page)
    # The printed address is the way of the first person in, who is told how to go on.
    welcome = page.get_by_role("region", name="Welcome")
    expect(welcome).to_be_visible()
    welcome.get_by_role("button", name="Got it").click()
    expect(welcome).to_have_count(0)

    dialog, code, link = _show_code(page)
    expect(dialog.get_by_role("img", name="QR code of the sign-in link")).to_be_visible()
    expect(dialog.get_by_text(re.compile(r"^It works once, for (10|9) more minutes\.$"))).to_be_visible()
    dialog.get_by_role("button", name="Copy: Sign-in link").click()
    expect(dialog.get_by_text("Copied.")).to_be_visible()
    with open_phone(browser) as phone:
        phone.goto(link)
        expect(phone.locator(".user-name")).to_have_text(lou.id.title())
        assert code not in "".join(_list_history(phone))
        _expect_to_fit(phone)
        expect(dialog.get_by_role("status").filter(has_text="is signed in.")).to_be_visible()
        rows = dialog.locator(".devices").first.get_by_role("listitem")
        expect(rows).to_have_count(2)

        phone.evaluate("localStorage.clear()")
        phone.goto("about:blank")
        phone.goto(link)
        expect(phone.get_by_role("status")).to_contain_text("not valid any more")
        expect(phone.get_by_label("Your sign-in code")).to_be_focused()
        _expect_to_fit(phone)
    assert not visit.errors


def test_a_typed_code_signs_in_and_a_session_that_ends_keeps_what_was_typed(
    lou: User, visit: Visit, browser: Browser
) -> None:
    page = visit.page
    board_id = lou.create_board("One")
    lou.sign_in(page)
    dialog, code, _ = _show_code(page)

    with open_phone(browser) as phone:
        phone.goto(f"{lou.origin}#/boards/{board_id}")
        typed = phone.get_by_label("Your sign-in code")
        typed.fill("12345-67890")
        phone.keyboard.press("Enter")
        expect(phone.get_by_role("status")).to_contain_text("This code is not valid")
        expect(typed).to_be_focused()
        typed.fill(f" {code.lower().replace('-', ' ')} ")
        phone.keyboard.press("Enter")
        card(phone, "One").click()
        phone.get_by_label("Write a comment").fill("A long thought")

        row = dialog.locator(".devices").first.get_by_role("listitem").first
        row.get_by_role("button").click()
        row.get_by_role("button", name="for good?").click()

        expect(phone.get_by_role("status")).to_contain_text("You were signed out")
        sign_in_with_token(phone, lou.token)
        card(phone, "One").click()
        expect(phone.get_by_label("Write a comment")).to_have_value("A long thought")
    expect(dialog.locator(".devices").first).to_contain_text("this device")
    assert not visit.errors


def test_a_sign_in_link_of_somebody_else_asks_twice_and_declining_ends_its_session(
    mina: User, lou: User, visit: Visit
) -> None:
    page = visit.page
    mina.sign_in(page)
    session = page.evaluate(STORED_TOKEN)
    code = lou.request("POST", "users/me/sign-in-codes")["code"]

    def open_link(code: str) -> None:
        page.goto("about:blank")
        page.goto(f"{mina.origin}#sign-in={code}")

    open_link(code)
    assert code not in page.url
    page.get_by_role("button", name="Stay signed in as Owner").click()
    open_link("AAAAA-AAAAA")
    page.get_by_role("button", name="Use the link").click()
    expect(page.locator(".notification.error")).to_contain_text("You are still signed in as Owner.")
    assert page.evaluate(STORED_TOKEN) == session

    open_link(code)
    page.get_by_role("button", name="Use the link").click()
    expect(page.get_by_role("dialog")).to_contain_text(f"Sign in as {lou.id.title()}?")
    with page.expect_response("**/sessions/current*"):
        page.get_by_role("button", name="Stay signed in as Owner").click()
    assert page.evaluate(STORED_TOKEN) == session
    assert lou.request("GET", "users/me/sessions")["items"] == []

    open_link(lou.request("POST", "users/me/sign-in-codes")["code"])
    page.get_by_role("button", name="Use the link").click()
    page.get_by_role("button", name=f"Switch to {lou.id.title()}").click()
    expect(page.locator(".user-name")).to_have_text(lou.id.title())
    assert len(lou.request("GET", "users/me/sessions")["items"]) == 1


def test_the_last_way_in_is_not_lost_without_a_warning(lou: User, visit: Visit) -> None:
    page = visit.page
    lou.sign_in(page)
    (token,) = lou.request("GET", "users/me/tokens")["items"]
    lou.request("DELETE", f"users/me/tokens/{token['id']}")

    open_account_menu(page, "Sign out")
    question = page.get_by_role("dialog", name="This is your last way in")
    question.get_by_role("button", name="Sign in on another device").click()
    expect(page.get_by_role("img", name="QR code of the sign-in link")).to_be_visible()
    page.keyboard.press("Escape")
    session = page.evaluate(STORED_TOKEN)
    open_account_menu(page, "Sign out")
    question.get_by_role("button", name="Sign out all the same").click()

    expect(page.get_by_label("Your sign-in code")).to_be_focused()
    with pytest.raises(HTTPError, match="401"):
        User(lou.server, lou.origin, session).request("GET", "users/me")
    assert page.evaluate("localStorage.length") == 0


def test_a_token_is_created_shown_once_used_and_revoked(lou: User, visit: Visit) -> None:
    page = visit.page
    board_id = lou.create_board("One")
    lou.sign_in(page)
    open_account_menu(page, "Devices and keys")
    dialog = page.get_by_role("dialog", name="Devices and keys")
    section = dialog.get_by_role("region", name="Tokens for programs")

    section.get_by_text("New token").click()
    section.get_by_label("What it is for").fill("Nightly 夜 لوحة")
    section.get_by_label("Website").check()
    section.get_by_label("With which role at most").select_option("viewer")
    section.get_by_text("Only these kinds of things").click()
    section.get_by_label("cards", exact=True).check()
    section.get_by_role("button", name="Create token").click()
    secret = section.get_by_label("Token Nightly", exact=False).first
    expect(secret).to_be_focused()
    program = User(lou.server, lou.origin, secret.input_value())
    assert program.request("GET", f"boards/{board_id}/cards")["items"]
    row = section.get_by_role("listitem").filter(has_text="Nightly")
    expect(row).to_contain_text("Website")
    expect(row).to_contain_text("at most: can view")
    page.keyboard.press("Escape")
    open_account_menu(page, "Devices and keys")

    (token,) = (item for item in lou.request("GET", "users/me/tokens")["items"] if "Nightly" in item["name"])
    origin = token["last_used_from"]
    assert origin["client"].startswith("Python-urllib/")
    expect(row).to_contain_text("Last used")
    expect(row).to_contain_text(f"from {origin['address']} ({origin['client']})")
    assert program.token not in page.content()
    row.get_by_role("button").click()
    row.get_by_role("button", name="for good?").click()
    expect(row).to_have_count(0)
    with pytest.raises(HTTPError, match="401"):
        program.request("GET", f"boards/{board_id}/cards")
    assert not visit.errors


def test_a_newcomer_joins_by_a_link(mina: User, visit: Visit, browser: Browser) -> None:
    page = visit.page
    board_id = mina.create_board("One", name="Relaunch of a website with a long name: موقع الشركة")
    mina.sign_in(page, board_id)
    section, link = _invite(page, "editor", "2")
    expect(section.get_by_role("button", name="Copy: Invitation link")).to_be_focused()
    expect(section.get_by_role("img", name="QR code of the invitation link")).to_be_visible()
    section.get_by_role("button", name="Copy: Invitation link").click()
    expect(section.get_by_text("Copied.")).to_be_visible()
    expect(section.get_by_role("listitem")).to_contain_text("2 of 2 uses left")

    with open_phone(browser) as phone:
        started_at = time.perf_counter()
        phone.goto(link)
        expect(phone.get_by_role("heading", name=re.compile("^Owner invites you to Relaunch"))).to_be_focused()
        expect(phone.get_by_role("main")).to_contain_text("You can read this board and work on its cards.")
        _expect_to_fit(phone)
        phone.get_by_label("Your name").fill("مريم Okafor-Wolkenstein von und zu Hohenfels")
        phone.keyboard.press("Enter")
        card(phone, "One").wait_for()
        seconds = time.perf_counter() - started_at
        # pytest -s shows it.
        print(f"From the link to the first card: no click, a name and Enter, {seconds:.1f} s")  # noqa: T201 - a measurement.
        assert board_id in phone.url
        assert "inv_" not in "".join(_list_history(phone))
        assert phone.evaluate("sessionStorage.length") == 0
        _expect_to_fit(phone)
        expect(phone.locator(".notification")).to_contain_text("You are a member of Relaunch")
        phone.locator(".notification").get_by_role("button", name="Sign in on another device").click()
        expect(phone.get_by_role("img", name="QR code of the sign-in link")).to_be_visible()
        _expect_to_fit(phone)

    # The dialog of the owner learns of it by itself.
    expect(section.get_by_role("listitem")).to_contain_text("1 of 2 uses left")
    expect(page.get_by_role("dialog").get_by_text("مريم")).to_be_visible()
    row = section.get_by_role("listitem")
    row.get_by_role("button").click()
    row.get_by_role("button", name="for good?").click()
    expect(row).to_have_count(0)
    with open_phone(browser) as phone:
        phone.goto(link)
        expect(phone.get_by_role("heading", name="This invitation is over")).to_be_focused()
        _expect_to_fit(phone)
        phone.get_by_role("button", name="Sign in").click()
        expect(phone.get_by_label("Your sign-in code")).to_be_focused()
    assert not visit.errors


def test_users_join_as_themselves_or_sign_in_first(mina: User, lou: User, visit: Visit, browser: Browser) -> None:
    page = visit.page
    board_id = mina.create_board("One")
    mina.sign_in(page, board_id)
    _, link = _invite(page, "viewer", "3")

    with open_phone(browser) as phone:
        # Not signed in: sign in first, and come back to the invitation, also after a reload.
        phone.goto(link)
        phone.get_by_role("button", name="I am a user here: sign in first").click()
        phone.get_by_role("button", name="Back to the invitation").click()
        phone.reload()
        phone.get_by_role("button", name="I am a user here: sign in first").click()
        phone.get_by_label("Your sign-in code").fill(lou.request("POST", "users/me/sign-in-codes")["code"])
        phone.keyboard.press("Enter")
        phone.get_by_role("button", name=f"Join as {lou.id.title()}").click()
        card(phone, "One").wait_for()
        # Signed in already: nothing happens without a click, and as someone else only after signing in.
        phone.goto("about:blank")
        phone.goto(link)
        phone.get_by_role("button", name="Not now").click()
        expect(phone.get_by_role("heading", name="Boards", exact=True)).to_be_visible()
        eve = mina.create_user(f"eve-{os.urandom(8).hex()}")
        phone.goto("about:blank")
        phone.goto(link)
        phone.get_by_role("button", name="Sign in as someone else").click()
        phone.get_by_label("Your sign-in code").fill(eve.request("POST", "users/me/sign-in-codes")["code"])
        phone.keyboard.press("Enter")
        phone.get_by_role("button", name=f"Join as {eve.id.title()}").click()
        card(phone, "One").wait_for()

    members = {member["user_id"] for member in mina.request("GET", f"boards/{board_id}/members")["items"]}
    assert members == {mina.id, lou.id, eve.id}
    assert not visit.errors


def test_an_owner_of_the_installation_lets_people_in_and_in_again(mina: User, visit: Visit, browser: Browser) -> None:
    page = visit.page
    mina.sign_in(page)
    open_account_menu(page, "People")
    dialog = page.get_by_role("dialog", name="People")
    section = dialog.get_by_role("region", name="Invite by link")
    section.get_by_role("button", name="Create a link").click()
    invitation = section.get_by_label("Invitation link", exact=True).input_value()
    expect(section.get_by_role("img", name="QR code of the invitation link")).to_be_visible()
    live = len(mina.request("GET", "invitations")["items"])
    expect(section.get_by_role("listitem")).to_have_count(live)
    expect(section.get_by_role("listitem").last).to_contain_text("to no board")

    name = f"Zoë {os.urandom(4).hex()}"
    with open_phone(browser) as phone:
        phone.goto(invitation)
        expect(phone.get_by_role("heading", name="Owner invites you to Tackboard")).to_be_focused()
        phone.get_by_label("Your name").fill(name)
        phone.keyboard.press("Enter")
        expect(phone.locator(".user-name")).to_have_text(name)
    expect(section.get_by_role("listitem")).to_have_count(live - 1)

    again = dialog.get_by_role("region", name="Let somebody in again")
    again.get_by_label("Name or id").fill("nobody has this name")
    expect(again.get_by_role("status").first).to_contain_text("Nobody has that name or id.")
    again.get_by_label("Name or id").fill(name.lower())
    again.get_by_role("button", name=f"Sign-in link for {name}").click()
    expect(again.get_by_role("button", name=f"Copy: Sign-in link for {name}")).to_be_focused()
    expect(again.get_by_role("img", name="QR code of the sign-in link")).to_be_visible()
    link = again.get_by_role("textbox", name=f"Sign-in link for {name}").input_value()
    with open_phone(browser) as phone:
        phone.goto(link)
        expect(phone.locator(".user-name")).to_have_text(name)
        # Nobody else sees what only owners of the installation can do.
        phone.get_by_role("button", name="Account:").click()
        expect(phone.locator("#account-menu").get_by_role("button", name="Sign out")).to_be_visible()
        expect(phone.locator("#account-menu").get_by_role("button", name="People")).to_have_count(0)
    assert not visit.errors


def test_an_owner_of_the_installation_lets_no_bot_sign_in(mina: User, visit: Visit) -> None:
    name = f"Robot {os.urandom(4).hex()}"
    mina.request("POST", "users/me/bots", {"name": name, "scopes": ["read"]})
    page = visit.page
    mina.sign_in(page)
    open_account_menu(page, "People")

    again = page.get_by_role("region", name="Let somebody in again")
    again.get_by_label("Name or id").fill(name)

    row = again.get_by_role("listitem")
    expect(row).to_contain_text("bot")
    expect(row.get_by_role("button")).to_have_count(0)
    assert not visit.errors
