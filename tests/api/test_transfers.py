"""Transferring a card to another board."""

import pytest

from tests.api.client import Client
from tests.api.manual_clock import ManualClock


def make_board(client: Client, **fields: str) -> str:
    return f"/boards/{client.post('/boards', {'name': 'Website', **fields}).json['id']}"


@pytest.fixture
def source(mina: Client) -> str:
    """Create the board that the card leaves and return its path."""
    return make_board(mina)


@pytest.fixture
def target(mina: Client) -> str:
    """Create the board that the card moves to and return its path."""
    return make_board(mina)


def test_a_card_moves_with_its_comments_checklists_and_time_entries(
    mina: Client, source: str, target: str, clock: ManualClock
) -> None:
    bug, _ = (mina.post(f"{source}/labels", {"name": name, "color": "red"}).json["id"] for name in ("Bug", "Idea"))
    target_label = mina.post(f"{target}/labels", {"name": "bug", "color": "sky"}).json["id"]
    body = {"title": "Fix it", "label_ids": [bug], "assignee_ids": ["mina"], "external_id": "x1"}
    card = mina.post(f"{source}/cards", body).json["id"]
    old, new = f"{source}/cards/{card}", f"{target}/cards/{card}"
    mina.post(f"{old}/comments", {"text": "Looks good."})
    steps = mina.post(f"{old}/checklists", {"name": "Steps"}).json["id"]
    mina.post(f"{old}/checklists/{steps}/items", {"text": "Try it"})
    mina.post(f"{old}/start")
    clock.advance(hours=1)
    fields = {"board_id": target.rpartition("/")[2]}

    moved = mina.post(f"{old}/transfer", fields, Idempotency_Key="k1")
    replayed = mina.post(f"{old}/transfer", fields, Idempotency_Key="k1")

    assert (moved.status, replayed.raw) == (200, moved.raw)
    assert (mina.get(old).status, mina.get(new).json) == (404, moved.json)
    assert (moved.json["label_ids"], moved.json["assignee_ids"]) == ([target_label], ["mina"])
    assert (moved.json["status"], moved.json["elapsed"], moved.json["comment_count"]) == ("in_progress", "01:00:00", 1)
    assert mina.get(f"{new}/comments").json["items"][0]["text"] == "Looks good."
    assert [checklist["name"] for checklist in mina.get(f"{new}/checklists").json["items"]] == ["Steps"]
    assert len(mina.get(f"{new}/time").json["items"]) == 1
    assert mina.get(f"{source}/cards").json["items"] == []
    assert mina.get(f"{source}/events").json["items"][-1]["type"] == "card.departed"
    assert mina.get(f"{target}/events").json["items"][-1]["type"] == "card.arrived"
    assert mina.post(f"{new}/resolve").json["elapsed"] == "01:00:00"
    assert mina.post(f"{source}/cards", {"title": "Another", "external_id": "x1"}).status == 201


def test_items_keep_assignees_who_are_members_of_both_boards(
    mina: Client, omar: Client, source: str, target: str
) -> None:
    mina.put(f"{source}/members/omar", {"role": "editor"})
    card = mina.post(f"{source}/cards", {"title": "Fix it", "assignee_ids": ["mina", "omar"]}).json["id"]
    old, new = (f"{board}/cards/{card}" for board in (source, target))
    steps = mina.post(f"{old}/checklists", {"name": "Steps"}).json["id"]
    for who in ("mina", "omar", None):
        step = {"text": "Try it", "assignee_id": who, "due_at": "2026-12-24T12:00:00Z"}
        omar.post(f"{old}/checklists/{steps}/items", {name: value for name, value in step.items() if value})
    before = mina.get(f"{old}/checklists").json["items"][0]

    moved = mina.post(f"{old}/transfer", {"board_id": target.rpartition("/")[2]})

    after = mina.get(f"{new}/checklists").json["items"][0]
    assert moved.json["assignee_ids"] == ["mina"]
    assert [item.pop("assignee_id") for item in before["items"]] == ["mina", "omar", None]
    assert [item.pop("assignee_id") for item in after["items"]] == ["mina", None, None]
    assert after == {**before, "board_id": target.rpartition("/")[2]}


def test_only_editors_of_both_boards_can_transfer_a_card(mina: Client, omar: Client, source: str, target: str) -> None:
    mina.put(f"{source}/members/omar", {"role": "editor"})
    path = f"{source}/cards/{mina.post(f'{source}/cards', {'title': 'Fix it'}).json['id']}/transfer"
    fields = {"board_id": target.rpartition("/")[2]}

    non_member = omar.post(path, fields)
    mina.put(f"{target}/members/omar", {"role": "viewer"})
    viewer = omar.post(path, fields)
    mina.put(f"{target}/members/omar", {"role": "editor"}, If_Match="*")
    editor = omar.post(path, fields)

    assert (non_member.status, non_member.json["code"]) == (422, "unknown_reference")
    assert (viewer.status, viewer.json["code"]) == (403, "role_too_low")
    assert editor.status == 200


def test_a_card_that_does_not_fit_is_not_transferred(mina: Client, source: str, target: str) -> None:
    body = {"title": "Fix it", "external_id": "x1", "hourly_rate_minor": 5}
    path = f"{source}/cards/{mina.post(f'{source}/cards', body).json['id']}"
    mina.post(f"{target}/cards", {"title": "There", "external_id": "x1"})
    euros = make_board(mina, currency="EUR")

    taken, dear, here = (
        mina.post(f"{path}/transfer", {"board_id": board.rpartition("/")[2]}) for board in (target, euros, source)
    )

    assert (taken.status, taken.json["code"]) == (409, "external_id_taken")
    assert (dear.status, dear.json["code"]) == (409, "currency_differs")
    assert (here.status, here.json["code"]) == (422, "self_reference")
    assert mina.get(path).status == 200
