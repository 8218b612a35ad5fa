"""Labels of a board, and labels on cards."""

import pytest

from tests.api.client import Client, HttpResponse

UNKNOWN_ID = "lbl_" + "0" * 26


@pytest.fixture
def board(mina: Client) -> str:
    """Create a board of Mina and return its path."""
    return f"/boards/{mina.post('/boards', {'name': 'Website'}).json['id']}"


def make(client: Client, board: str, name: str = "Bug", color: str = "red") -> HttpResponse:
    return client.post(f"{board}/labels", {"name": name, "color": color})


def test_a_label_is_created_read_updated_and_deleted(mina: Client, board: str) -> None:
    created = make(mina, board)
    path = f"{board}/labels/{created.json['id']}"

    read = mina.get(path)
    changed = mina.patch(path, {"color": "sky"}, If_Match=created.etag)
    stale = mina.patch(path, {"color": "lime"}, If_Match=created.etag)
    unsure = mina.delete(path)
    deleted = mina.delete(path, If_Match=changed.etag)

    assert (created.status, created.headers["location"]) == (201, f"/v1{path}")
    assert (read.json, read.etag) == (created.json, created.etag)
    assert mina.get(path, If_None_Match=created.etag).status == 404
    assert (changed.json["name"], changed.json["color"], changed.etag) == ("Bug", "sky", '"2"')
    assert (stale.status, unsure.status, deleted.status) == (412, 428, 204)
    assert mina.get(path).json["code"] == "label_not_found"
    events = mina.get(f"{board}/events?after=1").json["items"]
    assert [event["type"] for event in events] == ["label.created", "label.updated", "label.deleted"]


def test_labels_are_listed_oldest_first(mina: Client, board: str) -> None:
    created_labels = [make(mina, board, name).json for name in ("Bug", "Idea", "Cost")]

    assert mina.get(f"{board}/labels").json == {"items": created_labels, "next_cursor": None}


@pytest.mark.parametrize("name", ["bug", "BUG", " Bug "])
def test_the_name_of_a_label_is_unique_ignoring_case(mina: Client, board: str, name: str) -> None:
    make(mina, board)
    other = make(mina, board, "Idea")

    created = make(mina, board, name)
    renamed = mina.patch(f"{board}/labels/{other.json['id']}", {"name": name}, If_Match=other.etag)

    assert (created.status, created.json["code"]) == (409, "label_name_taken")
    assert (renamed.status, renamed.json["code"]) == (409, "label_name_taken")


def test_the_name_of_a_deleted_label_is_free(mina: Client, board: str) -> None:
    old = make(mina, board)
    mina.delete(f"{board}/labels/{old.json['id']}", If_Match=old.etag)

    assert make(mina, board).status == 201


def test_a_repeated_key_creates_one_label(mina: Client, board: str) -> None:
    body = {"name": "Bug", "color": "red"}

    first = mina.post(f"{board}/labels", body, Idempotency_Key="k1")
    again = mina.post(f"{board}/labels", body, Idempotency_Key="k1")

    assert (again.status, again.raw) == (201, first.raw)
    assert again.headers["idempotency-replayed"] == "true"
    assert len(mina.get(f"{board}/labels").json["items"]) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"name": "Bug"},
        {"name": "", "color": "red"},
        {"name": "x" * 51, "color": "red"},
        {"name": "two\nlines", "color": "red"},
        {"name": "Bug", "color": "Red"},
        {"name": "Bug", "color": "#ff0000"},
        {"name": "Bug", "color": None},
        {"name": "Bug", "color": "red", "id": UNKNOWN_ID},
    ],
)
def test_an_invalid_label_is_rejected(mina: Client, board: str, body: object) -> None:
    assert mina.post(f"{board}/labels", body).status == 400
    assert mina.get(f"{board}/labels").json["items"] == []


def test_labels_are_added_on_create_by_patch_or_one_by_one(mina: Client, board: str) -> None:
    bug, idea = (make(mina, board, name).json["id"] for name in ("Bug", "Idea"))
    created = mina.post(f"{board}/cards", {"title": "Copy", "label_ids": [idea]})
    card = f"{board}/cards/{created.json['id']}"

    both = mina.put(f"{card}/labels/{bug}")
    again = mina.put(f"{card}/labels/{bug}")
    one = mina.delete(f"{card}/labels/{idea}")
    swapped = mina.patch(card, {"label_ids": [idea]}, If_Match=one.etag)

    assert created.json["label_ids"] == [idea]
    assert both.json["label_ids"] == sorted([bug, idea])
    assert (again.raw, again.etag) == (both.raw, both.etag)
    assert one.json["label_ids"] == [bug]
    assert swapped.json["label_ids"] == [idea]
    assert mina.delete(f"{card}/labels/{bug}").raw == swapped.raw
    changed = [event["data"] for event in mina.get(f"{board}/events?after=4").json["items"]]
    assert changed == [{"changed": ["label_ids"]}] * 3


def test_a_patch_with_the_same_labels_in_another_order_changes_nothing(mina: Client, board: str) -> None:
    bug, idea = (make(mina, board, name).json["id"] for name in ("Bug", "Idea"))
    created = mina.post(f"{board}/cards", {"title": "Copy", "label_ids": [bug, idea]})

    same = mina.patch(f"{board}/cards/{created.json['id']}", {"label_ids": [idea, bug]}, If_Match=created.etag)

    assert (same.raw, same.etag) == (created.raw, created.etag)
    assert mina.get(board).json["seq"] == 4


def test_labels_of_another_board_are_not_found(mina: Client, board: str) -> None:
    other_board = f"/boards/{mina.post('/boards', {'name': 'Garden'}).json['id']}"
    foreign = make(mina, other_board).json["id"]
    original = mina.post(f"{board}/cards", {"title": "Copy"})
    card = f"{board}/cards/{original.json['id']}"

    patched = mina.patch(card, {"label_ids": [foreign]}, If_Match=original.etag)
    created = mina.post(f"{board}/cards", {"title": "Text", "label_ids": [foreign]})
    put = mina.put(f"{card}/labels/{foreign}")
    unlabelled = mina.delete(f"{card}/labels/{foreign}")

    for rejected in (patched, created):
        assert (rejected.status, rejected.json["code"]) == (422, "unknown_reference")
        assert rejected.json["errors"][0]["pointer"] == "/label_ids"
        assert foreign.encode() not in rejected.raw
    assert (put.status, put.json["code"]) == (404, "label_not_found")
    assert (unlabelled.status, unlabelled.raw) == (200, original.raw)
    assert mina.get(f"{board}/labels/{foreign}").status == 404


def test_deleting_a_label_removes_it_from_cards_and_changes_their_tags(mina: Client, board: str) -> None:
    bug = make(mina, board)
    created = mina.post(f"{board}/cards", {"title": "Copy", "label_ids": [bug.json["id"]]})
    card = f"{board}/cards/{created.json['id']}"

    mina.delete(f"{board}/labels/{bug.json['id']}", If_Match=bug.etag)
    after = mina.get(card, If_None_Match=created.etag)

    assert (after.status, after.json["label_ids"]) == (200, [])
    assert after.json["updated_at"] == created.json["updated_at"]
    assert mina.patch(card, {"title": "Text"}, If_Match=created.etag).status == 200
