"""People who are quicker than the server, and answers that come late or in another order than they were asked for."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Visit
from tests.browser.people import Person, card, column, drag, titles, write_down_time

pytestmark = pytest.mark.browser

OF_A_CARD = re.compile("/cards/[a-z0-9_]+$")


@contextmanager
def _held_back(page: Page, method: str, pattern: re.Pattern[str]) -> Iterator[None]:
    """Let the server do the next thing that is asked of these addresses, but keep its answer back until the end."""
    held: list[tuple[Route, int, dict[str, str], bytes]] = []

    def hold(route: Route) -> None:
        asked = route.request
        if held or asked.method != method:
            route.fallback()
            return
        request = Request(asked.url, asked.post_data_buffer, asked.headers, method=method)  # noqa: S310 - the test's own server.
        # The test goes on when the server has answered, and not before.
        with urlopen(request) as answer:  # noqa: S310 - as above.
            held.append((route, answer.status, dict(answer.headers), answer.read()))

    page.route(pattern, hold)
    with page.expect_request(lambda asked: asked.method == method and bool(pattern.search(asked.url))):
        yield
    # The page is told of a request before its route is; both have come once it has answered something else.
    page.evaluate("null")
    for route, status, headers, body in held:
        route.fulfill(status=status, headers=headers, body=body)
    assert held
    page.unroute(pattern, hold)


def _hears_of_more(page: Page) -> None:
    """Wait until the page has been told that something happened on the board."""
    page.wait_for_event("response", lambda response: "/events" in response.url and response.status == 200)


def test_a_board_is_never_seen_on_two_shelves(mina: Person, visit: Visit) -> None:
    page = visit.page
    board_id = mina.board(name="Late garden")
    mina.ask("POST", f"boards/{board_id}/archive")
    mina.visit(page)
    page.get_by_text("Archived boards").click()
    tile = page.locator(".tiles li", has_text="Late garden")
    expect(tile).to_have_count(1)

    with _held_back(page, "GET", re.compile("archived=true")):
        with page.expect_response("**/boards?limit=100") as listing:
            tile.get_by_role("button", name="Unarchive").click()
        listing.value.finished()
        page.evaluate("() => new Promise(requestAnimationFrame)")
        assert tile.count() == 1

    expect(tile.get_by_role("button", name="Archive")).to_be_visible()
    expect(tile).to_have_count(1)


def test_two_quick_changes_of_a_card_are_both_kept(mina: Person, visit: Visit) -> None:
    page = visit.page
    board_id = mina.board("One")
    for name in ("Urgent", "Later"):
        mina.ask("POST", f"boards/{board_id}/labels", {"name": name, "color": "red"})
    mina.visit(page, board_id)
    card(page, "One").click()
    labels = page.get_by_role("group", name="Labels")

    with _held_back(page, "PATCH", OF_A_CARD):
        labels.get_by_label("Urgent").check()
        labels.get_by_label("Later").check()

    expect(card(page, "One").locator(".chip")).to_have_text(["Urgent", "Later"])
    expect(page.locator(".notification.error")).to_have_count(0)


def test_a_dialog_that_is_quicker_used_than_read_saves_what_was_typed(mina: Person, visit: Visit) -> None:
    page = visit.page
    mina.visit(page, mina.board("One"))

    with _held_back(page, "GET", OF_A_CARD):
        card(page, "One").click()
        page.get_by_role("dialog").get_by_label("Title of the card").fill("Two")
        page.keyboard.press("Enter")

    expect(titles(page, "To do")).to_have_text(["Two"])
    expect(page.locator(".notification.error")).to_have_count(0)


def test_a_description_that_someone_else_wrote_meanwhile_is_not_replaced_unseen(mina: Person, visit: Visit) -> None:
    page = visit.page
    board_id = mina.board("One")
    (found,) = mina.ask("GET", f"boards/{board_id}/cards")["items"]
    own = f"boards/{board_id}/cards/{found['id']}"
    mina.visit(page, board_id)
    card(page, "One").click()
    page.get_by_role("button", name="Edit").click()
    page.get_by_label("Description").fill("Mine")
    with page.expect_response(lambda response: response.url.endswith(own) and response.request.method == "GET"):
        mina.ask("PATCH", own, {"description": "Theirs"}, If_Match="*")

    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("Someone else changed this card.")).to_be_visible()
    assert mina.ask("GET", own)["description"] == "Theirs"
    page.get_by_role("button", name="Save").click()
    expect(page.locator("dialog .markdown")).to_have_text("Mine")


def test_what_is_read_late_does_not_replace_what_is_newer(mina: Person, visit: Visit) -> None:
    page = visit.page
    board_id = mina.board("One")
    (found,) = mina.ask("GET", f"boards/{board_id}/cards")["items"]
    checklists = f"boards/{board_id}/cards/{found['id']}/checklists"
    steps = mina.ask("POST", checklists, {"name": "Steps"})
    mina.visit(page, board_id)
    card(page, "One").click()
    dialog = page.get_by_role("dialog")
    adding = dialog.get_by_label("Add an item")
    items = dialog.locator(".items li .check")
    expect(adding).to_be_visible()

    with _held_back(page, "GET", re.compile("/checklists$")):
        adding.fill("First")
        adding.press("Enter")
        expect(items).to_have_text(["First"])
        mina.ask("POST", f"{checklists}/{steps['id']}/items", {"text": "Second"})
        expect(items).to_have_text(["First", "Second"])
    dialog.get_by_role("button", name="Move Second up").click()

    expect(items).to_have_text(["Second", "First"])
    assert not visit.complaints


def test_a_card_that_was_moved_again_before_the_answer_came_stays_where_it_is(mina: Person, visit: Visit) -> None:
    page = visit.page
    board_id = mina.board("One")
    (found,) = mina.ask("GET", f"boards/{board_id}/cards")["items"]
    lists = {each["name"]: each["id"] for each in mina.ask("GET", f"boards/{board_id}/lists")["items"]}
    mina.visit(page, board_id)

    with _held_back(page, "POST", re.compile("/move$")):
        with page.expect_request("**/move"):
            drag(page, "One", "Doing")
        expect(titles(page, "Doing")).to_have_text(["One"])
        mina.ask("POST", f"boards/{board_id}/cards/{found['id']}/move", {"list_id": lists["Done"]})
        _hears_of_more(page)

    expect(titles(page, "Done")).to_have_text(["One"])
    expect(page.get_by_text("One is in Doing.").first).to_be_attached()
    expect(column(page, "Doing").locator(".card")).to_have_count(0)


def test_a_card_in_the_air_stays_there_when_an_answer_comes(mina: Person, visit: Visit) -> None:
    page = visit.page
    board_id = mina.board("One", "Two")
    mina.visit(page, board_id)
    goal = column(page, "Doing").locator(".cards").bounding_box()
    assert goal

    with _held_back(page, "POST", re.compile("/move$")):
        drag(page, "One", "Doing")
        card(page, "Two").hover()
        page.mouse.down()
        page.mouse.move(goal["x"] + 40, goal["y"] + 4, steps=8)
    expect(page.locator("#announcements")).to_have_text("One is in Doing.")
    page.mouse.up()

    expect(titles(page, "Doing")).to_have_text(["Two", "One"])
    expect(page.locator("#announcements")).to_have_text("Two is in Doing.")
    shown = [each["title"] for each in mina.ask("GET", f"boards/{board_id}/cards?status=in_progress")["items"]]
    assert shown == ["Two", "One"]


def test_time_that_was_written_down_leaves_its_form_before_the_card_is_read_again(mina: Person, visit: Visit) -> None:
    page = visit.page
    mina.visit(page, mina.board("One"))
    with page.expect_response(lambda response: bool(OF_A_CARD.search(response.url))):
        card(page, "One").click()
    time = write_down_time(page)

    with _held_back(page, "GET", OF_A_CARD):
        time.get_by_role("button", name="Save").click()
        expect(time.get_by_role("button", name="Add a time entry")).to_be_focused()

    expect(time.get_by_role("table")).to_contain_text("01:00:00")
    assert not visit.complaints


def test_what_is_sent_by_a_double_click_is_said_once(mina: Person, visit: Visit) -> None:
    page = visit.page
    mina.visit(page, mina.board("One"))
    card(page, "One").click()
    said = page.get_by_role("region", name="Comments")
    said.get_by_label("Write a comment").fill("Once")

    said.get_by_role("button", name="Comment", exact=True).dblclick()

    expect(said.get_by_label("Write a comment")).to_have_value("")
    expect(said.locator(".markdown")).to_have_text(["Once"])
    assert not visit.complaints


def test_an_item_that_is_typed_while_another_is_sent_stays(mina: Person, visit: Visit) -> None:
    page = visit.page
    board_id = mina.board("One")
    (found,) = mina.ask("GET", f"boards/{board_id}/cards")["items"]
    mina.ask("POST", f"boards/{board_id}/cards/{found['id']}/checklists", {"name": "Steps"})
    mina.visit(page, board_id)
    card(page, "One").click()
    adding = page.get_by_role("dialog").get_by_label("Add an item")

    adding.fill("First")
    with _held_back(page, "GET", re.compile("/checklists$")):
        with page.expect_response(lambda response: response.request.method == "POST"):
            adding.press("Enter")
        expect(adding).to_have_value("")
        adding.fill("Second")

    expect(page.locator(".items li .check")).to_have_text(["First"])
    expect(adding).to_have_value("Second")
    assert not visit.complaints


def test_nobody_is_told_that_a_card_is_gone_that_they_took_away_themselves(mina: Person, visit: Visit) -> None:
    page = visit.page
    mina.visit(page, mina.board("One"))
    card(page, "One").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Activity")).to_be_visible()

    with _held_back(page, "DELETE", OF_A_CARD):
        dialog.get_by_role("button", name="Delete", exact=True).click()
        _hears_of_more(page)

    expect(page.get_by_text("One is deleted.")).to_be_visible()
    expect(dialog).to_have_count(0)
    expect(page.locator(".notification.error")).to_have_count(0)
    assert not visit.complaints


def test_a_title_that_is_put_back_before_the_answer_came_is_put_back(mina: Person, visit: Visit) -> None:
    page = visit.page
    mina.visit(page, mina.board("One"))
    card(page, "One").click()
    title = page.get_by_role("dialog").get_by_label("Title of the card")

    with _held_back(page, "PATCH", OF_A_CARD):
        for text in ("Two", "One"):
            title.fill(text)
            title.press("Enter")

    _hears_of_more(page)
    expect(title).to_have_value("One")
    expect(titles(page, "To do")).to_have_text(["One"])


def test_a_title_that_is_typed_on_is_not_replaced_by_what_was_saved(mina: Person, visit: Visit) -> None:
    page = visit.page
    mina.visit(page, mina.board("One"))
    card(page, "One").click()
    title = page.get_by_role("dialog").get_by_label("Title of the card")

    with _held_back(page, "PATCH", OF_A_CARD):
        title.fill("Two")
        title.press("Enter")
        title.fill("Two and three")
    expect(titles(page, "To do")).to_have_text(["Two"])
    title.press("Enter")

    expect(titles(page, "To do")).to_have_text(["Two and three"])


def test_what_is_done_right_after_time_was_written_down_is_not_refused(mina: Person, visit: Visit) -> None:
    page = visit.page
    mina.visit(page, mina.board("One"))
    card(page, "One").click()
    time = write_down_time(page)

    with _held_back(page, "GET", re.compile("/time(\\?|$)")):
        time.get_by_role("button", name="Save").click()
        page.get_by_role("dialog").get_by_label("Title of the card").fill("Two")
        page.keyboard.press("Enter")

    expect(titles(page, "To do")).to_have_text(["Two"])
    expect(page.locator(".notification.error")).to_have_count(0)


def test_a_label_that_was_put_on_just_before_comes_back_with_the_card(mina: Person, visit: Visit) -> None:
    page = visit.page
    board_id = mina.board("One")
    mina.board(name="Elsewhere")
    mina.ask("POST", f"boards/{board_id}/labels", {"name": "Urgent", "color": "red"})
    mina.visit(page, board_id)
    card(page, "One").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Copy, or move to another board").click()
    dialog.get_by_label("To the board").select_option(label="Elsewhere")

    with _held_back(page, "PATCH", OF_A_CARD):
        dialog.get_by_role("group", name="Labels").get_by_label("Urgent").check()
        dialog.get_by_role("button", name="Move there").click()
    page.get_by_role("button", name="Undo").click()

    expect(card(page, "One").locator(".chip")).to_have_text(["Urgent"])


def test_a_board_that_comes_after_its_reader_has_left_is_not_drawn(mina: Person, visit: Visit) -> None:
    page = visit.page
    board_id = mina.board("One")
    mina.visit(page)
    of_the_board = re.compile(f"/{board_id}[?]embed")

    with page.expect_response(of_the_board) as late, _held_back(page, "GET", of_the_board):
        with page.expect_request(of_the_board):
            page.evaluate("(hash) => { location.hash = hash }", f"#/boards/{board_id}")
        page.evaluate("() => { location.hash = '#/' }")
        expect(page.get_by_role("heading", name="Boards", exact=True)).to_be_visible()
    late.value.finished()
    page.evaluate("() => new Promise(requestAnimationFrame)")

    expect(page.get_by_role("heading", name="Boards", exact=True)).to_be_visible()
