"""Measure how fast the page shows a board: `python -m tools.benchmarks.first_paint`.

Two boards with 20 and 200 cards are opened in turn in a browser without a cache. The medians of ten visits are printed,
in milliseconds since the address was entered: the first paint, and the frame that shows all cards. CHROMIUM names the
browser.
"""

import json
import statistics
import urllib.request
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from tools.screenshots.browser import launch_chromium, serve

VISITS = 10
SIZES = (20, 200)

_WATCH = """(count) => {
  const look = () => {
    if (document.querySelectorAll(".card").length < count) requestAnimationFrame(look);
    else requestAnimationFrame(() => requestAnimationFrame(() => {
      document.documentElement.dataset.shown = performance.now();
    }));
  };
  look();
}"""


def _ask(address: str, path: str, body: object, token: str = "") -> Any:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(f"{address}/v1/{path}", json.dumps(body).encode(), headers)  # noqa: S310 - an own server.
    with urllib.request.urlopen(request) as response:  # noqa: S310 - as above.
        return json.loads(response.read())


def _board(address: str, token: str, size: int) -> str:
    board = _ask(address, "boards", {"name": f"{size} cards"}, token)
    label = _ask(address, f"boards/{board['id']}/labels", {"name": "Content", "color": "green"}, token)
    lists = [item["id"] for item in board["lists"]] if "lists" in board else [None]
    for number in range(size):
        card: dict[str, Any] = {"title": f"Card {number} with a title of a usual length", "label_ids": [label["id"]]}
        if list_id := lists[number % len(lists)]:
            card["list_id"] = list_id
        _ask(address, f"boards/{board['id']}/cards", card, token)
    return str(board["id"])


def _visit(browser: Browser, address: str, token: str, board_id: str, size: int) -> tuple[float, float]:
    context = browser.new_context(viewport={"width": 1440, "height": 810})
    context.add_init_script(f"localStorage.setItem('tackboard.token', '{token}'); ({_WATCH})({size});")
    page = context.new_page()
    page.goto(f"{address}/#/boards/{board_id}")
    page.locator("html[data-shown]").wait_for()
    first_paint: float = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    all_cards: float = page.evaluate("Number(document.documentElement.dataset.shown)")
    context.close()
    return first_paint, all_cards


def main() -> None:
    """Measure and print a line for each board."""
    with serve() as address, sync_playwright() as playwright:
        token = _ask(address, "users", {"id": "ines", "name": "Ines"})["token"]
        boards = {size: _board(address, token, size) for size in SIZES}
        browser = launch_chromium(playwright)
        visits_by_size: dict[int, list[tuple[float, float]]] = {size: [] for size in SIZES}
        # The first visit only warms up the server and the browser.
        for number in range(VISITS + 1):
            for size, board_id in boards.items():
                times = _visit(browser, address, token, board_id, size)
                if number:
                    visits_by_size[size].append(times)
        browser.close()
    for size, visits in visits_by_size.items():
        first_paint = statistics.median(paint for paint, _ in visits)
        all_cards = statistics.median(cards for _, cards in visits)
        print(f"{size:4} cards: first paint {first_paint:4.0f} ms, all cards {all_cards:4.0f} ms")


if __name__ == "__main__":
    main()
