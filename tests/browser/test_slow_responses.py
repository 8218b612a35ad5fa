"""Users who are faster than the server, and responses that arrive late or out of order."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Visit
from tests.browser.page_objects import User, card, card_titles, drag, fill_time_form, list_region

pytestmark = pytest.mark.browser

CARD_URL = re.compile("/cards/[a-z0-9_]+$")


@contextmanager
def _delay_response(page: Page, method: str, pattern: re.Pattern[str]) -> Iterator[None]:
    """Send the next matching request to the server, but deliver its response at the end of the block."""
    delayed: list[tuple[Route, int, dict[str, str], bytes]] = []

    def delay(route: Route) -> None:
        original = route.request
        if delayed or original.method != method:
            route.fallback()
            return
        request = Request(original.url, original.post_data_buffer, original.headers, method=method)  # noqa: S310 - the test's own server.
        # The test continues when the server has responded.
        with urlopen(request) as response:  # noqa: S310 - as above.
            delayed.append((route, response.status, dict(response.headers), response.read()))

    page.route(pattern, delay)
    with page.expect_request(lambda request: request.method == method and bool(pattern.search(request.url))):
        yield
    # Playwright reports a request before it calls its route. After another round trip both have happened.
    page.evaluate("null")
    for route, status, headers, body in delayed:
        route.fulfill(status=status, headers=headers, body=body)
    assert delayed
    page.unroute(pattern, delay)


def _wait_for_events(page: Page) -> None:
    """Wait until the page has received new events of the board."""
    page.wait_for_event("response", lambda response: "/events" in response.url and response.status == 200)


def test_a_board_never_appears_in_two_sections(mina: User, visit: Visit) -> None:
    page = visit.page
    board_id = mina.create_board(name="Late garden")
    mina.request("POST", f"boards/{board_id}/archive")
    mina.sign_in(page)
    page.get_by_text("Archived boards").click()
    tile = page.locator(".tiles li", has_text="Late garden")
    expect(tile).to_have_count(1)

    with _delay_response(page, "GET", re.compile("archived=true")):
        with page.expect_response("**/boards?limit=100") as listing:
            tile.get_by_role("button", name="Unarchive").click()
        listing.value.finished()
        page.evaluate("() => new Promise(requestAnimationFrame)")
        assert tile.count() == 1

    expect(tile.get_by_role("button", name="Archive")).to_be_visible()
    expect(tile).to_have_count(1)


def test_two_quick_edits_of_a_card_are_both_kept(mina: User, visit: Visit) -> None:
    page = visit.page
    board_id = mina.create_board("One")
    for name in ("Urgent", "Later"):
        mina.request("POST", f"boards/{board_id}/labels", {"name": name, "color": "red"})
    mina.sign_in(page, board_id)
    card(page, "One").click()
    labels = page.get_by_role("group", name="Labels")

    with _delay_response(page, "PATCH", CARD_URL):
        labels.get_by_label("Urgent").check()
        labels.get_by_label("Later").check()

    expect(card(page, "One").locator(".chip")).to_have_text(["Urgent", "Later"])
    expect(page.locator(".notification.error")).to_have_count(0)


def test_an_edit_before_the_card_is_loaded_is_saved(mina: User, visit: Visit) -> None:
    page = visit.page
    mina.sign_in(page, mina.create_board("One"))

    with _delay_response(page, "GET", CARD_URL):
        card(page, "One").click()
        page.get_by_role("dialog").get_by_label("Title of the card").fill("Two")
        page.keyboard.press("Enter")

    expect(card_titles(page, "To do")).to_have_text(["Two"])
    expect(page.locator(".notification.error")).to_have_count(0)


def test_a_conflicting_description_that_was_already_received_is_not_replaced_unseen(mina: User, visit: Visit) -> None:
    page = visit.page
    board_id = mina.create_board("One")
    (stored_card,) = mina.request("GET", f"boards/{board_id}/cards")["items"]
    path = f"boards/{board_id}/cards/{stored_card['id']}"
    mina.sign_in(page, board_id)
    card(page, "One").click()
    page.get_by_role("button", name="Edit").click()
    page.get_by_label("Description").fill("Mine")
    with page.expect_response(lambda response: response.url.endswith(path) and response.request.method == "GET"):
        mina.request("PATCH", path, {"description": "Theirs"}, If_Match="*")

    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("Someone else changed this card.")).to_be_visible()
    assert mina.request("GET", path)["description"] == "Theirs"
    page.get_by_role("button", name="Save").click()
    expect(page.locator("dialog .markdown")).to_have_text("Mine")


def test_a_late_response_does_not_replace_a_newer_one(mina: User, visit: Visit) -> None:
    page = visit.page
    board_id = mina.create_board("One")
    (stored_card,) = mina.request("GET", f"boards/{board_id}/cards")["items"]
    checklists = f"boards/{board_id}/cards/{stored_card['id']}/checklists"
    steps = mina.request("POST", checklists, {"name": "Steps"})
    mina.sign_in(page, board_id)
    card(page, "One").click()
    dialog = page.get_by_role("dialog")
    field = dialog.get_by_label("Add an item")
    items = dialog.locator(".items li .check")
    expect(field).to_be_visible()

    with _delay_response(page, "GET", re.compile("/checklists$")):
        field.fill("First")
        field.press("Enter")
        expect(items).to_have_text(["First"])
        mina.request("POST", f"{checklists}/{steps['id']}/items", {"text": "Second"})
        expect(items).to_have_text(["First", "Second"])
    dialog.get_by_role("button", name="Move Second up").click()

    expect(items).to_have_text(["Second", "First"])
    assert not visit.errors


def test_the_late_response_of_a_move_does_not_revert_a_newer_move(mina: User, visit: Visit) -> None:
    page = visit.page
    board_id = mina.create_board("One")
    (stored_card,) = mina.request("GET", f"boards/{board_id}/cards")["items"]
    lists = {item["name"]: item["id"] for item in mina.request("GET", f"boards/{board_id}/lists")["items"]}
    mina.sign_in(page, board_id)

    with _delay_response(page, "POST", re.compile("/move$")):
        with page.expect_request("**/move"):
            drag(page, "One", "Doing")
        expect(card_titles(page, "Doing")).to_have_text(["One"])
        mina.request("POST", f"boards/{board_id}/cards/{stored_card['id']}/move", {"list_id": lists["Done"]})
        _wait_for_events(page)

    expect(card_titles(page, "Done")).to_have_text(["One"])
    expect(page.get_by_text("One is in Doing.").first).to_be_attached()
    expect(list_region(page, "Doing").locator(".card")).to_have_count(0)


def test_a_response_does_not_interrupt_a_drag(mina: User, visit: Visit) -> None:
    page = visit.page
    board_id = mina.create_board("One", "Two")
    mina.sign_in(page, board_id)
    target = list_region(page, "Doing").locator(".cards").bounding_box()
    assert target

    with _delay_response(page, "POST", re.compile("/move$")):
        drag(page, "One", "Doing")
        card(page, "Two").hover()
        page.mouse.down()
        page.mouse.move(target["x"] + 40, target["y"] + 4, steps=8)
    expect(page.locator("#announcements")).to_have_text("One is in Doing.")
    page.mouse.up()

    expect(card_titles(page, "Doing")).to_have_text(["Two", "One"])
    expect(page.locator("#announcements")).to_have_text("Two is in Doing.")
    stored_titles = [
        stored["title"] for stored in mina.request("GET", f"boards/{board_id}/cards?status=in_progress")["items"]
    ]
    assert stored_titles == ["Two", "One"]


def test_the_time_form_closes_before_the_card_is_reloaded(mina: User, visit: Visit) -> None:
    page = visit.page
    mina.sign_in(page, mina.create_board("One"))
    with page.expect_response(lambda response: bool(CARD_URL.search(response.url))):
        card(page, "One").click()
    time = fill_time_form(page)

    with _delay_response(page, "GET", CARD_URL):
        time.get_by_role("button", name="Save").click()
        expect(time.get_by_role("button", name="Add a time entry")).to_be_focused()

    expect(time.get_by_role("table")).to_contain_text("01:00:00")
    assert not visit.errors


def test_a_double_click_adds_one_comment(mina: User, visit: Visit) -> None:
    page = visit.page
    mina.sign_in(page, mina.create_board("One"))
    card(page, "One").click()
    comments = page.get_by_role("region", name="Comments")
    comments.get_by_label("Write a comment").fill("Once")

    comments.get_by_role("button", name="Comment", exact=True).dblclick()

    expect(comments.get_by_label("Write a comment")).to_have_value("")
    expect(comments.locator(".markdown")).to_have_text(["Once"])
    assert not visit.errors


def test_an_item_typed_during_a_request_is_kept(mina: User, visit: Visit) -> None:
    page = visit.page
    board_id = mina.create_board("One")
    (stored_card,) = mina.request("GET", f"boards/{board_id}/cards")["items"]
    mina.request("POST", f"boards/{board_id}/cards/{stored_card['id']}/checklists", {"name": "Steps"})
    mina.sign_in(page, board_id)
    card(page, "One").click()
    field = page.get_by_role("dialog").get_by_label("Add an item")

    field.fill("First")
    with _delay_response(page, "GET", re.compile("/checklists$")):
        with page.expect_response(lambda response: response.request.method == "POST"):
            field.press("Enter")
        expect(field).to_have_value("")
        field.fill("Second")

    expect(page.locator(".items li .check")).to_have_text(["First"])
    expect(field).to_have_value("Second")
    assert not visit.errors


def test_deleting_a_card_does_not_report_it_as_gone(mina: User, visit: Visit) -> None:
    page = visit.page
    mina.sign_in(page, mina.create_board("One"))
    card(page, "One").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Activity")).to_be_visible()

    with _delay_response(page, "DELETE", CARD_URL):
        dialog.get_by_role("button", name="Delete", exact=True).click()
        _wait_for_events(page)

    expect(page.get_by_text("One is deleted.")).to_be_visible()
    expect(dialog).to_have_count(0)
    expect(page.locator(".notification.error")).to_have_count(0)
    assert not visit.errors


def test_a_title_that_is_reverted_during_a_save_is_reverted(mina: User, visit: Visit) -> None:
    page = visit.page
    mina.sign_in(page, mina.create_board("One"))
    card(page, "One").click()
    title = page.get_by_role("dialog").get_by_label("Title of the card")

    with _delay_response(page, "PATCH", CARD_URL):
        for text in ("Two", "One"):
            title.fill(text)
            title.press("Enter")

    _wait_for_events(page)
    expect(title).to_have_value("One")
    expect(card_titles(page, "To do")).to_have_text(["One"])


def test_a_title_edited_during_a_save_is_not_replaced(mina: User, visit: Visit) -> None:
    page = visit.page
    mina.sign_in(page, mina.create_board("One"))
    card(page, "One").click()
    title = page.get_by_role("dialog").get_by_label("Title of the card")

    with _delay_response(page, "PATCH", CARD_URL):
        title.fill("Two")
        title.press("Enter")
        title.fill("Two and three")
    expect(card_titles(page, "To do")).to_have_text(["Two"])
    title.press("Enter")

    expect(card_titles(page, "To do")).to_have_text(["Two and three"])


def test_an_edit_right_after_adding_a_time_entry_is_saved(mina: User, visit: Visit) -> None:
    page = visit.page
    mina.sign_in(page, mina.create_board("One"))
    card(page, "One").click()
    time = fill_time_form(page)

    with _delay_response(page, "GET", re.compile("/time(\\?|$)")):
        time.get_by_role("button", name="Save").click()
        page.get_by_role("dialog").get_by_label("Title of the card").fill("Two")
        page.keyboard.press("Enter")

    expect(card_titles(page, "To do")).to_have_text(["Two"])
    expect(page.locator(".notification.error")).to_have_count(0)


def test_undoing_a_transfer_restores_a_label_added_just_before(mina: User, visit: Visit) -> None:
    page = visit.page
    board_id = mina.create_board("One")
    mina.create_board(name="Elsewhere")
    mina.request("POST", f"boards/{board_id}/labels", {"name": "Urgent", "color": "red"})
    mina.sign_in(page, board_id)
    card(page, "One").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Copy, or move to another board").click()
    dialog.get_by_label("To the board").select_option(label="Elsewhere")

    with _delay_response(page, "PATCH", CARD_URL):
        dialog.get_by_role("group", name="Labels").get_by_label("Urgent").check()
        dialog.get_by_role("button", name="Move there").click()
    page.get_by_role("button", name="Undo").click()

    expect(card(page, "One").locator(".chip")).to_have_text(["Urgent"])


def test_a_board_that_loads_after_leaving_it_is_not_drawn(mina: User, visit: Visit) -> None:
    page = visit.page
    board_id = mina.create_board("One")
    mina.sign_in(page)
    board_request = re.compile(f"/{board_id}[?]embed")

    with page.expect_response(board_request) as late_response, _delay_response(page, "GET", board_request):
        with page.expect_request(board_request):
            page.evaluate("(hash) => { location.hash = hash }", f"#/boards/{board_id}")
        page.evaluate("() => { location.hash = '#/' }")
        expect(page.get_by_role("heading", name="Boards", exact=True)).to_be_visible()
    late_response.value.finished()
    page.evaluate("() => new Promise(requestAnimationFrame)")

    expect(page.get_by_role("heading", name="Boards", exact=True)).to_be_visible()
