"""Addresses with a token: they sign in where nobody is, and take nobody's session away."""

import json
import re

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.browser.conftest import Visit
from tests.browser.people import Person, titles

pytestmark = pytest.mark.browser

KEPT = "localStorage.getItem('tackboard.token')"


def _follow(page: Page, person: Person, token: str) -> None:
    """Follow a link with a token, as from a message, in a page that was somewhere else."""
    page.goto("about:blank")
    page.goto(f"{person.origin}#token={token}")


def test_whoever_is_signed_in_is_asked_before_a_link_signs_them_in_as_someone_else(mina: Person, visit: Visit) -> None:
    page = visit.page
    lou = mina.friend("lou-sends-links")
    mina.visit(page)

    _follow(page, mina, lou.token)

    expect(page.get_by_role("dialog")).to_contain_text("You are signed in as Owner.")
    assert "tkb_" not in page.url
    assert page.evaluate(KEPT) == mina.token
    page.get_by_role("button", name="Stay signed in as Owner").click()
    expect(page.locator(".user-name")).to_have_text("Owner")
    page.reload()
    expect(page.locator(".user-name")).to_have_text("Owner")
    assert not visit.complaints


def test_whoever_agrees_is_signed_in_as_someone_else(mina: Person, visit: Visit) -> None:
    page = visit.page
    lou = mina.friend("lou-is-welcome")
    mina.visit(page)

    _follow(page, mina, lou.token)
    page.get_by_role("button", name="Switch to Lou-Is-Welcome").click()

    expect(page.locator(".user-name")).to_have_text("Lou-Is-Welcome")
    assert page.evaluate(KEPT) == lou.token


def test_another_token_of_the_same_person_is_asked_about_too(mina: Person, visit: Visit) -> None:
    page = visit.page
    made = mina.ask("POST", "users/me/tokens", {"name": "Weaker", "scopes": ["read"]})
    mina.visit(page)

    _follow(page, mina, made["secret"])
    page.get_by_role("button", name="Keep the token").click()

    assert page.evaluate(KEPT) == mina.token


def test_a_link_with_a_wrong_token_is_told_and_changes_nothing(mina: Person, visit: Visit) -> None:
    page = visit.page
    mina.visit(page)

    _follow(page, mina, "x")

    expect(page.locator(".notification.error")).to_contain_text("You are still signed in as Owner.")
    expect(page.get_by_role("heading", name="Boards", exact=True)).to_be_visible()
    assert page.evaluate(KEPT) == mina.token
    assert "token" not in page.url


def test_a_link_that_cannot_be_checked_changes_nothing(mina: Person, visit: Visit) -> None:
    page = visit.page
    lou = mina.friend("lou-out-of-reach")
    mina.visit(page)

    page.route("**/v1/**", lambda route: route.abort())
    _follow(page, mina, lou.token)

    expect(page.locator(".notification.error")).to_contain_text("could not be checked")
    assert page.evaluate(KEPT) == mina.token


def test_a_token_in_the_address_of_an_open_page_leaves_it_at_once_and_the_board_stays(
    mina: Person, visit: Visit
) -> None:
    page = visit.page
    lou = mina.friend("lou-in-the-address")
    board_id = mina.board("One")
    mina.visit(page, board_id)

    page.evaluate("(hash) => { location.hash = hash }", f"#token={lou.token}")

    expect(page.get_by_role("dialog")).to_contain_text("You are signed in as Owner.")
    assert page.url.endswith(f"#/boards/{board_id}")
    page.get_by_role("button", name="Stay signed in as Owner").click()
    expect(titles(page, "To do")).to_have_text(["One"])
    assert not visit.complaints


def test_a_token_that_has_ended_gives_way_to_one_that_is_accepted(mina: Person, visit: Visit) -> None:
    page = visit.page
    made = mina.ask("POST", "users/me/tokens", {"name": "Short", "scopes": ["read"]})
    Person(mina.server, mina.origin, made["secret"]).visit(page)
    mina.ask("DELETE", f"users/me/tokens/{made['token']['id']}")

    _follow(page, mina, mina.token)

    expect(page.get_by_role("heading", name="Boards", exact=True)).to_be_visible()
    assert page.evaluate(KEPT) == mina.token


def test_a_page_whose_token_has_ended_does_not_take_the_newer_one_of_another_page(mina: Person, visit: Visit) -> None:
    page = visit.page
    made = mina.ask("POST", "users/me/tokens", {"name": "Short", "scopes": ["read", "write"]})
    board_id = mina.board("One")
    Person(mina.server, mina.origin, made["secret"]).visit(page, board_id)
    page.evaluate("(token) => localStorage.setItem('tackboard.token', token)", mina.token)

    mina.ask("DELETE", f"users/me/tokens/{made['token']['id']}")

    expect(page.get_by_label("Your token")).to_be_visible()
    assert page.evaluate(KEPT) == mina.token


def test_who_signs_out_does_so_in_every_page_of_the_browser_and_in_the_documentation(
    mina: Person, visit: Visit
) -> None:
    page = visit.page
    other = page.context.new_page()
    other.goto(f"{mina.origin}docs/#token={mina.token}")
    expect(other.get_by_role("button", name="Authorize")).to_have_class(re.compile(r"\blocked"))
    other.goto(mina.origin)
    mina.visit(page)
    expect(other.locator(".user-name")).to_have_text("Owner")

    page.get_by_role("button", name="Sign out").click()

    expect(other.get_by_label("Your token")).to_be_visible()
    assert page.evaluate("localStorage.length") == 0


@pytest.mark.parametrize("agrees", [True, False])
def test_the_documentation_asks_too_before_it_takes_another_token(mina: Person, visit: Visit, agrees: bool) -> None:
    page = visit.page
    lou = mina.friend(f"lou-reads-{agrees}".lower())
    page.goto(f"{mina.origin}docs/#token={mina.token}")
    expect(page.get_by_role("button", name="Authorize")).to_have_class(re.compile(r"\blocked"))
    asked: list[str] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.message)
        (dialog.accept if agrees else dialog.dismiss)()

    page.on("dialog", answer)
    with page.expect_event("dialog"):
        page.evaluate("(token) => { location.hash = `token=${token}` }", lou.token)

    assert "tkb_" not in page.url
    assert f"Sign in as {lou.id.title()} instead?" in asked[0]
    # The page does what was answered before it does anything else.
    page.evaluate("() => new Promise(requestAnimationFrame)")
    kept = json.loads(page.evaluate("localStorage.getItem('authorized')"))
    assert kept["bearer"]["value"] == (lou if agrees else mina).token


def test_the_documentation_keeps_its_token_when_another_one_is_wrong(mina: Person, visit: Visit) -> None:
    page = visit.page
    page.goto(f"{mina.origin}docs/#token={mina.token}")
    expect(page.get_by_role("button", name="Authorize")).to_have_class(re.compile(r"\blocked"))

    with page.expect_event("dialog") as told:
        page.on("dialog", lambda dialog: dialog.accept())
        page.evaluate("() => { location.hash = 'token=x' }")

    assert "You are still signed in" in told.value.message
    assert mina.token in page.evaluate("localStorage.getItem('authorized')")
