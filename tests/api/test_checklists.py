"""Checklists of a card, and their items."""

import pytest

from kanban.ordering import ranks
from tests.api.client import Client, HttpResponse

UNKNOWN_ID = "0" * 26


@pytest.fixture
def board(mina: Client) -> str:
    """Create a board of Mina and return its path."""
    return f"/boards/{mina.post('/boards', {'name': 'Website'}).json['id']}"


@pytest.fixture
def card(mina: Client, board: str) -> str:
    """Create a card in the first list and return its path."""
    return f"{board}/cards/{mina.post(f'{board}/cards', {'title': 'Copy'}).json['id']}"


@pytest.fixture
def checklist(mina: Client, card: str) -> str:
    """Create an empty checklist on the card and return its path."""
    return f"{card}/checklists/{make(mina, card, 'Steps').json['id']}"


def make(mina: Client, card: str, name: str) -> HttpResponse:
    return mina.post(f"{card}/checklists", {"name": name})


def add(mina: Client, checklist: str, text: str, **more: object) -> HttpResponse:
    return mina.post(f"{checklist}/items", {"text": text, **more})


def names(mina: Client, card: str) -> list[str]:
    return [checklist["name"] for checklist in mina.get(f"{card}/checklists").json["items"]]


def texts(mina: Client, checklist: str) -> list[str]:
    return [item["text"] for item in mina.get(checklist).json["items"]]


def progress(mina: Client, card: str) -> tuple[int, int]:
    progress_ = mina.get(card).json["checklist_progress"]
    return progress_["done"], progress_["total"]


def test_a_checklist_is_created_read_renamed_and_deleted(mina: Client, board: str, card: str) -> None:
    created = make(mina, card, "Steps")
    path = created.headers["location"].removeprefix("/v1")

    read = mina.get(path)
    renamed = mina.patch(path, {"name": "Before the release"}, If_Match=created.etag)
    stale = mina.patch(path, {"name": "No"}, If_Match=created.etag)
    without_if_match = mina.delete(path)
    deleted = mina.delete(path, If_Match=renamed.etag)

    assert (created.status, created.json["items"], read.json, read.etag) == (201, [], created.json, created.etag)
    assert (renamed.json["name"], stale.status, without_if_match.status, deleted.status) == (
        "Before the release",
        412,
        428,
        204,
    )
    assert (mina.get(path).status, mina.get(path).json["code"]) == (404, "checklist_not_found")
    events = mina.get(f"{board}/events?after=2").json["items"]
    assert [event["type"] for event in events] == ["checklist.created", "checklist.updated", "checklist.deleted"]
    assert {event["card_id"] for event in events} == {created.json["card_id"]}


def test_checklists_are_ordered(mina: Client, card: str) -> None:
    one, two, three = (make(mina, card, name).json["id"] for name in ("1", "2", "3"))

    mina.post(f"{card}/checklists/{three}/move", {"before": one})
    moved = mina.post(f"{card}/checklists/{two}/move", {"position": "top"})

    assert moved.status == 200
    assert names(mina, card) == ["2", "3", "1"]
    itself = mina.post(f"{card}/checklists/{two}/move", {"after": two})
    nobody = mina.post(f"{card}/checklists/{two}/move", {"after": f"chk_{UNKNOWN_ID}"})
    assert (itself.json["code"], nobody.json["code"]) == ("self_reference", "unknown_reference")
    assert (
        mina.post(f"{card}/checklists/chk_{UNKNOWN_ID}/move", {"position": "top"}).json["code"] == "checklist_not_found"
    )


def test_checklists_can_be_moved_any_number_of_times(mina: Client, card: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranks, "MAX_RANK_LENGTH", 4)
    first, *others = [make(mina, card, name).json["id"] for name in "ADBC"]

    for number in range(60):
        moved = mina.post(f"{card}/checklists/{others[1 + number % 2]}/move", {"after": first})
        assert moved.status == 200, moved.raw

    assert names(mina, card) == ["A", "C", "B", "D"]


def test_a_card_has_at_most_twenty_checklists(mina: Client, card: str) -> None:
    for number in range(20):
        make(mina, card, f"Steps {number}")

    rejected = make(mina, card, "One more")

    assert (rejected.status, rejected.json["code"]) == (409, "too_many_checklists")


def test_done_items_count_in_the_progress_of_the_card(mina: Client, card: str, checklist: str) -> None:
    before = mina.get(card).etag
    created = add(mina, checklist, "Read it aloud")
    add(mina, checklist, "Try it")
    path = created.headers["location"].removeprefix("/v1")

    done = mina.patch(path, {"done": True}, If_Match=created.etag)

    assert (created.status, created.etag, done.json["done"], done.etag) == (201, '"1"', True, '"2"')
    assert progress(mina, card) == (1, 2)
    assert mina.get(card, If_None_Match=before).status == 200
    assert mina.patch(card, {"title": "Still mine to change"}, If_Match=before).status == 200
    mina.delete(path, If_Match=done.etag)
    assert progress(mina, card) == (0, 1)
    mina.delete(checklist, If_Match="*")
    assert progress(mina, card) == (0, 0)


def test_the_tag_of_a_checklist_covers_its_items_and_if_match_only_its_version(mina: Client, checklist: str) -> None:
    tags = [mina.get(checklist).etag]
    one = add(mina, checklist, "1").json["id"]
    tags.append(mina.get(checklist).etag)
    two = add(mina, checklist, "2").json["id"]
    tags.append(mina.get(checklist).etag)
    mina.post(f"{checklist}/items/{two}/move", {"before": one})
    tags.append(mina.get(checklist).etag)
    mina.patch(f"{checklist}/items/{one}", {"done": True}, If_Match="*")
    tags.append(mina.get(checklist).etag)

    assert len(set(tags)) == len(tags)
    assert mina.get(checklist, If_None_Match=tags[-1]).status == 304
    assert mina.patch(checklist, {"name": "Renamed"}, If_Match=tags[0]).status == 200


def test_items_are_ordered(mina: Client, checklist: str) -> None:
    one, two, three = (add(mina, checklist, text).json["id"] for text in ("1", "2", "3"))
    add(mina, checklist, "0", position="top")

    mina.post(f"{checklist}/items/{three}/move", {"before": one})
    mina.post(f"{checklist}/items/{one}/move", {"after": two})
    mina.post(f"{checklist}/items/{two}/move", {"position": "top"})

    assert texts(mina, checklist) == ["2", "0", "3", "1"]
    rejected = mina.post(f"{checklist}/items/{one}/move", {"before": f"itm_{UNKNOWN_ID}"})
    assert (rejected.status, rejected.json["errors"][0]["pointer"]) == (422, "/before")


def test_a_checklist_has_at_most_a_hundred_items(mina: Client, checklist: str) -> None:
    for number in range(100):
        add(mina, checklist, f"Step {number}")

    rejected = add(mina, checklist, "One more")

    assert (rejected.status, rejected.json["code"]) == (409, "too_many_items")
    assert len(texts(mina, checklist)) == 100


def test_an_item_loses_its_assignee_who_leaves_the_board(
    mina: Client, omar: Client, board: str, checklist: str
) -> None:
    assert omar.token
    rejected = add(mina, checklist, "1", assignee_id="omar")
    mina.request("PUT", f"{board}/members/omar", {"role": "editor"})
    created = add(mina, checklist, "1", assignee_id="omar", due_at="2026-11-23T18:00:00+01:00")
    path = f"{checklist}/items/{created.json['id']}"

    mina.delete(f"{board}/members/omar")

    assert (rejected.status, rejected.json["errors"][0]["pointer"]) == (422, "/assignee_id")
    assert (created.json["assignee_id"], created.json["due_at"]) == ("omar", "2026-11-23T17:00:00Z")
    assert mina.get(path).json["assignee_id"] is None
    assert mina.get(path, If_None_Match=created.etag).status == 200
    cleared = mina.patch(path, {"due_at": None, "assignee_id": None}, If_Match=created.etag)
    assert (cleared.status, cleared.json["due_at"]) == (200, None)
    assert mina.get(f"{board}/events").json["items"][-1]["data"]["changed"] == ["due_at"]


def test_an_item_can_be_converted_to_a_card(mina: Client, board: str, card: str, checklist: str) -> None:
    item = add(mina, checklist, "Draw the logo", assignee_id="mina", due_at="2026-11-23T17:00:00Z", done=True)
    path = f"{checklist}/items/{item.json['id']}"

    created = mina.post(f"{path}/convert", Idempotency_Key="k1")
    again = mina.post(f"{path}/convert", Idempotency_Key="k1")

    assert created.status == 201
    assert mina.get(created.headers["location"].removeprefix("/v1")).json == created.json
    assert (created.json["title"], created.json["assignee_ids"]) == ("Draw the logo", ["mina"])
    assert (created.json["due_at"], created.json["due_complete"]) == ("2026-11-23T17:00:00Z", True)
    assert (again.status, again.raw) == (201, created.raw)
    assert mina.get(path).json["code"] == "checklist_item_not_found"
    assert progress(mina, card) == (0, 0)
    assert [card["title"] for card in mina.get(f"{board}/cards").json["items"]] == ["Copy", "Draw the logo"]
    event = mina.get(f"{board}/events").json["items"][-1]
    assert (event["type"], event["data"]["new_card_id"]) == ("checklist_item.converted", created.json["id"])


def test_an_item_can_be_converted_into_another_list_with_room(mina: Client, board: str, checklist: str) -> None:
    _, doing, _ = (list_["id"] for list_ in mina.get(f"{board}/lists").json["items"])
    mina.patch(f"{board}/lists/{doing}", {"wip_limit": 1, "wip_enforcement": "block"}, If_Match="*")
    one, two = (add(mina, checklist, text).json["id"] for text in ("1", "2"))

    created = mina.post(f"{checklist}/items/{one}/convert", {"list_id": doing})
    full = mina.post(f"{checklist}/items/{two}/convert", {"list_id": doing})
    foreign = mina.post(f"{checklist}/items/{two}/convert", {"list_id": f"lst_{UNKNOWN_ID}"})

    assert (created.json["status"], created.json["started_at"]) == ("in_progress", "2026-11-20T14:00:00Z")
    assert (full.status, full.json["code"]) == (409, "wip_limit_reached")
    assert (foreign.status, foreign.json["errors"][0]["pointer"]) == (422, "/list_id")
    assert texts(mina, checklist) == ["2"]


def test_checklists_and_items_of_another_card_are_not_found(mina: Client, board: str, checklist: str) -> None:
    item = add(mina, checklist, "1").json["id"]
    other = f"{board}/cards/{mina.post(f'{board}/cards', {'title': 'Other'}).json['id']}"
    borrowed = f"{other}/checklists/{checklist.rpartition('/')[2]}"

    responses = [mina.get(borrowed), add(mina, borrowed, "2"), mina.get(f"{borrowed}/items/{item}")]

    assert {(response.status, response.json["code"]) for response in responses} == {(404, "checklist_not_found")}
    unknown = mina.get(f"{board}/cards/crd_{UNKNOWN_ID}/checklists")
    assert (unknown.status, unknown.json["code"]) == (404, "card_not_found")


def test_an_archived_card_keeps_its_checklists(mina: Client, card: str, checklist: str) -> None:
    mina.post(f"{card}/archive")

    assert add(mina, checklist, "1").status == 201
    assert names(mina, card) == ["Steps"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": ""},
        {"text": "\u200b"},
        {"text": "a\nb"},
        {"text": "x" * 501},
        {"text": "a", "done": 1},
        {"text": "a", "assignee_id": "me"},
        {"text": "a", "due_at": "2026-02-30T00:00:00Z"},
        {"text": "a", "position": "middle"},
        {"text": "a", "id": f"itm_{UNKNOWN_ID}"},
    ],
    ids=repr,
)
def test_an_invalid_item_is_rejected(mina: Client, checklist: str, body: dict[str, object]) -> None:
    rejected = mina.post(f"{checklist}/items", body)

    assert (rejected.status, rejected.json["code"]) == (400, "invalid_body")
    assert texts(mina, checklist) == []
