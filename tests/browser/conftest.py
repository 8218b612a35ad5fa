"""A headless Chromium with a new profile for every test, which records errors.

LATENCY=150 delays every response of the API by 150 ms.
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.page_objects import User
from tests.browser.slow_proxy import SlowProxy
from tests.live_server import LiveServer

# Without these, Chromium connects to Google as soon as it starts.
CHROMIUM_ARGUMENTS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)

# A name of this machine other than localhost. To a browser it is an insecure origin like any other.
LAN_HOST = "tackboard.test"
HOST_RULES = f"--host-resolver-rules=MAP {LAN_HOST} 127.0.0.1"


# On a busy machine the page can take a while.
expect.set_options(timeout=20_000)


LATENCY = int(os.environ.get("LATENCY", "0")) / 1000
"""The additional seconds of every response of the API."""


@dataclass
class Visit:
    """A page with its errors: on the console, exceptions, and violations of the content security policy."""

    page: Page
    errors: list[str] = field(default_factory=list)


# Playwright runs an event loop in this thread, so it is stopped after each module.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not executable:
        pytest.fail("Chromium was not found: install it, or set CHROMIUM=/path/to/chromium.", pytrace=False)
    # Chromium's sandbox does not work for root, which is the user in containers.
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=executable, args=[*CHROMIUM_ARGUMENTS, HOST_RULES], chromium_sandbox=os.geteuid() != 0
        )
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    context = browser.new_context()
    visit = Visit(context.new_page())
    context.on("weberror", lambda error: visit.errors.append(str(error.error)))
    # A violation of the content security policy is logged on the console too.
    context.on("console", lambda message: visit.errors.append(message.text) if message.type == "error" else None)
    yield visit
    context.close()


@pytest.fixture(scope="session")
def origin(live_server: LiveServer) -> Iterator[str]:
    """Return the address of the page, with a slash at its end."""
    if not LATENCY:
        yield live_server.url
        return
    with SlowProxy(*live_server.host_and_port, LATENCY) as proxy:
        yield f"http://127.0.0.1:{proxy.port}/"


@pytest.fixture
def mina(live_server: LiveServer, origin: str) -> User:
    """Return the owner of the server."""
    assert live_server.token
    owner = User(live_server, origin, live_server.token)
    return User(live_server, origin, live_server.token, owner.request("GET", "users/me")["id"])


@pytest.fixture
def slow_user(live_server: LiveServer, mina: User) -> Iterator[User]:
    """Return the owner of the server on a slow connection: each response of the API takes 400 ms or more."""
    with SlowProxy(*live_server.host_and_port, max(LATENCY, 0.4)) as proxy:
        yield replace(mina, origin=f"http://127.0.0.1:{proxy.port}/")
