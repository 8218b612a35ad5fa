"""The boards page, imports, exports, the flow page, members and lists."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.page_objects import User, card_titles, list_region

pytestmark = pytest.mark.browser

EXPORT = {
    "id": "5f3c2a1b9d8e7f6a5b4c3d77",
    "name": "Imported",
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


def test_an_export_of_trello_is_imported_with_a_report(mina: User, visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    mina.sign_in(page)
    (tmp_path / "export.json").write_text(json.dumps(EXPORT))

    page.get_by_label("Choose a file").set_input_files(tmp_path / "export.json")
    expect(page.get_by_text("Imported is imported.")).to_be_visible()
    page.get_by_text("Import report").click()
    expect(page.get_by_text("1 of the cards had members")).to_be_visible()
    page.get_by_role("link", name="Open the board").click()

    expect(card_titles(page, "To do")).to_have_text(["<b>Copy</b>"])
    assert not visit.errors


def test_an_exported_board_can_be_imported(mina: User, visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    mina.create_board("One", "Two", name="Orchard / 日本")
    mina.sign_in(page)
    tile = page.locator(".tiles li", has_text="Orchard")

    with page.expect_download() as download:
        tile.get_by_role("button", name="Export").click()
    download.value.save_as(tmp_path / "board.json")
    page.get_by_label("Choose a file").set_input_files(tmp_path / "board.json")
    page.get_by_role("link", name="Open the board").click()

    expect(card_titles(page, "To do")).to_have_text(["One", "Two"])
    assert not visit.errors


def test_a_file_that_is_not_json_is_reported(mina: User, visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    mina.sign_in(page)
    (tmp_path / "export.json").write_text("{")

    page.get_by_label("Choose a file").set_input_files(tmp_path / "export.json")

    expect(page.get_by_text("This file is not JSON")).to_be_visible()


def test_a_board_is_archived_and_unarchived(mina: User, visit: Visit) -> None:
    page = visit.page
    mina.create_board(name="Old garden")
    mina.sign_in(page)
    tile = page.locator(".tiles li", has_text="Old garden")

    tile.get_by_role("button", name="Archive").click()
    expect(page.get_by_role("link", name="Old garden")).to_have_count(0)
    page.get_by_text("Archived boards").click()
    tile.get_by_role("button", name="Unarchive").click()

    expect(page.get_by_role("link", name="Old garden")).to_be_visible()


def test_deleting_a_board_can_be_undone(mina: User, visit: Visit) -> None:
    page = visit.page
    mina.create_board(name="Rose garden")
    mina.sign_in(page)
    tile = page.locator(".tiles li", has_text="Rose garden")

    tile.get_by_role("button", name="Delete").click()
    expect(tile).to_have_count(0)
    expect(page.get_by_text("Rose garden is deleted.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()

    expect(page.get_by_role("link", name="Rose garden")).to_be_visible()
    expect(page.get_by_text("Rose garden is restored.")).to_be_visible()
    assert not visit.errors


def test_a_deleted_board_is_restored(mina: User, visit: Visit) -> None:
    page = visit.page
    board_id = mina.create_board("One", name="Lost garden")
    mina.request("DELETE", f"boards/{board_id}", If_Match="*")
    mina.sign_in(page)
    tile = page.locator(".tiles li", has_text="Lost garden")
    expect(tile).to_have_count(0)

    page.get_by_text("Deleted boards").click()
    expect(tile).to_contain_text("Deleted on")
    tile.get_by_role("button", name="Restore").click()
    expect(page.get_by_text("Lost garden is restored.")).to_be_visible()
    page.get_by_role("link", name="Lost garden").click()

    expect(card_titles(page, "To do")).to_have_text(["One"])
    assert not visit.errors


def test_the_flow_page_shows_charts_and_tables(mina: User, visit: Visit) -> None:
    page = visit.page
    board_id = mina.create_board("One", "Two", hourly_rate_minor=1000)
    one, _ = mina.request("GET", f"boards/{board_id}/cards")["items"]
    for step in ("start", "resolve"):
        mina.request("POST", f"boards/{board_id}/cards/{one['id']}/{step}")
    mina.sign_in(page, board_id)

    page.get_by_role("link", name="Flow").click()

    expect(page.locator("figure svg[role=img]")).to_have_count(3)
    scatter = page.locator("figure", has_text="Cycle time")
    scatter.get_by_text("The same as a table").click()
    expect(scatter.locator("td", has_text="One")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as CSV").click()
    assert download.value.suggested_filename.endswith(".csv")
    assert Path(download.value.path()).read_bytes().startswith(b"\xef\xbb\xbfby,id,name,")
    assert not visit.errors


def test_an_added_member_sees_the_board(mina: User, visit: Visit) -> None:
    page = visit.page
    board_id = mina.create_board("One")
    lou = mina.create_user("lou-joins")
    mina.sign_in(page, board_id)

    page.get_by_role("button", name="Members").click()
    page.get_by_text("Add a user by id").click()
    page.get_by_label("Id of the user").fill(lou.id)
    page.get_by_role("button", name="Add a member").click()
    expect(page.get_by_role("dialog").get_by_text("Lou-Joins")).to_be_visible()

    assert [board["id"] for board in lou.request("GET", "boards")["items"]] == [board_id]


def test_a_list_is_added_renamed_and_given_a_wip_limit(mina: User, visit: Visit) -> None:
    page = visit.page
    mina.sign_in(page, mina.create_board())

    page.get_by_label("Name of the list").fill("Review")
    page.locator(".list-form").get_by_role("button", name="Add").click()
    list_region(page, "Review").get_by_role("button", name="Review").click()
    page.get_by_role("dialog").get_by_label("Name of the list").fill("Looking")
    page.get_by_role("dialog").get_by_label("WIP limit").fill("2")
    page.get_by_role("button", name="Save").click()

    expect(list_region(page, "Looking").locator(".count")).to_contain_text("0/2")
    assert not visit.errors


def test_a_second_visit_loads_no_scripts(mina: User, visit: Visit) -> None:
    """Scripts have an address of their own for each version, so the browser doesn't ask for them again."""
    mina.sign_in(visit.page)
    visit.page.get_by_role("heading", name="Boards", exact=True).wait_for()

    def count_scripts() -> int:
        return sum(".js" in line.get("path", "") for line in mina.server.log)

    count = count_scripts()
    again = visit.page.context.new_page()
    again.goto(mina.origin)
    again.get_by_role("heading", name="Boards", exact=True).wait_for()
    again.reload()
    again.get_by_role("heading", name="Boards", exact=True).wait_for()

    assert count > 40
    assert count_scripts() == count
