"""The board at /: what people do on it, by mouse, by touch and by keyboard, alone and together."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Visit
from tests.browser.people import Person, card, column, drag, titles

pytestmark = pytest.mark.browser


def test_the_address_that_the_first_run_prints_signs_in_and_keeps_the_token_out_of_sight(
    mina: Person, visit: Visit
) -> None:
    visit.page.goto(f"{mina.origin}#token={mina.token}")

    expect(visit.page.get_by_role("heading", name="Boards", exact=True)).to_be_visible()
    assert "tkb_" not in visit.page.url
    visit.page.reload()
    expect(visit.page.get_by_role("heading", name="Boards", exact=True)).to_be_visible()
    assert not visit.complaints


def test_whoever_signs_out_needs_a_token_again(mina: Person, visit: Visit) -> None:
    mina.visit(visit.page)

    visit.page.get_by_role("button", name="Sign out").click()

    expect(visit.page.get_by_label("Your token")).to_be_focused()
    assert visit.page.evaluate("localStorage.length") == 0


def test_a_token_that_is_not_known_is_refused_in_words(origin: str, visit: Visit) -> None:
    visit.page.goto(origin)

    visit.page.get_by_label("Your token").fill("tkb_nothing")
    visit.page.get_by_role("button", name="Sign in").click()

    expect(visit.page.get_by_role("status").filter(has_text="unknown, expired or revoked")).to_be_visible()


def test_the_main_job_is_done_by_mouse(mina: Person, visit: Visit) -> None:
    page = visit.page
    mina.visit(page)

    page.get_by_label("Name of the board").fill("Spring release")
    page.get_by_role("button", name="Create board").click()
    column(page, "To do").get_by_label("Title of the card").fill("Write the notes")
    column(page, "To do").get_by_role("button", name="Add").click()
    expect(titles(page, "To do")).to_have_text(["Write the notes"])
    drag(page, "Write the notes", "Doing")

    expect(titles(page, "Doing")).to_have_text(["Write the notes"])
    expect(column(page, "Doing").locator(".running")).to_have_text(re.compile(r"00:00:\d\d"))
    card(page, "Write the notes").click()
    page.get_by_role("button", name="Resolve").click()
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    expect(titles(page, "Done")).to_have_text(["Write the notes"])
    assert not visit.complaints


def test_the_main_job_is_done_by_keyboard(mina: Person, visit: Visit) -> None:
    page = visit.page
    mina.visit(page, mina.board("One", "Two", "Three"))

    card(page, "One").focus()
    for key in ("Space", "ArrowDown", "ArrowRight", "Space"):
        page.keyboard.press(key)

    expect(titles(page, "Doing")).to_have_text(["One"])
    expect(titles(page, "To do")).to_have_text(["Two", "Three"])
    expect(card(page, "One")).to_be_focused()
    expect(page.locator("#announcements")).to_have_text("One is in Doing.")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(card(page, "One")).to_be_focused()
    assert not visit.complaints


def test_escape_puts_a_lifted_card_back(mina: Person, visit: Visit) -> None:
    page = visit.page
    mina.visit(page, mina.board("One", "Two"))

    card(page, "One").focus()
    for key in ("Space", "ArrowRight", "Escape"):
        page.keyboard.press(key)

    expect(titles(page, "To do")).to_have_text(["One", "Two"])
    expect(page.locator("#announcements")).to_have_text("One is back where it was.")


def test_a_move_can_be_taken_back(mina: Person, visit: Visit) -> None:
    page = visit.page
    mina.visit(page, mina.board("One", "Two", "Three"))
    drag(page, "Two", "Done")
    expect(titles(page, "Done")).to_have_text(["Two"])

    page.get_by_role("button", name="Undo").click()

    expect(titles(page, "To do")).to_have_text(["One", "Two", "Three"])


@pytest.mark.parametrize("how", ["Archive", "Delete"])
def test_a_card_that_was_put_away_can_be_brought_back(mina: Person, visit: Visit, how: str) -> None:
    page = visit.page
    mina.visit(page, mina.board("One", "Two"))
    card(page, "One").click()

    page.get_by_role("button", name=how, exact=True).click()
    expect(titles(page, "To do")).to_have_text(["Two"])
    page.get_by_role("button", name="Undo").click()

    expect(titles(page, "To do")).to_have_text(["One", "Two"])
    assert not visit.complaints


def test_a_full_list_refuses_a_card_and_the_card_goes_back(mina: Person, visit: Visit) -> None:
    page = visit.page
    lists = [
        {"name": "Ideas", "stage": "todo"},
        {"name": "Doing", "stage": "in_progress", "wip_limit": 1, "wip_enforcement": "block"},
    ]
    mina.visit(page, mina.board("One", "Two", lists=lists))
    drag(page, "One", "Doing")
    expect(titles(page, "Doing")).to_have_text(["One"])

    drag(page, "Two", "Doing")

    expect(page.get_by_text("List 'Doing' is full: its WIP limit is 1.")).to_be_visible()
    expect(titles(page, "Ideas")).to_have_text(["Two"])


def test_two_browsers_end_up_with_the_same_board(mina: Person, browser: Browser, visit: Visit) -> None:
    board_id = mina.board("One", "Two", "Three")
    other = browser.new_context().new_page()
    for page in (visit.page, other):
        mina.visit(page, board_id)

    drag(visit.page, "One", "Doing")
    drag(other, "Three", "Done")

    for page in (visit.page, other):
        expect(titles(page, "To do")).to_have_text(["Two"])
        expect(titles(page, "Doing")).to_have_text(["One"])
        expect(titles(page, "Done")).to_have_text(["Three"])
    other.context.close()


def test_what_others_do_appears_by_itself(mina: Person, visit: Visit) -> None:
    board_id = mina.board("One")
    mina.visit(visit.page, board_id)

    mina.ask("POST", f"boards/{board_id}/cards", {"title": "From elsewhere"})

    expect(titles(visit.page, "To do")).to_have_text(["One", "From elsewhere"])


def test_an_edit_that_someone_else_was_faster_with_is_told_and_nothing_typed_is_lost(
    mina: Person, visit: Visit
) -> None:
    page = visit.page
    board_id = mina.board("One")
    (found,) = mina.ask("GET", f"boards/{board_id}/cards")["items"]
    mina.visit(page, board_id)
    with page.expect_response(f"**/cards/{found['id']}"):
        card(page, "One").click()
    page.get_by_role("button", name="Edit").click()
    page.get_by_label("Description").fill("What I wrote")
    # The page must not hear of it before it saves.
    page.route("**/events?*", lambda route: route.abort())
    mina.ask("PATCH", f"boards/{board_id}/cards/{found['id']}", {"title": "Renamed"}, If_Match="*")

    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("Someone else changed this card.")).to_be_visible()
    expect(page.get_by_role("dialog").get_by_label("Title of the card")).to_have_value("Renamed")
    expect(page.get_by_label("Description")).to_have_value("What I wrote")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("dialog .markdown")).to_have_text("What I wrote")


def test_a_viewer_sees_the_board_and_can_change_nothing(mina: Person, visit: Visit) -> None:
    board_id = mina.board("One")
    lou = mina.friend("lou-looks")
    mina.ask("PUT", f"boards/{board_id}/members/{lou.id}", {"role": "viewer"})

    lou.visit(visit.page, board_id)

    expect(visit.page.get_by_text("You can view this board, but not change it.")).to_be_visible()
    expect(visit.page.get_by_label("Title of the card")).to_have_count(0)
    drag(visit.page, "One", "Doing")
    expect(titles(visit.page, "To do")).to_have_text(["One"])


def test_a_token_that_was_revoked_leads_to_the_sign_in(mina: Person, visit: Visit) -> None:
    board_id = mina.board("One")
    made = mina.ask("POST", "users/me/tokens", {"name": "Short", "scopes": ["read", "write"]})
    Person(mina.server, mina.origin, made["secret"]).visit(visit.page, board_id)

    mina.ask("DELETE", f"users/me/tokens/{made['token']['id']}")

    expect(visit.page.get_by_text("This token is unknown, expired or revoked.")).to_be_visible()


def test_offline_is_told_and_what_was_typed_stays(mina: Person, visit: Visit) -> None:
    page = visit.page
    mina.visit(page, mina.board("One"))
    page.context.set_offline(True)
    adding = column(page, "To do").get_by_label("Title of the card")
    adding.fill("Thought on a train")

    column(page, "To do").get_by_role("button", name="Add").click()

    expect(page.locator("#connection")).to_contain_text("You are offline.")
    expect(column(page, "To do").locator(".unsaved")).to_contain_text("Thought on a train")
    page.context.set_offline(False)
    expect(page.locator("#connection")).to_be_hidden()
    column(page, "To do").get_by_role("button", name="Try again").click()
    expect(titles(page, "To do")).to_have_text(["One", "Thought on a train"])


def test_html_in_a_title_and_a_script_in_a_link_are_text(mina: Person, visit: Visit) -> None:
    page = visit.page
    title = "<img src=x onerror=alert(1)> \u202e\u05de\u05d1\u05d7\u05df \U0001f389"
    board_id = mina.board(title)
    (found,) = mina.ask("GET", f"boards/{board_id}/cards")["items"]
    text = "[click](javascript:alert(1)) [fine](https://example.com) " + "*_`" * 3000 + "\n" + "> " * 400
    mina.ask("PATCH", f"boards/{board_id}/cards/{found['id']}", {"description": text}, If_Match="*")
    mina.visit(page, board_id)

    page.locator(".card-open").click()

    expect(page.locator("dialog .markdown")).to_be_visible()
    links = page.locator("dialog .markdown a").evaluate_all("(found) => found.map((each) => each.href)")
    assert links == ["https://example.com/"]
    assert page.locator("dialog img").count() == 0
    assert not visit.complaints


def test_a_server_that_is_busy_is_told_and_the_page_stays_usable(mina: Person, visit: Visit) -> None:
    page = visit.page
    mina.visit(page, mina.board("One"))
    page.route("**/move", lambda route: route.fulfill(status=503, json={"code": "busy", "detail": "Too much at once."}))

    drag(page, "One", "Doing")

    expect(page.get_by_text("Too much at once.")).to_be_visible()
    expect(titles(page, "To do")).to_have_text(["One"])


def test_a_card_becomes_overdue_while_the_board_is_open(mina: Person, visit: Visit) -> None:
    page = visit.page
    board_id = mina.board("One")
    (found,) = mina.ask("GET", f"boards/{board_id}/cards")["items"]
    due = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    mina.ask("PATCH", f"boards/{board_id}/cards/{found['id']}", {"due_at": due}, If_Match="*")
    page.clock.install()
    mina.visit(page, board_id)
    time = card(page, "One").locator("time")
    expect(time).not_to_contain_text("Overdue")

    page.clock.fast_forward("02:00:00")

    expect(time).to_contain_text("Overdue: ")
    expect(time).to_have_class("overdue")


def test_a_card_that_is_made_while_it_is_looked_for_is_found(mina: Person, visit: Visit) -> None:
    page = visit.page
    board_id = mina.board("Fox one", "Hen")
    mina.visit(page, board_id)
    page.get_by_label("Search cards").fill("fox")
    expect(titles(page, "To do")).to_have_text(["Fox one"])

    mina.ask("POST", f"boards/{board_id}/cards", {"title": "Fox two"})
    mina.ask("POST", f"boards/{board_id}/cards", {"title": "Hen two"})

    expect(titles(page, "To do")).to_have_text(["Fox one", "Fox two"])


def test_a_card_that_moved_before_its_neighbour_was_taken_away_goes_back_with_words_for_people(
    mina: Person, visit: Visit
) -> None:
    page = visit.page
    board_id = mina.board("One", "Two")
    mina.visit(page, board_id)
    _, two = mina.ask("GET", f"boards/{board_id}/cards")["items"]
    # The page must not hear of it before it moves.
    page.route("**/events?*", lambda route: route.abort())
    mina.ask("DELETE", f"boards/{board_id}/cards/{two['id']}", If_Match="*")

    card(page, "One").focus()
    for key in ("Space", "ArrowDown", "Space"):
        page.keyboard.press(key)

    expect(page.locator(".notification.error")).to_contain_text("Someone else has changed this board meanwhile")
    expect(titles(page, "To do")).to_have_text(["One"])
