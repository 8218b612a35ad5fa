"""Dragging lists and cards by mouse and touch, scrolling during a drag, and two users at once."""

import random

import pytest
from playwright.sync_api import Browser, CDPSession, Locator, Page, expect

from tests.browser.conftest import Visit
from tests.browser.page_objects import User, card, card_titles, drag, list_region

pytestmark = pytest.mark.browser


def _list_titles(page: Page) -> Locator:
    return page.locator(".list-title")


def test_lists_are_sorted_by_mouse(mina: User, visit: Visit) -> None:
    page = visit.page
    board_id = mina.create_board("One")
    mina.sign_in(page, board_id)
    target = list_region(page, "Done").bounding_box()
    assert target

    _list_titles(page).first.hover()
    page.mouse.down()
    page.mouse.move(target["x"] + target["width"] - 10, target["y"] + 20, steps=8)
    with page.expect_response("**/move"):
        page.mouse.up()

    expect(_list_titles(page)).to_have_text(["Doing", "Done", "To do"])
    page.reload()
    expect(_list_titles(page)).to_have_text(["Doing", "Done", "To do"])
    assert not visit.errors


def test_lists_are_sorted_by_keyboard(mina: User, visit: Visit) -> None:
    page = visit.page
    mina.sign_in(page, mina.create_board("One"))

    _list_titles(page).first.focus()
    for key in ("Space", "ArrowRight", "Space"):
        page.keyboard.press(key)

    expect(_list_titles(page)).to_have_text(["Doing", "To do", "Done"])
    expect(page.get_by_role("button", name="To do")).to_be_focused()


def _create_long_board(mina: User, cards: int = 0, lists: int = 3) -> str:
    """Create a board with lists, and cards in the first one, and return its id."""
    names = [{"name": f"List {number}", "stage": "todo"} for number in range(lists)]
    return mina.create_board(*(f"Card {number}" for number in range(cards)), lists=names)


def _start_drag(page: Page, title: str) -> None:
    card(page, title).hover()
    page.mouse.down()
    page.mouse.move(*_center_of(card(page, title)), steps=2)
    page.mouse.move(_center_of(card(page, title))[0] + 8, _center_of(card(page, title))[1] + 8)
    page.locator(".ghost").wait_for(state="attached")


def _wait_until(element: Locator, condition: str) -> None:
    """Wait until a condition holds for `element`. The page's security policy forbids wait_for_function."""
    element.evaluate(
        f"""(element) => new Promise((resolve, reject) => {{
          const end = performance.now() + 20_000;
          const check = () => {{
            if ({condition}) resolve();
            else if (performance.now() > end) reject(new Error("It did not scroll."));
            else requestAnimationFrame(check);
          }};
          check();
        }})"""
    )


IS_AT_RIGHT_END = "element.scrollLeft + element.clientWidth >= element.scrollWidth - 1"
IS_AT_BOTTOM = "element.scrollTop + element.clientHeight >= element.scrollHeight - 1"


def test_a_dragged_card_follows_the_pointer_while_the_board_scrolls(mina: User, visit: Visit) -> None:
    page = visit.page
    page.set_viewport_size({"width": 900, "height": 700})
    mina.sign_in(page, _create_long_board(mina, cards=1, lists=12))
    y = _center_of(card(page, "Card 0"))[1]

    _start_drag(page, "Card 0")
    # In every frame, record the list under the pointer and the list that contains the card.
    page.locator(".card.dragged").evaluate(
        """(item, [x, y]) => {
          window.samples = [];
          const check = () => {
            const under = document.elementFromPoint(x, y)?.closest(".list")?.getAttribute("aria-label");
            if (under) window.samples.push([under, item.closest(".list").getAttribute("aria-label")]);
            if (item.matches(".dragged")) requestAnimationFrame(check);
          };
          window.addEventListener("pointermove", ({ clientX }) => { if (clientX === x) check(); }, { once: true });
        }""",
        [890, y],
    )
    page.mouse.move(890, y)
    _wait_until(page.locator(".lists"), IS_AT_RIGHT_END)
    samples = page.evaluate("window.samples")
    page.keyboard.press("Escape")
    page.mouse.up()

    assert len({hovered_list for hovered_list, _ in samples}) > 3
    assert [hovered_list for hovered_list, _ in samples] == [card_list for _, card_list in samples]


def test_a_card_dropped_during_scrolling_is_in_the_visible_list(mina: User, visit: Visit) -> None:
    page = visit.page
    page.set_viewport_size({"width": 900, "height": 700})
    mina.sign_in(page, _create_long_board(mina, cards=1, lists=12))
    y = _center_of(card(page, "Card 0"))[1]

    _start_drag(page, "Card 0")
    page.mouse.move(890, y, steps=4)
    _wait_until(page.locator(".lists"), IS_AT_RIGHT_END)
    with page.expect_response("**/move"):
        page.mouse.up()

    # The pointer is over the form at the end of the board; the nearest list is the last one.
    expect(card_titles(page, "List 11")).to_have_text(["Card 0"])


@pytest.mark.parametrize("where", ["below", "above"])
def test_a_list_scrolls_while_a_card_is_dragged_beyond_its_edge(mina: User, visit: Visit, where: str) -> None:
    page = visit.page
    page.set_viewport_size({"width": 900, "height": 600})
    mina.sign_in(page, _create_long_board(mina, cards=20))
    cards = list_region(page, "List 0").locator(".cards")
    box = cards.bounding_box()
    assert box
    x = box["x"] + box["width"] / 2
    other_titles = [f"Card {number}" for number in range(20)]

    _start_drag(page, "Card 3")
    page.mouse.move(x, box["y"] + box["height"] + 20, steps=4)
    _wait_until(cards, IS_AT_BOTTOM)
    if where == "above":
        page.mouse.move(x, box["y"] - 20, steps=4)
        _wait_until(cards, "element.scrollTop === 0")
    with page.expect_response("**/move"):
        page.mouse.up()

    other_titles.remove("Card 3")
    expected = [*other_titles, "Card 3"] if where == "below" else ["Card 3", *other_titles]
    expect(card_titles(page, "List 0")).to_have_text(expected)


def test_a_card_dragged_beyond_a_scrolling_list_stays_visible(mina: User, visit: Visit) -> None:
    page = visit.page
    page.set_viewport_size({"width": 900, "height": 600})
    mina.sign_in(page, _create_long_board(mina, cards=40))
    cards = list_region(page, "List 0").locator(".cards")
    box = cards.bounding_box()
    assert box

    _start_drag(page, "Card 3")
    page.mouse.move(box["x"] + 100, box["y"] + box["height"] + 20, steps=4)
    tops = page.locator(".card.dragged").evaluate(
        """(item) => new Promise((resolve) => {
          const tops = [];
          const check = () => {
            tops.push(item.getBoundingClientRect().top);
            if (tops.length < 8) requestAnimationFrame(check); else resolve(tops);
          };
          check();
        })"""
    )
    page.keyboard.press("Escape")
    page.mouse.up()

    assert max(tops) < box["y"] + box["height"]
    assert min(tops) > box["y"] - 100


def test_a_list_dragged_to_the_end_stays_before_the_list_form(mina: User, visit: Visit) -> None:
    page = visit.page
    page.set_viewport_size({"width": 1400, "height": 700})
    mina.sign_in(page, mina.create_board("One"))

    _list_titles(page).first.hover()
    page.mouse.down()
    page.mouse.move(1390, 200, steps=8)

    assert page.locator(".lists > :last-child").get_attribute("class") == "list-form"
    with page.expect_response("**/move"):
        page.mouse.up()
    expect(_list_titles(page)).to_have_text(["Doing", "Done", "To do"])


@pytest.fixture
def touch_session(browser: Browser) -> CDPSession:
    """Open a page on a touch screen, the last one of the browser, and return a session that sends touches to it."""
    context = browser.new_context(has_touch=True, is_mobile=True, viewport={"width": 800, "height": 700})
    return context.new_cdp_session(context.new_page())


def _send_touch(session: CDPSession, kind: str, *points: tuple[float, float]) -> None:
    session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})


def _center_of(element: Locator) -> tuple[float, float]:
    box = element.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_long_press_drags_a_card(browser: Browser, touch_session: CDPSession, mina: User) -> None:
    page = browser.contexts[-1].pages[0]
    mina.sign_in(page, mina.create_board("One", "Two"))
    x, y = _center_of(card(page, "One"))
    target_x, _ = _center_of(list_region(page, "Doing"))

    _send_touch(touch_session, "touchStart", (x, y))
    page.locator(".ghost").wait_for(state="attached")
    for step in range(1, 6):
        _send_touch(touch_session, "touchMove", (x + (target_x - x) * step / 5, y + 2 * step))
    _send_touch(touch_session, "touchEnd")

    expect(card_titles(page, "Doing")).to_have_text(["One"])
    expect(card_titles(page, "To do")).to_have_text(["Two"])
    page.context.close()


def test_a_swipe_scrolls_and_a_tap_opens_a_card(browser: Browser, touch_session: CDPSession, mina: User) -> None:
    page = browser.contexts[-1].pages[0]
    page.set_viewport_size({"width": 400, "height": 700})
    mina.sign_in(page, mina.create_board("One"))
    x, y = _center_of(card(page, "One"))

    _send_touch(touch_session, "touchStart", (x, y))
    for step in range(1, 9):
        _send_touch(touch_session, "touchMove", (x - 20 * step, y))
    _send_touch(touch_session, "touchEnd")

    _wait_until(page.locator(".lists"), "element.scrollLeft > 50")
    # A tap during scrolling only stops the scrolling, so wait until it has ended.
    page.locator(".lists").evaluate(
        """(lists) => new Promise((resolve) => {
          let [last, stillFrames] = [lists.scrollLeft, 0];
          const check = () => {
            stillFrames = lists.scrollLeft === last ? stillFrames + 1 : 0;
            last = lists.scrollLeft;
            if (stillFrames > 20) resolve(); else requestAnimationFrame(check);
          };
          check();
        })"""
    )
    expect(card_titles(page, "To do")).to_have_text(["One"])
    card(page, "One").tap()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.context.close()


def test_two_users_who_move_the_same_cards_see_the_same_board(mina: User, browser: Browser, visit: Visit) -> None:
    board_id = mina.create_board("One", "Two", "Three")
    other_page = browser.new_context().new_page()
    for page in (visit.page, other_page):
        mina.sign_in(page, board_id)
    # With a seed, every run makes the same moves.
    rng = random.Random(11)  # noqa: S311 - no secret.

    for _ in range(4):
        for page in (visit.page, other_page):
            drag(page, rng.choice(["One", "Two", "Three"]), rng.choice(["To do", "Doing", "Done"]))

    lists = {item["name"]: item["id"] for item in mina.request("GET", f"boards/{board_id}/lists")["items"]}

    def are_equal() -> bool:
        return all(
            card_titles(page, name).all_text_contents()
            == [
                stored["title"] for stored in mina.request("GET", f"boards/{board_id}/cards?list_id={list_id}")["items"]
            ]
            for page in (visit.page, other_page)
            for name, list_id in lists.items()
        )

    # The last moves may still be in flight. The pages receive them with one of the next polls.
    for _ in range(10):
        if are_equal():
            break
        visit.page.wait_for_event("response", lambda response: "/events" in response.url)
    assert are_equal()
    other_page.context.close()
