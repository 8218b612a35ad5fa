"""Members of a board, their roles, and assignees of cards."""

from dataclasses import replace
from typing import Any

import pytest

from app.factory import create_app
from contract.wsgi_application import WsgiApplication
from kanban.changes import Change
from kanban.store import Store, StoredResponse
from tests.api.client import Client
from tests.api.manual_clock import ManualClock


@pytest.fixture
def board(mina: Client) -> str:
    """Create a board of Mina and return its path."""
    return f"/boards/{mina.post('/boards', {'name': 'Website'}).json['id']}"


def roles(client: Client, board: str) -> dict[str, str]:
    return {member["user_id"]: member["role"] for member in client.get(f"{board}/members").json["items"]}


def test_the_creator_of_a_board_is_its_owner(mina: Client, board: str, clock: ManualClock) -> None:
    listed = mina.get(f"{board}/members").json

    at = f"{clock.now:%Y-%m-%dT%H:%M:%SZ}"
    owner = {
        "board_id": board.removeprefix("/boards/"),
        "user_id": "mina",
        "name": "Mina",
        "role": "owner",
        "state": "active",
    }
    assert listed == {"items": [owner | {"created_at": at, "updated_at": at}], "next_cursor": None}
    assert mina.get(f"{board}/members/mina").json == listed["items"][0]


def test_an_owner_adds_a_member_and_changes_their_role(
    mina: Client, omar: Client, board: str, clock: ManualClock
) -> None:
    added = mina.put(f"{board}/members/omar", {"role": "viewer"})
    clock.advance(minutes=1)
    raised = mina.put(f"{board}/members/omar", {"role": "editor"})
    again = mina.put(f"{board}/members/omar", {"role": "editor"})

    assert (added.status, added.headers["location"]) == (201, f"/v1{board}/members/omar")
    assert (raised.status, raised.json["role"]) == (200, "editor")
    assert "location" not in raised.headers
    assert (again.status, again.raw, again.etag) == (200, raised.raw, raised.etag)
    assert omar.get(board).json["role"] == "editor"
    events = [(event["type"], event["data"]) for event in mina.get(f"{board}/events?after=1").json["items"]]
    assert events == [
        ("member.added", {"user_id": "omar", "role": "viewer"}),
        ("member.updated", {"user_id": "omar", "role": "editor"}),
    ]


def test_an_unknown_user_can_not_become_a_member(mina: Client, board: str) -> None:
    rejected = mina.put(f"{board}/members/nobody", {"role": "viewer"})

    assert (rejected.status, rejected.json["code"]) == (404, "user_not_found")
    assert mina.get(f"{board}/members/nobody").json["code"] == "member_not_found"


def test_an_unknown_role_is_rejected(mina: Client, omar: Client, board: str) -> None:
    bodies: list[object] = [{"role": "Owner"}, {"role": None}, {}, {"role": "viewer", "user_id": "mina"}, [], "viewer"]

    for body in bodies:
        assert mina.put(f"{board}/members/omar", body).status == 400
    assert roles(mina, board) == {"mina": "owner"}
    assert omar.get(board).status == 404


def test_the_last_owner_can_neither_be_demoted_nor_leave(mina: Client, omar: Client, board: str) -> None:
    mina.put(f"{board}/members/omar", {"role": "editor"})

    demoted = mina.put(f"{board}/members/mina", {"role": "editor"})
    left = mina.delete(f"{board}/members/mina")

    assert (demoted.status, demoted.json["code"]) == (409, "last_owner")
    assert (left.status, left.json["code"]) == (409, "last_owner")
    assert roles(omar, board) == {"mina": "owner", "omar": "editor"}


def test_ownership_of_a_board_can_be_handed_over(mina: Client, omar: Client, board: str) -> None:
    mina.put(f"{board}/members/omar", {"role": "owner"})

    demoted = mina.put(f"{board}/members/mina", {"role": "viewer"})
    left = mina.delete(f"{board}/members/mina")

    assert (demoted.status, left.status) == (200, 204)
    assert mina.get(board).json["code"] == "board_not_found"
    assert roles(omar, board) == {"omar": "owner"}


def test_a_board_is_a_404_for_a_viewer_who_left(mina: Client, omar: Client, board: str) -> None:
    mina.put(f"{board}/members/omar", {"role": "viewer"})

    left = omar.delete(f"{board}/members/omar")

    assert (left.status, left.raw) == (204, b"")
    assert omar.get(board).status == 404
    assert omar.get("/boards").json["items"] == []
    assert omar.delete(f"{board}/members/omar").json["code"] == "board_not_found"
    assert roles(mina, board) == {"mina": "owner"}
    assert mina.get(f"{board}/events?after=2").json["items"][0]["type"] == "member.removed"


def test_only_an_owner_removes_others_and_removal_is_idempotent(mina: Client, omar: Client, board: str) -> None:
    mina.put(f"{board}/members/omar", {"role": "editor"})

    rejected = omar.delete(f"{board}/members/mina")
    first = mina.delete(f"{board}/members/omar")
    second = mina.delete(f"{board}/members/omar")

    assert (rejected.status, rejected.json["code"]) == (403, "role_too_low")
    assert (first.status, second.status) == (204, 204)
    assert mina.get(board).json["seq"] == 3


def test_renaming_a_user_changes_the_tag_of_the_member(mina: Client, omar: Client, board: str) -> None:
    mina.put(f"{board}/members/omar", {"role": "editor"})
    first = mina.get(f"{board}/members/omar")

    unchanged = mina.get(f"{board}/members/omar", If_None_Match=first.etag)
    omar.patch("/users/me", {"name": "Omar Haddad"}, If_Match="*")
    renamed = mina.get(f"{board}/members/omar", If_None_Match=first.etag)

    assert (unchanged.status, renamed.status) == (304, 200)
    assert renamed.json["name"] == "Omar Haddad"


def test_a_member_who_rejoins_has_a_new_tag(mina: Client, omar: Client, board: str) -> None:
    del omar
    mina.put(f"{board}/members/omar", {"role": "editor"})
    first = mina.get(f"{board}/members/omar")

    mina.delete(f"{board}/members/omar")
    mina.put(f"{board}/members/omar", {"role": "viewer"})

    assert mina.get(f"{board}/members/omar", If_None_Match=first.etag).json["role"] == "viewer"


class InterruptedStore:
    """A store that runs a function just before the next commit."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.before_commit: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def commit(self, change: Change, response: StoredResponse | None = None) -> None:
        """Run the function, then commit."""
        interrupt, self.before_commit = self.before_commit, None
        if interrupt:
            interrupt()
        self._store.commit(change, response)


@pytest.fixture
def interrupted_store(store: Store) -> InterruptedStore:
    return InterruptedStore(store)


@pytest.fixture
def application(interrupted_store: Any, clock: ManualClock) -> WsgiApplication:
    """Build the usual application on the interrupted store."""
    numbers = iter(range(10**6))

    def random_bytes(count: int) -> bytes:
        return (next(numbers) + 1).to_bytes(4, "big").rjust(count, b"\x11")

    return create_app(interrupted_store, clock=clock, random_bytes=random_bytes, sleep=lambda _: None, open_signup=True)


@pytest.fixture
def other_application(store: Store, clock: ManualClock) -> WsgiApplication:
    """Build an application as in another process: requests to one application take turns at a board."""
    return create_app(store, clock=clock)


def test_a_concurrent_removal_fails_the_members_request(
    mina: Client, omar: Client, board: str, interrupted_store: InterruptedStore, other_application: WsgiApplication
) -> None:
    mina.put(f"{board}/members/omar", {"role": "editor"})

    mina_elsewhere = replace(mina, application=other_application)
    interrupted_store.before_commit = lambda: mina_elsewhere.delete(f"{board}/members/omar")
    rejected = omar.post(f"{board}/cards", {"title": "Too late"}, Idempotency_Key="k1")

    assert (rejected.status, rejected.json["code"]) == (404, "board_not_found")
    assert mina.get(f"{board}/cards").json["items"] == []


def test_a_concurrent_demotion_fails_the_members_request(
    mina: Client, omar: Client, board: str, interrupted_store: InterruptedStore, other_application: WsgiApplication
) -> None:
    mina.put(f"{board}/members/omar", {"role": "editor"})

    mina_elsewhere = replace(mina, application=other_application)
    interrupted_store.before_commit = lambda: mina_elsewhere.put(f"{board}/members/omar", {"role": "viewer"})
    rejected = omar.post(f"{board}/cards", {"title": "Too late"})

    assert (rejected.status, rejected.json["code"]) == (403, "role_too_low")


def test_two_owners_cannot_both_leave_at_once(
    mina: Client, omar: Client, board: str, interrupted_store: InterruptedStore, other_application: WsgiApplication
) -> None:
    mina.put(f"{board}/members/omar", {"role": "owner"})

    omar_elsewhere = replace(omar, application=other_application)
    interrupted_store.before_commit = lambda: omar_elsewhere.delete(f"{board}/members/omar")
    rejected = mina.delete(f"{board}/members/mina")

    assert (rejected.status, rejected.json["code"]) == (409, "last_owner")
    assert roles(mina, board) == {"mina": "owner"}


# Clocks


def count_running(client: Client, board: str) -> int:
    """Return the number of running clocks on a board."""
    cards = client.get(f"{board}/cards?status=in_progress&limit=100").json["items"]
    return sum(card["running_since"] is not None for card in cards)


def test_the_clocks_of_a_leaving_member_stop_on_a_board_with_many_cards(
    mina: Client, omar: Client, board: str, clock: ManualClock
) -> None:
    mina.put(f"{board}/members/omar", {"role": "editor"})
    mine, yours = (
        [f"{board}/cards/{who.post(f'{board}/cards', {'title': 'Copy'}).json['id']}" for _ in range(2)]
        for who in (mina, omar)
    )
    for who, created in ((mina, mine), (omar, yours)):
        for card in created:
            assert who.post(f"{card}/start").status == 200
    clock.advance(hours=1)

    omar.delete(f"{board}/members/omar")
    clock.advance(hours=1)

    assert [mina.get(card).json["elapsed_seconds"] for card in (*mine, *yours)] == [7200, 7200, 3600, 3600]
    assert count_running(mina, board) == 2
    entries = mina.get(f"{yours[0]}/time").json["items"]
    assert [(entry["user_id"], entry["elapsed_seconds"]) for entry in entries] == [("omar", 3600)]
    assert mina.get(f"{board}/events?after=0&limit=100").json["items"][-1]["type"] == "member.removed"


def test_a_member_with_too_many_running_clocks_can_leave(mina: Client, omar: Client, board: str) -> None:
    mina.put(f"{board}/members/omar", {"role": "editor"})
    doing = mina.get(f"{board}/lists").json["items"][1]["id"]
    for number in range(32):
        assert omar.post(f"{board}/cards", {"title": f"Card {number}", "list_id": doing}).status == 201

    removed = mina.delete(f"{board}/members/omar")
    assert (removed.status, count_running(mina, board), omar.get(board).status) == (204, 2, 404)
    again = mina.delete(f"{board}/members/omar")
    assert (again.status, count_running(mina, board)) == (204, 0)
    seq = mina.get(board).json["seq"]
    assert mina.delete(f"{board}/members/omar").status == 204
    assert mina.get(board).json["seq"] == seq


# Assignees


def test_members_are_assigned_on_create_by_patch_or_one_by_one(mina: Client, omar: Client, board: str) -> None:
    mina.put(f"{board}/members/omar", {"role": "viewer"})
    created = mina.post(f"{board}/cards", {"title": "Copy", "assignee_ids": ["omar"]})
    card = f"{board}/cards/{created.json['id']}"

    both = mina.put(f"{card}/assignees/mina")
    again = mina.put(f"{card}/assignees/mina")
    one = mina.delete(f"{card}/assignees/omar")
    none = mina.patch(card, {"assignee_ids": []}, If_Match=one.etag)

    assert created.json["assignee_ids"] == ["omar"]
    assert both.json["assignee_ids"] == ["mina", "omar"]
    assert (again.raw, again.etag) == (both.raw, both.etag)
    assert one.json["assignee_ids"] == ["mina"]
    assert none.json["assignee_ids"] == []
    assert mina.delete(f"{card}/assignees/mina").raw == none.raw
    assert omar.put(f"{card}/assignees/omar").status == 403
    changed = [event["data"] for event in mina.get(f"{board}/events?after=3").json["items"]]
    assert changed == [{"changed": ["assignee_ids"]}] * 3


def test_only_members_can_be_assigned(mina: Client, omar: Client, board: str) -> None:
    del omar
    card = f"{board}/cards/{mina.post(f'{board}/cards', {'title': 'Copy'}).json['id']}"

    created = mina.post(f"{board}/cards", {"title": "Text", "assignee_ids": ["mina", "omar"]})
    put = mina.put(f"{card}/assignees/omar")

    assert (created.status, created.json["code"]) == (422, "unknown_reference")
    assert created.json["errors"][0]["pointer"] == "/assignee_ids"
    assert (put.status, put.json["code"]) == (404, "member_not_found")
    assert mina.put(f"{board}/cards/crd_{'0' * 26}/assignees/mina").json["code"] == "card_not_found"


@pytest.mark.parametrize("assignee_ids", [["mina", "mina"], ["m"], [1], "mina", ["mina"] * 41, [None]])
def test_invalid_assignees_are_rejected(mina: Client, board: str, assignee_ids: object) -> None:
    assert mina.post(f"{board}/cards", {"title": "Copy", "assignee_ids": assignee_ids}).status == 400


def test_a_leaving_member_is_unassigned_everywhere_and_card_tags_change(mina: Client, omar: Client, board: str) -> None:
    mina.put(f"{board}/members/omar", {"role": "editor"})
    card = (
        f"{board}/cards/{mina.post(f'{board}/cards', {'title': 'Copy', 'assignee_ids': ['mina', 'omar']}).json['id']}"
    )
    first = mina.get(card)

    omar.delete(f"{board}/members/omar")
    after = mina.get(card, If_None_Match=first.etag)
    mina.put(f"{board}/members/omar", {"role": "editor"})

    assert after.json["assignee_ids"] == ["mina"]
    assert after.json["updated_at"] == first.json["updated_at"]
    assert mina.get(card).json["assignee_ids"] == ["mina"]
    assert mina.patch(card, {"title": "Text"}, If_Match=first.etag).status == 200
