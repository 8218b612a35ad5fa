"""Accessibility: axe-core finds no violations, in light and dark, wide and narrow."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Visit
from tests.browser.page_objects import User, card, find_violations, open_account_menu

pytestmark = pytest.mark.browser

SCREENSHOTS = Path(__file__).parents[2] / ".screenshots"
"""Screenshots for people to look at; git ignores them."""

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


def _open_sign_in(page: Page, mina: User) -> None:
    page.goto(mina.origin)
    page.get_by_label("Your sign-in code").wait_for()


def _open_boards(page: Page, mina: User) -> None:
    mina.create_board("One")
    mina.sign_in(page)
    page.locator(".tiles a").first.wait_for()


def _create_full_board(mina: User) -> str:
    board_id = mina.create_board("Write the notes", "Ask Lou")
    label = mina.request("POST", f"boards/{board_id}/labels", {"name": "Urgent", "color": "red"})
    stored_card, _ = mina.request("GET", f"boards/{board_id}/cards")["items"]
    path = f"boards/{board_id}/cards/{stored_card['id']}"
    fields = {
        "description": DESCRIPTION,
        "due_at": "2026-01-01T00:00:00Z",
        "label_ids": [label["id"]],
        "assignee_ids": [mina.id],
    }
    mina.request("PATCH", path, fields, If_Match="*")
    checklist = mina.request("POST", f"{path}/checklists", {"name": "Steps"})
    mina.request("POST", f"{path}/checklists/{checklist['id']}/items", {"text": "Look again"})
    mina.request("POST", f"{path}/comments", {"text": "Soon."})
    mina.request("POST", f"{path}/start")
    return board_id


def _open_board(page: Page, mina: User) -> None:
    mina.sign_in(page, _create_full_board(mina))
    card(page, "Write the notes").wait_for()


def _open_card(page: Page, mina: User) -> None:
    _open_board(page, mina)
    card(page, "Write the notes").click()
    page.get_by_role("dialog").get_by_text("Look again").wait_for()
    page.get_by_role("dialog").get_by_text("Soon.").wait_for()


def _open_list(page: Page, mina: User) -> None:
    _open_board(page, mina)
    page.get_by_role("button", name="Doing").click()
    page.get_by_role("dialog").wait_for()


def _open_members(page: Page, mina: User) -> None:
    _open_board(page, mina)
    page.get_by_role("button", name="Members").click()
    page.get_by_role("button", name="Create a link").click()
    page.get_by_role("img", name="QR code").wait_for()


def _open_invitation(page: Page, mina: User) -> None:
    created = mina.request("POST", f"boards/{mina.create_board('One')}/invitations", {"role": "editor"})
    page.goto(f"{mina.origin}#invite={created['invitation']['id']}.{created['secret']}")
    page.get_by_role("heading", name="Owner invites you").wait_for()


def _open_people(page: Page, mina: User) -> None:
    """Open the dialog of the installation's owner, with an invitation and a sign-in link."""
    lou = mina.create_user(f"lou-{os.urandom(6).hex()}")
    mina.sign_in(page)
    open_account_menu(page, "People")
    page.get_by_role("button", name="Create a link").click()
    page.get_by_role("img", name="QR code of the invitation link").wait_for()
    page.get_by_label("Name or id").fill(lou.id)
    page.get_by_role("button", name=f"Sign-in link for {lou.id.title()}").click()
    page.get_by_role("img", name="QR code of the sign-in link").wait_for()


def _open_devices(page: Page, mina: User) -> None:
    """Open the dialog of a user with few devices, with a code for another one."""
    lou = mina.create_user(f"lou-{os.urandom(6).hex()}")
    lou.sign_in(page)
    open_account_menu(page, "Sign in on another device")
    page.get_by_role("img", name="QR code").wait_for()
    page.get_by_text("New token").click()


def _open_flow(page: Page, mina: User) -> None:
    _open_board(page, mina)
    page.get_by_role("link", name="Flow").click()
    page.locator("figure svg").first.wait_for()


VIEWS = [
    _open_sign_in,
    _open_boards,
    _open_board,
    _open_card,
    _open_list,
    _open_members,
    _open_invitation,
    _open_people,
    _open_devices,
    _open_flow,
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("open_view", VIEWS)
def test_axe_finds_no_violations(
    mina: User, visit: Visit, open_view: Callable[[Page, User], None], width: int, scheme: Any
) -> None:
    page = visit.page
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 800})
    open_view(page, mina)

    assert find_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert not visit.errors


@pytest.mark.parametrize("open_view", VIEWS)
def test_each_page_fits_three_widths(mina: User, visit: Visit, open_view: Callable[[Page, User], None]) -> None:
    page = visit.page
    page.emulate_media(reduced_motion="reduce")
    open_view(page, mina)
    SCREENSHOTS.mkdir(exist_ok=True)

    for width in (360, 768, 1440):
        page.set_viewport_size({"width": width, "height": 800})
        page.screenshot(path=SCREENSHOTS / f"{open_view.__name__.removeprefix('_open_')}-{width}.png")

        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert not visit.errors
