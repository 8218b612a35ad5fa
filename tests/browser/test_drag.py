"""Lists that are dragged, cards under a finger, and two people who move the same cards."""

import random

import pytest
from playwright.sync_api import Browser, CDPSession, Locator, Page, expect

from tests.browser.conftest import Visit
from tests.browser.people import Person, card, column, drag, titles

pytestmark = pytest.mark.browser


def _lists(page: Page) -> Locator:
    return page.locator(".list-title")


def test_lists_are_dragged_by_mouse(mina: Person, visit: Visit) -> None:
    page = visit.page
    board_id = mina.board("One")
    mina.visit(page, board_id)
    goal = column(page, "Done").bounding_box()
    assert goal

    _lists(page).first.hover()
    page.mouse.down()
    page.mouse.move(goal["x"] + goal["width"] - 10, goal["y"] + 20, steps=8)
    with page.expect_response("**/move"):
        page.mouse.up()

    expect(_lists(page)).to_have_text(["Doing", "Done", "To do"])
    page.reload()
    expect(_lists(page)).to_have_text(["Doing", "Done", "To do"])
    assert not visit.complaints


def test_lists_are_moved_by_keyboard(mina: Person, visit: Visit) -> None:
    page = visit.page
    mina.visit(page, mina.board("One"))

    _lists(page).first.focus()
    for key in ("Space", "ArrowRight", "Space"):
        page.keyboard.press(key)

    expect(_lists(page)).to_have_text(["Doing", "To do", "Done"])
    expect(page.get_by_role("button", name="To do")).to_be_focused()


@pytest.fixture
def finger(browser: Browser) -> CDPSession:
    """A telephone, for which `send` makes real touches; its page is the last one of the browser."""
    context = browser.new_context(has_touch=True, is_mobile=True, viewport={"width": 800, "height": 700})
    return context.new_cdp_session(context.new_page())


def _touch(session: CDPSession, kind: str, *points: tuple[float, float]) -> None:
    session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})


def _middle(found: Locator) -> tuple[float, float]:
    box = found.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_finger_that_holds_a_card_moves_it(browser: Browser, finger: CDPSession, mina: Person) -> None:
    page = browser.contexts[-1].pages[0]
    mina.visit(page, mina.board("One", "Two"))
    x, y = _middle(card(page, "One"))
    goal_x, _ = _middle(column(page, "Doing"))

    _touch(finger, "touchStart", (x, y))
    page.locator(".ghost").wait_for(state="attached")
    for part in range(1, 6):
        _touch(finger, "touchMove", (x + (goal_x - x) * part / 5, y + 2 * part))
    _touch(finger, "touchEnd")

    expect(titles(page, "Doing")).to_have_text(["One"])
    expect(titles(page, "To do")).to_have_text(["Two"])
    page.context.close()


def test_a_finger_that_moves_at_once_scrolls_and_a_tap_opens(
    browser: Browser, finger: CDPSession, mina: Person
) -> None:
    page = browser.contexts[-1].pages[0]
    page.set_viewport_size({"width": 400, "height": 700})
    mina.visit(page, mina.board("One"))
    x, y = _middle(card(page, "One"))

    _touch(finger, "touchStart", (x, y))
    for part in range(1, 9):
        _touch(finger, "touchMove", (x - 20 * part, y))
    _touch(finger, "touchEnd")

    # The policy of the page forbids what wait_for_function does.
    page.locator(".lists").evaluate(
        """(lists) => new Promise((done) => {
          const look = () => (lists.scrollLeft > 50 ? done() : requestAnimationFrame(look));
          look();
        })"""
    )
    expect(titles(page, "To do")).to_have_text(["One"])
    card(page, "One").tap()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.context.close()


def test_two_people_who_move_the_same_cards_end_up_with_the_same_board(
    mina: Person, browser: Browser, visit: Visit
) -> None:
    board_id = mina.board("One", "Two", "Three")
    other = browser.new_context().new_page()
    for page in (visit.page, other):
        mina.visit(page, board_id)
    # A seed makes the same moves in every run.
    chance = random.Random(11)  # noqa: S311 - no secret.

    for _ in range(4):
        for page in (visit.page, other):
            drag(page, chance.choice(["One", "Two", "Three"]), chance.choice(["To do", "Doing", "Done"]))

    lists = {each["name"]: each["id"] for each in mina.ask("GET", f"boards/{board_id}/lists")["items"]}

    def all_the_same() -> bool:
        return all(
            titles(page, name).all_text_contents()
            == [each["title"] for each in mina.ask("GET", f"boards/{board_id}/cards?list_id={list_id}")["items"]]
            for page in (visit.page, other)
            for name, list_id in lists.items()
        )

    # The last moves may be on their way: each time a page asks what has happened, it knows more.
    for _ in range(10):
        if all_the_same():
            break
        visit.page.wait_for_event("response", lambda response: "/events" in response.url)
    assert all_the_same()
    other.context.close()
