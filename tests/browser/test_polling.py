"""How often the page asks whether a board has changed: each question costs something where a function answers it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Page, Request, Route

from tests.browser.conftest import Visit
from tests.browser.page_objects import User

pytestmark = pytest.mark.browser

POLL = "**/events?*"


@dataclass
class Polls:
    """A board in a page whose clock only the test moves, and a server whose answers are given here."""

    page: Page
    addresses: list[str] = field(default_factory=list)
    held: list[Route] = field(default_factory=list)
    holds: bool = False
    under_way: int = 0

    def follow(self) -> None:
        """Count the polls that have no response yet."""
        self.page.on("request", lambda request: self._change_count(request, 1))
        self.page.on("requestfinished", lambda request: self._change_count(request, -1))
        self.page.on("requestfailed", lambda request: self._change_count(request, -1))

    def _change_count(self, request: Request, change: int) -> None:
        self.under_way += change if is_poll(request) else 0

    def wait_for_responses(self) -> None:
        """Wait until the page has got its responses: otherwise its time passes while they are on their way."""
        while self.under_way > len(self.held):
            self.page.wait_for_timeout(1)
        # Its response comes after those of the polls, so by then the page has set its next timer.
        self.page.evaluate("fetch('icon.svg')")

    def answer(self, route: Route) -> None:
        """Answer a poll, or hold it as long as it asks for."""
        self.addresses.append(route.request.url)
        if self.holds and "wait=" in route.request.url:
            self.held.append(route)
        else:
            self.answer_without_news(route)

    @staticmethod
    def answer_without_news(route: Route) -> None:
        """Answer that nothing has changed."""
        route.fulfill(status=304)

    def count_during(self, seconds: int) -> int:
        """Let time pass, second by second, and return how many polls there were."""
        before = len(self.addresses)
        for _ in range(seconds):
            asked = len(self.addresses)
            self.page.clock.run_for(1_000)
            if self.under_way or len(self.addresses) != asked:
                self.wait_for_responses()
        return len(self.addresses) - before

    def pass_minutes(self, minutes: int) -> None:
        """Let time pass, and wait for the poll that was due."""
        self.wait_for_responses()
        with self.page.expect_request(POLL):
            self.page.clock.fast_forward(f"{minutes:02}:00")
        self.wait_for_responses()

    def hide(self, *, hidden: bool) -> None:
        """Put another tab in front of this one, or take it away."""
        self.page.evaluate(
            """(hidden) => {
                Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
                document.dispatchEvent(new Event("visibilitychange"));
            }""",
            hidden,
        )


@pytest.fixture
def polls(mina: User, visit: Visit) -> Iterator[Polls]:
    page = visit.page
    page.clock.install()
    polls = Polls(page)
    polls.follow()
    mina.sign_in(page, mina.create_board("One"))
    page.route(POLL, polls.answer)
    yield polls
    # No more polls, so that none is answered while the page closes.
    page.goto("about:blank")


def is_poll(request: Request) -> bool:
    return "/events?" in request.url


def test_a_page_that_is_used_asks_every_second_and_an_idle_one_every_five(polls: Polls) -> None:
    assert polls.count_during(30) > 7

    polls.pass_minutes(2)

    assert 3 <= polls.count_during(30) <= 7


def test_a_page_without_input_asks_a_server_that_answers_at_once_every_minute(polls: Polls) -> None:
    polls.pass_minutes(6)

    assert 3 <= polls.count_during(300) <= 5
    assert "wait=10" in polls.addresses[-1]


def test_a_page_without_input_lets_a_server_hold_its_requests(polls: Polls) -> None:
    polls.holds = True
    polls.pass_minutes(6)
    assert "wait=10" in polls.addresses[-1]
    polls.page.clock.run_for(10_000)
    with polls.page.expect_request(is_poll):
        polls.answer_without_news(polls.held.pop())
        # The next one follows at once: far sooner than a minute.
        polls.page.clock.run_for(3_000)


def test_the_first_input_after_a_pause_asks_at_once(polls: Polls) -> None:
    polls.pass_minutes(6)
    polls.count_during(10)

    with polls.page.expect_request(is_poll):
        polls.page.keyboard.press("Shift")

    assert polls.count_during(30) > 7


def test_a_hidden_page_asks_every_minute_and_at_once_when_it_is_shown(polls: Polls) -> None:
    polls.hide(hidden=True)
    polls.count_during(10)

    assert 3 <= polls.count_during(300) <= 5
    assert "wait=" not in polls.addresses[-1]
    with polls.page.expect_request(is_poll):
        polls.hide(hidden=False)
