"""Malicious text, wrong clocks and failing servers: the page stays usable and reports errors."""

import re

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.browser.conftest import Visit
from tests.browser.page_objects import User, card, card_titles, drag, fill_time_form, list_region

pytestmark = pytest.mark.browser

EXPORT = """{"id": "5f3c2a1b9d8e7f6a5b4c3d99", "name": "Dropped", "cards": [],
  "lists": [{"id": "5f3c2a1b0000000000000009", "name": "To do", "pos": 1}]}"""
DAY_MS = 86_400_000


def _create_described_card(mina: User, text: str) -> str:
    """Create a board with a card that has a description, and return its id."""
    board_id = mina.create_board("One")
    (stored_card,) = mina.request("GET", f"boards/{board_id}/cards")["items"]
    mina.request("PATCH", f"boards/{board_id}/cards/{stored_card['id']}", {"description": text}, If_Match="*")
    return board_id


def test_a_dropped_file_is_imported(mina: User, visit: Visit) -> None:
    page = visit.page
    mina.sign_in(page)
    transfer = page.evaluate_handle(
        """(text) => { const transfer = new DataTransfer();
        transfer.items.add(new File([text], "export.json", { type: "application/json" })); return transfer; }""",
        EXPORT,
    )

    page.dispatch_event(".drop-zone", "drop", {"dataTransfer": transfer})

    expect(page.get_by_text("Dropped is imported.")).to_be_visible()
    page.get_by_role("link", name="Open the board").click()
    expect(list_region(page, "To do")).to_be_visible()
    assert not visit.errors


@pytest.mark.parametrize(
    "text",
    ["**" * 9999, "[" * 20_000, "> " * 9999, "`*_[](" * 3333, "- x\n" * 4999, "http://" + "a" * 19_993],
    ids=["bold", "brackets", "quotes", "mixture", "items", "address"],
)
def test_a_long_malicious_description_is_rendered_quickly(mina: User, visit: Visit, text: str) -> None:
    mina.sign_in(visit.page, _create_described_card(mina, text))

    elapsed_ms = visit.page.evaluate(
        """async (text) => { const { src } = document.querySelector("script");
        const { markdown } = await import(new URL("markdown.js", src).href);
        const start = performance.now(); markdown(text); return performance.now() - start; }""",
        text,
    )

    # A parser that backtracks would need minutes.
    assert elapsed_ms < 20_000
    card(visit.page, "One").click()
    expect(visit.page.locator("dialog .markdown")).to_be_visible()
    assert not visit.errors


def test_right_to_left_text_and_emoji_are_kept(mina: User, visit: Visit) -> None:
    title = "לוח 🧑‍🍳 العربية"
    mina.sign_in(visit.page, mina.create_board(title))

    expect(card_titles(visit.page, "To do")).to_have_text([title])
    assert card_titles(visit.page, "To do").evaluate("(title) => getComputedStyle(title).direction") == "rtl"


@pytest.mark.parametrize("days", [-1, 1])
def test_a_wrong_system_clock_does_not_change_a_running_clock(mina: User, visit: Visit, days: int) -> None:
    page = visit.page
    page.add_init_script(
        f"""const RealDate = Date; const now = () => RealDate.now() + {days * DAY_MS};
        globalThis.Date = class extends RealDate {{
          constructor(...values) {{ if (values.length) super(...values); else super(now()); }}
          static now() {{ return now(); }}
        }};"""
    )
    board_id = mina.create_board("One")
    mina.sign_in(page, board_id)

    drag(page, "One", "Doing")

    expect(list_region(page, "Doing").locator(".running")).to_have_text(re.compile(r"^00:00:\d\d$"))
    page.get_by_role("link", name="Flow").click()
    expect(page.locator("figure").first).to_be_visible()
    assert not visit.errors


@pytest.mark.parametrize("path", ["", "/flow"])
def test_a_503_is_shown_and_can_be_retried(mina: User, visit: Visit, path: str) -> None:
    page = visit.page
    board_id = mina.create_board("One")
    mina.sign_in(page)
    page.route("**/v1/boards/**", _respond_busy)

    page.evaluate("(hash) => { location.hash = hash }", f"#/boards/{board_id}{path}")
    expect(page.get_by_role("alert")).to_contain_text("Come back in a moment.")
    page.unroute("**/v1/boards/**")
    page.get_by_role("button", name="Try again").click()

    expect(page.get_by_role("link", name="Board" if path else "Flow", exact=True)).to_be_visible()


def test_a_rate_limited_request_is_retried_after_the_given_time(mina: User, visit: Visit) -> None:
    page = visit.page
    board_id = mina.create_board("One")
    mina.sign_in(page, board_id)
    rejection = {
        "status": 429,
        "headers": {"Retry-After": "1"},
        "json": {"code": "rate_limited", "detail": "Too much."},
    }
    page.route("**/move", lambda route: route.fulfill(**rejection), times=1)

    with page.expect_response(lambda response: response.url.endswith("/move") and response.ok):
        drag(page, "One", "Doing")

    expect(page.get_by_text("Too much.")).to_have_count(0)
    assert [stored["status"] for stored in mina.request("GET", f"boards/{board_id}/cards")["items"]] == ["in_progress"]


def _respond_busy(route: Route) -> None:
    route.fulfill(status=503, json={"code": "busy", "detail": "Come back in a moment."})


def test_the_board_stays_while_the_server_does_not_answer(mina: User, visit: Visit) -> None:
    page = visit.page
    mina.sign_in(page, mina.create_board("One"))

    page.route("**/v1/**", lambda route: route.abort())
    expect(page.locator("#connection")).to_contain_text("The server does not answer.")
    expect(card_titles(page, "To do")).to_have_text(["One"])
    page.unroute("**/v1/**")

    expect(page.locator("#connection")).to_be_hidden(timeout=30_000)


def test_a_move_that_was_not_received_is_reverted_after_reconnecting(mina: User, visit: Visit) -> None:
    page = visit.page
    mina.sign_in(page, mina.create_board("One"))

    page.route("**/v1/**", lambda route: route.abort())
    drag(page, "One", "Doing")
    expect(page.locator(".notification.error")).to_be_visible()
    expect(page.locator("#connection")).to_contain_text("The server does not answer.")
    page.unroute("**/v1/**")

    expect(card_titles(page, "To do")).to_have_text(["One"], timeout=40_000)


def test_a_failed_reload_of_the_board_is_repeated(mina: User, visit: Visit) -> None:
    page = visit.page
    board_id = mina.create_board("One")
    mina.sign_in(page, board_id)

    page.route("**/boards/*?embed=*", _respond_busy)
    mina.request("POST", f"boards/{board_id}/cards", {"title": "Two"})
    expect(page.locator("#connection")).to_contain_text("The server does not answer.")
    page.unroute("**/boards/*?embed=*")

    expect(card_titles(page, "To do")).to_have_text(["One", "Two"], timeout=30_000)


def test_a_card_that_could_not_be_read_can_be_saved(mina: User, visit: Visit) -> None:
    page = visit.page
    mina.sign_in(page, mina.create_board("One"))

    page.route("**/cards/*", _respond_busy)
    card(page, "One").click()
    expect(page.locator(".notification.error")).to_contain_text("Come back in a moment.")
    page.unroute("**/cards/*")
    page.get_by_role("dialog").get_by_label("Title of the card").fill("Two")
    page.keyboard.press("Enter")

    expect(card_titles(page, "To do")).to_have_text(["Two"])


def test_the_time_form_closes_even_if_the_board_cannot_be_reloaded(mina: User, visit: Visit) -> None:
    page = visit.page
    mina.sign_in(page, mina.create_board("One"))
    card(page, "One").click()
    time = fill_time_form(page)

    page.route("**/boards/*?embed=*", _respond_busy)
    time.get_by_role("button", name="Save").click()

    expect(page.locator(".notification.error").first).to_contain_text("Come back in a moment.")
    expect(time.get_by_role("button", name="Add a time entry")).to_be_visible()


def test_a_response_without_json_is_reported(mina: User, visit: Visit) -> None:
    page = visit.page
    mina.sign_in(page, mina.create_board("One"))
    page.route("**/move", lambda route: route.fulfill(status=502, content_type="text/html", body="<h1>Bad gateway"))

    drag(page, "One", "Doing")

    expect(page.get_by_text("That did not work.")).to_be_visible()
    expect(card_titles(page, "To do")).to_have_text(["One"])


def test_moving_a_deleted_card_reports_an_error_and_removes_the_card(mina: User, visit: Visit) -> None:
    page = visit.page
    board_id = mina.create_board("One", "Two")
    mina.sign_in(page, board_id)
    one, _ = mina.request("GET", f"boards/{board_id}/cards")["items"]
    page.route("**/events?*", lambda route: route.abort())
    mina.request("DELETE", f"boards/{board_id}/cards/{one['id']}", If_Match="*")

    drag(page, "One", "Doing")

    expect(page.locator(".notification.error")).to_be_visible()
    expect(page.locator(".card .title")).to_have_text(["Two"])


@pytest.mark.parametrize("locale", ["de-DE", "ar-EG", "ja-JP"])
def test_dates_and_money_follow_the_locale(mina: User, browser: Browser, locale: str) -> None:
    errors: list[str] = []
    page = browser.new_context(locale=locale).new_page()
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    board_id = mina.create_board("One", hourly_rate_minor=1000, currency="EUR")
    (stored_card,) = mina.request("GET", f"boards/{board_id}/cards")["items"]
    path = f"boards/{board_id}/cards/{stored_card['id']}"
    work = {"started_at": "2026-03-02T14:00:00Z", "ended_at": "2026-03-02T15:00:00Z"}
    mina.request("POST", f"{path}/time-entries", work)
    mina.sign_in(page, board_id)

    card(page, "One").click()

    cost = page.evaluate("new Intl.NumberFormat(undefined, { style: 'currency', currency: 'EUR' }).format(10)")
    started_at = page.evaluate(
        "(at) => new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(at))",
        work["started_at"],
    )
    expect(page.get_by_role("region", name="Time and cost").locator("p").first).to_contain_text(cost)
    expect(page.get_by_role("region", name="Time entries").locator("tbody td").first).to_have_text(started_at)
    assert not errors
    page.context.close()
