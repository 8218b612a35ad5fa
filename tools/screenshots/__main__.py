"""Take the screenshots in docs/pictures with a real Chromium, of a new board and at a fixed time (`make pictures`).

CHROMIUM names the browser.
"""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

from tools.screenshots.browser import launch_chromium, serve
from tools.screenshots.demo_board import NOW, DemoBoard

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"
_SIZES = {"wide": (1440, 810), "narrow": (390, 844)}
_SCHEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
_QUALITY = 80


def _save_screenshot(page: Page, name: str) -> None:
    """Write what is on the screen as WebP, which Chromium itself can encode."""
    page.wait_for_timeout(300)
    session = page.context.new_cdp_session(page)
    screenshot = session.send("Page.captureScreenshot", {"format": "webp", "quality": _QUALITY})
    (PICTURES / f"{name}.webp").write_bytes(base64.b64decode(screenshot["data"]))


def _save_screenshots(page: Page, board_id: str, suffix: str) -> None:
    page.evaluate("(hash) => { location.hash = hash }", f"#/boards/{board_id}")
    page.locator(".card").nth(11).wait_for(state="attached")
    _save_screenshot(page, f"board-{suffix}")
    page.get_by_role("button", name="New start page").click()
    page.get_by_role("dialog").get_by_text("outlive you").wait_for()
    page.evaluate("document.activeElement.blur()")
    _save_screenshot(page, f"card-{suffix}")
    page.keyboard.press("Escape")
    page.evaluate("(hash) => { location.hash = hash }", f"#/boards/{board_id}/flow")
    page.locator("figure svg").nth(3).wait_for()
    _save_screenshot(page, f"flow-{suffix}")


def _create_link(page: Page, board_id: str) -> str:
    """Let the owner create an invitation in the dialog of the members; return its link."""
    page.evaluate("(hash) => { location.hash = hash }", f"#/boards/{board_id}")
    page.get_by_role("button", name="Members").click()
    page.get_by_role("button", name="Create a link").click()
    return page.get_by_label("Invitation link", exact=True).input_value()


def _open_link(page: Page, link: str) -> None:
    """Open an invitation as somebody who is no user."""
    page.evaluate("localStorage.clear()")
    page.goto("about:blank")
    page.goto(link)
    page.get_by_label("Your name").wait_for()


def _save_invitation(page: Page, board_id: str, suffix: str) -> None:
    """Take the dialog in which the owner makes a link, and what somebody sees who opens it."""
    link = _create_link(page, board_id)
    page.get_by_role("img", name="QR code of the invitation link").scroll_into_view_if_needed()
    _save_screenshot(page, f"invite-{suffix}")
    _open_link(page, link)
    _save_screenshot(page, f"invitation-{suffix}")


def _save_first_board(page: Page, board_id: str, suffix: str) -> None:
    """Take what a new user sees who has joined by a link."""
    _open_link(page, _create_link(page, board_id))
    page.get_by_label("Your name").fill("Zoe Lindqvist")
    page.get_by_role("button", name="I am new: join").click()
    page.locator(".card").nth(11).wait_for(state="attached")
    _save_screenshot(page, f"joined-{suffix}")


@contextmanager
def _open_page(
    browser: Browser, address: str, token: str, size: str, scheme: Literal["light", "dark"]
) -> Iterator[Page]:
    """Open the boards of a user in a new profile, with the clock of the pictures."""
    width, height = _SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        locale="en-US",
        timezone_id="UTC",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.clock.set_fixed_time(NOW)
    page.goto(f"{address}/#token={token}")
    page.locator(".tiles a").first.wait_for()
    yield page
    context.close()


def main() -> None:
    """Take all screenshots."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    demo = DemoBoard()
    with serve(demo.read_clock) as address, sync_playwright() as playwright:
        board_id = demo.create(address)
        # Who has no session yet is welcomed, but only in the first picture.
        demo.sign_in("ines")
        browser = launch_chromium(playwright)
        for size in _SIZES:
            for scheme in _SCHEMES:
                with _open_page(browser, address, demo.tokens["ines"], size, scheme) as page:
                    if size == "wide":
                        _save_screenshot(page, f"boards-{scheme}")
                    _save_screenshots(page, board_id, f"{size}-{scheme}")
                    _save_invitation(page, board_id, f"{size}-{scheme}")
        # At the end, because the new users are in every picture of the members after that.
        for scheme in _SCHEMES:
            with _open_page(browser, address, demo.tokens["ines"], "narrow", scheme) as page:
                _save_first_board(page, board_id, f"narrow-{scheme}")
        browser.close()
    for file in sorted(PICTURES.glob("*.webp")):
        print(f"{file.relative_to(ROOT)}  {file.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
