"""A headless Chromium with a fresh profile for every test, and a record of whatever it complains about.

LATENCY=150 has every answer of the API take 150 ms longer; without it, answers come as soon as they can.
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.people import Person
from tests.browser.slow_line import SlowLine
from tests.live_server import LiveServer

# Without these, Chromium looks for its maker's servers as soon as it starts.
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")

# A server on this machine by a name that isn't localhost: to a browser it is as far away and as insecure as any other.
ON_THE_LAN = "tackboard.test"
NAMED = f"--host-resolver-rules=MAP {ON_THE_LAN} 127.0.0.1"


# What is expected comes as soon as the machine has time for it, and on a busy one that may take a while.
expect.set_options(timeout=20_000)


LATENCY = int(os.environ.get("LATENCY", "0")) / 1000
"""How many seconds an answer of the API takes longer than it must."""


@dataclass
class Visit:
    """A page, and what went wrong on it: errors on the console, exceptions, breaches of the security policy."""

    page: Page
    complaints: list[str] = field(default_factory=list)


# Playwright keeps an event loop in this thread while it runs, so it doesn't outlive the tests that need it.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        pytest.fail("There is no Chromium: install it, or name it with CHROMIUM=/path/to/chromium.", pytrace=False)
    # Chromium's own sandbox does not work for root, as whom tests run in containers.
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=found, args=[*QUIET, NAMED], chromium_sandbox=os.geteuid() != 0
        )
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    context = browser.new_context()
    visit = Visit(context.new_page())
    context.on("weberror", lambda error: visit.complaints.append(str(error.error)))
    # A breach of the content security policy is an error on the console, too.
    context.on("console", lambda message: visit.complaints.append(message.text) if message.type == "error" else None)
    yield visit
    context.close()


@pytest.fixture(scope="session")
def origin(live_server: LiveServer) -> Iterator[str]:
    """Where browsers find the server, with a slash at the end."""
    if not LATENCY:
        yield live_server.url
        return
    with SlowLine(*live_server.host_and_port, LATENCY) as line:
        yield f"http://127.0.0.1:{line.port}/"


@pytest.fixture
def mina(live_server: LiveServer, origin: str) -> Person:
    """The owner of the server."""
    assert live_server.token
    owner = Person(live_server, origin, live_server.token)
    return Person(live_server, origin, live_server.token, owner.ask("GET", "users/me")["id"])


@pytest.fixture
def far(live_server: LiveServer, mina: Person) -> Iterator[Person]:
    """The owner of the server, far away from it: each answer of the API takes 400 ms or more."""
    with SlowLine(*live_server.host_and_port, max(LATENCY, 0.4)) as line:
        yield replace(mina, origin=f"http://127.0.0.1:{line.port}/")
