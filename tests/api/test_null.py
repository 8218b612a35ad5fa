"""Null means absence on create, and clears a property in a merge patch."""

import json
from typing import Any

import pytest

from tests.api.client import Client


@pytest.fixture
def board(mina: Client) -> str:
    return f"/boards/{mina.post('/boards', {'name': 'Website', 'hourly_rate_minor': 1000}).json['id']}"


def test_null_for_every_optional_property_creates_the_same_card_as_absence(mina: Client, board: str) -> None:
    optional = ["description", "list_id", "position", "external_id", "start_at", "due_at", "due_complete"]
    optional += ["hourly_rate_minor", "label_ids", "assignee_ids", "links"]

    with_null = mina.post(f"{board}/cards", {"title": "One", **dict.fromkeys(optional)})
    without = mina.post(f"{board}/cards", {"title": "One"})

    assert (with_null.status, without.status) == (201, 201)
    assert with_null.json | {"id": "", "rank": ""} == without.json | {"id": "", "rank": ""}


def test_null_and_absence_have_the_same_fingerprint(mina: Client, board: str) -> None:
    first = mina.post(f"{board}/cards", {"title": "One", "due_at": None}, Idempotency_Key="one")
    again = mina.post(f"{board}/cards", {"title": "One"}, Idempotency_Key="one")

    assert again.json["id"] == first.json["id"]


def test_nested_null_means_absence_too(mina: Client) -> None:
    column = {"name": "Doing", "stage": "in_progress", "wip_limit": None, "wip_enforcement": None}

    created = mina.post("/boards", {"name": "Shop", "description": None, "currency": None, "lists": [column]})

    assert created.status == 201
    assert mina.get(f"/boards/{created.json['id']}/lists").json["items"][0]["wip_limit"] is None


def test_null_next_to_a_neighbour_is_no_second_position(mina: Client, board: str) -> None:
    first, second = (mina.post(f"{board}/cards", {"title": title}).json for title in ("First", "Second"))
    where = {"list_id": first["list_id"], "before": first["id"], "after": None, "position": None}

    assert mina.post(f"{board}/cards/{second['id']}/move", where).status == 200
    assert [card["title"] for card in mina.get(f"{board}/cards").json["items"]] == ["Second", "First"]


def test_a_required_property_may_not_be_null(mina: Client, board: str) -> None:
    rejected = mina.post(f"{board}/cards", {"title": None})

    assert (rejected.status, rejected.json["errors"][0]["pointer"]) == (400, "/title")


def test_a_duplicate_name_is_rejected_even_if_both_values_are_null(mina: Client, board: str) -> None:
    rejected = mina.request("POST", f"{board}/cards", raw=b'{"title":"One","due_at":null,"due_at":null}')

    assert (rejected.status, rejected.json["code"]) == (400, "malformed_json")


def test_null_in_a_patch_clears_properties_of_a_card(mina: Client, board: str) -> None:
    label = mina.post(f"{board}/labels", {"name": "Bug", "color": "red"}).json["id"]
    full = {
        "description": "The copy.",
        "due_at": "2026-11-24T18:00:00Z",
        "due_complete": True,
        "label_ids": [label],
        "assignee_ids": ["mina"],
        "links": [{"url": "https://example.com/", "title": "Brief"}],
    }
    card = mina.post(f"{board}/cards", {"title": "One", **full})
    path = f"{board}/cards/{card.json['id']}"

    emptied = mina.patch(path, dict.fromkeys(full), If_Match=card.etag)
    again = mina.patch(path, dict.fromkeys(full), If_Match=emptied.etag)

    empty: dict[str, Any] = {
        "description": "",
        "due_at": None,
        "due_complete": False,
        "label_ids": [],
        "assignee_ids": [],
        "links": [],
    }
    assert {name: emptied.json[name] for name in full} == empty
    assert again.etag == emptied.etag
    assert sorted(mina.get(f"{board}/events?after=3").json["items"][-1]["data"]["changed"]) == sorted(full)


def test_null_in_a_patch_resets_properties_of_boards_lists_and_items(mina: Client, board: str) -> None:
    read = mina.get(board)
    described = mina.patch(board, {"description": "For the shop."}, If_Match=read.etag)
    emptied = mina.patch(board, {"description": None, "hourly_rate_minor": None}, If_Match=described.etag)
    created = mina.post(
        f"{board}/lists", {"name": "Review", "stage": "done", "wip_limit": 2, "wip_enforcement": "block"}
    )
    warning = mina.patch(
        f"{board}/lists/{created.json['id']}", {"wip_limit": None, "wip_enforcement": None}, If_Match=created.etag
    )
    card = f"{board}/cards/{mina.post(f'{board}/cards', {'title': 'One'}).json['id']}"
    steps = f"{card}/checklists/{mina.post(f'{card}/checklists', {'name': 'Steps'}).json['id']}/items"
    item = mina.post(steps, {"text": "Read it aloud", "done": True, "position": None})
    undone = mina.patch(f"{steps}/{item.json['id']}", {"done": None}, If_Match=item.etag)

    assert (emptied.json["description"], emptied.json["hourly_rate_minor"]) == ("", 0)
    assert (warning.json["wip_limit"], warning.json["wip_enforcement"]) == (None, "warn")
    assert undone.json["done"] is False


@pytest.mark.parametrize("media_type", ["application/json", "application/merge-patch+json"])
def test_a_property_that_needs_a_value_may_not_be_null_in_a_patch(mina: Client, board: str, media_type: str) -> None:
    raw = json.dumps({"name": None}).encode()

    rejected = mina.request(
        "PATCH", board, raw=raw, headers={"If_Match": mina.get(board).etag, "Content_Type": media_type}
    )

    assert (rejected.status, rejected.json["code"]) == (400, "invalid_body")
