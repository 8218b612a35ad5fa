"""What is stored about a user, as the user gets it."""

from typing import Any

import pytest

from kanban.store import Store
from tests.api.client import Client
from usecases import personal_export


def read_pages(client: Client) -> list[dict[str, Any]]:
    """Return all pages of a client's export."""
    pages: list[dict[str, Any]] = []
    path = "/users/me/export"
    while True:
        response = client.get(path)
        assert response.status == 200, response.json
        pages.append(response.json)
        if response.json["next_cursor"] is None:
            return pages
        path = f"/users/me/export?cursor={response.json['next_cursor']}"


def export(client: Client) -> dict[str, Any]:
    """Return a client's export, the pages put together."""
    pages = read_pages(client)
    assert [page["user"] is None for page in pages] == [number > 0 for number in range(len(pages))]
    arrays = {name for name, part in pages[0].items() if isinstance(part, list)}
    return {"user": pages[0]["user"]} | {name: [item for page in pages for item in page[name]] for name in arrays}


def fill_board(owner: Client, other: Client, name: str) -> str:
    """Create a board with cards, comments and time entries of both; return its id."""
    board_id: str = owner.post("/boards", {"name": name}).json["id"]
    owner.put(f"/boards/{board_id}/members/omar", {"role": "editor"})
    card_id = owner.post(f"/boards/{board_id}/cards", {"title": "Card"}).json["id"]
    card = f"/boards/{board_id}/cards/{card_id}"
    for client, text in ((owner, "By Mina"), (other, "By Omar")):
        assert client.post(f"{card}/comments", {"text": text}).status == 201
        worked = {"started_at": "2026-11-20T10:00:00Z", "ended_at": "2026-11-20T11:00:00Z"}
        assert client.post(f"{card}/time-entries", worked).status == 201
    owner.put(f"{card}/assignees/omar")
    return board_id


@pytest.mark.parametrize("max_reads", [1, 3, 100])
def test_an_export_has_everything_about_the_caller_and_nothing_else(
    mina: Client, omar: Client, monkeypatch: pytest.MonkeyPatch, max_reads: int
) -> None:
    monkeypatch.setattr(personal_export, "MAX_READS_PER_PAGE", max_reads)
    boards = [fill_board(mina, omar, name) for name in ("One", "Two", "Archived", "Deleted")]
    mina.post(f"/boards/{boards[2]}/archive")
    mina.delete(f"/boards/{boards[3]}", **{"If-Match": "*"})
    code = omar.post("/users/me/sign-in-codes").json["code"]
    omar.post("/sessions", {"code": code, "name": "Phone"})
    omar.post("/users/me/tokens", {"name": "Script", "scopes": ["read"]})

    exported = export(omar)

    assert exported["user"] == omar.get("/users/me").json
    assert [session["name"] for session in exported["sessions"]] == ["Phone"]
    assert [token["name"] for token in exported["tokens"]] == ["Script", "First token"]
    assert sorted((item["board_name"], item["role"]) for item in exported["memberships"]) == [
        ("Archived", "editor"),
        ("One", "editor"),
        ("Two", "editor"),
    ]
    assert {item["board_id"] for item in exported["assigned_cards"]} == {*boards[:2]}
    assert [comment["text"] for comment in exported["comments"]] == ["By Omar"] * 3
    assert [comment["board_id"] for comment in exported["comments"]] == sorted(boards[:3])
    assert [entry["user_id"] for entry in exported["time_entries"]] == ["omar"] * 3
    assert exported["identities"] == []
    assert "secret" not in str(exported)


def test_a_page_is_bounded(mina: Client, omar: Client) -> None:
    board_id = fill_board(mina, omar, "Many")
    (card,) = omar.get(f"/boards/{board_id}/cards").json["items"]
    for number in range(250):
        omar.post(f"/boards/{board_id}/cards/{card['id']}/comments", {"text": str(number)})

    pages = read_pages(omar)

    assert sum(len(page["comments"]) for page in pages) == 251
    assert max(len(page["comments"]) for page in pages) < 200
    assert len(pages) >= 3


def test_time_that_the_caller_recorded_for_others_is_theirs_too(mina: Client, omar: Client) -> None:
    board_id = fill_board(mina, omar, "Shop")
    (card,) = mina.get(f"/boards/{board_id}/cards").json["items"]
    worked = {"started_at": "2026-11-19T10:00:00Z", "ended_at": "2026-11-19T11:00:00Z", "user_id": "omar"}
    mina.post(f"/boards/{board_id}/cards/{card['id']}/time-entries", worked)

    assert [entry["user_id"] for entry in export(mina)["time_entries"]] == ["omar", "mina"]


def test_a_board_that_the_caller_has_left_is_no_part_of_it(mina: Client, omar: Client) -> None:
    board_id = fill_board(mina, omar, "Left")
    omar.delete(f"/boards/{board_id}/members/omar")

    exported = export(omar)

    assert (exported["memberships"], exported["comments"], exported["time_entries"]) == ([], [], [])


def test_a_narrowed_token_exports_nothing(mina: Client, store: Store) -> None:
    del store
    secret = mina.post("/users/me/tokens", {"name": "x", "scopes": ["read"], "max_role": "viewer"}).json["secret"]

    rejected = mina.with_token(secret).get("/users/me/export")

    assert (rejected.status, rejected.json["code"]) == (403, "token_too_narrow")


def test_a_cursor_of_another_listing_is_rejected(mina: Client, omar: Client) -> None:
    for name in ("One", "Two"):
        fill_board(mina, omar, name)
    cursor = mina.get("/boards?limit=1").json["next_cursor"]

    assert mina.get(f"/users/me/export?cursor={cursor}").json["code"] == "invalid_cursor"
