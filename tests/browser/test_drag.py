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


def _long_board(mina: Person, cards: int = 0, lists: int = 3) -> str:
    """A board with that many lists, and cards in its first one."""
    names = [{"name": f"List {number}", "stage": "todo"} for number in range(lists)]
    return mina.board(*(f"Card {number}" for number in range(cards)), lists=names)


def _lift(page: Page, title: str) -> None:
    card(page, title).hover()
    page.mouse.down()
    page.mouse.move(*_middle(card(page, title)), steps=2)
    page.mouse.move(_middle(card(page, title))[0] + 8, _middle(card(page, title))[1] + 8)
    page.locator(".ghost").wait_for(state="attached")


def _wait(element: Locator, condition: str) -> None:
    """Wait until a condition holds for an element: the policy of the page forbids what wait_for_function does."""
    element.evaluate(
        f"""(element) => new Promise((done, fail) => {{
          const end = performance.now() + 20_000;
          const look = () => {{
            if ({condition}) done();
            else if (performance.now() > end) fail(new Error("It did not scroll."));
            else requestAnimationFrame(look);
          }};
          look();
        }})"""
    )


AT_THE_RIGHT = "element.scrollLeft + element.clientWidth >= element.scrollWidth - 1"
AT_THE_BOTTOM = "element.scrollTop + element.clientHeight >= element.scrollHeight - 1"


def test_a_card_is_in_the_list_under_the_pointer_while_the_board_scrolls_by_itself(mina: Person, visit: Visit) -> None:
    page = visit.page
    page.set_viewport_size({"width": 900, "height": 700})
    mina.visit(page, _long_board(mina, cards=1, lists=12))
    y = _middle(card(page, "Card 0"))[1]

    _lift(page, "Card 0")
    # Once a frame: which list is under the pointer, and in which one the card stands.
    page.locator(".card.dragged").evaluate(
        """(item, [x, y]) => {
          window.seen = [];
          const look = () => {
            const under = document.elementFromPoint(x, y)?.closest(".list")?.getAttribute("aria-label");
            if (under) window.seen.push([under, item.closest(".list").getAttribute("aria-label")]);
            if (item.matches(".dragged")) requestAnimationFrame(look);
          };
          window.addEventListener("pointermove", ({ clientX }) => { if (clientX === x) look(); }, { once: true });
        }""",
        [890, y],
    )
    page.mouse.move(890, y)
    _wait(page.locator(".lists"), AT_THE_RIGHT)
    seen = page.evaluate("window.seen")
    page.keyboard.press("Escape")
    page.mouse.up()

    assert len({under for under, _ in seen}) > 3
    assert [under for under, _ in seen] == [lands for _, lands in seen]


def test_a_card_that_is_let_go_while_the_board_scrolls_is_in_the_list_that_is_seen_there(
    mina: Person, visit: Visit
) -> None:
    page = visit.page
    page.set_viewport_size({"width": 900, "height": 700})
    mina.visit(page, _long_board(mina, cards=1, lists=12))
    y = _middle(card(page, "Card 0"))[1]

    _lift(page, "Card 0")
    page.mouse.move(890, y, steps=4)
    _wait(page.locator(".lists"), AT_THE_RIGHT)
    with page.expect_response("**/move"):
        page.mouse.up()

    # At the end of the board stands the form for another list; nearest to the pointer is the last list.
    expect(titles(page, "List 11")).to_have_text(["Card 0"])


@pytest.mark.parametrize("where", ["below", "above"])
def test_a_list_scrolls_while_a_card_is_held_below_or_above_its_cards(mina: Person, visit: Visit, where: str) -> None:
    page = visit.page
    page.set_viewport_size({"width": 900, "height": 600})
    mina.visit(page, _long_board(mina, cards=20))
    cards = column(page, "List 0").locator(".cards")
    box = cards.bounding_box()
    assert box
    x = box["x"] + box["width"] / 2
    titles_before = [f"Card {number}" for number in range(20)]

    _lift(page, "Card 3")
    page.mouse.move(x, box["y"] + box["height"] + 20, steps=4)
    _wait(cards, AT_THE_BOTTOM)
    if where == "above":
        page.mouse.move(x, box["y"] - 20, steps=4)
        _wait(cards, "element.scrollTop === 0")
    with page.expect_response("**/move"):
        page.mouse.up()

    titles_before.remove("Card 3")
    expected = [*titles_before, "Card 3"] if where == "below" else ["Card 3", *titles_before]
    expect(titles(page, "List 0")).to_have_text(expected)


def test_what_is_carried_beyond_a_list_that_scrolls_stays_where_it_can_be_seen(mina: Person, visit: Visit) -> None:
    page = visit.page
    page.set_viewport_size({"width": 900, "height": 600})
    mina.visit(page, _long_board(mina, cards=40))
    cards = column(page, "List 0").locator(".cards")
    box = cards.bounding_box()
    assert box

    _lift(page, "Card 3")
    page.mouse.move(box["x"] + 100, box["y"] + box["height"] + 20, steps=4)
    tops = page.locator(".card.dragged").evaluate(
        """(item) => new Promise((done) => {
          const tops = [];
          const look = () => {
            tops.push(item.getBoundingClientRect().top);
            if (tops.length < 8) requestAnimationFrame(look); else done(tops);
          };
          look();
        })"""
    )
    page.keyboard.press("Escape")
    page.mouse.up()

    assert max(tops) < box["y"] + box["height"]
    assert min(tops) > box["y"] - 100


def test_a_list_that_is_dragged_to_the_end_stands_before_the_form_for_another_one(mina: Person, visit: Visit) -> None:
    page = visit.page
    page.set_viewport_size({"width": 1400, "height": 700})
    mina.visit(page, mina.board("One"))

    _lists(page).first.hover()
    page.mouse.down()
    page.mouse.move(1390, 200, steps=8)

    assert page.locator(".lists > :last-child").get_attribute("class") == "list-form"
    with page.expect_response("**/move"):
        page.mouse.up()
    expect(_lists(page)).to_have_text(["Doing", "Done", "To do"])


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

    _wait(page.locator(".lists"), "element.scrollLeft > 50")
    # A tap on what still rolls on stops it, and opens nothing.
    page.locator(".lists").evaluate(
        """(lists) => new Promise((done) => {
          let [last, still] = [lists.scrollLeft, 0];
          const look = () => {
            still = lists.scrollLeft === last ? still + 1 : 0;
            last = lists.scrollLeft;
            if (still > 20) done(); else requestAnimationFrame(look);
          };
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
