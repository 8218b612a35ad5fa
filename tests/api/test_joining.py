"""Joining with consent: whoever is added by a stranger is asked first, and is a member in nothing until they accept."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from app.factory import create_app
from contract.responses import ContractBreach
from kanban.store import Store
from tests.api.client import Client, HttpResponse
from tests.api.manual_clock import ManualClock
from tests.api.test_bots import change, make_bot
from tests.api.test_invitations import invite

RECEIVED = "/users/me/invitations"


@pytest.fixture
def anonymous(store: Store, clock: ManualClock) -> Client:
    """Return a client where joining takes consent."""

    def raise_breach(breach: ContractBreach) -> None:
        raise AssertionError(breach)

    application = create_app(
        store,
        clock=clock,
        sleep=lambda _: None,
        open_signup=True,
        joining_takes_consent=True,
        on_breach=raise_breach,
    )
    return Client(application)


def sign_up(client: Client, user_id: str) -> Client:
    created = client.with_token(None).post("/users", {"id": user_id, "name": user_id.title()})
    assert created.status == 201, created.raw
    return client.with_token(created.json["token"])


def create_board(client: Client, name: str = "Website") -> str:
    return f"/boards/{client.post('/boards', {'name': name}).json['id']}"


@pytest.fixture
def board(mina: Client) -> str:
    return create_board(mina)


def ask(client: Client, board: str, user_id: str = "omar", role: str = "editor") -> HttpResponse:
    return client.request("PUT", f"{board}/members/{user_id}", {"role": role})


def list_received(client: Client) -> list[Any]:
    items: list[Any] = client.get(RECEIVED).json["items"]
    return items


def accept(client: Client, number: int = 0) -> HttpResponse:
    """Accept one of the client's invitations, the newest by default."""
    return client.post(f"{RECEIVED}/{list_received(client)[number]['id']}/accept")


def list_states(client: Client, board: str) -> list[tuple[str, str, str]]:
    members = client.get(f"{board}/members").json["items"]
    return [(member["user_id"], member["role"], member["state"]) for member in members]


def ensure_no_board(client: Client, board: str) -> None:
    """Check that a board is for the client as one that never was, byte by byte."""
    unknown = f"/boards/brd_{'0' * 26}"
    for path in ("", "/members", "/cards", "/events", "/changes?after=1", "/export", "/lists"):
        response, other = client.get(f"{board}{path}"), client.get(f"{unknown}{path}")
        assert (response.status, response.raw) == (404, other.raw)
    assert client.post(f"{board}/cards", {"title": "Spam"}).status == 404


def test_a_stranger_is_asked_and_becomes_a_member_when_they_accept(mina: Client, omar: Client, board: str) -> None:
    asked = ask(mina, board)

    assert (asked.status, asked.json["state"], asked.json["role"]) == (201, "invited", "editor")
    assert asked.headers["location"] == f"/v1{board}/members/omar"
    fetched = mina.get(f"{board}/members/omar")
    assert (fetched.json, fetched.headers["etag"]) == (asked.json, asked.headers["etag"])
    assert list_states(mina, board) == [("mina", "owner", "active"), ("omar", "editor", "invited")]
    ensure_no_board(omar, board)
    assert omar.get("/boards").json["items"] == []
    (received,) = list_received(omar)
    assert received == {
        "id": received["id"],
        "board_id": board.removeprefix("/boards/"),
        "board_name": "Website",
        "role": "editor",
        "invited_by": "Mina",
        "created_at": "2026-11-20T14:00:00Z",
        "expires_at": "2026-12-20T14:00:00Z",
    }

    accepted = accept(omar)

    assert (accepted.status, accepted.json) == (200, omar.get(board).json)
    assert accepted.json["role"] == "editor"
    assert list_received(omar) == []
    assert sorted(list_states(mina, board)) == [("mina", "owner", "active"), ("omar", "editor", "active")]
    created, added = mina.get(f"{board}/events?after=1").json["items"]
    data = {"invitation_id": received["id"], "user_id": "omar", "role": "editor"}
    assert (created["type"], created["actor_id"], created["data"]) == (
        "invitation.created",
        "mina",
        {**data, "max_uses": 1},
    )
    assert (added["type"], added["actor_id"], added["data"]) == ("member.added", "omar", data)
    again = omar.post(f"{RECEIVED}/{received['id']}/accept")
    assert (again.status, again.json["code"]) == (404, "invitation_not_found")


def test_people_who_share_a_board_are_added_at_once(mina: Client, omar: Client, board: str) -> None:
    ask(mina, board)
    accept(omar)
    other = create_board(omar, "Shop")

    added = ask(omar, other, "mina", "viewer")

    assert (added.status, added.json["state"]) == (201, "active")
    assert mina.get(other).status == 200


@pytest.mark.parametrize("declines", ["the invitation", "as a member"])
def test_who_was_asked_declines_with_one_request(mina: Client, omar: Client, board: str, declines: str) -> None:
    ask(mina, board)
    (received,) = list_received(omar)

    path = f"{RECEIVED}/{received['id']}" if declines == "the invitation" else f"{board}/members/omar"
    assert omar.delete(path).status == 204

    assert list_received(omar) == []
    assert list_states(mina, board) == [("mina", "owner", "active")]
    event = mina.get(f"{board}/events?after=2").json["items"][0]
    assert (event["type"], event["actor_id"]) == ("invitation.revoked", "omar")
    assert event["data"] == {"invitation_id": received["id"], "user_id": "omar"}
    assert omar.delete(path).status == 404
    assert ask(mina, board).status == 201
    assert len(list_received(omar)) == 1


def test_who_accepted_leaves_with_one_request_and_is_gone(mina: Client, omar: Client, board: str) -> None:
    ask(mina, board)
    accept(omar)

    assert omar.delete(f"{board}/members/omar").status == 204

    ensure_no_board(omar, board)
    assert list_received(omar) == []
    # They shared this board only, so they are asked again.
    assert ask(mina, board).json["state"] == "invited"


def test_an_owner_takes_it_back(mina: Client, omar: Client, board: str) -> None:
    ask(mina, board)
    (received,) = list_received(omar)
    assert mina.delete(f"{board}/members/omar").status == 204

    assert list_received(omar) == []
    assert omar.post(f"{RECEIVED}/{received['id']}/accept").status == 404
    assert mina.get(f"{board}/members/omar").json["code"] == "member_not_found"
    events = mina.get(f"{board}/events?after=2").json["items"]
    assert [(event["type"], event["actor_id"]) for event in events] == [("invitation.revoked", "mina")]
    assert mina.delete(f"{board}/members/omar").status == 204
    assert len(mina.get(f"{board}/events?after=2").json["items"]) == 1


def test_asking_again_changes_the_role_or_nothing(mina: Client, omar: Client, board: str) -> None:
    first = ask(mina, board)
    same = ask(mina, board)
    assert (same.status, same.json, same.headers["etag"]) == (200, first.json, first.headers["etag"])

    other = ask(mina, board, role="owner")
    assert (other.status, other.json["role"]) == (200, "owner")
    assert other.headers["etag"] != first.headers["etag"]
    assert [received["role"] for received in list_received(omar)] == ["owner"]
    assert accept(omar).json["role"] == "owner"


def test_who_is_asked_is_assigned_to_nothing_and_counts_as_no_member(mina: Client, omar: Client, board: str) -> None:
    ask(mina, board)
    card = mina.post(f"{board}/cards", {"title": "One"}).json

    assert mina.request("PUT", f"{board}/cards/{card['id']}/assignees/omar").status == 404
    assert mina.post(f"{board}/cards", {"title": "Two", "assignee_ids": ["omar"]}).status == 422
    exported = mina.get(f"{board}/export").json
    assert [member["user_id"] for member in exported["members"]] == ["mina"]
    assert [member["user_id"] for member in mina.get(f"{board}?embed=members").json["members"]] == ["mina"]
    assert omar.get("/users?q=mina").json["items"] == []


def test_an_invitation_for_a_user_has_no_secret_and_is_nobody_elses(mina: Client, omar: Client, board: str) -> None:
    eve = sign_up(omar, "eve")
    ask(mina, board)
    (received,) = list_received(omar)
    (listed,) = mina.get(f"{board}/invitations").json["items"]
    assert (listed["id"], listed["invitee_id"], listed["max_uses"]) == (received["id"], "omar", 1)

    assert list_received(eve) == []
    assert eve.post(f"{RECEIVED}/{received['id']}/accept").status == 404
    assert eve.delete(f"{RECEIVED}/{received['id']}").status == 404
    assert eve.delete(f"{board}/members/omar").status == 404
    for secret in ("0" * 64, "x"):
        assert eve.post(f"/invitations/{received['id']}/accept", {"secret": secret}).status == 404
        headers = {"Invitation-Secret": secret}
        assert eve.request("GET", f"/invitations/{received['id']}", headers=headers).status == 404
    assert len(list_received(omar)) == 1
    link = invite(mina, board)
    assert omar.post(f"{RECEIVED}/{link.id}/accept").status == 404


def test_an_invitation_ends_with_time_board_and_owner(
    mina: Client, omar: Client, board: str, clock: ManualClock
) -> None:
    eve = sign_up(omar, "eve")
    boards = [board, create_board(mina), create_board(mina)]
    for path in boards:
        ask(mina, path)
    ids = [received["id"] for received in list_received(omar)]
    ask(mina, boards[1], "eve", "owner")
    accept(eve)
    mina.delete(f"{boards[0]}", **{"If-Match": "*"})
    assert mina.delete(f"{boards[1]}/members/mina").status == 204

    assert [received["board_id"] for received in list_received(omar)] == [boards[2].removeprefix("/boards/")]
    assert list_states(eve, boards[1]) == [("eve", "owner", "active")]
    clock.advance(days=30)
    assert list_received(omar) == []
    assert all(omar.post(f"{RECEIVED}/{id_}/accept").status == 404 for id_ in ids)
    assert list_states(mina, boards[2]) == [("mina", "owner", "active")]


def test_a_link_makes_an_invitation_for_the_user_needless(mina: Client, omar: Client, board: str) -> None:
    ask(mina, board)
    assert invite(mina, board, "viewer").accept(omar).json["role"] == "viewer"

    assert list_received(omar) == []
    assert [state for *_, state in list_states(mina, board)] == ["active", "active"]
    omar.delete(f"{board}/members/omar")
    assert list_received(omar) == []


def test_narrowed_tokens_neither_accept_nor_reach_other_boards(mina: Client, omar: Client, board: str) -> None:
    other = create_board(mina, "Shop")
    for path in (board, other):
        ask(mina, path)
    board_id = other.removeprefix("/boards/")
    body = {"name": "n", "scopes": ["read", "write"], "board_ids": [board_id]}
    own = create_board(omar)
    created = omar.post("/users/me/tokens", body | {"board_ids": [own.removeprefix("/boards/")]})
    assert created.status == 201, created.raw
    narrowed = omar.with_token(created.json["secret"])

    assert list_received(narrowed) == []
    first, second = (received["id"] for received in list_received(omar))
    assert narrowed.post(f"{RECEIVED}/{first}/accept").json["code"] == "token_too_narrow"
    assert narrowed.delete(f"{RECEIVED}/{second}").status == 404
    assert narrowed.delete(f"{board}/members/omar").status == 404
    assert len(list_received(omar)) == 2


def test_a_board_asks_as_many_as_it_may_have(mina: Client, omar: Client, board: str) -> None:
    for number in range(50):
        sign_up(omar, f"user-{number}")
        assert ask(mina, board, f"user-{number}").status == 201
    refused = ask(mina, board)
    assert (refused.status, refused.json["code"]) == (409, "too_many_invitations")
    assert ask(mina, board, "user-3", "viewer").json["role"] == "viewer"
    assert len(list_states(mina, board)) == 51


def test_nobody_who_does_not_exist_or_is_deactivated_is_asked(mina: Client, omar: Client, board: str) -> None:
    del omar
    assert ask(mina, board, "nobody").json["code"] == "user_not_found"
    assert mina.post("/users/omar/deactivate").status == 200

    refused = ask(mina, board)
    assert (refused.status, refused.json["code"]) == (409, "user_deactivated")


def test_the_audit_log_says_who_was_asked_and_what_they_answered(mina: Client, omar: Client, board: str) -> None:
    ask(mina, board)
    ask(mina, board, role="viewer")
    omar.delete(f"{RECEIVED}/{list_received(omar)[0]['id']}")
    ask(mina, board)
    accept(omar)

    entries = mina.get("/audit-entries?limit=100").json["items"]
    facts = [
        (entry["type"].removeprefix("invitation."), entry["actor_id"], entry["user_id"])
        for entry in reversed(entries)
        if entry["type"].startswith("invitation.")
    ]
    assert sorted(facts[1:3]) == [("created", "mina", "omar"), ("revoked", "mina", "omar")]
    assert [facts[0], *facts[3:]] == [
        ("created", "mina", "omar"),
        ("revoked", "omar", "omar"),
        ("created", "mina", "omar"),
        ("accepted", "omar", "omar"),
    ]


def test_many_invitations_are_listed_page_by_page(mina: Client, omar: Client) -> None:
    boards = [create_board(mina, f"Board {number}") for number in range(45)]
    for path in boards:
        ask(mina, path)

    names, path = [], f"{RECEIVED}?limit=100"
    while True:
        listing = omar.get(path).json
        assert len(listing["items"]) <= 20
        names += [received["board_name"] for received in listing["items"]]
        if listing["next_cursor"] is None:
            break
        path = f"{RECEIVED}?limit=100&cursor={listing['next_cursor']}"

    assert names == [f"Board {number}" for number in reversed(range(45))]


def test_accepting_and_declining_at_once_leaves_one_outcome(mina: Client, omar: Client, board: str) -> None:
    ask(mina, board)
    (received,) = list_received(omar)
    path = f"{RECEIVED}/{received['id']}"

    with ThreadPoolExecutor(3) as threads:
        calls = [
            threads.submit(omar.post, f"{path}/accept"),
            threads.submit(omar.delete, path),
            threads.submit(mina.delete, f"{board}/members/omar"),
        ]
        statuses = [call.result().status for call in calls]

    assert set(statuses) <= {200, 204, 404}
    assert statuses[:2].count(404) >= 1
    assert list_received(omar) == []


def test_where_joining_is_direct_strangers_are_added_at_once(store: Store, clock: ManualClock) -> None:
    client = Client(create_app(store, clock=clock, open_signup=True))
    mina, _ = sign_up(client, "mina"), sign_up(client, "omar")

    added = ask(mina, create_board(mina))
    assert (added.status, added.json["state"]) == (201, "active")


def test_the_person_of_a_bot_consents_by_adding_it_or_by_being_on_the_board(mina: Client, omar: Client) -> None:
    make_bot(mina, "own")
    make_bot(omar, "of-omar")
    board, other = create_board(mina), create_board(mina)
    ask(mina, board)
    accept(omar)

    assert ask(mina, other, "own").json["state"] == "active"
    assert ask(mina, board, "of-omar").json["state"] == "active"


def test_strangers_ask_a_bot_which_may_accept(mina: Client, omar: Client, board: str) -> None:
    robot = make_bot(omar)

    assert ask(mina, board, "robot").json["state"] == "invited"
    assert accept(robot).status == 200
    assert robot.get(board).status == 200


def test_a_bot_is_not_handed_over_to_strangers(mina: Client, omar: Client) -> None:
    make_bot(omar)
    sign_up(mina, "zoe")

    refused = change(omar, owner_id="zoe")

    assert (refused.status, refused.json["code"]) == (422, "unknown_reference")
    assert change(mina, owner_id="zoe").json["owner_id"] == "zoe"
