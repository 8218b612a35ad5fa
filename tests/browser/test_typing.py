"""What is typed is never taken away: not by the answer to what was typed before, and not by what others do."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.browser.people import Person, card, column, titles, write_down_time

pytestmark = pytest.mark.browser

FIVE = ["Alpha one", "Bravo two", "Charlie three", "Delta four", "Echo five"]
BETWEEN_KEYS = 15
"""Milliseconds: a quick typist."""


def _path_of(mina: Person, board_id: str) -> str:
    """The path of the only card of a board."""
    (found,) = mina.ask("GET", f"boards/{board_id}/cards")["items"]
    return f"boards/{board_id}/cards/{found['id']}"


def _opened(person: Person, page: Page, board_id: str) -> Locator:
    """The dialog of the only card of a board, read to its end."""
    person.visit(page, board_id)
    page.locator(".card-open").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("created it")).to_be_visible()
    return dialog


def _type(page: Page, *lines: str) -> None:
    """Type lines, each with Enter, and wait for nothing."""
    for line in lines:
        page.keyboard.type(line, delay=BETWEEN_KEYS)
        page.keyboard.press("Enter")


def test_cards_that_are_typed_one_after_the_other_all_come_in_order(far: Person, visit: Visit) -> None:
    page = visit.page
    far.visit(page, far.board())

    column(page, "To do").get_by_label("Title of the card").click()
    _type(page, *FIVE)
    page.keyboard.type("Foxtrot", delay=BETWEEN_KEYS)

    expect(titles(page, "To do")).to_have_text(FIVE)
    expect(column(page, "To do").get_by_label("Title of the card")).to_have_value("Foxtrot")
    assert not visit.complaints


def test_items_that_are_typed_one_after_the_other_all_come_in_order(far: Person, visit: Visit) -> None:
    page = visit.page
    board_id = far.board("One")
    path = _path_of(far, board_id)
    far.ask("POST", f"{path}/checklists", {"name": "Steps"})
    dialog = _opened(far, page, board_id)

    dialog.get_by_label("Add an item").click()
    _type(page, *FIVE)
    page.keyboard.type("Foxtrot", delay=BETWEEN_KEYS)

    expect(dialog.locator(".items li .check")).to_have_text(FIVE)
    expect(dialog.get_by_label("Add an item")).to_have_value("Foxtrot")
    assert not visit.complaints


def test_comments_that_are_typed_one_after_the_other_all_come(far: Person, visit: Visit) -> None:
    page = visit.page
    dialog = _opened(far, page, far.board("One"))
    said = dialog.get_by_role("region", name="Comments")

    for text in ("First", "Second", "Third"):
        said.get_by_label("Write a comment").click()
        page.keyboard.type(text, delay=BETWEEN_KEYS)
        said.get_by_role("button", name="Comment", exact=True).click()
    said.get_by_label("Write a comment").click()
    page.keyboard.type("Fourth", delay=BETWEEN_KEYS)

    expect(said.locator(".markdown")).to_have_text(["Third", "Second", "First"])
    expect(said.get_by_label("Write a comment")).to_have_value("Fourth")
    assert not visit.complaints


@pytest.mark.parametrize(
    ("label", "shown", "texts"),
    [
        ("New label", ".chip", ["Urgent", "Later"]),
        ("Add a checklist", ".checklist h3", ["Steps", "Tests"]),
        ("Address of the link", ".rows a", ["https://a.example/", "https://b.example/"]),
    ],
)
def test_whatever_a_card_takes_several_of_can_be_typed_without_waiting(
    far: Person, visit: Visit, label: str, shown: str, texts: list[str]
) -> None:
    page = visit.page
    dialog = _opened(far, page, far.board("One"))

    dialog.get_by_label(label, exact=True).click()
    _type(page, *texts)
    page.keyboard.type("more", delay=BETWEEN_KEYS)

    expect(dialog.locator(shown)).to_contain_text(texts)
    expect(dialog.get_by_label(label, exact=True)).to_have_value("more")


def test_lists_can_be_typed_without_waiting(far: Person, visit: Visit) -> None:
    page = visit.page
    far.visit(page, far.board())

    page.get_by_label("Name of the list").click()
    _type(page, "Review", "Release")
    page.keyboard.type("More", delay=BETWEEN_KEYS)

    expect(page.locator(".list-title")).to_have_text(["To do", "Doing", "Done", "Review", "Release"])
    expect(page.get_by_label("Name of the list")).to_have_value("More")


ON_THE_BOARD: dict[str, Callable[[Page], Locator]] = {
    "card": lambda page: column(page, "To do").get_by_label("Title of the card"),
    "list": lambda page: page.get_by_label("Name of the list"),
    "search": lambda page: page.get_by_label("Search cards"),
}


@pytest.mark.parametrize("name", ON_THE_BOARD)
def test_what_others_do_to_a_board_takes_no_letter_from_a_field(mina: Person, visit: Visit, name: str) -> None:
    page = visit.page
    board_id = mina.board("One")
    lists = mina.ask("GET", f"boards/{board_id}/lists")["items"]
    mina.visit(page, board_id)
    field = ON_THE_BOARD[name](page)
    field.click()
    page.keyboard.type("Half a ")

    mina.ask("PATCH", f"boards/{board_id}/lists/{lists[0]['id']}", {"wip_limit": 7}, If_Match="*")
    mina.ask("POST", f"boards/{board_id}/lists/{lists[0]['id']}/move", {"position": "bottom"})
    expect(page.locator(".list-title")).to_have_text(["Doing", "Done", "To do"])
    page.keyboard.type("thought")

    expect(field).to_have_value("Half a thought")
    expect(field).to_be_focused()


IN_A_CARD: dict[str, Callable[[Locator], Locator]] = {
    "title": lambda dialog: dialog.get_by_label("Title of the card"),
    "description": lambda dialog: dialog.get_by_label("Description"),
    "item": lambda dialog: dialog.get_by_label("Add an item"),
    "checklist": lambda dialog: dialog.get_by_label("Add a checklist"),
    "comment": lambda dialog: dialog.get_by_label("Write a comment"),
    "correction": lambda dialog: dialog.get_by_label("Your comment"),
    "label": lambda dialog: dialog.get_by_label("New label"),
    "link": lambda dialog: dialog.get_by_label("Address of the link"),
    "link title": lambda dialog: dialog.get_by_label("Title of the link"),
    "note": lambda dialog: dialog.get_by_label("What was done"),
}


@pytest.mark.parametrize("name", IN_A_CARD)
def test_what_others_do_to_a_card_takes_no_letter_from_a_field(mina: Person, visit: Visit, name: str) -> None:
    page = visit.page
    board_id = mina.board("One")
    path = _path_of(mina, board_id)
    steps = mina.ask("POST", f"{path}/checklists", {"name": "Steps"})
    item = mina.ask("POST", f"{path}/checklists/{steps['id']}/items", {"text": "First"})
    mina.ask("POST", f"{path}/comments", {"text": "Soon."})
    dialog = _opened(mina, page, board_id)
    dialog.get_by_text("Soon.").wait_for()
    if name == "description":
        dialog.locator(".description").get_by_role("button", name="Edit").click()
    if name == "correction":
        dialog.locator(".comments").get_by_role("button", name="Edit").click()
    if name == "note":
        write_down_time(page)
    field = IN_A_CARD[name](dialog)
    field.fill("")
    page.keyboard.type("Half a ")

    label = mina.ask("POST", f"boards/{board_id}/labels", {"name": "Urgent", "color": "red"})
    changed = {"title": "Two", "description": "Theirs", "label_ids": [label["id"]]}
    mina.ask("PATCH", path, changed, If_Match="*")
    mina.ask("PATCH", f"{path}/checklists/{steps['id']}/items/{item['id']}", {"done": True}, If_Match="*")
    mina.ask("POST", f"{path}/comments", {"text": "Now."})
    expect(dialog.get_by_text("Now.")).to_be_visible()
    expect(dialog.locator(".checked")).to_have_text("First")
    page.keyboard.type("thought")

    expect(field).to_have_value("Half a thought")
    expect(field).to_be_focused()


def test_what_could_not_be_saved_stands_beside_what_was_typed_since_and_is_sent_again_once(
    mina: Person, visit: Visit
) -> None:
    page = visit.page
    board_id = mina.board()
    mina.visit(page, board_id)
    keys: list[str] = []
    page.on("request", lambda asked: keys.append(asked.headers["idempotency-key"]) if asked.method == "POST" else None)
    page.route("**/cards", lambda route: route.abort())
    todo = column(page, "To do")
    field = todo.get_by_label("Title of the card")

    field.click()
    _type(page, "One", "Two")
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

    expect(titles(page, "To do")).to_have_text(["One", "Two", "Three"])
    expect(unsaved).to_have_count(0)
    # A text that is sent again has the key that it had: had it arrived, it would not be made twice.
    one, two, *others = keys
    assert others[:2] == [one, two]
    assert others[2] not in (one, two)


def test_what_could_not_be_saved_is_there_when_a_card_is_opened_again_and_can_be_discarded(
    mina: Person, visit: Visit
) -> None:
    page = visit.page
    dialog = _opened(mina, page, mina.board("One"))
    page.route("**/comments", lambda route: route.abort() if route.request.method == "POST" else route.fallback())
    dialog.get_by_label("Write a comment").fill("First")
    dialog.get_by_role("button", name="Comment", exact=True).click()
    expect(dialog.locator(".unsaved li")).to_contain_text("Not saved")

    page.keyboard.press("Escape")
    card(page, "One").click()
    expect(dialog.locator(".unsaved li")).to_contain_text("First")
    dialog.get_by_role("button", name="Discard").click()

    expect(dialog.locator(".unsaved li")).to_have_count(0)


def test_a_description_that_is_typed_on_while_it_is_saved_stays_open(far: Person, visit: Visit) -> None:
    page = visit.page
    board_id = far.board("One")
    path = _path_of(far, board_id)
    dialog = _opened(far, page, board_id)
    dialog.get_by_role("button", name="Edit").click()
    page.keyboard.type("Half a ")

    with page.expect_response(lambda answer: answer.request.method == "PATCH"):
        dialog.get_by_role("button", name="Save").click()
        dialog.get_by_label("Description").press("End")
        page.keyboard.type("thought", delay=BETWEEN_KEYS)
    expect(dialog.get_by_label("Description")).to_have_value("Half a thought")
    dialog.get_by_role("button", name="Save").click()

    expect(dialog.locator(".markdown")).to_have_text("Half a thought")
    assert far.ask("GET", path)["description"] == "Half a thought"


def test_time_that_is_typed_on_while_it_is_saved_is_corrected_and_not_added_twice(far: Person, visit: Visit) -> None:
    page = visit.page
    board_id = far.board("One")
    path = _path_of(far, board_id)
    _opened(far, page, board_id)
    time = write_down_time(page)

    with page.expect_response(lambda answer: answer.request.method == "POST"):
        time.get_by_role("button", name="Save").click()
        time.get_by_label("What was done").click()
        page.keyboard.type("Sketches", delay=BETWEEN_KEYS)
    time.get_by_role("button", name="Save").click()

    expect(time.get_by_role("table")).to_contain_text("Sketches")
    assert [entry["note"] for entry in far.ask("GET", f"{path}/time")["items"]] == ["Sketches"]


def test_the_name_of_a_list_that_is_typed_on_while_it_is_saved_stays_open(far: Person, visit: Visit) -> None:
    page = visit.page
    far.visit(page, far.board())
    page.get_by_role("button", name="Doing").click()
    name = page.get_by_role("dialog").get_by_label("Name of the list")
    name.fill("Work")

    with page.expect_response(lambda answer: answer.request.method == "PATCH"):
        page.get_by_role("button", name="Save").click()
        name.press("End")
        page.keyboard.type("ing", delay=BETWEEN_KEYS)
    expect(name).to_have_value("Working")
    page.get_by_role("button", name="Save").click()

    expect(column(page, "Working")).to_be_visible()


def test_a_card_that_goes_while_someone_writes_about_it_leaves_them_their_text(mina: Person, visit: Visit) -> None:
    page = visit.page
    board_id = mina.board("One")
    path = _path_of(mina, board_id)
    dialog = _opened(mina, page, board_id)
    dialog.get_by_label("Write a comment").fill("A long thought")

    mina.ask("DELETE", path, If_Match="*")

    expect(dialog.get_by_text("This card is not on the board any more.").first).to_be_visible()
    expect(dialog.get_by_label("Write a comment")).to_have_value("A long thought")


def test_a_comment_that_is_deleted_while_it_is_corrected_leaves_its_text(mina: Person, visit: Visit) -> None:
    page = visit.page
    board_id = mina.board("One")
    path = _path_of(mina, board_id)
    comment = mina.ask("POST", f"{path}/comments", {"text": "Soon."})
    dialog = _opened(mina, page, board_id)
    dialog.locator(".comments").get_by_role("button", name="Edit").click()
    dialog.get_by_label("Your comment").fill("Tomorrow, by noon")

    mina.ask("DELETE", f"{path}/comments/{comment['id']}", If_Match="*")
    mina.ask("POST", f"{path}/comments", {"text": "Now."})

    expect(dialog.get_by_text("Now.")).to_be_visible()
    expect(dialog.get_by_label("Your comment")).to_have_value("Tomorrow, by noon")


@pytest.mark.parametrize("where", ["Title of the card", "Add an item"])
def test_lines_and_tabs_that_are_pasted_become_one_line(mina: Person, visit: Visit, where: str) -> None:
    page = visit.page
    board_id = mina.board("One")
    path = _path_of(mina, board_id)
    mina.ask("POST", f"{path}/checklists", {"name": "Steps"})
    dialog = _opened(mina, page, board_id)
    dialog.get_by_label(where).fill("")

    # What a browser does with a text from the clipboard.
    dialog.get_by_label(where).focus()
    page.keyboard.insert_text("Two\twords\nand more")
    page.keyboard.press("Enter")

    shown = dialog.locator(".items .check").or_(page.locator(".card .title", has_text="Two"))
    expect(shown).to_have_text(re.compile("^Two words ?and more$"))
    expect(page.locator(".notification.error")).to_have_count(0)


def _patches(page: Page) -> list[object]:
    """All that will have been sent by PATCH."""
    sent: list[object] = []
    page.on("request", lambda asked: sent.append(asked.post_data_json) if asked.method == "PATCH" else None)
    return sent


def test_a_date_is_sent_when_it_has_been_typed_and_not_before(mina: Person, visit: Visit) -> None:
    page = visit.page
    dialog = _opened(mina, page, mina.board("One"))
    sent = _patches(page)

    dialog.get_by_label("Due").focus()
    page.keyboard.type("030220260200PM")
    page.keyboard.press("Enter")

    expect(card(page, "One").locator("time")).to_have_text("Overdue: Mar 2")
    assert len(sent) == 1
    assert not visit.complaints


def test_a_date_that_is_typed_in_part_is_not_sent_and_stays(mina: Person, visit: Visit) -> None:
    page = visit.page
    board_id = mina.board("One")
    path = _path_of(mina, board_id)
    dialog = _opened(mina, page, board_id)
    sent = _patches(page)
    due = dialog.get_by_label("Due")
    due.focus()
    page.keyboard.type("0302")

    mina.ask("PATCH", path, {"title": "Two"}, If_Match="*")
    expect(dialog.get_by_label("Title of the card")).to_have_value("Two")
    page.keyboard.type("20260200PM")
    expect(due).to_have_value("2026-03-02T14:00")
    due.fill("")
    page.keyboard.type("0302")
    dialog.get_by_label("Write a comment").click()

    expect(due).to_have_attribute("aria-invalid", "true")
    assert not sent


def test_a_date_that_is_refused_gives_way_to_the_one_that_is_saved(mina: Person, visit: Visit) -> None:
    page = visit.page
    board_id = mina.board("One")
    path = _path_of(mina, board_id)
    mina.ask("PATCH", path, {"due_at": "2026-03-02T14:00:00Z"}, If_Match="*")
    dialog = _opened(mina, page, board_id)

    dialog.get_by_label("Start date").fill("2026-04-02T14:00")
    dialog.get_by_label("Start date").press("Enter")

    expect(page.locator(".notification.error")).to_be_visible()
    expect(dialog.get_by_label("Start date")).to_have_value("")
    assert mina.ask("GET", path)["start_at"] is None


def test_a_title_outlives_a_lost_connection_and_the_dialog(mina: Person, visit: Visit) -> None:
    page = visit.page
    dialog = _opened(mina, page, mina.board("One"))
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

    expect(titles(page, "To do")).to_have_text(["Two"])
