"""Undo: an event is taken back by a change like any other, or refused with what stands in the way."""

import random
from typing import Any

import pytest

from tests.api.client import Client, HttpResponse
from tests.api.manual_clock import ManualClock
from tests.api.random_writer import RandomWriter


@pytest.fixture
def board(mina: Client, omar: Client) -> str:
    """Create a board of Mina with Omar as its editor, and return its path."""
    del omar
    path = f"/boards/{mina.post('/boards', {'name': 'Website', 'hourly_rate_minor': 1000}).json['id']}"
    mina.put(f"{path}/members/omar", {"role": "editor"})
    return path


def list_ids(mina: Client, board: str) -> list[str]:
    return [list_["id"] for list_ in mina.get(f"{board}/lists").json["items"]]


def add(mina: Client, board: str, **fields: object) -> str:
    return f"{board}/cards/{mina.post(f'{board}/cards', {'title': 'Fix the login page', **fields}).json['id']}"


def get_seq(mina: Client, board: str) -> int:
    seq: int = mina.get(board).json["seq"]
    return seq


def undo(client: Client, board: str, seq: int | None = None) -> HttpResponse:
    """Undo an event, the last one unless its seq is given."""
    return client.post(f"{board}/undo", {"seq": seq or get_seq(client, board)})


def read_event(mina: Client, board: str, seq: int) -> Any:
    return mina.get(f"{board}/events?after={seq - 1}&limit=1").json["items"][0]


def test_an_edit_is_undone_by_an_event_of_its_own_which_can_be_undone(
    mina: Client, omar: Client, board: str, clock: ManualClock
) -> None:
    card = add(mina, board)
    patch = {"title": "Fix it", "due_at": "2026-12-01T12:00:00Z", "due_complete": True, "hourly_rate_minor": 5}
    mina.patch(card, patch, If_Match='"1"')
    clock.advance(minutes=1)

    undone = undo(omar, board)
    read = mina.get(card).json
    again = undo(omar, board)

    assert (undone.status, undone.json["event"]) == (200, read_event(mina, board, 5))
    assert (undone.json["event"]["type"], undone.json["event"]["actor_id"]) == ("card.updated", "omar")
    assert {name: read[name] for name in patch} == {
        "title": "Fix the login page",
        "due_at": None,
        "due_complete": False,
        "hourly_rate_minor": None,
    }
    assert read["version"] == 3
    assert again.status == 200
    assert {name: mina.get(card).json[name] for name in patch} == patch


def test_other_properties_keep_what_was_changed_since(mina: Client, board: str) -> None:
    card = add(mina, board)
    red, blue = (mina.post(f"{board}/labels", {"name": name, "color": "red"}).json["id"] for name in ("Red", "Blue"))
    mina.put(f"{card}/labels/{red}")
    seq = get_seq(mina, board)
    mina.put(f"{card}/labels/{blue}")
    mina.patch(card, {"title": "Another title"}, If_Match="*")

    assert undo(mina, board, seq).status == 200
    assert (mina.get(card).json["label_ids"], mina.get(card).json["title"]) == ([blue], "Another title")


def test_what_was_changed_again_is_not_undone(mina: Client, omar: Client, board: str) -> None:
    card = add(mina, board)
    mina.patch(card, {"title": "One"}, If_Match="*")
    seq = get_seq(mina, board)
    mina.patch(card, {"due_complete": True}, If_Match="*")
    omar.patch(card, {"title": "Two"}, If_Match="*")
    by = get_seq(mina, board)

    blocked = undo(mina, board, seq)

    assert (blocked.status, blocked.json["code"], blocked.json["blocking_seq"]) == (409, "undo_blocked", by)
    assert (
        blocked.json["detail"] == f"Event {seq} can't be undone: 'title' of its card has changed since, by event {by}."
    )
    assert get_seq(mina, board) == by


def test_an_event_whose_subject_is_gone_is_not_undone(mina: Client, board: str) -> None:
    card = add(mina, board)
    mina.patch(card, {"title": "One"}, If_Match="*")
    seq = get_seq(mina, board)
    mina.delete(card, If_Match="*")

    blocked = undo(mina, board, seq)

    assert (blocked.status, blocked.json["blocking_seq"]) == (409, seq + 1)
    assert blocked.json["detail"] == f"Event {seq} can't be undone: its card is gone, by event {seq + 1}."
    label = mina.post(f"{board}/labels", {"name": "Bug", "color": "red"}).json["id"]
    labelled = add(mina, board, label_ids=[label])
    mina.delete(f"{labelled}/labels/{label}")
    seq = get_seq(mina, board)
    mina.delete(f"{board}/labels/{label}", If_Match="*")
    assert undo(mina, board, seq).json["code"] == "undo_blocked"


def test_a_move_is_undone_to_the_bottom_and_the_clock_follows(mina: Client, board: str) -> None:
    todo, doing, _ = list_ids(mina, board)
    card = add(mina, board)
    add(mina, board)
    mina.post(f"{card}/start")
    moved = get_seq(mina, board)

    assert undo(mina, board).json["event"]["type"] == "card.moved"
    read = mina.get(card).json
    assert (read["list_id"], read["running_since"]) == (todo, None)
    assert mina.get(f"{board}/cards?list_id={todo}").json["items"][-1]["id"] == read["id"]
    mina.post(f"{board}/lists/{todo}/move-cards", {"list_id": doing})
    bulk = get_seq(mina, board)
    blocked = undo(mina, board, bulk - 1)
    assert (blocked.json["code"], blocked.json["blocking_seq"]) == ("undo_blocked", bulk)
    assert moved < bulk


def test_the_rules_of_the_board_apply(mina: Client, board: str) -> None:
    todo, _, _ = list_ids(mina, board)
    card = add(mina, board, external_id="A-1")
    mina.post(f"{card}/start")
    started = get_seq(mina, board)
    mina.patch(card, {"external_id": None}, If_Match="*")
    changed = get_seq(mina, board)
    other = add(mina, board, external_id="A-1")
    mina.patch(f"{board}/lists/{todo}", {"wip_limit": 1, "wip_enforcement": "block"}, If_Match="*")

    full, taken = undo(mina, board, started), undo(mina, board, changed)

    assert (full.status, full.json["code"]) == (409, "wip_limit_reached")
    assert (taken.status, taken.json["code"], taken.json["card_id"]) == (
        *(409, "external_id_taken"),
        other.rpartition("/")[2],
    )


def test_steps_are_undone_by_their_opposites(mina: Client, board: str) -> None:
    card = add(mina, board)
    list_id = mina.post(f"{board}/lists", {"name": "Review", "stage": "done"}).json["id"]
    path = f"{board}/lists/{list_id}"
    steps = [
        ("POST", f"{card}/archive", "card.archived", "card.unarchived"),
        ("DELETE", card, "card.deleted", "card.restored"),
        ("POST", f"{path}/archive", "list.archived", "list.unarchived"),
        ("DELETE", path, "list.deleted", "list.restored"),
        ("POST", f"{board}/archive", "board.archived", "board.unarchived"),
    ]

    for method, target, event_type, opposite in steps:
        assert mina.request(method, target, headers={"If-Match": "*"} if method == "DELETE" else {}).status < 300
        assert read_event(mina, board, get_seq(mina, board))["type"] == event_type
        assert undo(mina, board).json["event"]["type"] == opposite
        assert undo(mina, board).json["event"]["type"] == event_type
        assert undo(mina, board).json["event"]["type"] == opposite


def test_what_was_just_created_is_deleted_unless_somebody_changed_it(mina: Client, board: str) -> None:
    card = add(mina, board)
    assert undo(mina, board).json["event"]["type"] == "card.deleted"
    assert mina.get(card).status == 404
    card = add(mina, board)
    seq = get_seq(mina, board)
    mina.post(f"{card}/comments", {"text": "Hm."})
    assert undo(mina, board, seq).json["code"] == "undo_blocked"
    mina.post(f"{board}/lists", {"name": "Review", "stage": "todo"})
    seq = get_seq(mina, board)
    add(mina, board, list_id=read_event(mina, board, seq)["list_id"])
    assert undo(mina, board, seq).json["code"] == "undo_blocked"
    mina.post(f"{board}/lists", {"name": "Another", "stage": "todo"})
    assert undo(mina, board).json["event"]["type"] == "list.deleted"


def test_edits_of_everything_else_are_undone(mina: Client, board: str) -> None:
    todo, *_ = list_ids(mina, board)
    card = add(mina, board)
    checklist = f"{card}/checklists/{mina.post(f'{card}/checklists', {'name': 'Old'}).json['id']}"
    item = f"{checklist}/items/{mina.post(f'{checklist}/items', {'text': 'Old', 'assignee_id': 'omar'}).json['id']}"
    label = f"{board}/labels/{mina.post(f'{board}/labels', {'name': 'Old', 'color': 'red'}).json['id']}"
    worked = {"started_at": "2026-11-20T10:00:00Z", "ended_at": "2026-11-20T11:00:00Z"}
    entry = f"{card}/time-entries/{mina.post(f'{card}/time-entries', worked).json['id']}"
    patches: list[tuple[str, dict[str, object]]] = [
        (board, {"name": "New", "hourly_rate_minor": 7}),
        (f"{board}/lists/{todo}", {"name": "New", "wip_limit": 3, "wip_enforcement": "block"}),
        (checklist, {"name": "New"}),
        (item, {"text": "New", "done": True, "assignee_id": None, "due_at": "2026-12-01T12:00:00Z"}),
        (label, {"name": "New", "color": "sky"}),
        (entry, {"ended_at": "2026-11-20T12:00:00Z", "hourly_rate_minor": 9, "user_id": "omar"}),
        (card, {"assignee_ids": ["mina", "omar"], "external_id": "A-1"}),
    ]

    for path, patch in patches:
        before = mina.get(path).json
        assert mina.patch(path, patch, If_Match="*").status == 200
        undone = undo(mina, board)
        after = mina.get(path).json

        assert undone.status == 200, undone.raw
        assert {name: after[name] for name in patch} == {name: before[name] for name in patch}
        assert after["version"] == before["version"] + 2


def test_what_takes_an_owner_takes_an_owner_to_undo(mina: Client, omar: Client, board: str) -> None:
    mina.patch(board, {"name": "New"}, If_Match="*")
    renamed = get_seq(mina, board)
    mina.put(f"{board}/members/omar", {"role": "viewer"})
    mina.put(f"{board}/members/omar", {"role": "editor"})
    promoted = get_seq(mina, board)

    refused = [undo(omar, board, seq) for seq in (renamed, promoted)]

    assert [(response.status, response.json["code"]) for response in refused] == [(403, "role_too_low")] * 2
    assert undo(mina, board, promoted).json["event"]["data"] == {"user_id": "omar", "role": "viewer"}
    assert undo(omar, board, renamed).status == 403
    assert undo(mina, board, renamed).status == 200


def test_what_has_no_way_back_is_not_undoable(mina: Client, board: str) -> None:
    todo, _, done = list_ids(mina, board)
    card = add(mina, board)
    comment = f"{card}/comments/{mina.post(f'{card}/comments', {'text': 'Old'}).json['id']}"
    add(mina, board, title="A")
    acts: list[tuple[str, str, object]] = [
        ("PATCH", card, {"description": "x" * 201}),
        ("PATCH", card, {"links": [{"url": "https://example.com", "title": "Example"}]}),
        ("PATCH", comment, {"text": "New"}),
        ("DELETE", comment, None),
        ("POST", f"{card}/move", {"list_id": todo, "position": "bottom"}),
        ("POST", f"{board}/lists/{done}/move", {"position": "top"}),
        ("POST", f"{board}/lists/{todo}/sort", {"by": "title", "direction": "desc"}),
        ("POST", f"{board}/lists/{todo}/move-cards", {"list_id": done}),
        ("POST", f"{board}/labels", {"name": "Bug", "color": "red"}),
    ]

    for method, path, body in acts:
        before = get_seq(mina, board)
        mina.request(method, path, body, headers={"If-Match": "*"} if method in ("PATCH", "DELETE") else {})
        seq = get_seq(mina, board)
        refused = undo(mina, board)

        assert seq == before + 1, (method, path)
        assert (refused.status, refused.json["code"]) == (422, "not_undoable"), (method, path)
        assert refused.json["detail"].startswith(f"Event {seq} can't be undone: ")
        assert refused.json["errors"][0]["pointer"] == "/seq"
        assert get_seq(mina, board) == seq


def test_an_event_that_is_not_there_is_an_unknown_reference(mina: Client, board: str) -> None:
    unknown = [undo(mina, board, seq) for seq in (99, 999_999_999_999)]
    invalid = [mina.post(f"{board}/undo", body) for body in ({"seq": 0}, {"seq": "1"}, {}, {"seq": 1, "x": 1})]

    assert [(response.status, response.json["code"]) for response in unknown] == [(422, "unknown_reference")] * 2
    assert [response.status for response in invalid] == [400] * 4
    assert mina.post(f"{board}/undo", {"seq": 1}).json["code"] == "not_undoable"


def test_an_undo_can_be_repeated_with_its_key_and_run_dry(mina: Client, board: str) -> None:
    card = add(mina, board)
    mina.patch(card, {"title": "New"}, If_Match="*")
    body = {"seq": get_seq(mina, board)}

    dry = mina.post(f"{board}/undo", body, Prefer="dry-run")
    first = mina.post(f"{board}/undo", body, Idempotency_Key="k1")
    again = mina.post(f"{board}/undo", body, Idempotency_Key="k1")

    assert (dry.status, dry.json["event"]["changes"]) == (200, first.json["event"]["changes"])
    assert (again.raw, again.headers["idempotency-replayed"]) == (first.raw, "true")
    assert mina.post(f"{board}/undo", body).status == 409


EDITABLE = ("name", "title", "text", "note", "list_id", "ended_at", "done", "due_at", "label_ids")


def test_whatever_can_be_undone_is_as_it_was(mina: Client, board: str, clock: ManualClock) -> None:
    """Random writes, each of which is undone at once; nothing else changes by that, and a refusal changes nothing."""
    writer = RandomWriter(mina, board, clock, random.Random(16))  # noqa: S311 - the same writes in every run.
    undone = 0

    def read_values() -> dict[str, object]:
        values = {path: mina.get(path) for path in writer.names}
        return {
            path: [response.json.get("archived_at") is None, *(response.json.get(name) for name in EDITABLE)]
            if response.status == 200
            else response.status
            for path, response in values.items()
        }

    for _ in range(80):
        before, seq = read_values(), get_seq(mina, board)
        writer.write()
        response = undo(mina, board)
        if response.status == 200 and get_seq(mina, board) == seq + 2:
            assert read_values() == before
            undone += 1
        elif response.status != 200:
            assert response.json["code"] in ("undo_blocked", "not_undoable", "list_archived", "card_archived")

    assert undone > 20
