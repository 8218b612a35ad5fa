"""Layout: focus rings, widths, no work while idle, and double clicks."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Visit
from tests.browser.page_objects import User, card, list_region

pytestmark = pytest.mark.browser

ACCENT = (0x1F, 0x5F, 0xAE)
RING_OFFSET = 2.5
"""The distance in pixels from an element to the middle of its focus ring, which is 1 to 4 pixels outside."""

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


def _open_board(page: Page, mina: User) -> None:
    """Open a board whose lists are longer and wider than the screen."""
    lists = [{"name": f"List {number}", "stage": "todo"} for number in range(6)]
    mina.sign_in(page, mina.create_board(*(f"Card {number}" for number in range(14)), lists=lists))
    page.locator(".card").nth(13).wait_for(state="attached")


def _open_card(page: Page, mina: User) -> None:
    board_id = mina.create_board("One")
    (stored_card,) = mina.request("GET", f"boards/{board_id}/cards")["items"]
    path = f"boards/{board_id}/cards/{stored_card['id']}"
    steps = mina.request("POST", f"{path}/checklists", {"name": "Steps"})
    mina.request("POST", f"{path}/checklists/{steps['id']}/items", {"text": "First"})
    mina.request("POST", f"{path}/comments", {"text": "Soon."})
    mina.sign_in(page, board_id)
    card(page, "One").click()
    page.get_by_text("Soon.").wait_for()
    page.get_by_text("First").wait_for()


def _open_boards(page: Page, mina: User) -> None:
    mina.create_board("One")
    mina.sign_in(page)
    page.locator(".tiles a").first.wait_for()


def _ring_points(box: dict[str, Any]) -> list[tuple[float, float]]:
    """Return a point of the focus ring on each of the four sides of a box."""
    center_x, center_y = (box["left"] + box["right"]) / 2, (box["top"] + box["bottom"]) / 2
    return [
        (center_x, box["top"] - RING_OFFSET),
        (center_x, box["bottom"] + RING_OFFSET),
        (box["left"] - RING_OFFSET, center_y),
        (box["right"] + RING_OFFSET, center_y),
    ]


@pytest.mark.parametrize("open_view", [_open_boards, _open_board, _open_card])
def test_every_focused_element_has_a_complete_focus_ring(
    mina: User, browser: Browser, visit: Visit, open_view: Callable[[Page, User], None]
) -> None:
    page = visit.page
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.set_viewport_size({"width": 1000, "height": 700})
    open_view(page, mina)
    decoder = browser.new_page()
    incomplete_rings = []

    for _ in range(30):
        page.keyboard.press("Tab")
        box = page.evaluate(_FOCUSED)
        if box is None:
            break
        picture = base64.b64encode(page.screenshot()).decode()
        pixels = decoder.evaluate(_PIXELS, [picture, _ring_points(box)])
        if any(
            max(abs(actual - expected) for actual, expected in zip(pixel, ACCENT, strict=True)) > 8 for pixel in pixels
        ):
            incomplete_rings.append((box, pixels))

    decoder.close()
    assert incomplete_rings == []


@pytest.mark.parametrize(("screen", "width"), [(1280, 256), (320, 262)])
def test_lists_have_a_fixed_width(mina: User, visit: Visit, screen: int, width: int) -> None:
    page = visit.page
    page.set_viewport_size({"width": screen, "height": 700})
    mina.sign_in(page, mina.create_board("One", "Two " * 60, "x" * 200))
    page.locator(".card").nth(2).wait_for()

    widths = page.locator(".list, .list-form").evaluate_all(
        "(elements) => elements.map((element) => element.getBoundingClientRect().width)"
    )

    assert [round(actual) for actual in widths] == [width] * 4
    first = list_region(page, "To do").bounding_box()
    assert first
    assert first["x"] + first["width"] <= screen
    for control in list_region(page, "To do").locator("input, button, .count").all():
        box = control.bounding_box()
        assert box
        assert box["x"] + box["width"] <= first["x"] + first["width"]


def _import_big_board(mina: User) -> str:
    """Import a board of 1,000 cards in 6 lists, half of them in the first one, and return its id."""
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
    return str(mina.request("POST", "imports/trello", export)["board"]["id"])


def test_an_idle_board_of_a_thousand_cards_needs_no_layout(mina: User, visit: Visit) -> None:
    page = visit.page
    mina.sign_in(page, _import_big_board(mina))
    expect(page.locator(".card")).to_have_count(1000)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def count_layouts() -> dict[str, float]:
        """Return how often the page has computed its layout and styles."""
        metrics = {metric["name"]: metric["value"] for metric in session.send("Performance.getMetrics")["metrics"]}
        return {name: metrics[name] for name in ("LayoutCount", "RecalcStyleCount")}

    def wait_for_poll() -> None:
        page.wait_for_event("response", lambda response: "/events" in response.url)

    wait_for_poll()
    wait_for_poll()
    before = count_layouts()
    wait_for_poll()
    wait_for_poll()

    assert count_layouts() == before


def test_a_double_click_opens_a_card_and_does_not_close_it(mina: User, visit: Visit) -> None:
    page = visit.page
    mina.sign_in(page, mina.create_board("One"))

    card(page, "One").dblclick()

    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("created it")).to_be_visible()
    page.mouse.click(5, 5)
    expect(dialog).to_have_count(0)


def test_a_double_click_acts_once_and_confirms_nothing(mina: User, visit: Visit) -> None:
    page = visit.page
    board_id = mina.create_board("One")
    (stored_card,) = mina.request("GET", f"boards/{board_id}/cards")["items"]
    path = f"boards/{board_id}/cards/{stored_card['id']}"
    mina.request("POST", f"{path}/comments", {"text": "Soon."})
    mina.sign_in(page, board_id)
    card(page, "One").click()
    dialog = page.get_by_role("dialog")

    dialog.locator(".comments").get_by_role("button", name="Delete").dblclick()
    expect(dialog.get_by_role("button", name="Delete for good?")).to_be_visible()
    dialog.get_by_role("button", name="Start").dblclick()
    expect(dialog.get_by_role("button", name="Resolve")).to_be_visible()

    assert mina.request("GET", path)["status"] == "in_progress"
    assert [comment["text"] for comment in mina.request("GET", f"{path}/comments")["items"]] == ["Soon."]
    expect(page.locator(".notification.error")).to_have_count(0)
