"""The dialog of a card: what people write, correct, put in order and delete there."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.browser.people import Person, card, titles

pytestmark = pytest.mark.browser


def _opened(mina: Person, page: Page, board_id: str) -> tuple[Locator, str]:
    """The dialog of the only card of a board, and the path of the card."""
    (found,) = mina.ask("GET", f"boards/{board_id}/cards")["items"]
    mina.visit(page, board_id)
    card(page, found["title"]).click()
    return page.get_by_role("dialog"), f"boards/{board_id}/cards/{found['id']}"


def _with_items(mina: Person, *texts: str) -> tuple[str, str]:
    """A board with one card that has a checklist; its id, and the path of the checklist."""
    board_id = mina.board("One")
    (found,) = mina.ask("GET", f"boards/{board_id}/cards")["items"]
    path = f"boards/{board_id}/cards/{found['id']}/checklists"
    checklist = mina.ask("POST", path, {"name": "Steps"})
    for text in texts:
        mina.ask("POST", f"{path}/{checklist['id']}/items", {"text": text})
    return board_id, f"{path}/{checklist['id']}"


def test_a_comment_is_written_corrected_and_deleted(mina: Person, visit: Visit) -> None:
    dialog, path = _opened(mina, visit.page, mina.board("One"))
    said = dialog.get_by_role("region", name="Comments")

    said.get_by_label("Write a comment").fill("Tomorow")
    said.get_by_role("button", name="Comment", exact=True).click()
    said.get_by_role("button", name="Edit").click()
    said.get_by_label("Your comment").fill("Tomorrow")
    said.get_by_role("button", name="Save").click()
    expect(said.locator(".markdown")).to_have_text("Tomorrow")
    assert [each["text"] for each in mina.ask("GET", f"{path}/comments")["items"]] == ["Tomorrow"]
    said.get_by_role("button", name="Delete").click()
    said.get_by_role("button", name="Delete for good?").click()

    expect(said.get_by_text("No comments yet.")).to_be_visible()
    assert not visit.complaints


def test_a_comment_that_was_corrected_elsewhere_is_not_lost_and_neither_is_what_was_typed(
    mina: Person, visit: Visit
) -> None:
    board_id = mina.board("One")
    (found,) = mina.ask("GET", f"boards/{board_id}/cards")["items"]
    comment = mina.ask("POST", f"boards/{board_id}/cards/{found['id']}/comments", {"text": "First"})
    dialog, path = _opened(mina, visit.page, board_id)
    dialog.locator(".comments").get_by_role("button", name="Edit").click()
    dialog.get_by_label("Your comment").fill("Second")
    mina.ask("PATCH", f"{path}/comments/{comment['id']}", {"text": "From the telephone"}, If_Match="*")

    dialog.get_by_role("button", name="Save").click()

    expect(dialog.get_by_text("This was changed elsewhere meanwhile.")).to_be_visible()
    expect(dialog.get_by_label("Your comment")).to_have_value("Second")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.locator(".comments .markdown")).to_have_text("Second")


def test_only_who_said_it_can_correct_a_comment(mina: Person, visit: Visit) -> None:
    board_id = mina.board("One")
    lou = mina.friend("lou-comments")
    mina.ask("PUT", f"boards/{board_id}/members/{lou.id}", {"role": "editor"})
    (found,) = mina.ask("GET", f"boards/{board_id}/cards")["items"]
    mina.ask("POST", f"boards/{board_id}/cards/{found['id']}/comments", {"text": "Mine"})

    dialog, _ = _opened(lou, visit.page, board_id)

    expect(dialog.locator(".comments").get_by_text("Mine")).to_be_visible()
    expect(dialog.locator(".comments button")).to_have_count(0)


def test_items_are_put_in_order_by_keyboard_and_keep_the_focus(mina: Person, visit: Visit) -> None:
    page = visit.page
    board_id, path = _with_items(mina, "One", "Two", "Three")
    dialog, _ = _opened(mina, page, board_id)
    items = dialog.locator(".items li .check")

    dialog.get_by_role("button", name="Move One", exact=True).focus()
    with page.expect_response("**/move"):
        for key in ("Space", "ArrowDown", "Space"):
            page.keyboard.press(key)
    expect(items).to_have_text(["Two", "One", "Three"])
    expect(dialog.get_by_role("button", name="Move One", exact=True)).to_be_focused()
    with page.expect_response("**/move"):
        dialog.get_by_role("button", name="Move Three up").click()

    expect(items).to_have_text(["Two", "Three", "One"])
    assert [each["text"] for each in mina.ask("GET", path)["items"]] == ["Two", "Three", "One"]
    assert not visit.complaints


def test_items_are_put_in_order_by_mouse_and_escape_puts_one_back(mina: Person, visit: Visit) -> None:
    page = visit.page
    board_id, path = _with_items(mina, "One", "Two", "Three")
    dialog, _ = _opened(mina, page, board_id)
    handle = dialog.get_by_role("button", name="Move One", exact=True)
    goal = dialog.get_by_role("button", name="Move Three", exact=True)

    handle.hover()
    page.mouse.down()
    page.mouse.move(20, 20, steps=3)
    page.keyboard.press("Escape")
    page.mouse.up()
    expect(dialog.locator(".items li .check")).to_have_text(["One", "Two", "Three"])
    handle.hover()
    page.mouse.down()
    box = goal.bounding_box()
    assert box
    page.mouse.move(box["x"] + 8, box["y"] + box["height"] - 2, steps=6)
    with page.expect_response("**/move"):
        page.mouse.up()

    expect(dialog.locator(".items li .check")).to_have_text(["Two", "Three", "One"])
    assert [each["text"] for each in mina.ask("GET", path)["items"]] == ["Two", "Three", "One"]


def test_time_is_written_down_corrected_and_deleted_and_the_cost_follows(mina: Person, visit: Visit) -> None:
    dialog, path = _opened(mina, visit.page, mina.board("One", hourly_rate_minor=1000, currency="USD"))
    time = dialog.get_by_role("region", name="Time and cost")

    time.get_by_role("button", name="Add a time entry").click()
    time.get_by_label("From").fill("2026-03-02T14:00")
    time.get_by_label("To", exact=True).fill("2026-03-02T14:30")
    time.get_by_role("button", name="Save").click()
    expect(time.get_by_text("00:30:00 hours, $5.00")).to_be_visible()
    time.get_by_role("button", name="Edit").click()
    time.get_by_label("To", exact=True).fill("2026-03-02T15:00")
    time.get_by_label("Rate per hour, USD").fill("12.5")
    time.get_by_role("button", name="Save").click()
    expect(time.get_by_text("01:00:00 hours, $12.50")).to_be_visible()
    (entry,) = mina.ask("GET", f"{path}/time")["items"]
    assert (entry["elapsed_seconds"], entry["hourly_rate_minor"]) == (3600, 1250)
    time.get_by_role("button", name="Delete").click()
    time.get_by_role("button", name="Delete for good?").click()

    expect(time.get_by_text("No time has been spent on this card.")).to_be_visible()
    assert not visit.complaints


def test_a_time_that_ends_before_it_begins_is_refused_and_stays_to_be_corrected(mina: Person, visit: Visit) -> None:
    dialog, _ = _opened(mina, visit.page, mina.board("One"))
    time = dialog.get_by_role("region", name="Time and cost")
    time.get_by_role("button", name="Add a time entry").click()
    time.get_by_label("From").fill("2026-03-02T14:00")
    time.get_by_label("To", exact=True).fill("2026-03-02T13:00")

    time.get_by_role("button", name="Save").click()

    expect(dialog.locator(".notification.error")).to_be_visible()
    expect(time.get_by_label("To", exact=True)).to_have_value("2026-03-02T13:00")


def test_a_card_is_moved_in_its_dialog_without_any_dragging(mina: Person, visit: Visit) -> None:
    dialog, _ = _opened(mina, visit.page, mina.board("One"))

    dialog.get_by_label("List", exact=True).select_option("Doing · in progress")

    expect(titles(visit.page, "Doing")).to_have_text(["One"])
    expect(dialog.get_by_text(re.compile("moved it to Doing"))).to_be_visible()
    # A note is within reach although the dialog is on top.
    dialog.get_by_role("button", name="Undo").click()
    expect(titles(visit.page, "To do")).to_have_text(["One"])


def test_a_card_is_taken_to_another_board_and_brought_back(mina: Person, visit: Visit) -> None:
    other = mina.board(name="Garden")
    board_id = mina.board("One")
    label = mina.ask("POST", f"boards/{board_id}/labels", {"name": "Urgent", "color": "red"})
    (found,) = mina.ask("GET", f"boards/{board_id}/cards")["items"]
    mina.ask("PATCH", f"boards/{board_id}/cards/{found['id']}", {"label_ids": [label["id"]]}, If_Match="*")
    dialog, path = _opened(mina, visit.page, board_id)

    dialog.get_by_text("Copy, or move to another board").click()
    dialog.get_by_label("To the board").select_option("Garden")
    dialog.get_by_role("button", name="Move there").click()
    expect(titles(visit.page, "To do")).to_have_count(0)
    assert [each["title"] for each in mina.ask("GET", f"boards/{other}/cards")["items"]] == ["One"]
    visit.page.get_by_role("button", name="Undo").click()

    expect(card(visit.page, "One").locator(".chip")).to_have_text(["Urgent"])
    assert mina.ask("GET", path)["label_ids"] == [label["id"]]
    assert not visit.complaints


def test_links_are_added_and_a_script_is_none(mina: Person, visit: Visit) -> None:
    dialog, path = _opened(mina, visit.page, mina.board("One"))
    url = dialog.get_by_label("Address of the link")
    links = dialog.get_by_role("group", name="Links")

    url.fill("javascript:alert(1)")
    dialog.get_by_label("Title of the link").fill("Click me")
    links.get_by_role("button", name="Add").click()
    expect(dialog.locator(".notification.error")).to_contain_text("The address must")
    links.get_by_role("button", name="Edit").click()
    url.fill("https://example.com")
    links.get_by_role("button", name="Add").click()

    expect(links.get_by_role("link", name="Click me")).to_have_attribute("href", "https://example.com/")
    assert [each["url"] for each in mina.ask("GET", path)["links"]] == ["https://example.com/"]


def test_what_was_typed_outlives_the_dialog_and_an_expired_token(mina: Person, visit: Visit) -> None:
    page = visit.page
    board_id = mina.board("One")
    made = mina.ask("POST", "users/me/tokens", {"name": "Short", "scopes": ["read", "write"]})
    dialog, _ = _opened(Person(mina.server, mina.origin, made["secret"]), page, board_id)
    dialog.get_by_label("Write a comment").fill("A long thought")

    mina.ask("DELETE", f"users/me/tokens/{made['token']['id']}")
    page.get_by_label("Your token").fill(mina.token)
    page.get_by_role("button", name="Sign in").click()
    card(page, "One").click()

    expect(dialog.get_by_label("Write a comment")).to_have_value("A long thought")


def test_what_happened_to_a_card_is_found_behind_much_that_happened_elsewhere(mina: Person, visit: Visit) -> None:
    board_id = mina.board("One")
    for number in range(110):
        mina.ask("POST", f"boards/{board_id}/labels", {"name": f"Label {number}", "color": "red"})
    dialog, _ = _opened(mina, visit.page, board_id)
    activity = dialog.get_by_role("region", name="Activity")

    expect(activity).to_contain_text("None of the last 100 events of this board is about this card.")
    activity.get_by_role("button", name="Show older events").click()

    expect(activity).to_contain_text("Owner created it")
    expect(activity.get_by_role("button", name="Show older events")).to_have_count(0)


def test_a_description_of_someone_else_is_shown_before_it_is_replaced(mina: Person, visit: Visit) -> None:
    board_id = mina.board("One")
    dialog, path = _opened(mina, visit.page, board_id)
    dialog.get_by_role("button", name="Edit").click()
    dialog.get_by_label("Description").fill("Mine")

    mina.ask("PATCH", path, {"description": "Theirs"}, If_Match="*")
    # By then the page may have heard of it, or not: it says so either way.
    dialog.get_by_role("button", name="Save").click()

    expect(dialog.locator(".other-version")).to_contain_text("Theirs")
    expect(dialog.get_by_label("Description")).to_have_value("Mine")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.locator(".markdown")).to_have_text("Mine")
    assert mina.ask("GET", path)["description"] == "Mine"
