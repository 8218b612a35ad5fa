"""How soon a board is on the screen: `python -m tools.benchmarks.first_paint`, with a Chromium that CHROMIUM may name.

Two boards, one of 20 and one of 200 cards, are opened in turn in a browser without a cache, and the medians of ten
visits are printed, in milliseconds since the address was entered: the first paint, and the frame that shows all cards.
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
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - as above.
        return json.loads(answer.read())


def _board(address: str, token: str, size: int) -> str:
    board = _ask(address, "boards", {"name": f"{size} cards"}, token)
    label = _ask(address, f"boards/{board['id']}/labels", {"name": "Content", "color": "green"}, token)
    lists = [each["id"] for each in board["lists"]] if "lists" in board else [None]
    for place in range(size):
        card: dict[str, Any] = {"title": f"Card {place} with a title of a usual length", "label_ids": [label["id"]]}
        if chosen := lists[place % len(lists)]:
            card["list_id"] = chosen
        _ask(address, f"boards/{board['id']}/cards", card, token)
    return str(board["id"])


def _visit(browser: Browser, address: str, token: str, board_id: str, size: int) -> tuple[float, float]:
    context = browser.new_context(viewport={"width": 1440, "height": 810})
    context.add_init_script(f"localStorage.setItem('tackboard.token', '{token}'); ({_WATCH})({size});")
    page = context.new_page()
    page.goto(f"{address}/#/boards/{board_id}")
    page.locator("html[data-shown]").wait_for()
    first: float = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    every: float = page.evaluate("Number(document.documentElement.dataset.shown)")
    context.close()
    return first, every


def main() -> None:
    """Measure, and print a line for each board."""
    with serve() as address, sync_playwright() as playwright:
        token = _ask(address, "users", {"id": "ines", "name": "Ines"})["token"]
        boards = {size: _board(address, token, size) for size in SIZES}
        browser = launch_chromium(playwright)
        seen: dict[int, list[tuple[float, float]]] = {size: [] for size in SIZES}
        # The first visit warms both sides up, and doesn't count.
        for number in range(VISITS + 1):
            for size, board_id in boards.items():
                times = _visit(browser, address, token, board_id, size)
                if number:
                    seen[size].append(times)
        browser.close()
    for size, visits in seen.items():
        first = statistics.median(soon for soon, _ in visits)
        every = statistics.median(late for _, late in visits)
        print(f"{size:4} cards: first paint {first:4.0f} ms, all cards {every:4.0f} ms")


if __name__ == "__main__":
    main()
