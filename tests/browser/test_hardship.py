"""Text that means harm, clocks that are wrong, servers that don't answer: the page stays usable and says so."""

import re

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.browser.conftest import Visit
from tests.browser.people import Person, card, column, drag, titles, write_down_time

pytestmark = pytest.mark.browser

EXPORT = """{"id": "5f3c2a1b9d8e7f6a5b4c3d99", "name": "Dropped", "cards": [],
  "lists": [{"id": "5f3c2a1b0000000000000009", "name": "To do", "pos": 1}]}"""
DAY = 86_400_000


def _describe(mina: Person, text: str) -> str:
    """A board with a card that says this; its id."""
    board_id = mina.board("One")
    (found,) = mina.ask("GET", f"boards/{board_id}/cards")["items"]
    mina.ask("PATCH", f"boards/{board_id}/cards/{found['id']}", {"description": text}, If_Match="*")
    return board_id


def test_an_export_is_brought_along_by_drop(mina: Person, visit: Visit) -> None:
    page = visit.page
    mina.visit(page)
    carried = page.evaluate_handle(
        """(text) => { const carried = new DataTransfer();
        carried.items.add(new File([text], "export.json", { type: "application/json" })); return carried; }""",
        EXPORT,
    )

    page.dispatch_event(".drop-zone", "drop", {"dataTransfer": carried})

    expect(page.get_by_text("Dropped is imported.")).to_be_visible()
    page.get_by_role("link", name="Open the board").click()
    expect(column(page, "To do")).to_be_visible()
    assert not visit.complaints


@pytest.mark.parametrize(
    "text",
    ["**" * 9999, "[" * 20_000, "> " * 9999, "`*_[](" * 3333, "- x\n" * 4999, "http://" + "a" * 19_993],
    ids=["bold", "brackets", "quotes", "mixture", "items", "address"],
)
def test_a_description_that_is_long_and_mean_is_drawn_at_once(mina: Person, visit: Visit, text: str) -> None:
    mina.visit(visit.page, _describe(mina, text))

    spent = visit.page.evaluate(
        """async (text) => { const { markdown } = await import("./markdown.js");
        const start = performance.now(); markdown(text); return performance.now() - start; }""",
        text,
    )

    # A reader that goes back and forth would need minutes.
    assert spent < 20_000
    card(visit.page, "One").click()
    expect(visit.page.locator("dialog .markdown")).to_be_visible()
    assert not visit.complaints


def test_writing_from_the_right_and_emoji_stand_as_they_were_written(mina: Person, visit: Visit) -> None:
    title = "לוח 🧑‍🍳 العربية"
    mina.visit(visit.page, mina.board(title))

    expect(titles(visit.page, "To do")).to_have_text([title])
    assert titles(visit.page, "To do").evaluate("(title) => getComputedStyle(title).direction") == "rtl"


@pytest.mark.parametrize("days", [-1, 1])
def test_a_clock_that_is_off_by_a_day_changes_no_running_time(mina: Person, visit: Visit, days: int) -> None:
    page = visit.page
    page.add_init_script(
        f"""const RealDate = Date; const now = () => RealDate.now() + {days * DAY};
        globalThis.Date = class extends RealDate {{
          constructor(...given) {{ if (given.length) super(...given); else super(now()); }}
          static now() {{ return now(); }}
        }};"""
    )
    board_id = mina.board("One")
    mina.visit(page, board_id)

    drag(page, "One", "Doing")

    expect(column(page, "Doing").locator(".running")).to_have_text(re.compile(r"^00:00:\d\d$"))
    page.get_by_role("link", name="Flow").click()
    expect(page.locator("figure").first).to_be_visible()
    assert not visit.complaints


@pytest.mark.parametrize("path", ["", "/flow"])
def test_a_server_that_answers_503_to_all_is_told_and_can_be_asked_again(mina: Person, visit: Visit, path: str) -> None:
    page = visit.page
    board_id = mina.board("One")
    mina.visit(page)
    page.route("**/v1/boards/**", _busy)

    page.evaluate("(hash) => { location.hash = hash }", f"#/boards/{board_id}{path}")
    expect(page.get_by_role("alert")).to_contain_text("Come back in a moment.")
    page.unroute("**/v1/boards/**")
    page.get_by_role("button", name="Try again").click()

    expect(page.get_by_role("link", name="Board" if path else "Flow", exact=True)).to_be_visible()


def test_who_asks_too_much_waits_as_long_as_the_server_says_and_asks_again(mina: Person, visit: Visit) -> None:
    page = visit.page
    board_id = mina.board("One")
    mina.visit(page, board_id)
    refusal = {"status": 429, "headers": {"Retry-After": "1"}, "json": {"code": "rate_limited", "detail": "Too much."}}
    page.route("**/move", lambda route: route.fulfill(**refusal), times=1)

    with page.expect_response(lambda response: response.url.endswith("/move") and response.ok):
        drag(page, "One", "Doing")

    expect(page.get_by_text("Too much.")).to_have_count(0)
    assert [each["status"] for each in mina.ask("GET", f"boards/{board_id}/cards")["items"]] == ["in_progress"]


def _busy(route: Route) -> None:
    route.fulfill(status=503, json={"code": "busy", "detail": "Come back in a moment."})


def test_a_server_that_answers_nothing_is_told_and_the_board_stays(mina: Person, visit: Visit) -> None:
    page = visit.page
    mina.visit(page, mina.board("One"))

    page.route("**/v1/**", lambda route: route.abort())
    expect(page.locator("#connection")).to_contain_text("The server does not answer.")
    expect(titles(page, "To do")).to_have_text(["One"])
    page.unroute("**/v1/**")

    expect(page.locator("#connection")).to_be_hidden(timeout=30_000)


def test_a_move_that_did_not_arrive_is_taken_back_when_the_server_answers_again(mina: Person, visit: Visit) -> None:
    page = visit.page
    mina.visit(page, mina.board("One"))

    page.route("**/v1/**", lambda route: route.abort())
    drag(page, "One", "Doing")
    expect(page.locator(".notification.error")).to_be_visible()
    expect(page.locator("#connection")).to_contain_text("The server does not answer.")
    page.unroute("**/v1/**")

    expect(titles(page, "To do")).to_have_text(["One"], timeout=40_000)


def test_a_board_that_could_not_be_read_anew_is_read_later(mina: Person, visit: Visit) -> None:
    page = visit.page
    board_id = mina.board("One")
    mina.visit(page, board_id)

    page.route("**/boards/*?embed=*", _busy)
    mina.ask("POST", f"boards/{board_id}/cards", {"title": "Two"})
    expect(page.locator("#connection")).to_contain_text("The server does not answer.")
    page.unroute("**/boards/*?embed=*")

    expect(titles(page, "To do")).to_have_text(["One", "Two"], timeout=30_000)


def test_a_card_that_could_not_be_read_when_it_was_opened_can_be_saved(mina: Person, visit: Visit) -> None:
    page = visit.page
    mina.visit(page, mina.board("One"))

    page.route("**/cards/*", _busy)
    card(page, "One").click()
    expect(page.locator(".notification.error")).to_contain_text("Come back in a moment.")
    page.unroute("**/cards/*")
    page.get_by_role("dialog").get_by_label("Title of the card").fill("Two")
    page.keyboard.press("Enter")

    expect(titles(page, "To do")).to_have_text(["Two"])


def test_time_that_was_written_down_is_not_asked_for_again_when_the_board_cannot_be_read(
    mina: Person, visit: Visit
) -> None:
    page = visit.page
    mina.visit(page, mina.board("One"))
    card(page, "One").click()
    time = write_down_time(page)

    page.route("**/boards/*?embed=*", _busy)
    time.get_by_role("button", name="Save").click()

    expect(page.locator(".notification.error").first).to_contain_text("Come back in a moment.")
    expect(time.get_by_role("button", name="Add a time entry")).to_be_visible()


def test_an_answer_that_is_no_json_is_told(mina: Person, visit: Visit) -> None:
    page = visit.page
    mina.visit(page, mina.board("One"))
    page.route("**/move", lambda route: route.fulfill(status=502, content_type="text/html", body="<h1>Bad gateway"))

    drag(page, "One", "Doing")

    expect(page.get_by_text("That did not work.")).to_be_visible()
    expect(titles(page, "To do")).to_have_text(["One"])


def test_a_card_that_is_gone_meanwhile_is_told_and_goes(mina: Person, visit: Visit) -> None:
    page = visit.page
    board_id = mina.board("One", "Two")
    mina.visit(page, board_id)
    one, _ = mina.ask("GET", f"boards/{board_id}/cards")["items"]
    page.route("**/events?*", lambda route: route.abort())
    mina.ask("DELETE", f"boards/{board_id}/cards/{one['id']}", If_Match="*")

    drag(page, "One", "Doing")

    expect(page.locator(".notification.error")).to_be_visible()
    expect(page.locator(".card .title")).to_have_text(["Two"])


@pytest.mark.parametrize("locale", ["de-DE", "ar-EG", "ja-JP"])
def test_dates_and_money_are_written_as_the_reader_writes_them(mina: Person, browser: Browser, locale: str) -> None:
    complaints: list[str] = []
    page = browser.new_context(locale=locale).new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    board_id = mina.board("One", hourly_rate_minor=1000, currency="EUR")
    (found,) = mina.ask("GET", f"boards/{board_id}/cards")["items"]
    path = f"boards/{board_id}/cards/{found['id']}"
    work = {"started_at": "2026-03-02T14:00:00Z", "ended_at": "2026-03-02T15:00:00Z"}
    mina.ask("POST", f"{path}/time-entries", work)
    mina.visit(page, board_id)

    card(page, "One").click()

    cost = page.evaluate("new Intl.NumberFormat(undefined, { style: 'currency', currency: 'EUR' }).format(10)")
    day = page.evaluate(
        "(at) => new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(at))",
        work["started_at"],
    )
    expect(page.get_by_role("region", name="Time and cost").locator("p").first).to_contain_text(cost)
    expect(page.get_by_role("region", name="Time entries").locator("tbody td").first).to_have_text(day)
    assert not complaints
    page.context.close()
