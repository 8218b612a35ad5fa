"""The pictures of the board in docs/: taken by a real Chromium of a board that is made anew, with a clock that stands.

Needs a Chromium; CHROMIUM names one.
"""

import base64
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from socketserver import ThreadingMixIn
from tempfile import TemporaryDirectory
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from playwright.sync_api import Page, sync_playwright

from app import create_app
from bench.demo import NOW, Demo
from stores import open_store

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "pictures"
_SIZES = {"wide": (1440, 810), "narrow": (390, 844)}
_QUALITY = 80


class ThreadingServer(ThreadingMixIn, WSGIServer):
    """A browser asks for several files at once."""

    daemon_threads = True


class Silent(WSGIRequestHandler):
    """Writes no line for each request."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's.
        """Say nothing."""


@contextmanager
def _serving(demo: Demo) -> Iterator[str]:
    """The address of an empty Tackboard whose clock is the demo's."""
    with TemporaryDirectory() as folder, closing(open_store(f"sqlite:///{folder}/demo.db")) as store:
        application = create_app(store, clock=demo.clock, open_signup=True)
        server = make_server("127.0.0.1", 0, application, server_class=ThreadingServer, handler_class=Silent)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        server.server_close()


def _keep(page: Page, name: str) -> None:
    """Write what is on the screen as WebP, which Chromium encodes by itself."""
    page.wait_for_timeout(300)
    session = page.context.new_cdp_session(page)
    taken = session.send("Page.captureScreenshot", {"format": "webp", "quality": _QUALITY})
    (PICTURES / f"{name}.webp").write_bytes(base64.b64decode(taken["data"]))


def _take(page: Page, board_id: str, suffix: str) -> None:
    page.evaluate("(hash) => { location.hash = hash }", f"#/boards/{board_id}")
    page.locator(".card").nth(11).wait_for(state="attached")
    _keep(page, f"board-{suffix}")
    page.get_by_role("button", name="New start page").click()
    page.get_by_role("dialog").get_by_text("outlive you").wait_for()
    page.evaluate("document.activeElement.blur()")
    _keep(page, f"card-{suffix}")
    page.keyboard.press("Escape")
    page.evaluate("(hash) => { location.hash = hash }", f"#/boards/{board_id}/flow")
    page.locator("figure svg").nth(3).wait_for()
    _keep(page, f"flow-{suffix}")


def main() -> None:
    """Take them all."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    PICTURES.mkdir(parents=True, exist_ok=True)
    demo = Demo()
    with _serving(demo) as address, sync_playwright() as playwright:
        board_id = demo.tell(address)
        chromium = playwright.chromium.launch(executable_path=found, chromium_sandbox=os.geteuid() != 0)
        for size, (width, height) in _SIZES.items():
            for scheme in ("light", "dark"):
                context = chromium.new_context(
                    viewport={"width": width, "height": height},
                    color_scheme="dark" if scheme == "dark" else "light",
                    locale="en-US",
                    timezone_id="UTC",
                    reduced_motion="reduce",
                )
                page = context.new_page()
                page.clock.set_fixed_time(NOW)
                page.goto(f"{address}/#token={demo.tokens['ines']}")
                page.locator(".tiles a").first.wait_for()
                if size == "wide":
                    _keep(page, f"boards-{scheme}")
                _take(page, board_id, f"{size}-{scheme}")
                context.close()
        chromium.close()
    for each in sorted(PICTURES.glob("*.webp")):
        print(f"{each.relative_to(ROOT)}  {each.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
