"""The board: sign-in, cards, conflicts and lost connections."""

import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Visit
from tests.browser.page_objects import User, card, card_titles, drag, list_region, open_account_menu, sign_in_with_token

pytestmark = pytest.mark.browser


def test_an_address_with_a_token_signs_in_and_removes_the_token_from_the_address(mina: User, visit: Visit) -> None:
    visit.page.goto(f"{mina.origin}#token={mina.token}")

    expect(visit.page.get_by_role("heading", name="Boards", exact=True)).to_be_visible()
    assert "tkb_" not in visit.page.url
    visit.page.reload()
    expect(visit.page.get_by_role("heading", name="Boards", exact=True)).to_be_visible()
    assert not visit.errors


def test_signing_out_removes_the_token_and_shows_the_sign_in_form(mina: User, visit: Visit) -> None:
    mina.sign_in(visit.page)

    open_account_menu(visit.page, "Sign out")

    expect(visit.page.get_by_label("Your sign-in code")).to_be_focused()
    assert visit.page.evaluate("localStorage.length") == 0


def test_an_unknown_token_is_rejected_with_a_message(origin: str, visit: Visit) -> None:
    visit.page.goto(origin)

    sign_in_with_token(visit.page, "tkb_nothing")

    expect(visit.page.get_by_role("status").filter(has_text="unknown, expired or revoked")).to_be_visible()


def test_a_card_is_created_moved_and_resolved_by_mouse(mina: User, visit: Visit) -> None:
    page = visit.page
    mina.sign_in(page)

    page.get_by_label("Name of the board").fill("Spring release")
    page.get_by_role("button", name="Create board").click()
    list_region(page, "To do").get_by_label("Title of the card").fill("Write the notes")
    list_region(page, "To do").get_by_role("button", name="Add").click()
    expect(card_titles(page, "To do")).to_have_text(["Write the notes"])
    drag(page, "Write the notes", "Doing")

    expect(card_titles(page, "Doing")).to_have_text(["Write the notes"])
    expect(list_region(page, "Doing").locator(".running")).to_have_text(re.compile(r"00:00:\d\d"))
    card(page, "Write the notes").click()
    page.get_by_role("button", name="Resolve").click()
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    expect(card_titles(page, "Done")).to_have_text(["Write the notes"])
    assert not visit.errors


def test_a_card_is_moved_and_opened_by_keyboard(mina: User, visit: Visit) -> None:
    page = visit.page
    mina.sign_in(page, mina.create_board("One", "Two", "Three"))

    card(page, "One").focus()
    for key in ("Space", "ArrowDown", "ArrowRight", "Space"):
        page.keyboard.press(key)

    expect(card_titles(page, "Doing")).to_have_text(["One"])
    expect(card_titles(page, "To do")).to_have_text(["Two", "Three"])
    expect(card(page, "One")).to_be_focused()
    expect(page.locator("#announcements")).to_have_text("One is in Doing.")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(card(page, "One")).to_be_focused()
    assert not visit.errors


def test_escape_cancels_a_keyboard_drag(mina: User, visit: Visit) -> None:
    page = visit.page
    mina.sign_in(page, mina.create_board("One", "Two"))

    card(page, "One").focus()
    for key in ("Space", "ArrowRight", "Escape"):
        page.keyboard.press(key)

    expect(card_titles(page, "To do")).to_have_text(["One", "Two"])
    expect(page.locator("#announcements")).to_have_text("One is back where it was.")


def test_a_move_can_be_undone(mina: User, visit: Visit) -> None:
    page = visit.page
    mina.sign_in(page, mina.create_board("One", "Two", "Three"))
    drag(page, "Two", "Done")
    expect(card_titles(page, "Done")).to_have_text(["Two"])

    page.get_by_role("button", name="Undo").click()

    expect(card_titles(page, "To do")).to_have_text(["One", "Two", "Three"])


@pytest.mark.parametrize("action", ["Archive", "Delete"])
def test_archiving_or_deleting_a_card_can_be_undone(mina: User, visit: Visit, action: str) -> None:
    page = visit.page
    mina.sign_in(page, mina.create_board("One", "Two"))
    card(page, "One").click()

    page.get_by_role("button", name=action, exact=True).click()
    expect(card_titles(page, "To do")).to_have_text(["Two"])
    page.get_by_role("button", name="Undo").click()

    expect(card_titles(page, "To do")).to_have_text(["One", "Two"])
    assert not visit.errors


def test_a_card_returns_when_the_wip_limit_blocks_its_move(mina: User, visit: Visit) -> None:
    page = visit.page
    lists = [
        {"name": "Ideas", "stage": "todo"},
        {"name": "Doing", "stage": "in_progress", "wip_limit": 1, "wip_enforcement": "block"},
    ]
    mina.sign_in(page, mina.create_board("One", "Two", lists=lists))
    drag(page, "One", "Doing")
    expect(card_titles(page, "Doing")).to_have_text(["One"])

    drag(page, "Two", "Doing")

    expect(page.get_by_text("List 'Doing' is full: its WIP limit is 1.")).to_be_visible()
    expect(card_titles(page, "Ideas")).to_have_text(["Two"])


def test_two_browsers_show_the_same_board(mina: User, browser: Browser, visit: Visit) -> None:
    board_id = mina.create_board("One", "Two", "Three")
    other_page = browser.new_context().new_page()
    for page in (visit.page, other_page):
        mina.sign_in(page, board_id)

    drag(visit.page, "One", "Doing")
    drag(other_page, "Three", "Done")

    for page in (visit.page, other_page):
        expect(card_titles(page, "To do")).to_have_text(["Two"])
        expect(card_titles(page, "Doing")).to_have_text(["One"])
        expect(card_titles(page, "Done")).to_have_text(["Three"])
    other_page.context.close()


def test_a_card_that_someone_else_creates_appears(mina: User, visit: Visit) -> None:
    board_id = mina.create_board("One")
    mina.sign_in(visit.page, board_id)

    mina.request("POST", f"boards/{board_id}/cards", {"title": "From elsewhere"})

    expect(card_titles(visit.page, "To do")).to_have_text(["One", "From elsewhere"])


def test_a_conflicting_edit_is_reported_and_the_typed_text_is_kept(mina: User, visit: Visit) -> None:
    page = visit.page
    board_id = mina.create_board("One")
    (stored_card,) = mina.request("GET", f"boards/{board_id}/cards")["items"]
    mina.sign_in(page, board_id)
    with page.expect_response(f"**/cards/{stored_card['id']}"):
        card(page, "One").click()
    page.get_by_role("button", name="Edit").click()
    page.get_by_label("Description").fill("What I wrote")
    # The page must not receive the event before it saves.
    page.route("**/events?*", lambda route: route.abort())
    mina.request("PATCH", f"boards/{board_id}/cards/{stored_card['id']}", {"title": "Renamed"}, If_Match="*")

    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("Someone else changed this card.")).to_be_visible()
    expect(page.get_by_role("dialog").get_by_label("Title of the card")).to_have_value("Renamed")
    expect(page.get_by_label("Description")).to_have_value("What I wrote")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("dialog .markdown")).to_have_text("What I wrote")


def test_a_board_that_was_restored_from_a_backup_is_read_anew(mina: User, visit: Visit) -> None:
    board_id = mina.create_board("One", "Two")
    mina.sign_in(visit.page, board_id)
    expect(card_titles(visit.page, "To do")).to_have_text(["One", "Two"])

    # What a restore leaves: the board is as it was, has another history, and its seq has gone back.
    with closing(sqlite3.connect(mina.server.store_url.removeprefix("sqlite:///"))) as database, database:
        database.execute("UPDATE cards SET title = 'As it was' WHERE board_id = ? AND title = 'Two'", (board_id,))
        database.execute(
            "UPDATE boards SET seq = seq - 1, history = 'hst_01m7wjyxw0g21k7me9wgs7f9wk' WHERE id = ?", (board_id,)
        )

    expect(card_titles(visit.page, "To do")).to_have_text(["One", "As it was"])


def test_a_viewer_cannot_change_the_board(mina: User, visit: Visit) -> None:
    board_id = mina.create_board("One")
    lou = mina.create_user("lou-looks")
    mina.request("PUT", f"boards/{board_id}/members/{lou.id}", {"role": "viewer"})

    lou.sign_in(visit.page, board_id)

    expect(visit.page.get_by_text("You can view this board, but not change it.")).to_be_visible()
    expect(visit.page.get_by_label("Title of the card")).to_have_count(0)
    drag(visit.page, "One", "Doing")
    expect(card_titles(visit.page, "To do")).to_have_text(["One"])


def test_a_revoked_token_leads_to_the_sign_in_form(mina: User, visit: Visit) -> None:
    board_id = mina.create_board("One")
    created = mina.request("POST", "users/me/tokens", {"name": "Short", "scopes": ["read", "write"]})
    User(mina.server, mina.origin, created["secret"]).sign_in(visit.page, board_id)

    mina.request("DELETE", f"users/me/tokens/{created['token']['id']}")

    expect(visit.page.get_by_text("You were signed out")).to_be_visible()


def test_the_page_says_that_it_is_offline_and_keeps_the_typed_text(mina: User, visit: Visit) -> None:
    page = visit.page
    mina.sign_in(page, mina.create_board("One"))
    page.context.set_offline(True)
    field = list_region(page, "To do").get_by_label("Title of the card")
    field.fill("Thought on a train")

    list_region(page, "To do").get_by_role("button", name="Add").click()

    expect(page.locator("#connection")).to_contain_text("You are offline.")
    expect(list_region(page, "To do").locator(".unsaved")).to_contain_text("Thought on a train")
    page.context.set_offline(False)
    expect(page.locator("#connection")).to_be_hidden()
    list_region(page, "To do").get_by_role("button", name="Try again").click()
    expect(card_titles(page, "To do")).to_have_text(["One", "Thought on a train"])


def test_html_in_a_title_and_a_script_link_are_shown_as_text(mina: User, visit: Visit) -> None:
    page = visit.page
    title = "<img src=x onerror=alert(1)> \u202e\u05de\u05d1\u05d7\u05df \U0001f389"
    board_id = mina.create_board(title)
    (stored_card,) = mina.request("GET", f"boards/{board_id}/cards")["items"]
    text = "[click](javascript:alert(1)) [fine](https://example.com) " + "*_`" * 3000 + "\n" + "> " * 400
    mina.request("PATCH", f"boards/{board_id}/cards/{stored_card['id']}", {"description": text}, If_Match="*")
    mina.sign_in(page, board_id)

    page.locator(".card-open").click()

    expect(page.locator("dialog .markdown")).to_be_visible()
    links = page.locator("dialog .markdown a").evaluate_all("(links) => links.map((link) => link.href)")
    assert links == ["https://example.com/"]
    assert page.locator("dialog img").count() == 0
    assert not visit.errors


def test_a_move_that_a_busy_server_rejects_is_reverted_with_its_message(mina: User, visit: Visit) -> None:
    page = visit.page
    mina.sign_in(page, mina.create_board("One"))
    page.route("**/move", lambda route: route.fulfill(status=503, json={"code": "busy", "detail": "Too much at once."}))

    drag(page, "One", "Doing")

    expect(page.get_by_text("Too much at once.")).to_be_visible()
    expect(card_titles(page, "To do")).to_have_text(["One"])


def test_a_card_becomes_overdue_while_the_board_is_open(mina: User, visit: Visit) -> None:
    page = visit.page
    board_id = mina.create_board("One")
    (stored_card,) = mina.request("GET", f"boards/{board_id}/cards")["items"]
    due = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    mina.request("PATCH", f"boards/{board_id}/cards/{stored_card['id']}", {"due_at": due}, If_Match="*")
    page.clock.install()
    mina.sign_in(page, board_id)
    time = card(page, "One").locator("time")
    expect(time).not_to_contain_text("Overdue")

    page.clock.fast_forward("02:00:00")

    expect(time).to_contain_text("Overdue: ")
    expect(time).to_have_class("overdue")


def test_a_new_card_that_matches_the_search_appears(mina: User, visit: Visit) -> None:
    page = visit.page
    board_id = mina.create_board("Fox one", "Hen")
    mina.sign_in(page, board_id)
    page.get_by_label("Search cards").fill("fox")
    expect(card_titles(page, "To do")).to_have_text(["Fox one"])

    mina.request("POST", f"boards/{board_id}/cards", {"title": "Fox two"})
    mina.request("POST", f"boards/{board_id}/cards", {"title": "Hen two"})

    expect(card_titles(page, "To do")).to_have_text(["Fox one", "Fox two"])


def test_a_move_before_a_deleted_card_is_reverted_with_a_message(mina: User, visit: Visit) -> None:
    page = visit.page
    board_id = mina.create_board("One", "Two")
    mina.sign_in(page, board_id)
    _, two = mina.request("GET", f"boards/{board_id}/cards")["items"]
    # The page must not receive the event before it moves the card.
    page.route("**/events?*", lambda route: route.abort())
    mina.request("DELETE", f"boards/{board_id}/cards/{two['id']}", If_Match="*")

    card(page, "One").focus()
    for key in ("Space", "ArrowDown", "Space"):
        page.keyboard.press(key)

    expect(page.locator(".notification.error")).to_contain_text("Someone else has just changed this board")
    expect(card_titles(page, "To do")).to_have_text(["One"])
