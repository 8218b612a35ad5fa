"""The dialog of a card: comments, checklists, time entries, links, transfers and events."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.browser.page_objects import User, card, card_titles, sign_in_with_token

pytestmark = pytest.mark.browser


def _open_card(mina: User, page: Page, board_id: str) -> tuple[Locator, str]:
    """Open the only card of a board. Return its dialog and the path of the card."""
    (stored_card,) = mina.request("GET", f"boards/{board_id}/cards")["items"]
    mina.sign_in(page, board_id)
    card(page, stored_card["title"]).click()
    return page.get_by_role("dialog"), f"boards/{board_id}/cards/{stored_card['id']}"


def _create_items(mina: User, *texts: str) -> tuple[str, str]:
    """Create a board with a card that has a checklist. Return the board's id and the path of the checklist."""
    board_id = mina.create_board("One")
    (stored_card,) = mina.request("GET", f"boards/{board_id}/cards")["items"]
    path = f"boards/{board_id}/cards/{stored_card['id']}/checklists"
    checklist = mina.request("POST", path, {"name": "Steps"})
    for text in texts:
        mina.request("POST", f"{path}/{checklist['id']}/items", {"text": text})
    return board_id, f"{path}/{checklist['id']}"


def test_a_comment_is_added_edited_and_deleted(mina: User, visit: Visit) -> None:
    dialog, path = _open_card(mina, visit.page, mina.create_board("One"))
    comments = dialog.get_by_role("region", name="Comments")

    comments.get_by_label("Write a comment").fill("Tomorow")
    comments.get_by_role("button", name="Comment", exact=True).click()
    comments.get_by_role("button", name="Edit").click()
    comments.get_by_label("Your comment").fill("Tomorrow")
    comments.get_by_role("button", name="Save").click()
    expect(comments.locator(".markdown")).to_have_text("Tomorrow")
    assert [comment["text"] for comment in mina.request("GET", f"{path}/comments")["items"]] == ["Tomorrow"]
    comments.get_by_role("button", name="Delete").click()
    comments.get_by_role("button", name="Delete for good?").click()

    expect(comments.get_by_text("No comments yet.")).to_be_visible()
    assert not visit.errors


def test_a_conflicting_edit_of_a_comment_keeps_both_texts(mina: User, visit: Visit) -> None:
    board_id = mina.create_board("One")
    (stored_card,) = mina.request("GET", f"boards/{board_id}/cards")["items"]
    comment = mina.request("POST", f"boards/{board_id}/cards/{stored_card['id']}/comments", {"text": "First"})
    dialog, path = _open_card(mina, visit.page, board_id)
    dialog.locator(".comments").get_by_role("button", name="Edit").click()
    dialog.get_by_label("Your comment").fill("Second")
    mina.request("PATCH", f"{path}/comments/{comment['id']}", {"text": "From the phone"}, If_Match="*")

    dialog.get_by_role("button", name="Save").click()

    expect(dialog.get_by_text("This has been changed elsewhere in the meantime.")).to_be_visible()
    expect(dialog.get_by_label("Your comment")).to_have_value("Second")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.locator(".comments .markdown")).to_have_text("Second")


def test_only_its_author_can_edit_a_comment(mina: User, visit: Visit) -> None:
    board_id = mina.create_board("One")
    lou = mina.create_user("lou-comments")
    mina.request("PUT", f"boards/{board_id}/members/{lou.id}", {"role": "editor"})
    (stored_card,) = mina.request("GET", f"boards/{board_id}/cards")["items"]
    mina.request("POST", f"boards/{board_id}/cards/{stored_card['id']}/comments", {"text": "Mine"})

    dialog, _ = _open_card(lou, visit.page, board_id)

    expect(dialog.locator(".comments").get_by_text("Mine")).to_be_visible()
    expect(dialog.locator(".comments button")).to_have_count(0)


def test_items_are_sorted_by_keyboard_and_keep_the_focus(mina: User, visit: Visit) -> None:
    page = visit.page
    board_id, path = _create_items(mina, "One", "Two", "Three")
    dialog, _ = _open_card(mina, page, board_id)
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
    assert [item["text"] for item in mina.request("GET", path)["items"]] == ["Two", "Three", "One"]
    assert not visit.errors


def test_items_are_sorted_by_mouse_and_escape_cancels(mina: User, visit: Visit) -> None:
    page = visit.page
    board_id, path = _create_items(mina, "One", "Two", "Three")
    dialog, _ = _open_card(mina, page, board_id)
    handle = dialog.get_by_role("button", name="Move One", exact=True)
    target = dialog.get_by_role("button", name="Move Three", exact=True)

    handle.hover()
    page.mouse.down()
    page.mouse.move(20, 20, steps=3)
    page.keyboard.press("Escape")
    page.mouse.up()
    expect(dialog.locator(".items li .check")).to_have_text(["One", "Two", "Three"])
    handle.hover()
    page.mouse.down()
    box = target.bounding_box()
    assert box
    page.mouse.move(box["x"] + 8, box["y"] + box["height"] - 2, steps=6)
    with page.expect_response("**/move"):
        page.mouse.up()

    expect(dialog.locator(".items li .check")).to_have_text(["Two", "Three", "One"])
    assert [item["text"] for item in mina.request("GET", path)["items"]] == ["Two", "Three", "One"]


def test_a_time_entry_is_added_edited_and_deleted_and_the_cost_follows(mina: User, visit: Visit) -> None:
    dialog, path = _open_card(mina, visit.page, mina.create_board("One", hourly_rate_minor=1000, currency="USD"))
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
    (entry,) = mina.request("GET", f"{path}/time")["items"]
    assert (entry["elapsed_seconds"], entry["hourly_rate_minor"]) == (3600, 1250)
    time.get_by_role("button", name="Delete").click()
    time.get_by_role("button", name="Delete for good?").click()

    expect(time.get_by_text("No time has been spent on this card.")).to_be_visible()
    assert not visit.errors


def test_a_time_entry_that_somebody_else_wrote_or_corrected_says_so(mina: User, visit: Visit) -> None:
    board_id = mina.create_board("One")
    lou = mina.create_user("lou-works")
    mina.request("PUT", f"boards/{board_id}/members/{lou.id}", {"role": "editor"})
    (stored_card,) = mina.request("GET", f"boards/{board_id}/cards")["items"]
    path = f"boards/{board_id}/cards/{stored_card['id']}/time-entries"
    hours = {"started_at": "2026-03-02T14:00:00Z", "ended_at": "2026-03-02T15:00:00Z"}
    for user in (mina, lou):
        mina.request("POST", path, {**hours, "user_id": user.id})

    dialog, _ = _open_card(lou, visit.page, board_id)

    entries = dialog.get_by_role("region", name="Time entries").locator("tbody tr td:nth-child(5)")
    expect(entries).to_have_text(["Owner", "Lou-Works (recorded by Owner)"])


def test_the_activity_of_a_card_is_read_back_to_its_creation(mina: User, visit: Visit) -> None:
    board_id = mina.create_board("One")
    (stored_card,) = mina.request("GET", f"boards/{board_id}/cards")["items"]
    for number in range(44):
        mina.request("PATCH", f"boards/{board_id}/cards/{stored_card['id']}", {"title": f"{number}"}, If_Match="*")
    mina.request("PATCH", f"boards/{board_id}/cards/{stored_card['id']}", {"title": "One"}, If_Match="*")

    dialog, _ = _open_card(mina, visit.page, board_id)

    activity = dialog.get_by_role("region", name="Activity")
    older = activity.get_by_role("button", name="Show older events")
    events = activity.locator("li")
    expect(events).to_have_count(20)
    older.click()
    expect(events).to_have_count(40)
    older.click()
    expect(events).to_have_count(46)
    expect(events.last).to_have_text(re.compile("^Owner created it"))
    expect(older).to_be_hidden()


def test_the_activity_of_a_card_says_from_what_to_what(mina: User, visit: Visit) -> None:
    board_id = mina.create_board("One")
    lou = mina.create_user("kim-works")
    mina.request("PUT", f"boards/{board_id}/members/{lou.id}", {"role": "editor"})
    label = mina.request("POST", f"boards/{board_id}/labels", {"name": "Bug", "color": "red"})
    (stored_card,) = mina.request("GET", f"boards/{board_id}/cards")["items"]
    path = f"boards/{board_id}/cards/{stored_card['id']}"
    patch = {"external_id": "A-1", "due_complete": True, "hourly_rate_minor": 950, "description": "x" * 300}
    mina.request("PATCH", path, patch, If_Match="*")
    mina.request("PUT", f"{path}/labels/{label['id']}")
    mina.request("PUT", f"{path}/assignees/{lou.id}")
    mina.request("DELETE", f"{path}/labels/{label['id']}")
    mina.request("DELETE", f"boards/{board_id}/labels/{label['id']}", If_Match="*")

    dialog, _ = _open_card(mina, visit.page, board_id)

    expect(dialog.get_by_role("region", name="Activity").locator(".change")).to_have_text(
        [
            "Labels: removed a deleted label",
            "Assigned: added Kim-Works",
            "Labels: added a deleted label",
            "Description",
            "External id: nothing → A-1",
            "Complete: no → yes",
            "Hourly rate: nothing → $9.50",
        ]
    )


def test_a_rejected_time_entry_stays_in_the_form(mina: User, visit: Visit) -> None:
    dialog, _ = _open_card(mina, visit.page, mina.create_board("One"))
    time = dialog.get_by_role("region", name="Time and cost")
    time.get_by_role("button", name="Add a time entry").click()
    time.get_by_label("From").fill("2026-03-02T14:00")
    time.get_by_label("To", exact=True).fill("2026-03-02T13:00")

    time.get_by_role("button", name="Save").click()

    expect(dialog.locator(".notification.error")).to_be_visible()
    expect(time.get_by_label("To", exact=True)).to_have_value("2026-03-02T13:00")


def test_a_card_is_moved_in_its_dialog_without_dragging(mina: User, visit: Visit) -> None:
    dialog, _ = _open_card(mina, visit.page, mina.create_board("One"))

    dialog.get_by_label("List", exact=True).select_option("Doing · in progress")

    expect(card_titles(visit.page, "Doing")).to_have_text(["One"])
    expect(dialog.get_by_text(re.compile("moved it to Doing"))).to_be_visible()
    # Notifications can be used although the dialog is modal.
    dialog.get_by_role("button", name="Undo").click()
    expect(card_titles(visit.page, "To do")).to_have_text(["One"])


def test_a_transfer_to_another_board_can_be_undone(mina: User, visit: Visit) -> None:
    other_board_id = mina.create_board(name="Garden")
    board_id = mina.create_board("One")
    label = mina.request("POST", f"boards/{board_id}/labels", {"name": "Urgent", "color": "red"})
    (stored_card,) = mina.request("GET", f"boards/{board_id}/cards")["items"]
    mina.request("PATCH", f"boards/{board_id}/cards/{stored_card['id']}", {"label_ids": [label["id"]]}, If_Match="*")
    dialog, path = _open_card(mina, visit.page, board_id)

    dialog.get_by_text("Copy, or move to another board").click()
    dialog.get_by_label("To the board").select_option("Garden")
    dialog.get_by_role("button", name="Move there").click()
    expect(card_titles(visit.page, "To do")).to_have_count(0)
    assert [stored["title"] for stored in mina.request("GET", f"boards/{other_board_id}/cards")["items"]] == ["One"]
    visit.page.get_by_role("button", name="Undo").click()

    expect(card(visit.page, "One").locator(".chip")).to_have_text(["Urgent"])
    assert mina.request("GET", path)["label_ids"] == [label["id"]]
    assert not visit.errors


def test_links_are_added_but_script_addresses_are_rejected(mina: User, visit: Visit) -> None:
    dialog, path = _open_card(mina, visit.page, mina.create_board("One"))
    url = dialog.get_by_label("Address of the link")
    links = dialog.get_by_role("group", name="Links")

    url.fill("javascript:alert(1)")
    dialog.get_by_label("Link title").fill("Click me")
    links.get_by_role("button", name="Add").click()
    expect(dialog.locator(".notification.error")).to_contain_text("The address must")
    links.get_by_role("button", name="Edit").click()
    url.fill("https://example.com")
    links.get_by_role("button", name="Add").click()

    expect(links.get_by_role("link", name="Click me")).to_have_attribute("href", "https://example.com/")
    assert [link["url"] for link in mina.request("GET", path)["links"]] == ["https://example.com/"]


def test_a_typed_comment_survives_an_expired_token(mina: User, visit: Visit) -> None:
    page = visit.page
    board_id = mina.create_board("One")
    created = mina.request("POST", "users/me/tokens", {"name": "Short", "scopes": ["read", "write"]})
    dialog, _ = _open_card(User(mina.server, mina.origin, created["secret"]), page, board_id)
    dialog.get_by_label("Write a comment").fill("A long thought")

    mina.request("DELETE", f"users/me/tokens/{created['token']['id']}")
    sign_in_with_token(page, mina.token)
    card(page, "One").click()

    expect(dialog.get_by_label("Write a comment")).to_have_value("A long thought")


def test_a_conflicting_description_is_shown_before_it_is_replaced(mina: User, visit: Visit) -> None:
    board_id = mina.create_board("One")
    dialog, path = _open_card(mina, visit.page, board_id)
    dialog.get_by_role("button", name="Edit").click()
    dialog.get_by_label("Description").fill("Mine")

    mina.request("PATCH", path, {"description": "Theirs"}, If_Match="*")
    # Whether or not the page has received the event by now, it reports the conflict.
    dialog.get_by_role("button", name="Save").click()

    expect(dialog.locator(".other-version")).to_contain_text("Theirs")
    expect(dialog.get_by_label("Description")).to_have_value("Mine")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.locator(".markdown")).to_have_text("Mine")
    assert mina.request("GET", path)["description"] == "Mine"
