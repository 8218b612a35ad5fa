"""What people see: where the keyboard is, how wide things are, and a page that rests when nothing happens."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Visit
from tests.browser.people import Person, card, column

pytestmark = pytest.mark.browser

ACCENT = (0x1F, 0x5F, 0xAE)
BEYOND = 2.5
"""How far outside its element a ring is looked for: it begins after 1 pixel and is 3 wide."""

_FOCUSED = """() => {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const { left, top, right, bottom } = element.getBoundingClientRect();
  return { name: element.outerHTML.slice(0, 120), left, top, right, bottom };
}"""

_PIXELS = """async ([picture, points]) => {
  const bitmap = await createImageBitmap(await (await fetch(`data:image/png;base64,${picture}`)).blob());
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
  context.drawImage(bitmap, 0, 0);
  return points.map(([x, y]) => [...context.getImageData(Math.floor(x), Math.floor(y), 1, 1).data].slice(0, 3));
}"""


def _board(page: Page, mina: Person) -> None:
    """A board whose first list is longer than the screen, and whose lists are wider than it."""
    lists = [{"name": f"List {number}", "stage": "todo"} for number in range(6)]
    mina.visit(page, mina.board(*(f"Card {number}" for number in range(14)), lists=lists))
    page.locator(".card").nth(13).wait_for(state="attached")


def _card(page: Page, mina: Person) -> None:
    board_id = mina.board("One")
    (found,) = mina.ask("GET", f"boards/{board_id}/cards")["items"]
    path = f"boards/{board_id}/cards/{found['id']}"
    steps = mina.ask("POST", f"{path}/checklists", {"name": "Steps"})
    mina.ask("POST", f"{path}/checklists/{steps['id']}/items", {"text": "First"})
    mina.ask("POST", f"{path}/comments", {"text": "Soon."})
    mina.visit(page, board_id)
    card(page, "One").click()
    page.get_by_text("Soon.").wait_for()
    page.get_by_text("First").wait_for()


def _boards(page: Page, mina: Person) -> None:
    mina.board("One")
    mina.visit(page)
    page.locator(".tiles a").first.wait_for()


def _sides(box: dict[str, Any]) -> list[tuple[float, float]]:
    """A point of the ring on each of the four sides of a box."""
    across, down = (box["left"] + box["right"]) / 2, (box["top"] + box["bottom"]) / 2
    return [
        (across, box["top"] - BEYOND),
        (across, box["bottom"] + BEYOND),
        (box["left"] - BEYOND, down),
        (box["right"] + BEYOND, down),
    ]


@pytest.mark.parametrize("reach", [_boards, _board, _card])
def test_whatever_has_the_focus_has_a_whole_ring(
    mina: Person, browser: Browser, visit: Visit, reach: Callable[[Page, Person], None]
) -> None:
    page = visit.page
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.set_viewport_size({"width": 1000, "height": 700})
    reach(page, mina)
    painter = browser.new_page()
    broken = []

    for _ in range(30):
        page.keyboard.press("Tab")
        box = page.evaluate(_FOCUSED)
        if box is None:
            break
        picture = base64.b64encode(page.screenshot()).decode()
        pixels = painter.evaluate(_PIXELS, [picture, _sides(box)])
        if any(max(abs(one - other) for one, other in zip(pixel, ACCENT, strict=True)) > 8 for pixel in pixels):
            broken.append((box, pixels))

    painter.close()
    assert broken == []


@pytest.mark.parametrize(("screen", "width"), [(1280, 256), (320, 262)])
def test_lists_are_as_wide_as_they_should_be(mina: Person, visit: Visit, screen: int, width: int) -> None:
    page = visit.page
    page.set_viewport_size({"width": screen, "height": 700})
    mina.visit(page, mina.board("One", "Two " * 60, "x" * 200))
    page.locator(".card").nth(2).wait_for()

    widths = page.locator(".list, .list-form").evaluate_all(
        "(all) => all.map((each) => each.getBoundingClientRect().width)"
    )

    assert [round(each) for each in widths] == [width] * 4
    first = column(page, "To do").bounding_box()
    assert first
    assert first["x"] + first["width"] <= screen
    for inside in column(page, "To do").locator("input, button, .count").all():
        box = inside.bounding_box()
        assert box
        assert box["x"] + box["width"] <= first["x"] + first["width"]


def _big_board(mina: Person) -> str:
    """A board of 1,000 cards in 6 lists, half of them in the first one."""
    lists = [{"id": f"{number:024x}", "name": f"List {number}", "pos": number + 1} for number in range(6)]
    cards = [
        {
            "id": f"{number + 100:024x}",
            "idList": lists[0 if number % 2 else number // 2 % 6]["id"],
            "name": f"Card {number}",
        }
        for number in range(1000)
    ]
    export = {"id": "5f3c2a1b9d8e7f6a5b4c3d11", "name": "Big", "lists": lists, "cards": cards}
    return str(mina.ask("POST", "imports/trello", export)["board"]["id"])


def test_a_thousand_cards_come_to_rest(mina: Person, visit: Visit) -> None:
    page = visit.page
    mina.visit(page, _big_board(mina))
    expect(page.locator(".card")).to_have_count(1000)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def work() -> dict[str, float]:
        """How often the page has been laid out and styled since it was opened."""
        metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
        return {name: metrics[name] for name in ("LayoutCount", "RecalcStyleCount")}

    def hear() -> None:
        page.wait_for_event("response", lambda response: "/events" in response.url)

    hear()
    hear()
    before = work()
    hear()
    hear()

    assert work() == before


def test_a_double_click_opens_a_card_and_leaves_it_open(mina: Person, visit: Visit) -> None:
    page = visit.page
    mina.visit(page, mina.board("One"))

    card(page, "One").dblclick()

    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("created it")).to_be_visible()
    page.mouse.click(5, 5)
    expect(dialog).to_have_count(0)


def test_a_double_click_does_one_step_and_deletes_nothing_for_good(mina: Person, visit: Visit) -> None:
    page = visit.page
    board_id = mina.board("One")
    (found,) = mina.ask("GET", f"boards/{board_id}/cards")["items"]
    path = f"boards/{board_id}/cards/{found['id']}"
    mina.ask("POST", f"{path}/comments", {"text": "Soon."})
    mina.visit(page, board_id)
    card(page, "One").click()
    dialog = page.get_by_role("dialog")

    dialog.locator(".comments").get_by_role("button", name="Delete").dblclick()
    expect(dialog.get_by_role("button", name="Delete for good?")).to_be_visible()
    dialog.get_by_role("button", name="Start").dblclick()
    expect(dialog.get_by_role("button", name="Resolve")).to_be_visible()

    assert mina.ask("GET", path)["status"] == "in_progress"
    assert [each["text"] for each in mina.ask("GET", f"{path}/comments")["items"]] == ["Soon."]
    expect(page.locator(".notification.error")).to_have_count(0)
