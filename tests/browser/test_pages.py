"""The pages beside the board: making boards, bringing them along, and the flow of work."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.people import Person, column, titles

pytestmark = pytest.mark.browser

EXPORT = {
    "id": "5f3c2a1b9d8e7f6a5b4c3d77",
    "name": "From afar",
    "lists": [{"id": "5f3c2a1b0000000000000001", "name": "To do", "pos": 1}],
    "cards": [
        {
            "id": "5f3c2a1b0000000000000002",
            "idList": "5f3c2a1b0000000000000001",
            "name": "<b>Copy</b>",
            "idMembers": ["x"],
        }
    ],
}


def test_an_export_of_trello_is_brought_along_with_its_report(mina: Person, visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    mina.visit(page)
    (tmp_path / "export.json").write_text(json.dumps(EXPORT))

    page.get_by_label("Choose a file").set_input_files(tmp_path / "export.json")
    expect(page.get_by_text("From afar is imported.")).to_be_visible()
    page.get_by_text("Import report").click()
    expect(page.get_by_text("1 of the cards had members")).to_be_visible()
    page.get_by_role("link", name="Open the board").click()

    expect(titles(page, "To do")).to_have_text(["<b>Copy</b>"])
    assert not visit.complaints


def test_a_board_is_saved_as_a_file_and_brought_back(mina: Person, visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    mina.board("One", "Two", name="Orchard / 日本")
    mina.visit(page)
    tile = page.locator(".tiles li", has_text="Orchard")

    with page.expect_download() as saving:
        tile.get_by_role("button", name="Export to a file").click()
    saving.value.save_as(tmp_path / "board.json")
    page.get_by_label("Choose a file").set_input_files(tmp_path / "board.json")
    page.get_by_role("link", name="Open the board").click()

    expect(titles(page, "To do")).to_have_text(["One", "Two"])
    assert not visit.complaints


def test_a_file_that_is_no_export_is_told(mina: Person, visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    mina.visit(page)
    (tmp_path / "export.json").write_text("{")

    page.get_by_label("Choose a file").set_input_files(tmp_path / "export.json")

    expect(page.get_by_text("This file is not JSON")).to_be_visible()


def test_an_archived_board_is_put_away_and_comes_back(mina: Person, visit: Visit) -> None:
    page = visit.page
    mina.board(name="Old garden")
    mina.visit(page)
    tile = page.locator(".tiles li", has_text="Old garden")

    tile.get_by_role("button", name="Archive").click()
    expect(page.get_by_role("link", name="Old garden")).to_have_count(0)
    page.get_by_text("Archived boards").click()
    tile.get_by_role("button", name="Unarchive").click()

    expect(page.get_by_role("link", name="Old garden")).to_be_visible()


def test_a_board_that_was_deleted_by_mistake_is_brought_back_at_once(mina: Person, visit: Visit) -> None:
    page = visit.page
    mina.board(name="Rose garden")
    mina.visit(page)
    tile = page.locator(".tiles li", has_text="Rose garden")

    tile.get_by_role("button", name="Delete").click()
    expect(tile).to_have_count(0)
    expect(page.get_by_text("Rose garden is deleted.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()

    expect(page.get_by_role("link", name="Rose garden")).to_be_visible()
    expect(page.get_by_text("Rose garden is restored.")).to_be_visible()
    assert not visit.complaints


def test_a_deleted_board_is_found_and_restored(mina: Person, visit: Visit) -> None:
    page = visit.page
    board_id = mina.board("One", name="Lost garden")
    mina.ask("DELETE", f"boards/{board_id}", If_Match="*")
    mina.visit(page)
    tile = page.locator(".tiles li", has_text="Lost garden")
    expect(tile).to_have_count(0)

    page.get_by_text("Deleted boards").click()
    expect(tile).to_contain_text("Deleted on")
    tile.get_by_role("button", name="Restore").click()
    expect(page.get_by_text("Lost garden is restored.")).to_be_visible()
    page.get_by_role("link", name="Lost garden").click()

    expect(titles(page, "To do")).to_have_text(["One"])
    assert not visit.complaints


def test_the_flow_page_draws_what_happened_and_shows_it_as_tables(mina: Person, visit: Visit) -> None:
    page = visit.page
    board_id = mina.board("One", "Two", hourly_rate_minor=1000)
    one, _ = mina.ask("GET", f"boards/{board_id}/cards")["items"]
    for step in ("start", "resolve"):
        mina.ask("POST", f"boards/{board_id}/cards/{one['id']}/{step}")
    mina.visit(page, board_id)

    page.get_by_role("link", name="Flow").click()

    expect(page.locator("figure svg[role=img]")).to_have_count(3)
    scatter = page.locator("figure", has_text="Cycle time")
    scatter.get_by_text("The same as a table").click()
    expect(scatter.locator("td", has_text="One")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as CSV").click()
    assert download.value.suggested_filename.endswith(".csv")
    assert Path(download.value.path()).read_bytes().startswith(b"\xef\xbb\xbfby,id,name,")
    assert not visit.complaints


def test_a_member_is_let_in_and_sees_the_board(mina: Person, visit: Visit) -> None:
    page = visit.page
    board_id = mina.board("One")
    lou = mina.friend("lou-joins")
    mina.visit(page, board_id)

    page.get_by_role("button", name="Members").click()
    page.get_by_label("Id of the user").fill(lou.id)
    page.get_by_role("button", name="Add a member").click()
    expect(page.get_by_role("dialog").get_by_text("Lou-Joins")).to_be_visible()

    assert [each["id"] for each in lou.ask("GET", "boards")["items"]] == [board_id]


def test_a_list_is_added_renamed_and_limited(mina: Person, visit: Visit) -> None:
    page = visit.page
    mina.visit(page, mina.board())

    page.get_by_label("Name of the list").fill("Review")
    page.locator(".list-form").get_by_role("button", name="Add").click()
    column(page, "Review").get_by_role("button", name="Review").click()
    page.get_by_role("dialog").get_by_label("Name of the list").fill("Looking")
    page.get_by_role("dialog").get_by_label("WIP limit").fill("2")
    page.get_by_role("button", name="Save").click()

    expect(column(page, "Looking").locator(".count")).to_contain_text("0/2")
    assert not visit.complaints
