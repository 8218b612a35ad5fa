"""A headless Chromium with a fresh profile for every test, and a record of whatever it complains about."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.people import Person
from tests.live_server import LiveServer

# Without these, Chromium looks for its maker's servers as soon as it starts.
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")


# What is expected comes as soon as the machine has time for it, and on a busy one that may take a while.
expect.set_options(timeout=20_000)


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
            executable_path=found, args=list(QUIET), chromium_sandbox=os.geteuid() != 0
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


@pytest.fixture
def mina(live_server: LiveServer) -> Person:
    """The owner of the server."""
    assert live_server.token
    owner = Person(live_server, live_server.token)
    return Person(live_server, live_server.token, owner.ask("GET", "users/me")["id"])
