"""Listing deleted boards, lists and cards as long as they can be restored."""

from typing import Any

import pytest

from tests.api.client import Client, HttpResponse
from tests.api.manual_clock import ManualClock

MONTH = 30 * 24 * 60
"""Minutes within which a deletion can be undone."""


def create_board(client: Client, name: str) -> str:
    """Create a board and return its path."""
    return f"/boards/{client.post('/boards', {'name': name}).json['id']}"


def find_list(client: Client, board: str, name: str) -> str:
    """Return the path of an active list."""
    list_id = next(list_["id"] for list_ in client.get(f"{board}/lists").json["items"] if list_["name"] == name)
    return f"{board}/lists/{list_id}"


def delete(client: Client, *paths: str) -> None:
    for path in paths:
        assert client.delete(path, If_Match="*").status == 204


def names(response: HttpResponse) -> list[str]:
    return [item["name"] for item in response.json["items"]]


def list_all(client: Client, path: str) -> list[dict[str, Any]]:
    """Return the items of all pages, following their links."""
    items: list[dict[str, Any]] = []
    link: str | None = path
    while link:
        response = client.get(link)
        items += response.json["items"]
        link = response.headers.get("link")
        assert (link is None) == (response.json["next_cursor"] is None)
        link = link and link.removeprefix("</v1").removesuffix('>; rel="next"')
    return items


def titles(client: Client, path: str) -> list[str]:
    return [item["title"] for item in list_all(client, path)]


# Boards


def test_a_deleted_board_can_be_listed_and_restored(mina: Client, clock: ManualClock) -> None:
    website, garden = create_board(mina, "Website"), create_board(mina, "Garden")
    mina.post(f"{website}/archive")
    clock.advance(minutes=1)
    delete(mina, website)

    (deleted_board,) = mina.get("/boards?deleted=true").json["items"]
    repeated = mina.get("/boards?deleted=true&archived=true")
    restored = mina.post(f"/boards/{deleted_board['id']}/restore")

    assert (deleted_board["name"], deleted_board["role"], deleted_board["deleted_at"]) == (
        "Website",
        "owner",
        f"{clock.now:%Y-%m-%dT%H:%M:%SZ}",
    )
    assert deleted_board["archived_at"] < deleted_board["deleted_at"]
    assert repeated.json["items"] == [deleted_board]
    assert (restored.status, restored.json["name"]) == (200, "Website")
    assert "deleted_at" not in restored.json
    assert mina.get("/boards?deleted=true").json["items"] == []
    assert names(mina.get("/boards?deleted=false")) == ["Garden"]
    assert names(mina.get("/boards?archived=true")) == ["Website"]
    assert mina.get(garden).status == 200


def test_deleted_boards_are_paged_newest_first(mina: Client) -> None:
    boards = [create_board(mina, f"Board {number}") for number in range(5)]
    delete(mina, boards[3], boards[0], boards[1])

    first = mina.get("/boards?deleted=true&limit=2")
    other_listing = mina.get(f"/boards?limit=2&cursor={first.json['next_cursor']}")

    assert [board["name"] for board in list_all(mina, "/boards?deleted=true&limit=2")] == [
        "Board 3",
        "Board 1",
        "Board 0",
    ]
    assert names(first) == ["Board 3", "Board 1"]
    assert (other_listing.status, other_listing.json["code"]) == (400, "invalid_cursor")


def test_a_deleted_board_is_listed_for_its_owners_only(mina: Client, omar: Client) -> None:
    board, other = create_board(mina, "Website"), create_board(mina, "Garden")
    mina.put(f"{board}/members/omar", {"role": "editor"})
    mina.put(f"{other}/members/omar", {"role": "owner"})
    delete(mina, board, other)

    assert names(mina.get("/boards?deleted=true")) == ["Garden", "Website"]
    assert names(omar.get("/boards?deleted=true")) == ["Garden"]
    assert omar.post(f"{board}/restore").json["code"] == "role_too_low"


def test_a_deleted_board_is_listed_as_long_as_it_can_be_restored(mina: Client, clock: ManualClock) -> None:
    board = create_board(mina, "Website")
    delete(mina, board)

    clock.advance(minutes=MONTH)
    at_last = names(mina.get("/boards?deleted=true"))
    clock.advance(seconds=1)
    too_late = names(mina.get("/boards?deleted=true"))

    assert (at_last, too_late) == (["Website"], [])
    assert mina.post(f"{board}/restore").status == 404


# Lists


def test_a_deleted_list_can_be_listed_and_restored(mina: Client, clock: ManualClock) -> None:
    board = create_board(mina, "Website")
    doing = find_list(mina, board, "Doing")
    mina.post(f"{board}/cards", {"title": "Copy", "list_id": doing.rpartition("/")[2]})
    mina.post(f"{doing}/archive")
    clock.advance(minutes=1)
    delete(mina, doing)

    (deleted_list,) = mina.get(f"{board}/lists?deleted=true").json["items"]
    repeated = mina.get(f"{board}/lists?deleted=true&archived=true")
    restored = mina.post(f"{board}/lists/{deleted_list['id']}/restore")

    assert (deleted_list["name"], deleted_list["card_count"], deleted_list["deleted_at"]) == (
        "Doing",
        1,
        f"{clock.now:%Y-%m-%dT%H:%M:%SZ}",
    )
    assert repeated.json["items"] == [deleted_list]
    assert (restored.status, restored.json["name"]) == (200, "Doing")
    assert "deleted_at" not in restored.json
    assert mina.get(f"{board}/lists?deleted=true").json["items"] == []
    assert names(mina.get(f"{board}/lists?archived=true")) == ["Doing"]


def test_deleted_lists_are_paged_newest_first(mina: Client) -> None:
    board = create_board(mina, "Website")
    delete(mina, find_list(mina, board, "Done"))
    for number in range(101):
        mina.post(f"{board}/lists", {"name": f"List {number}", "stage": "todo"})
        delete(mina, find_list(mina, board, f"List {number}"))

    deleted_lists = list_all(mina, f"{board}/lists?deleted=true")

    assert [list_["name"] for list_ in deleted_lists] == [*(f"List {number}" for number in range(100, -1, -1)), "Done"]
    assert [list_["name"] for list_ in list_all(mina, f"{board}/lists?deleted=true&limit=7")] == [
        list_["name"] for list_ in deleted_lists
    ]
    assert names(mina.get(f"{board}/lists")) == ["To do", "Doing"]


def test_deleted_lists_are_listed_for_every_member(mina: Client, omar: Client) -> None:
    board = create_board(mina, "Website")
    delete(mina, find_list(mina, board, "Done"))
    outside = omar.get(f"{board}/lists?deleted=true")
    mina.put(f"{board}/members/omar", {"role": "viewer"})

    assert (outside.status, outside.json["code"]) == (404, "board_not_found")
    assert names(omar.get(f"{board}/lists?deleted=true")) == ["Done"]
    delete(mina, board)
    assert mina.get(f"{board}/lists?deleted=true").json["code"] == "board_not_found"


def test_a_deleted_list_is_listed_as_long_as_it_can_be_restored(mina: Client, clock: ManualClock) -> None:
    board = create_board(mina, "Website")
    done = find_list(mina, board, "Done")
    delete(mina, done)

    clock.advance(minutes=MONTH)
    at_last = names(mina.get(f"{board}/lists?deleted=true"))
    clock.advance(seconds=1)
    too_late = names(mina.get(f"{board}/lists?deleted=true"))

    assert (at_last, too_late) == (["Done"], [])
    assert mina.post(f"{done}/restore").status == 404


def test_active_and_archived_lists_can_be_paged(mina: Client) -> None:
    board = create_board(mina, "Website")
    for name in ("Ideas", "Later"):
        mina.post(f"{board}/lists", {"name": name, "stage": "todo", "position": "top"})
    for name in ("Doing", "Later"):
        mina.post(f"{find_list(mina, board, name)}/archive")

    active = list_all(mina, f"{board}/lists?limit=2")
    first = mina.get(f"{board}/lists?archived=true&limit=1")

    assert [list_["name"] for list_ in active] == ["Ideas", "To do", "Done"]
    assert active == mina.get(f"{board}/lists").json["items"]
    assert names(first) == ["Later"]
    assert [list_["name"] for list_ in list_all(mina, f"{board}/lists?archived=true&limit=1")] == ["Later", "Doing"]


# Cards


def test_a_deleted_card_has_its_time_of_deletion(mina: Client, clock: ManualClock) -> None:
    board = create_board(mina, "Website")
    card = f"{board}/cards/{mina.post(f'{board}/cards', {'title': 'Copy'}).json['id']}"
    clock.advance(minutes=1)
    delete(mina, card)

    (deleted_card,) = mina.get(f"{board}/cards?deleted=true").json["items"]

    assert deleted_card["deleted_at"] == f"{clock.now:%Y-%m-%dT%H:%M:%SZ}"
    assert "deleted_at" not in mina.post(f"{card}/restore").json


@pytest.mark.parametrize("sort", ["position", "created_at", "-created_at", "updated_at", "-updated_at", "due_at"])
def test_a_deleted_card_is_listed_as_long_as_it_can_be_restored(mina: Client, clock: ManualClock, sort: str) -> None:
    board = create_board(mina, "Website")
    bodies = [{"title": title, "due_at": "2026-12-24T12:00:00Z"} for title in ("First", "Second", "Third")]
    paths = [f"{board}/cards/{mina.post(f'{board}/cards', body).json['id']}" for body in bodies]
    delete(mina, paths[0])
    clock.advance(minutes=1)
    delete(mina, *paths[1:])

    clock.advance(minutes=MONTH - 1)
    at_last = titles(mina, f"{board}/cards?deleted=true&limit=1&sort={sort}")
    clock.advance(seconds=1)
    too_late = titles(mina, f"{board}/cards?deleted=true&limit=1&sort={sort}")
    table = mina.get(f"{board}/cards?deleted=true&sort={sort}", Accept="text/csv").raw.decode()

    assert (sorted(at_last), sorted(too_late)) == (["First", "Second", "Third"], ["Second", "Third"])
    assert ("First" in table, "Third" in table) == (False, True)
    assert [mina.post(f"{path}/restore").status for path in paths] == [404, 200, 200]


# All


@pytest.mark.parametrize("query", ["deleted=1", "deleted=", "deleted=True", "deleted=true&deleted=true", "limit=0"])
def test_contradictory_or_invalid_filters_are_rejected(mina: Client, query: str) -> None:
    board = create_board(mina, "Website")

    for path in ("/boards", f"{board}/lists", f"{board}/cards"):
        assert mina.get(f"{path}?{query}").status == 400
