"""Boards and their lists."""

from tests.api.client import Client
from tests.api.manual_clock import ManualClock


def test_a_new_board_has_three_lists_by_default(mina: Client) -> None:
    usual = mina.post("/boards", {"name": "Website"}).json["id"]
    own = mina.post("/boards", {"name": "Garden", "lists": [{"name": "Ideas", "stage": "todo"}]}).json["id"]

    lists = mina.get(f"/boards/{usual}/lists").json["items"]
    own_lists = mina.get(f"/boards/{own}/lists").json["items"]

    assert [(list_["name"], list_["stage"]) for list_ in lists] == [
        ("To do", "todo"),
        ("Doing", "in_progress"),
        ("Done", "done"),
    ]
    assert [list_["name"] for list_ in own_lists] == ["Ideas"]


def test_a_board_can_embed_lists_cards_labels_and_members(mina: Client) -> None:
    board = mina.post("/boards", {"name": "Website"}).json["id"]
    card = mina.post(f"/boards/{board}/cards", {"title": "Write the copy"}).json

    embedded = mina.get(f"/boards/{board}?embed=lists,cards")

    assert [list_["name"] for list_ in embedded.json["lists"]] == ["To do", "Doing", "Done"]
    assert embedded.json["cards"] == {"items": [card], "next_cursor": None}
    assert mina.get(f"/boards/{board}?embed=lists,cards", If_None_Match=embedded.etag).status == 304


def test_the_cursor_of_embedded_cards_continues_in_list_cards(mina: Client) -> None:
    board = mina.post("/boards", {"name": "Website"}).json["id"]
    for number in range(501):
        mina.post(f"/boards/{board}/cards", {"title": f"Card {number}"})

    first = mina.get(f"/boards/{board}?embed=cards").json["cards"]
    rest = mina.get(f"/boards/{board}/cards?cursor={first['next_cursor']}").json

    assert len(first["items"]) == 500
    assert [card["title"] for card in rest["items"]] == ["Card 500"]
    assert rest["next_cursor"] is None


def test_the_tag_of_a_running_board_changes_with_the_clock(mina: Client, clock: ManualClock) -> None:
    board = mina.post("/boards", {"name": "Website"}).json["id"]
    card = mina.post(f"/boards/{board}/cards", {"title": "Write the copy"}).json["id"]
    mina.post(f"/boards/{board}/cards/{card}/start")
    first = mina.get(f"/boards/{board}?embed=cards")

    repeated = mina.get(f"/boards/{board}?embed=cards", If_None_Match=first.etag)
    clock.advance(seconds=1)
    later = mina.get(f"/boards/{board}?embed=cards", If_None_Match=first.etag)

    assert (repeated.status, later.status) == (304, 200)
    assert later.json["cards"]["items"][0]["elapsed_seconds"] == 1


def test_a_board_can_be_renamed_after_a_card_moved(mina: Client) -> None:
    board = mina.post("/boards", {"name": "Website"})
    path = f"/boards/{board.json['id']}"
    mina.post(f"{path}/cards", {"title": "Write the copy"})

    renamed = mina.patch(path, {"name": "Shop"}, If_Match=board.etag)
    stale = mina.patch(path, {"name": "Blog"}, If_Match=board.etag)

    assert (renamed.status, renamed.json["name"]) == (200, "Shop")
    assert stale.status == 412


def test_a_patch_changes_only_the_named_properties(mina: Client) -> None:
    board = mina.post("/boards", {"name": "Website", "description": "All pages", "hourly_rate_minor": 1000})
    path = f"/boards/{board.json['id']}"

    merged = mina.request(
        "PATCH",
        path,
        {"name": "Shop"},
        headers={"If-Match": board.etag, "Content-Type": "application/merge-patch+json"},
    )

    assert merged.json["name"] == "Shop"
    assert merged.json["description"] == "All pages"
    assert merged.json["hourly_rate_minor"] == 1000


def test_a_deleted_board_is_a_404(mina: Client) -> None:
    board = mina.post("/boards", {"name": "Website"})
    path = f"/boards/{board.json['id']}"

    deleted = mina.delete(path, If_Match=board.etag)

    assert (deleted.status, deleted.raw) == (204, b"")
    assert "content-type" not in deleted.headers
    assert mina.get(path).json["code"] == "board_not_found"
    assert mina.get("/boards").json["items"] == []


def test_a_stranger_gets_the_same_404_as_for_an_unknown_board(mina: Client, omar: Client) -> None:
    board = mina.post("/boards", {"name": "Website"}).json["id"]
    unknown_id = "brd_" + "0" * 26
    repeated = {"X-Request-Id": "same"}

    theirs = omar.request("GET", f"/boards/{board}/cards", headers=repeated)
    unknown = omar.request("GET", f"/boards/{unknown_id}/cards", headers=repeated)

    assert (theirs.status, theirs.raw, theirs.headers) == (404, unknown.raw, unknown.headers)


def test_a_list_can_be_moved_left_and_right(mina: Client) -> None:
    board = mina.post("/boards", {"name": "Website"}).json["id"]
    path = f"/boards/{board}/lists"
    todo, doing, done = (item["id"] for item in mina.get(path).json["items"])

    mina.post(f"{path}/{done}/move", {"position": "top"})
    mina.post(f"{path}/{todo}/move", {"after": doing})

    assert [item["id"] for item in mina.get(path).json["items"]] == [done, doing, todo]


def test_deleting_a_list_deletes_its_cards(mina: Client) -> None:
    board = mina.post("/boards", {"name": "Website"}).json["id"]
    todo = mina.get(f"/boards/{board}/lists").json["items"][0]
    card = mina.post(f"/boards/{board}/cards", {"title": "Write the copy"}).json

    first = mina.get(f"/boards/{board}/lists/{todo['id']}")
    deleted = mina.delete(f"/boards/{board}/lists/{todo['id']}", If_Match=first.etag)

    assert deleted.status == 204
    assert mina.get(f"/boards/{board}/cards/{card['id']}").status == 404
    assert mina.get(f"/boards/{board}/cards").json["items"] == []


def test_the_stage_of_a_list_changes_only_while_it_is_empty(mina: Client) -> None:
    board = mina.post("/boards", {"name": "Website"}).json["id"]
    todo = mina.get(f"/boards/{board}/lists").json["items"][0]["id"]
    mina.post(f"/boards/{board}/cards", {"title": "Write the copy"})

    rejected = mina.patch(f"/boards/{board}/lists/{todo}", {"stage": "done"}, If_Match='"1"')

    assert (rejected.status, rejected.json["code"]) == (409, "list_not_empty")
    assert rejected.json["detail"] == "List 'To do' holds 1 card: its stage can change only while it is empty."


def test_null_removes_a_wip_limit(mina: Client) -> None:
    board = mina.post("/boards", {"name": "Website"}).json["id"]
    created = mina.post(f"/boards/{board}/lists", {"name": "Review", "stage": "in_progress", "wip_limit": 2})

    changed = mina.patch(f"/boards/{board}/lists/{created.json['id']}", {"wip_limit": None}, If_Match=created.etag)

    assert (created.json["wip_limit"], changed.json["wip_limit"]) == (2, None)
