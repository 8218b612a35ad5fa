"""Signing in with a provider that isn't ours: with an invitation, without one, and what the page says if it fails."""

import json
import os
import re
import socket
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import Visit
from tests.browser.page_objects import User, card, find_violations, open_account_menu, open_phone
from tests.live_server import LiveServer
from tests.oidc.real_provider import SECRET, run_real_provider

pytestmark = pytest.mark.browser

STORED_TOKEN = "localStorage.getItem('tackboard.token')"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Run a server without open sign-up, whose users sign in with a real provider."""
    with socket.socket() as probe:
        # The provider sends browsers to an address that it knows before, and the server starts after it.
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with run_real_provider(f"http://127.0.0.1:{port}/") as issuer:
        account = {"issuer": issuer, "client_id": "basic", "client_secret": SECRET}
        providers = [
            {"id": "staff", "name": "Our staff", **account},
            {"id": "wrong", "name": "Wrong", **account, "issuer": f"{issuer}/", "sign_up": "none"},
        ]
        settings = {"OPEN_SIGNUP": "0", "PORT": str(port), "OIDC_PROVIDERS": json.dumps(providers)}
        with LiveServer(tmp_path_factory.mktemp("providers"), **settings) as running:
            yield running


@pytest.fixture
def owner(server: LiveServer) -> User:
    """Return the owner of the server."""
    assert server.token
    return User(server, server.url, server.token)


def _invite(owner: User, board_id: str) -> tuple[str, str]:
    """Return the secret of an invitation to a board, and the link."""
    created = owner.request("POST", f"boards/{board_id}/invitations", {"role": "editor"})
    return created["secret"], f"{owner.origin}#invite={created['invitation']['id']}.{created['secret']}"


def _sign_in_at_provider(page: Page, login: str) -> None:
    """Do what a person does at the provider, who has never been there."""
    page.locator("input[name=login]").fill(login)
    page.locator("input[name=password]").fill("any")
    page.locator("button[type=submit]").click()
    page.get_by_role("button", name="Continue").click()


def _list_history(page: Page) -> str:
    """Return the addresses of this server in the history of a tab."""
    history = page.context.new_cdp_session(page).send("Page.getNavigationHistory")
    return " ".join(entry["url"] for entry in history["entries"])


def test_a_newcomer_gets_from_the_link_of_an_invitation_to_a_card_with_an_account(
    owner: User, browser: Browser
) -> None:
    board_id = owner.create_board("One", name="Relaunch")
    secret, link = _invite(owner, board_id)
    login = f"zoe-{os.urandom(4).hex()}"

    with open_phone(browser) as phone:
        sent: list[str] = []
        phone.on("request", lambda request: sent.append(f"{request.url} {request.headers} {request.post_data}"))
        started_at = time.perf_counter()
        phone.goto(link)
        expect(phone.get_by_role("heading", name="Owner invites you to Relaunch")).to_be_focused()
        accounts = phone.get_by_role("group", name="Sign in with an account")
        expect(accounts.get_by_role("button")).to_have_text(["Sign in with Our staff", "Sign in with Wrong"])
        assert find_violations(phone) == []
        assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
        accounts.get_by_role("button", name="Sign in with Our staff").click()
        _sign_in_at_provider(phone, login)
        card(phone, "One").wait_for()
        seconds = time.perf_counter() - started_at
        # pytest -s shows it.
        print(f"From the link to the first card: 3 clicks, a login, {seconds:.1f} s")  # noqa: T201 - a measurement.

        assert phone.url == f"{owner.origin}#/boards/{board_id}"
        expect(phone.locator(".user-name")).to_have_text(f"Name of {login}")
        expect(phone.locator(".notification")).to_contain_text("You are a member of Relaunch")
        # Its button doesn't squeeze the text.
        assert phone.locator(".notification > span").evaluate("element => element.clientWidth") > 250
        history = _list_history(phone)
        assert "inv_" not in history
        assert "code=" not in history
        assert phone.evaluate("sessionStorage.length") == 0

    with_secret = [request for request in sent if secret in request]
    assert [request.split(" ")[0].removeprefix(f"{owner.origin}v1/") for request in with_secret] == [
        re.search("inv_[0-9a-z]+", link)[0].join(("invitations/", "")),  # type: ignore[index]
        "sign-in/staff/sessions",
    ]
    assert secret not in json.dumps(owner.server.log) + owner.server.errors


def test_an_account_that_is_a_users_signs_in_and_comes_back_to_where_it_was(owner: User, visit: Visit) -> None:
    page = visit.page
    board_id = owner.create_board("One")
    login = f"lou-{os.urandom(4).hex()}"
    page.goto(_invite(owner, board_id)[1])
    page.get_by_role("button", name="Sign in with Our staff").click()
    _sign_in_at_provider(page, login)
    card(page, "One").wait_for()
    first_session = page.evaluate(STORED_TOKEN)
    page.evaluate("localStorage.clear()")

    page.goto("about:blank")
    page.goto(f"{owner.origin}#/boards/{board_id}")
    page.get_by_role("button", name="Sign in with Our staff").click()
    # The provider knows the person, and sends them back at once.
    card(page, "One").wait_for()
    assert page.url == f"{owner.origin}#/boards/{board_id}"
    assert page.evaluate(STORED_TOKEN) != first_session

    # Whoever signs in as someone else leaves no session behind.
    session = page.evaluate(STORED_TOKEN)
    page.goto("about:blank")
    page.goto(_invite(owner, board_id)[1])
    page.get_by_role("button", name="Sign in as someone else").click()
    with page.expect_response("**/sessions/current*"):
        page.get_by_role("button", name="Sign in with Our staff").click()
        card(page, "One").wait_for()
    user = User(owner.server, owner.origin, page.evaluate(STORED_TOKEN))
    assert len(user.request("GET", "users/me/sessions")["items"]) == 2
    assert session != user.token
    # The pages of the provider ask another server for a font.
    assert set(visit.errors) == {"Failed to load resource: net::ERR_NAME_NOT_RESOLVED"}


def test_an_account_that_nobody_has_invited_is_told_so(owner: User, visit: Visit) -> None:
    page = visit.page
    page.goto(owner.origin)
    page.get_by_role("button", name="Sign in with Our staff").click()
    _sign_in_at_provider(page, f"eve-{os.urandom(4).hex()}")

    expect(page.get_by_role("status")).to_contain_text("Your account at Our staff belongs to no user here yet.")
    expect(page.get_by_label("Your sign-in code")).to_be_focused()
    assert find_violations(page) == []
    assert page.url == owner.origin
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0


def test_who_declines_at_the_provider_is_back_at_the_invitation(owner: User, visit: Visit) -> None:
    page = visit.page
    page.goto(_invite(owner, owner.create_board("One"))[1])
    page.get_by_role("button", name="Sign in with Our staff").click()
    page.get_by_role("link", name="Cancel").click()

    expect(page.get_by_role("status")).to_contain_text("Our staff has not let you in, or you have declined.")
    expect(page.get_by_role("button", name="I am new: join")).to_be_visible()
    assert "error" not in page.url
    page.get_by_role("button", name="Sign in with Wrong").click()
    expect(page.get_by_role("status")).to_contain_text("can't be reached")


@pytest.mark.parametrize("query", ["code=stolen&state=unknown", "error=%3Cb%3Ehello&state=unknown"])
def test_a_return_that_this_tab_has_not_begun_does_nothing(owner: User, visit: Visit, query: str) -> None:
    page = visit.page
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))

    page.goto(f"{owner.origin}?{query}")

    expect(page.get_by_role("status")).to_contain_text("This tab has not begun to sign in")
    assert page.url == owner.origin
    assert not any("sessions" in url for url in requests)

    owner.sign_in(page)
    session = page.evaluate(STORED_TOKEN)
    page.goto(f"{owner.origin}?{query}")
    expect(page.locator(".notification.error")).to_contain_text("nobody was signed in")
    expect(page.get_by_role("heading", name="Boards", exact=True)).to_be_visible()
    assert page.evaluate(STORED_TOKEN) == session


def _open_accounts(page: Page) -> Locator:
    """Open the dialog with the user's accounts; return their section."""
    open_account_menu(page, "Devices and keys")
    return page.get_by_role("dialog", name="Devices and keys").get_by_role("region", name="Accounts")


def _begin_to_add(page: Page) -> None:
    _open_accounts(page).get_by_role("button", name="Add an account at Our staff").click()
    page.locator("input[name=login]").wait_for()


def test_a_user_adds_an_account_and_removes_it(owner: User, visit: Visit) -> None:
    page = visit.page
    user = owner.create_user(f"ada-{os.urandom(4).hex()}")
    user.sign_in(page)
    session = page.evaluate(STORED_TOKEN)
    accounts = _open_accounts(page)
    expect(accounts.get_by_role("button")).to_have_text(["Add an account at Our staff", "Add an account at Wrong"])
    assert find_violations(page) == []
    page.keyboard.press("Escape")

    _begin_to_add(page)
    _sign_in_at_provider(page, user.id)

    expect(page.locator(".notification")).to_contain_text("From now on you can sign in with your account at Our staff.")
    assert page.url == owner.origin
    assert page.evaluate(STORED_TOKEN) == session
    page.locator(".notification").get_by_role("button", name="Accounts").click()
    row = accounts.get_by_role("listitem")
    expect(row).to_contain_text("Our staff")
    assert find_violations(page) == []

    # It is the last way in once there is no token.
    for token in user.request("GET", "users/me/tokens")["items"]:
        User(owner.server, owner.origin, session).request("DELETE", f"users/me/tokens/{token['id']}")
    row.get_by_role("button").click()
    row.get_by_role("button", name="for good?").click()
    last = page.get_by_role("dialog", name="This is your last way in")
    last.get_by_role("button", name="Keep the account").click()
    expect(row).to_have_count(1)
    row.get_by_role("button").click()
    row.get_by_role("button", name="for good?").click()
    last.get_by_role("button", name="Remove it all the same").click()
    expect(page.locator(".notification").last).to_contain_text("The account at Our staff is removed.")
    expect(row).to_have_count(0)


def test_an_account_of_another_user_is_refused(owner: User, visit: Visit) -> None:
    page = visit.page
    login = f"max-{os.urandom(4).hex()}"
    page.goto(_invite(owner, owner.create_board("One"))[1])
    page.get_by_role("button", name="Sign in with Our staff").click()
    _sign_in_at_provider(page, login)
    card(page, "One").wait_for()
    page.context.clear_cookies()
    other = owner.create_user(f"kim-{os.urandom(4).hex()}")
    page.evaluate("localStorage.clear()")
    other.sign_in(page)

    _begin_to_add(page)
    _sign_in_at_provider(page, login)

    expect(page.locator(".notification.error")).to_contain_text("This account at Our staff is another user's.")
    assert other.request("GET", "users/me/identities")["items"] == []


def test_an_account_is_added_only_to_the_user_who_has_begun(owner: User, visit: Visit) -> None:
    page = visit.page
    ada, kim = (owner.create_user(f"{name}-{os.urandom(4).hex()}") for name in ("ada", "kim"))
    ada.sign_in(page)
    _begin_to_add(page)
    # In another tab of the same browser, somebody else signs in meanwhile.
    other_tab = page.context.new_page()
    other_tab.goto(owner.origin)
    other_tab.evaluate("localStorage.clear()")
    kim.sign_in(other_tab)

    _sign_in_at_provider(page, ada.id)

    expect(page.locator(".notification.error")).to_contain_text("Someone else has signed in here since")
    assert [user.request("GET", "users/me/identities")["items"] for user in (ada, kim)] == [[], []]
