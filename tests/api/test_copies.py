"""Copying cards, lists and boards."""

from typing import Any

import pytest

from tests.api.client import Client


@pytest.fixture
def board(mina: Client) -> str:
    """Create a board of Mina and return its path."""
    return f"/boards/{mina.post('/boards', {'name': 'Website'}).json['id']}"


@pytest.fixture
def card(mina: Client, board: str) -> str:
    """Create a card with a value for each property and return its path."""
    label = mina.post(f"{board}/labels", {"name": "Bug", "color": "red"}).json["id"]
    body = {
        "title": "Fix it",
        "label_ids": [label],
        "assignee_ids": ["mina"],
        "external_id": "x1",
        "links": [{"url": "https://example.org/", "title": "Plan"}],
        "due_at": "2026-12-01T00:00:00Z",
    }
    path = f"{board}/cards/{mina.post(f'{board}/cards', body).json['id']}"
    steps = f"{path}/checklists/{mina.post(f'{path}/checklists', {'name': 'Steps'}).json['id']}"
    item = mina.post(f"{steps}/items", {"text": "Try it"}).json["id"]
    mina.patch(f"{steps}/items/{item}", {"done": True}, If_Match="*")
    mina.post(f"{path}/checklists", {"name": "Empty"})
    mina.post(f"{path}/comments", {"text": "Looks good."})
    mina.post(f"{path}/start")
    return path


def events(client: Client, board: str) -> Any:
    return client.get(f"{board}/events").json["items"]


def test_the_copy_of_a_card_is_new_work(mina: Client, board: str, card: str) -> None:
    old = mina.get(card).json

    created = mina.post(f"{card}/copy", {}, Idempotency_Key="k1")
    replayed = mina.post(f"{card}/copy", {}, Idempotency_Key="k1")

    path = f"{board}/cards/{created.json['id']}"
    copy = mina.get(path)
    assert (created.status, created.headers["location"], replayed.raw) == (201, f"/v1{path}", created.raw)
    assert (copy.json, copy.etag) == (created.json, created.etag)
    for name in ("title", "description", "label_ids", "links", "due_at", "list_id", "hourly_rate_minor"):
        assert copy.json[name] == old[name]
    assert (copy.json["external_id"], copy.json["assignee_ids"], copy.json["comment_count"]) == (None, [], 0)
    assert copy.json["checklist_progress"] == {"done": 0, "total": 1}
    assert [checklist["name"] for checklist in mina.get(f"{path}/checklists").json["items"]] == ["Steps", "Empty"]
    assert copy.json["status"] == "in_progress"
    assert events(mina, board)[-1]["type"] == "card.copied"


def test_a_copy_goes_to_the_requested_list_and_position(mina: Client, board: str, card: str) -> None:
    done = mina.get(f"{board}/lists").json["items"][2]["id"]

    created = mina.post(f"{card}/copy", {"title": "Again", "list_id": done, "position": "top"})
    unknown = mina.post(f"{card}/copy", {"list_id": "lst_" + "0" * 26})

    assert (created.json["title"], created.json["status"]) == ("Again", "done")
    assert (unknown.status, unknown.json["code"]) == (422, "unknown_reference")


def test_the_copy_of_a_list_is_next_to_the_original(mina: Client, board: str, card: str) -> None:
    doing = mina.get(card).json["list_id"]

    created = mina.post(f"{board}/lists/{doing}/copy", {"name": "Next"})

    assert (created.status, created.json["card_count"], created.json["stage"]) == (201, 1, "in_progress")
    assert created.headers["location"] == f"/v1{board}/lists/{created.json['id']}"
    names = [list_["name"] for list_ in mina.get(f"{board}/lists").json["items"]]
    assert names == ["To do", "Doing", "Next", "Done"]
    (copy,) = mina.get(f"{board}/cards?list_id={created.json['id']}").json["items"]
    assert (copy["title"], copy["elapsed_seconds"], copy["checklist_progress"]) == (
        "Fix it",
        0,
        {"done": 0, "total": 1},
    )
    checklists = mina.get(f"{board}/cards/{copy['id']}/checklists").json["items"]
    assert [checklist["name"] for checklist in checklists] == ["Steps"]


def test_a_list_with_too_many_cards_is_not_copied(mina: Client, board: str) -> None:
    todo = mina.get(f"{board}/lists").json["items"][0]["id"]
    for number in range(40):
        mina.post(f"{board}/cards", {"title": f"{number}"})

    fine = mina.post(f"{board}/lists/{todo}/copy", {})
    mina.post(f"{board}/cards", {"title": "One more", "list_id": todo})
    rejected = mina.post(f"{board}/lists/{todo}/copy", {})

    assert (fine.status, fine.json["card_count"]) == (201, 40)
    assert (rejected.status, rejected.json["code"]) == (409, "too_much_to_copy")


@pytest.mark.usefixtures("card")
def test_any_member_can_copy_a_board_and_owns_the_copy(mina: Client, omar: Client, board: str) -> None:
    mina.put(f"{board}/members/omar", {"role": "viewer"})
    archived = mina.post(f"{board}/cards", {"title": "Old"}).json["id"]
    mina.post(f"{board}/cards/{archived}/archive")

    created = omar.post(f"{board}/copy", {"name": "Mine"}, Idempotency_Key="k1")
    replayed = omar.post(f"{board}/copy", {"name": "Mine"}, Idempotency_Key="k1")

    copy = f"/boards/{created.json['id']}"
    assert (created.status, created.headers["location"], replayed.raw) == (201, f"/v1{copy}", created.raw)
    assert (created.json["name"], created.json["role"], created.json["seq"]) == ("Mine", "owner", 2)
    assert mina.get(copy).status == 404
    embedded = omar.get(f"{copy}?embed=lists,cards,labels,members")
    assert [list_["name"] for list_ in embedded.json["lists"]] == ["To do", "Doing", "Done"]
    assert [member["user_id"] for member in embedded.json["members"]] == ["omar"]
    (new,) = embedded.json["cards"]["items"]
    assert (new["title"], new["label_ids"]) == ("Fix it", [embedded.json["labels"][0]["id"]])
    assert new["checklist_progress"] == {"done": 0, "total": 1}
    assert [event["type"] for event in events(omar, copy)] == ["card.created", "board.copied"]
    assert omar.post(f"{copy}/cards/{new['id']}/resolve").status == 200
    assert omar.patch(copy, {"name": "Ours"}, If_Match="*").status == 200
    assert events(omar, copy)[-1]["seq"] == 4


def test_a_board_can_be_copied_without_its_cards(mina: Client, board: str, card: str) -> None:
    created = mina.post(f"{board}/copy", {"cards": False})

    copy = f"/boards/{created.json['id']}"
    assert (created.json["name"], created.json["seq"]) == ("Website", 1)
    assert mina.get(f"{copy}/cards").json["items"] == []
    assert [label["name"] for label in mina.get(f"{copy}/labels").json["items"]] == ["Bug"]
    assert mina.get(card).status == 200


def test_a_large_board_is_copied_as_a_whole(mina: Client, board: str) -> None:
    for number in range(600):
        mina.post(f"{board}/cards", {"title": f"{number}"})

    created = mina.post(f"{board}/copy", {})

    lists = mina.get(f"/boards/{created.json['id']}/lists").json["items"]
    assert [list_["card_count"] for list_ in lists] == [600, 0, 0]
    assert created.json["seq"] == 601
