"""Typed text is never lost: not by responses, and not by the changes of others."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.browser.page_objects import User, card, card_titles, fill_time_form, list_region

pytestmark = pytest.mark.browser

TITLES = ["Alpha one", "Bravo two", "Charlie three", "Delta four", "Echo five"]
KEY_DELAY_MS = 15
"""The delay of a fast typist."""


def _card_path(mina: User, board_id: str) -> str:
    """Return the path of the only card of a board."""
    (stored_card,) = mina.request("GET", f"boards/{board_id}/cards")["items"]
    return f"boards/{board_id}/cards/{stored_card['id']}"


def _open_card(user: User, page: Page, board_id: str) -> Locator:
    """Open the only card of a board, wait until it is loaded, and return its dialog."""
    user.sign_in(page, board_id)
    page.locator(".card-open").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("created it")).to_be_visible()
    return dialog


def _type_lines(page: Page, *lines: str) -> None:
    """Type lines, each with Enter, without waiting for responses."""
    for line in lines:
        page.keyboard.type(line, delay=KEY_DELAY_MS)
        page.keyboard.press("Enter")


def test_cards_typed_in_quick_succession_are_all_added_in_order(slow_user: User, visit: Visit) -> None:
    page = visit.page
    slow_user.sign_in(page, slow_user.create_board())

    list_region(page, "To do").get_by_label("Title of the card").click()
    _type_lines(page, *TITLES)
    page.keyboard.type("Foxtrot", delay=KEY_DELAY_MS)

    expect(card_titles(page, "To do")).to_have_text(TITLES)
    expect(list_region(page, "To do").get_by_label("Title of the card")).to_have_value("Foxtrot")
    assert not visit.errors


def test_items_typed_in_quick_succession_are_all_added_in_order(slow_user: User, visit: Visit) -> None:
    page = visit.page
    board_id = slow_user.create_board("One")
    path = _card_path(slow_user, board_id)
    slow_user.request("POST", f"{path}/checklists", {"name": "Steps"})
    dialog = _open_card(slow_user, page, board_id)

    dialog.get_by_label("Add an item").click()
    _type_lines(page, *TITLES)
    page.keyboard.type("Foxtrot", delay=KEY_DELAY_MS)

    expect(dialog.locator(".items li .check")).to_have_text(TITLES)
    expect(dialog.get_by_label("Add an item")).to_have_value("Foxtrot")
    assert not visit.errors


def test_comments_typed_in_quick_succession_are_all_added(slow_user: User, visit: Visit) -> None:
    page = visit.page
    dialog = _open_card(slow_user, page, slow_user.create_board("One"))
    comments = dialog.get_by_role("region", name="Comments")

    for text in ("First", "Second", "Third"):
        comments.get_by_label("Write a comment").click()
        page.keyboard.type(text, delay=KEY_DELAY_MS)
        comments.get_by_role("button", name="Comment", exact=True).click()
    comments.get_by_label("Write a comment").click()
    page.keyboard.type("Fourth", delay=KEY_DELAY_MS)

    expect(comments.locator(".markdown")).to_have_text(["Third", "Second", "First"])
    expect(comments.get_by_label("Write a comment")).to_have_value("Fourth")
    assert not visit.errors


@pytest.mark.parametrize(
    ("label", "selector", "texts"),
    [
        ("New label", ".chip", ["Urgent", "Later"]),
        ("Add a checklist", ".checklist h3", ["Steps", "Tests"]),
        ("Address of the link", ".rows a", ["https://a.example/", "https://b.example/"]),
    ],
)
def test_labels_checklists_and_links_can_be_typed_without_waiting(
    slow_user: User, visit: Visit, label: str, selector: str, texts: list[str]
) -> None:
    page = visit.page
    dialog = _open_card(slow_user, page, slow_user.create_board("One"))

    dialog.get_by_label(label, exact=True).click()
    _type_lines(page, *texts)
    page.keyboard.type("more", delay=KEY_DELAY_MS)

    expect(dialog.locator(selector)).to_contain_text(texts)
    expect(dialog.get_by_label(label, exact=True)).to_have_value("more")


def test_lists_can_be_typed_without_waiting(slow_user: User, visit: Visit) -> None:
    page = visit.page
    slow_user.sign_in(page, slow_user.create_board())

    page.get_by_label("Name of the list").click()
    _type_lines(page, "Review", "Release")
    page.keyboard.type("More", delay=KEY_DELAY_MS)

    expect(page.locator(".list-title")).to_have_text(["To do", "Doing", "Done", "Review", "Release"])
    expect(page.get_by_label("Name of the list")).to_have_value("More")


BOARD_FIELDS: dict[str, Callable[[Page], Locator]] = {
    "card": lambda page: list_region(page, "To do").get_by_label("Title of the card"),
    "list": lambda page: page.get_by_label("Name of the list"),
    "search": lambda page: page.get_by_label("Search cards"),
}


@pytest.mark.parametrize("name", BOARD_FIELDS)
def test_changes_of_a_board_by_others_do_not_affect_a_field_in_use(mina: User, visit: Visit, name: str) -> None:
    page = visit.page
    board_id = mina.create_board("One")
    lists = mina.request("GET", f"boards/{board_id}/lists")["items"]
    mina.sign_in(page, board_id)
    field = BOARD_FIELDS[name](page)
    field.click()
    page.keyboard.type("Half a ")

    mina.request("PATCH", f"boards/{board_id}/lists/{lists[0]['id']}", {"wip_limit": 7}, If_Match="*")
    mina.request("POST", f"boards/{board_id}/lists/{lists[0]['id']}/move", {"position": "bottom"})
    expect(page.locator(".list-title")).to_have_text(["Doing", "Done", "To do"])
    page.keyboard.type("thought")

    expect(field).to_have_value("Half a thought")
    expect(field).to_be_focused()


CARD_FIELDS: dict[str, Callable[[Locator], Locator]] = {
    "title": lambda dialog: dialog.get_by_label("Title of the card"),
    "description": lambda dialog: dialog.get_by_label("Description"),
    "item": lambda dialog: dialog.get_by_label("Add an item"),
    "checklist": lambda dialog: dialog.get_by_label("Add a checklist"),
    "comment": lambda dialog: dialog.get_by_label("Write a comment"),
    "correction": lambda dialog: dialog.get_by_label("Your comment"),
    "label": lambda dialog: dialog.get_by_label("New label"),
    "link": lambda dialog: dialog.get_by_label("Address of the link"),
    "link title": lambda dialog: dialog.get_by_label("Link title"),
    "note": lambda dialog: dialog.get_by_label("What was done"),
}


@pytest.mark.parametrize("name", CARD_FIELDS)
def test_changes_of_a_card_by_others_do_not_affect_a_field_in_use(mina: User, visit: Visit, name: str) -> None:
    page = visit.page
    board_id = mina.create_board("One")
    path = _card_path(mina, board_id)
    steps = mina.request("POST", f"{path}/checklists", {"name": "Steps"})
    item = mina.request("POST", f"{path}/checklists/{steps['id']}/items", {"text": "First"})
    mina.request("POST", f"{path}/comments", {"text": "Soon."})
    dialog = _open_card(mina, page, board_id)
    dialog.get_by_text("Soon.").wait_for()
    if name == "description":
        dialog.locator(".description").get_by_role("button", name="Edit").click()
    if name == "correction":
        dialog.locator(".comments").get_by_role("button", name="Edit").click()
    if name == "note":
        fill_time_form(page)
    field = CARD_FIELDS[name](dialog)
    field.fill("")
    page.keyboard.type("Half a ")

    label = mina.request("POST", f"boards/{board_id}/labels", {"name": "Urgent", "color": "red"})
    fields = {"title": "Two", "description": "Theirs", "label_ids": [label["id"]]}
    mina.request("PATCH", path, fields, If_Match="*")
    mina.request("PATCH", f"{path}/checklists/{steps['id']}/items/{item['id']}", {"done": True}, If_Match="*")
    mina.request("POST", f"{path}/comments", {"text": "Now."})
    expect(dialog.get_by_text("Now.")).to_be_visible()
    expect(dialog.locator(".checked")).to_have_text("First")
    page.keyboard.type("thought")

    expect(field).to_have_value("Half a thought")
    expect(field).to_be_focused()


def test_unsaved_cards_are_listed_and_retried_with_the_same_key(mina: User, visit: Visit) -> None:
    page = visit.page
    board_id = mina.create_board()
    mina.sign_in(page, board_id)
    keys: list[str] = []
    page.on(
        "request", lambda request: keys.append(request.headers["idempotency-key"]) if request.method == "POST" else None
    )
    page.route("**/cards", lambda route: route.abort())
    todo = list_region(page, "To do")
    field = todo.get_by_label("Title of the card")

    field.click()
    _type_lines(page, "One", "Two")
    page.keyboard.type("Three")
    unsaved = todo.locator(".unsaved li")
    expect(unsaved).to_have_text([re.compile(f"^{title}Not saved") for title in ("One", "Two")])
    page.unroute("**/cards")
    unsaved.first.get_by_role("button", name="Try again").click()
    expect(unsaved).to_have_count(1)
    unsaved.get_by_role("button", name="Edit").click()
    expect(field).to_have_value("Two")
    field.press("Enter")
    unsaved.filter(has_text="Three").get_by_role("button", name="Try again").click()

    expect(card_titles(page, "To do")).to_have_text(["One", "Two", "Three"])
    expect(unsaved).to_have_count(0)
    # A retry has the same key, so the card is not created twice if the first request arrived.
    one, two, *others = keys
    assert others[:2] == [one, two]
    assert others[2] not in (one, two)


def test_an_unsaved_comment_survives_the_dialog_and_can_be_discarded(mina: User, visit: Visit) -> None:
    page = visit.page
    dialog = _open_card(mina, page, mina.create_board("One"))
    page.route("**/comments", lambda route: route.abort() if route.request.method == "POST" else route.fallback())
    dialog.get_by_label("Write a comment").fill("First")
    dialog.get_by_role("button", name="Comment", exact=True).click()
    expect(dialog.locator(".unsaved li")).to_contain_text("Not saved")

    page.keyboard.press("Escape")
    card(page, "One").click()
    expect(dialog.locator(".unsaved li")).to_contain_text("First")
    dialog.get_by_role("button", name="Discard").click()

    expect(dialog.locator(".unsaved li")).to_have_count(0)


def test_a_description_edited_during_a_save_stays_open(slow_user: User, visit: Visit) -> None:
    page = visit.page
    board_id = slow_user.create_board("One")
    path = _card_path(slow_user, board_id)
    dialog = _open_card(slow_user, page, board_id)
    dialog.get_by_role("button", name="Edit").click()
    page.keyboard.type("Half a ")

    with page.expect_response(lambda response: response.request.method == "PATCH"):
        dialog.get_by_role("button", name="Save").click()
        dialog.get_by_label("Description").press("End")
        page.keyboard.type("thought", delay=KEY_DELAY_MS)
    expect(dialog.get_by_label("Description")).to_have_value("Half a thought")
    dialog.get_by_role("button", name="Save").click()

    expect(dialog.locator(".markdown")).to_have_text("Half a thought")
    assert slow_user.request("GET", path)["description"] == "Half a thought"


def test_a_time_entry_edited_during_a_save_is_updated_and_not_added_twice(slow_user: User, visit: Visit) -> None:
    page = visit.page
    board_id = slow_user.create_board("One")
    path = _card_path(slow_user, board_id)
    _open_card(slow_user, page, board_id)
    time = fill_time_form(page)

    with page.expect_response(lambda response: response.request.method == "POST"):
        time.get_by_role("button", name="Save").click()
        time.get_by_label("What was done").click()
        page.keyboard.type("Sketches", delay=KEY_DELAY_MS)
    time.get_by_role("button", name="Save").click()

    expect(time.get_by_role("table")).to_contain_text("Sketches")
    assert [entry["note"] for entry in slow_user.request("GET", f"{path}/time")["items"]] == ["Sketches"]


def test_a_list_name_edited_during_a_save_stays_open(slow_user: User, visit: Visit) -> None:
    page = visit.page
    slow_user.sign_in(page, slow_user.create_board())
    page.get_by_role("button", name="Doing").click()
    name = page.get_by_role("dialog").get_by_label("Name of the list")
    name.fill("Work")

    with page.expect_response(lambda response: response.request.method == "PATCH"):
        page.get_by_role("button", name="Save").click()
        name.press("End")
        page.keyboard.type("ing", delay=KEY_DELAY_MS)
    expect(name).to_have_value("Working")
    page.get_by_role("button", name="Save").click()

    expect(list_region(page, "Working")).to_be_visible()


def test_deleting_a_card_keeps_an_unsent_comment(mina: User, visit: Visit) -> None:
    page = visit.page
    board_id = mina.create_board("One")
    path = _card_path(mina, board_id)
    dialog = _open_card(mina, page, board_id)
    dialog.get_by_label("Write a comment").fill("A long thought")

    mina.request("DELETE", path, If_Match="*")

    expect(dialog.get_by_text("This card is not on the board any more.").first).to_be_visible()
    expect(dialog.get_by_label("Write a comment")).to_have_value("A long thought")


def test_deleting_a_comment_keeps_its_unsaved_edit(mina: User, visit: Visit) -> None:
    page = visit.page
    board_id = mina.create_board("One")
    path = _card_path(mina, board_id)
    comment = mina.request("POST", f"{path}/comments", {"text": "Soon."})
    dialog = _open_card(mina, page, board_id)
    dialog.locator(".comments").get_by_role("button", name="Edit").click()
    dialog.get_by_label("Your comment").fill("Tomorrow, by noon")

    mina.request("DELETE", f"{path}/comments/{comment['id']}", If_Match="*")
    mina.request("POST", f"{path}/comments", {"text": "Now."})

    expect(dialog.get_by_text("Now.")).to_be_visible()
    expect(dialog.get_by_label("Your comment")).to_have_value("Tomorrow, by noon")


@pytest.mark.parametrize("label", ["Title of the card", "Add an item"])
def test_pasted_lines_and_tabs_become_one_line(mina: User, visit: Visit, label: str) -> None:
    page = visit.page
    board_id = mina.create_board("One")
    path = _card_path(mina, board_id)
    mina.request("POST", f"{path}/checklists", {"name": "Steps"})
    dialog = _open_card(mina, page, board_id)
    dialog.get_by_label(label).fill("")

    # Insert the text as the browser does from the clipboard.
    dialog.get_by_label(label).focus()
    page.keyboard.insert_text("Two\twords\nand more")
    page.keyboard.press("Enter")

    saved_text = dialog.locator(".items .check").or_(page.locator(".card .title", has_text="Two"))
    expect(saved_text).to_have_text(re.compile("^Two words ?and more$"))
    expect(page.locator(".notification.error")).to_have_count(0)


def _record_patches(page: Page) -> list[object]:
    """Return a list to which the body of every PATCH will be appended."""
    bodies: list[object] = []
    page.on("request", lambda request: bodies.append(request.post_data_json) if request.method == "PATCH" else None)
    return bodies


def test_a_date_is_saved_only_when_it_is_complete(mina: User, visit: Visit) -> None:
    page = visit.page
    dialog = _open_card(mina, page, mina.create_board("One"))
    bodies = _record_patches(page)

    dialog.get_by_label("Due").focus()
    page.keyboard.type("030220260200PM")
    page.keyboard.press("Enter")

    expect(card(page, "One").locator("time")).to_have_text("Overdue: Mar 2")
    assert len(bodies) == 1
    assert not visit.errors


def test_an_incomplete_date_is_kept_and_not_saved(mina: User, visit: Visit) -> None:
    page = visit.page
    board_id = mina.create_board("One")
    path = _card_path(mina, board_id)
    dialog = _open_card(mina, page, board_id)
    bodies = _record_patches(page)
    due = dialog.get_by_label("Due")
    due.focus()
    page.keyboard.type("0302")

    mina.request("PATCH", path, {"title": "Two"}, If_Match="*")
    expect(dialog.get_by_label("Title of the card")).to_have_value("Two")
    page.keyboard.type("20260200PM")
    expect(due).to_have_value("2026-03-02T14:00")
    due.fill("")
    page.keyboard.type("0302")
    dialog.get_by_label("Write a comment").click()

    expect(due).to_have_attribute("aria-invalid", "true")
    assert not bodies


def test_a_rejected_date_is_replaced_by_the_saved_one(mina: User, visit: Visit) -> None:
    page = visit.page
    board_id = mina.create_board("One")
    path = _card_path(mina, board_id)
    mina.request("PATCH", path, {"due_at": "2026-03-02T14:00:00Z"}, If_Match="*")
    dialog = _open_card(mina, page, board_id)

    dialog.get_by_label("Start date").fill("2026-04-02T14:00")
    dialog.get_by_label("Start date").press("Enter")

    expect(page.locator(".notification.error")).to_be_visible()
    expect(dialog.get_by_label("Start date")).to_have_value("")
    assert mina.request("GET", path)["start_at"] is None


def test_an_unsaved_title_survives_a_lost_connection_and_the_dialog(mina: User, visit: Visit) -> None:
    page = visit.page
    dialog = _open_card(mina, page, mina.create_board("One"))
    title = dialog.get_by_label("Title of the card")
    page.route("**/v1/**", lambda route: route.abort())

    title.fill("Two")
    title.press("Enter")
    expect(title).to_have_attribute("aria-invalid", "true")
    page.keyboard.press("Escape")
    page.unroute("**/v1/**")
    card(page, "One").click()
    expect(title).to_have_value("Two")
    title.press("Enter")

    expect(card_titles(page, "To do")).to_have_text(["Two"])
