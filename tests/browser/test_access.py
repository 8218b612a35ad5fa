"""Everyone can use the board: axe-core finds nothing, in light and dark, wide and narrow."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Visit
from tests.browser.people import Person, card

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
KEPT = Path(__file__).parents[2] / ".screenshots"
"""Where people look at what the tests saw; git doesn't."""

DESCRIPTION = """# Why

**Everyone** waits, says [Lou](https://a.example).

- one
- [x] two
  - [ ] three

| Step | Days |
|---|--:|
| Ask ~~Lou~~ Mina | 2 |

---

> 1. Look at `max_retry_count`

    and at the log
"""

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def _sign_in(page: Page, mina: Person) -> None:
    page.goto(mina.origin)
    page.get_by_label("Your token").wait_for()


def _boards(page: Page, mina: Person) -> None:
    mina.board("One")
    mina.visit(page)
    page.locator(".tiles a").first.wait_for()


def _full_board(mina: Person) -> str:
    board_id = mina.board("Write the notes", "Ask Lou")
    label = mina.ask("POST", f"boards/{board_id}/labels", {"name": "Urgent", "color": "red"})
    found, _ = mina.ask("GET", f"boards/{board_id}/cards")["items"]
    path = f"boards/{board_id}/cards/{found['id']}"
    wishes = {
        "description": DESCRIPTION,
        "due_at": "2026-01-01T00:00:00Z",
        "label_ids": [label["id"]],
        "assignee_ids": [mina.id],
    }
    mina.ask("PATCH", path, wishes, If_Match="*")
    checklist = mina.ask("POST", f"{path}/checklists", {"name": "Steps"})
    mina.ask("POST", f"{path}/checklists/{checklist['id']}/items", {"text": "Look again"})
    mina.ask("POST", f"{path}/comments", {"text": "Soon."})
    mina.ask("POST", f"{path}/start")
    return board_id


def _board(page: Page, mina: Person) -> None:
    mina.visit(page, _full_board(mina))
    card(page, "Write the notes").wait_for()


def _card(page: Page, mina: Person) -> None:
    _board(page, mina)
    card(page, "Write the notes").click()
    page.get_by_role("dialog").get_by_text("Look again").wait_for()
    page.get_by_role("dialog").get_by_text("Soon.").wait_for()


def _list(page: Page, mina: Person) -> None:
    _board(page, mina)
    page.get_by_role("button", name="Doing").click()
    page.get_by_role("dialog").wait_for()


def _members(page: Page, mina: Person) -> None:
    _board(page, mina)
    page.get_by_role("button", name="Members").click()
    page.get_by_role("dialog").wait_for()


def _flow(page: Page, mina: Person) -> None:
    _board(page, mina)
    page.get_by_role("link", name="Flow").click()
    page.locator("figure svg").first.wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("reach", [_sign_in, _boards, _board, _card, _list, _members, _flow])
def test_axe_finds_nothing(
    mina: Person, visit: Visit, reach: Callable[[Page, Person], None], width: int, scheme: Any
) -> None:
    page = visit.page
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 800})
    reach(page, mina)

    page.evaluate(AXE.read_text())
    found = page.evaluate("(rules) => axe.run({ runOnly: rules })", RULES)

    violations = [
        (each["id"], node["target"], node["failureSummary"]) for each in found["violations"] for node in each["nodes"]
    ]
    assert violations == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert not visit.complaints


@pytest.mark.parametrize("reach", [_sign_in, _boards, _board, _card, _list, _members, _flow])
def test_each_page_fits_three_widths_and_leaves_its_pictures(
    mina: Person, visit: Visit, reach: Callable[[Page, Person], None]
) -> None:
    page = visit.page
    page.emulate_media(reduced_motion="reduce")
    reach(page, mina)
    KEPT.mkdir(exist_ok=True)

    for width in (360, 768, 1440):
        page.set_viewport_size({"width": width, "height": 800})
        page.screenshot(path=KEPT / f"{reach.__name__.removeprefix('_')}-{width}.png")

        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert not visit.complaints
