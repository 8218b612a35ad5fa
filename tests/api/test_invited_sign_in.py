"""Signing in with a provider by an invitation: who becomes a user and a member, and what failures leave behind."""

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from kanban.store import Store
from kanban.values import TokenKind
from tests.api.client import Client, HttpResponse
from tests.api.manual_clock import ManualClock
from tests.api.provider_sign_in import (
    BuildClient,
    begin,
    build,
    ensure_failed,
    finish,
    link,
    list_identities,
    provider,
    sign_in,
)
from tests.api.test_invitations import Invited, ensure_not_there, invite, invite_to_installation
from tests.oidc.scripted_provider import ScriptedProvider
from tests.oidc.signing import build_claims

__all__ = ["build", "provider"]


@pytest.fixture
def board(mina: Client) -> str:
    return f"/boards/{mina.post('/boards', {'name': 'Website'}).json['id']}"


def sign_in_with(client: Client, invited: Invited) -> HttpResponse:
    """Sign in with an invitation."""
    return finish(client, begin(client), invitation={"id": invited.id, "secret": invited.secret})


def list_members(client: Client, board: str) -> list[tuple[str, str]]:
    return sorted((member["user_id"], member["role"]) for member in client.get(f"{board}/members").json["items"])


@pytest.mark.parametrize("sign_up", ["invited", "open"])
def test_an_invitation_makes_a_user_and_a_member_at_once(
    build: BuildClient, mina: Client, board: str, provider: ScriptedProvider, sign_up: str
) -> None:
    provider.claims = {"sub": "zoe", "name": "Zoë"}
    client, invited = build(sign_up=sign_up), invite(mina, board, max_uses=2)

    created = sign_in_with(client, invited)

    assert created.status == 201, created.raw
    user_id = created.json["user"]["id"]
    assert (created.json["user"]["name"], created.json["role"]) == ("Zoë", "editor")
    zoe = client.with_token(created.json["token"])
    assert zoe.get("/boards").json["items"] == [created.json["board"]] == [zoe.get(board).json]
    assert [identity["subject"] for identity in list_identities(zoe)] == ["zoe"]
    event = mina.get(f"{board}/events?after=2").json["items"][0]
    assert (event["type"], event["actor_id"]) == ("member.added", user_id)
    assert event["token_id"] == created.json["session"]["id"]
    assert event["data"] == {"user_id": user_id, "role": "editor", "invitation_id": invited.id}
    assert [left["uses"] for left in mina.get(f"{board}/invitations").json["items"]] == [1]
    assert sign_in(client).json["user"]["id"] == user_id


def test_an_invitation_to_no_board_makes_a_user(build: BuildClient, mina: Client) -> None:
    client, invited = build(sign_up="invited"), invite_to_installation(mina)

    created = sign_in_with(client, invited)

    assert (created.status, created.json["board"], created.json["role"]) == (201, None, None)
    ensure_not_there(invited.look(mina), mina)
    assert sign_in(client).json["user"] == created.json["user"]


def test_a_user_who_signs_in_with_an_invitation_becomes_a_member(
    build: BuildClient, mina: Client, omar: Client, board: str
) -> None:
    client = build(sign_up="none", invitations_make_users=False)
    link(client.with_token(omar.token))

    joined = sign_in_with(client, invite(mina, board, "viewer"))
    assert (joined.status, joined.json["user"]["id"], joined.json["role"]) == (201, "omar", "viewer")
    assert omar.get(board).json == joined.json["board"]

    raised = sign_in_with(client, invite(mina, board, "owner"))
    assert (raised.status, raised.json["role"]) == (201, "owner")

    kept = invite(mina, board, "editor")
    again = sign_in_with(client, kept)
    assert (again.status, again.json["role"]) == (201, "owner")
    assert kept.look(mina).status == 200
    assert list_members(mina, board) == [("mina", "owner"), ("omar", "owner")]


def test_a_user_who_signs_in_uses_no_invitation_to_no_board(build: BuildClient, mina: Client) -> None:
    client, invited = build(), invite_to_installation(mina)
    link(client.with_token(mina.token))

    assert sign_in_with(client, invited).json["user"]["id"] == "mina"
    assert invited.look(mina).status == 200


@pytest.mark.parametrize(
    ("sign_up", "code"), [("none", "not_invited"), ("invited", "sign_in_first"), ("open", "a user")]
)
def test_an_invitation_that_makes_no_users_lets_accounts_in_where_sign_up_is_open(
    build: BuildClient, mina: Client, omar: Client, sign_up: str, code: str
) -> None:
    client = build(open_signup=False, invitations_make_users=False, sign_up=sign_up)
    board = f"/boards/{omar.post('/boards', {'name': 'Garden'}).json['id']}"
    invited = invite(omar, board)

    response = sign_in_with(client, invited)

    assert response.json.get("code", "a user") == code
    is_in = code == "a user"
    assert (response.status, len(list_members(omar, board))) == ((201, 2) if is_in else (403, 1))
    assert invited.look(mina).status == (404 if is_in else 200)
    assert len(mina.get("/users").json["items"]) == (3 if is_in else 2)


def test_accounts_of_a_provider_that_creates_no_users_create_none_with_an_invitation(
    build: BuildClient, mina: Client, board: str
) -> None:
    invited = invite(mina, board)
    response = sign_in_with(build(sign_up="none"), invited)

    assert (response.status, response.json["code"]) == (403, "not_invited")
    assert "accounts of this provider create none" in response.json["detail"]
    assert invited.look(mina).json["makes_users"] is True


def test_an_invitation_that_is_over_signs_nobody_in(
    build: BuildClient, mina: Client, board: str, provider: ScriptedProvider, clock: ManualClock
) -> None:
    client = build()
    link(client.with_token(mina.token))
    used, revoked, expired, wrong = (invite(mina, board) for _ in range(4))
    used.join(mina)
    mina.delete(f"{board}/invitations/{revoked.id}")
    wrong.secret = used.secret
    returned, calls = begin(client), len(provider.list_requests("/token"))

    def try_to_join(invited: Invited) -> None:
        refused = finish(client, returned, invitation={"id": invited.id, "secret": invited.secret})
        ensure_not_there(refused, client)

    for invited in (used, revoked, wrong):
        try_to_join(invited)
    # The provider's code is not used up.
    assert len(provider.list_requests("/token")) == calls
    assert finish(client, returned).json["user"]["id"] == "mina"
    clock.advance(days=7)
    returned = begin(client)
    try_to_join(expired)


def test_a_full_board_signs_nobody_in(build: BuildClient, mina: Client, board: str, store: Store) -> None:
    client, invited = build(), invite(mina, board, max_uses=100)
    for number in range(99):
        assert invited.join(mina, f"User {number}").status == 200

    refused = sign_in_with(client, invited)

    assert (refused.status, refused.json["code"]) == (409, "too_many_members")
    assert store.sign_in.read_identity(build_claims()["iss"], build_claims()["sub"]) is None
    assert len(store.page_users(200).items) == 100
    assert invited.look(mina).status == 200


def test_one_of_many_sign_ins_at_once_gets_the_last_use(
    build: BuildClient, mina: Client, board: str, store: Store
) -> None:
    client, invited = build(sign_up="invited"), invite(mina, board)
    attempts = [begin(client) for _ in range(5)]

    def try_to_join(returned: dict[str, str]) -> HttpResponse:
        return finish(client, returned, invitation={"id": invited.id, "secret": invited.secret})

    with ThreadPoolExecutor(5) as threads:
        responses = sorted(threads.map(try_to_join, attempts), key=lambda response: response.status)

    user_id = responses[0].json["user"]["id"]
    assert {response.json.get("code") for response in responses[1:]} <= {"invitation_not_found", "identity_taken"}
    assert len(list_members(mina, board)) == len(store.page_users(10).items) == 2
    assert len(store.page_tokens(user_id, 10, None, TokenKind.SESSION).items) == 1


def test_a_deactivated_user_uses_no_invitation(build: BuildClient, mina: Client, omar: Client, board: str) -> None:
    client, invited = build(), invite(mina, board)
    link(client.with_token(omar.token))
    assert mina.post("/users/omar/deactivate").status == 200

    ensure_failed(sign_in_with(client, invited))
    assert invited.look(mina).status == 200


def test_wrong_invitations_count_with_wrong_codes(build: BuildClient, mina: Client, board: str) -> None:
    client, invited = build(), invite(mina, board)
    right = invited.secret
    returned = begin(client)
    invited.secret = "wrong"
    for _ in range(300):
        finish(client, returned, invitation={"id": invited.id, "secret": invited.secret})
    invited.secret = right

    limited = finish(client, returned, invitation={"id": invited.id, "secret": invited.secret})
    assert (limited.status, limited.json["code"]) == (429, "too_many_requests")


def test_the_secret_of_an_invitation_reaches_neither_log_nor_provider(
    build: BuildClient, mina: Client, board: str, provider: ScriptedProvider, caplog: pytest.LogCaptureFixture
) -> None:
    client, invited = build(), invite(mina, board)
    with caplog.at_level(logging.DEBUG):
        assert sign_in_with(client, invited).status == 201
        sign_in_with(client, invited)

    assert invited.secret not in caplog.text
    requests = [request for path in ("/authorize", "/token") for request in provider.list_requests(path)]
    assert requests
    assert not any(invited.secret in request.start or invited.secret.encode() in request.body for request in requests)


@pytest.mark.parametrize(
    "key", [{"id": "inv_1", "secret": "x"}, {"id": f"inv_{'0' * 26}"}, {"secret": "x"}, "inv", [], {"x": 1}]
)
def test_what_is_no_invitation_is_a_400(build: BuildClient, key: Any) -> None:
    returned = {"attempt": "a" * 64, "state": "s", "code": "c"}

    assert finish(build(), returned, invitation=key).status == 400
