"""A 412 says who changed what since the version that was sent, and a 409 which card has the external id."""

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


def add(mina: Client, board: str, **fields: object) -> str:
    return f"{board}/cards/{mina.post(f'{board}/cards', {'title': 'Fix the login page', **fields}).json['id']}"


def patch_stale(client: Client, path: str, version: int, body: dict[str, Any] | None = None) -> HttpResponse:
    response = client.patch(path, body or {"title": "Mine"}, If_Match=f'"{version}"')
    assert (response.status, response.json["code"]) == (412, "precondition_failed")
    return response


def test_a_412_says_who_changed_what_when_and_with_which_token(
    mina: Client, omar: Client, board: str, clock: ManualClock
) -> None:
    card = add(mina, board)
    clock.advance(minutes=5)
    omar.patch(card, {"title": "Fix it", "due_at": "2026-12-01T12:00:00Z"}, If_Match='"1"')
    mina.post(f"{card}/comments", {"text": "No new version."})
    omar.put(f"{card}/assignees/mina")

    later = patch_stale(mina, card, 1).json["later_changes"]

    assert [(change["type"], change["actor_id"], change["at"], change["changes"]) for change in later] == [
        ("card.updated", "omar", "2026-11-20T14:05:00Z", [{"field": "assignee_ids", "added": ["mina"], "removed": []}]),
        (
            *("card.updated", "omar", "2026-11-20T14:05:00Z"),
            [
                {"field": "title", "from": "Fix the login page", "to": "Fix it"},
                {"field": "due_at", "from": None, "to": "2026-12-01T12:00:00Z"},
            ],
        ),
    ]
    assert later[0]["seq"] == later[1]["seq"] + 2
    assert later[0]["token_id"] == later[1]["token_id"] != ""


def test_a_412_to_each_kind_of_thing_says_what_changed(mina: Client, board: str) -> None:
    list_id = mina.get(f"{board}/lists").json["items"][0]["id"]
    card = add(mina, board)
    checklist = f"{card}/checklists/{mina.post(f'{card}/checklists', {'name': 'Steps'}).json['id']}"
    entry = {"started_at": "2026-11-20T10:00:00Z", "ended_at": "2026-11-20T11:00:00Z"}
    paths = {
        "board.updated": (board, {"name": "New"}),
        "list.updated": (f"{board}/lists/{list_id}", {"name": "New"}),
        "label.updated": (
            f"{board}/labels/{mina.post(f'{board}/labels', {'name': 'Old', 'color': 'red'}).json['id']}",
            {"name": "New"},
        ),
        "checklist.updated": (checklist, {"name": "New"}),
        "checklist_item.updated": (
            f"{checklist}/items/{mina.post(f'{checklist}/items', {'text': 'Old'}).json['id']}",
            {"text": "New"},
        ),
        "comment.updated": (
            f"{card}/comments/{mina.post(f'{card}/comments', {'text': 'Old'}).json['id']}",
            {"text": "New"},
        ),
        "time_entry.updated": (
            f"{card}/time-entries/{mina.post(f'{card}/time-entries', entry).json['id']}",
            {"note": "New"},
        ),
    }

    for event_type, (path, body) in paths.items():
        assert mina.patch(path, body, If_Match='"1"').status == 200
        (change,) = patch_stale(mina, path, 1, body).json["later_changes"]
        deleted = mina.delete(path, If_Match='"1"')

        assert (change["type"], [field["field"] for field in change["changes"]]) == (event_type, [*body])
        assert (deleted.status, deleted.json["later_changes"]) == (412, [change])


def test_a_412_names_cards_moved_with_their_list(mina: Client, board: str) -> None:
    todo, doing, _ = (list_["id"] for list_ in mina.get(f"{board}/lists").json["items"])
    card = add(mina, board)
    mina.post(f"{board}/lists/{todo}/move-cards", {"list_id": doing})

    (change,) = patch_stale(mina, card, 1).json["later_changes"]

    assert (change["type"], change["changes"]) == (
        "list.cards_moved",
        [{"field": "list_id", "from": todo, "to": doing}, {"field": "status", "from": "todo", "to": "in_progress"}],
    )


def test_the_newest_of_several_tags_counts(mina: Client, board: str) -> None:
    card = add(mina, board)
    for number in range(3):
        mina.patch(card, {"title": str(number)}, If_Match="*")

    several = mina.patch(card, {"title": "Mine"}, If_Match='"1", "3.9", "77", "x"')
    future = mina.patch(card, {"title": "Mine"}, If_Match='"77"')
    huge = mina.patch(card, {"title": "Mine"}, If_Match=f'"{"9" * 5000}"')

    assert len(several.json["later_changes"]) == 1
    assert [response.status for response in (several, future, huge)] == [412, 412, 412]
    assert "later_changes" not in future.json
    assert "later_changes" not in huge.json


def test_too_many_versions_or_events_in_between_are_not_told(mina: Client, board: str) -> None:
    card, other = add(mina, board), add(mina, board)
    for number in range(11):
        mina.patch(card, {"title": str(number)}, If_Match="*")
    eleven = patch_stale(mina, card, 1).json
    ten = patch_stale(mina, card, 2).json
    for number in range(390):
        mina.patch(other, {"title": str(number)}, If_Match="*")

    assert "later_changes" not in eleven
    assert len(ten["later_changes"]) == 10
    assert len(patch_stale(mina, card, 2).json["later_changes"]) == 10
    mina.patch(other, {"title": "Once more"}, If_Match="*")
    assert "later_changes" not in patch_stale(mina, card, 2).json
    assert len(patch_stale(mina, card, 3).json["later_changes"]) == 9


def test_later_changes_and_holders_need_the_scope_read(mina: Client, board: str) -> None:
    secret = mina.post("/users/me/tokens", {"name": "Blind", "scopes": ["write"]}).json["secret"]
    card = add(mina, board, external_id="A-1")
    mina.patch(card, {"title": "New"}, If_Match='"1"')

    stale = patch_stale(mina.with_token(secret), card, 1)
    taken = mina.with_token(secret).post(f"{board}/cards", {"title": "Again", "external_id": "A-1"})

    assert "later_changes" not in stale.json
    assert (taken.status, "card_id" in taken.json) == (409, False)


def test_a_taken_external_id_says_which_card_or_list_has_it(mina: Client, board: str) -> None:
    card = add(mina, board, external_id="A-1")
    other = add(mina, board)
    list_id = mina.post(f"{board}/lists", {"name": "Review", "stage": "done", "external_id": "L-1"}).json["id"]

    created = mina.post(f"{board}/cards", {"title": "Again", "external_id": "A-1"})
    updated = mina.patch(other, {"external_id": "A-1"}, If_Match='"1"')
    created_list = mina.post(f"{board}/lists", {"name": "Again", "stage": "done", "external_id": "L-1"})

    assert {response.json["code"] for response in (created, updated, created_list)} == {"external_id_taken"}
    assert created.json["card_id"] == updated.json["card_id"] == card.rpartition("/")[2]
    assert created_list.json["list_id"] == list_id


def test_a_412_lists_exactly_the_changes_that_made_versions(mina: Client, board: str, clock: ManualClock) -> None:
    generator = random.Random(16)  # noqa: S311 - the same writes in every run.
    writer = RandomWriter(mina, board, clock, generator)
    described = 0

    for _ in range(160):
        writer.write()
        path = generator.choice([*writer.names])
        seqs = writer.versions[path]
        version = generator.choice(sorted(seqs)[-4:])
        response = mina.patch(path, {}, If_Match=f'"{version}"')
        if "later_changes" in response.json:
            expected = sorted((seq for number, seq in seqs.items() if number > version), reverse=True)
            assert [change["seq"] for change in response.json["later_changes"]] == expected, path
            described += 1

    assert described > 40
