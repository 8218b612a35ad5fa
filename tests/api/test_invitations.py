"""Invitations: who gets in by them, and what can't be learned or done with them."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from app.factory import create_app
from kanban.store import Store
from tests.api.client import Client, HttpResponse
from tests.api.manual_clock import ManualClock

INSTALLATION = "/invitations"
ALL = ["read", "write", "admin"]
NO_INVITATION = f"inv_{'0' * 26}"


class Invited:
    """An invitation, and clients that look at it and accept it."""

    def __init__(self, created: HttpResponse) -> None:
        assert created.status == 201, created.raw
        self.id: str = created.json["invitation"]["id"]
        self.secret: str = created.json["secret"]

    def look(self, client: Client, **headers: str) -> HttpResponse:
        """Look at the invitation without a token."""
        sent = {"Invitation-Secret": self.secret, **headers}
        return client.with_token(None).request("GET", f"{INSTALLATION}/{self.id}", headers=sent)

    def accept(self, client: Client, **body: Any) -> HttpResponse:
        """Accept the invitation as the user of a client."""
        return client.post(f"{INSTALLATION}/{self.id}/accept", {"secret": self.secret, **body})

    def join(self, client: Client, name: str = "Zoe", **body: Any) -> HttpResponse:
        """Accept the invitation without a token, and become a user."""
        return self.accept(client.with_token(None), user={"name": name}, **body)


@pytest.fixture
def board(mina: Client) -> str:
    return f"/boards/{mina.post('/boards', {'name': 'Website'}).json['id']}"


def invite(client: Client, board: str, role: str = "editor", **fields: Any) -> Invited:
    return Invited(client.post(f"{board}/invitations", {"role": role, **fields}))


def invite_to_installation(client: Client, **fields: Any) -> Invited:
    return Invited(client.post(INSTALLATION, fields))


def list_invitations(client: Client, board: str) -> list[Any]:
    items: list[Any] = client.get(f"{board}/invitations").json["items"]
    return items


def ensure_not_there(response: HttpResponse, anonymous: Client) -> None:
    """Check that a response is the one for an invitation that never was."""
    unknown = anonymous.request("GET", f"{INSTALLATION}/{NO_INVITATION}", headers={"Invitation-Secret": "x"})
    assert (response.status, response.json["code"]) == (404, "invitation_not_found")
    assert response.raw == unknown.raw


def test_an_owner_invites_and_a_second_person_gets_in(mina: Client, board: str, anonymous: Client) -> None:
    created = mina.post(f"{board}/invitations", {"role": "editor", "note": "For Zoe"})
    invited = Invited(created)
    assert created.headers["location"] == f"/v1{board}/invitations/{invited.id}"
    assert created.json["invitation"] == {
        "id": invited.id,
        "board_id": board.removeprefix("/boards/"),
        "role": "editor",
        "note": "For Zoe",
        "max_uses": 1,
        "uses": 0,
        "created_by": "mina",
        "created_at": "2026-11-20T14:00:00Z",
        "expires_at": "2026-11-27T14:00:00Z",
        "invitee_id": None,
    }

    assert invited.look(anonymous).json == {
        "id": invited.id,
        "board_name": "Website",
        "role": "editor",
        "invited_by": "Mina",
        "expires_at": "2026-11-27T14:00:00Z",
        "makes_users": True,
    }
    accepted = invited.accept(anonymous, user={"id": "zoe", "name": "Zoe"}, session_name="Laptop")

    assert accepted.status == 200
    assert (accepted.json["user"]["id"], accepted.json["role"], accepted.json["board"]["role"]) == (
        "zoe",
        "editor",
        "editor",
    )
    assert accepted.json["session"]["name"] == "Laptop"
    zoe = anonymous.with_token(accepted.json["token"])
    assert zoe.get("/boards").json["items"] == [zoe.get(board).json] == [accepted.json["board"]]
    assert zoe.post(f"{board}/cards", {"title": "Write the copy"}).status == 201
    assert [session["is_current"] for session in zoe.get("/users/me/sessions").json["items"]] == [True]


def test_the_event_of_a_new_member_names_the_invitation_and_the_session(mina: Client, board: str) -> None:
    invited = invite(mina, board)
    accepted = invited.join(mina)

    created, added = mina.get(f"{board}/events?after=1").json["items"]
    assert (created["type"], created["data"]) == (
        "invitation.created",
        {"invitation_id": invited.id, "role": "editor", "max_uses": 1},
    )
    assert (added["type"], added["actor_id"]) == ("member.added", accepted.json["user"]["id"])
    assert added["data"] == {"user_id": added["actor_id"], "role": "editor", "invitation_id": invited.id}
    assert added["token_id"] == accepted.json["session"]["id"]


def test_a_user_with_a_token_becomes_a_member(mina: Client, omar: Client, board: str) -> None:
    accepted = invite(mina, board, "viewer").accept(omar)

    assert (accepted.status, accepted.json["role"]) == (200, "viewer")
    assert (accepted.json["session"], accepted.json["token"]) == (None, None)
    assert omar.get(board).json == accepted.json["board"]
    assert omar.post(f"{board}/cards", {"title": "x"}).json["code"] == "role_too_low"


@pytest.mark.parametrize(
    ("present", "invited_role", "role", "uses"),
    [("viewer", "owner", "owner", 1), ("editor", "viewer", "editor", 0), ("owner", "editor", "owner", 0)],
)
def test_an_invitation_never_lowers_a_role(
    mina: Client, omar: Client, board: str, present: str, invited_role: str, role: str, uses: int
) -> None:
    mina.put(f"{board}/members/omar", {"role": present})
    invited = invite(mina, board, invited_role, max_uses=2)
    before = mina.get(board).json["seq"]

    for _ in range(2):
        accepted = invited.accept(omar)
        assert (accepted.status, accepted.json["role"], accepted.json["board"]["role"]) == (200, role, role)

    assert list_invitations(mina, board)[0]["uses"] == uses
    assert mina.get(board).json["seq"] == before + uses


def test_an_invitation_is_used_as_often_as_it_says(mina: Client, board: str, anonymous: Client) -> None:
    invited = invite(mina, board, max_uses=3)
    for uses in range(3):
        assert list_invitations(mina, board)[0]["uses"] == uses
        assert invited.join(anonymous, f"User {uses}").status == 200

    ensure_not_there(invited.join(anonymous, "User 4"), anonymous)
    ensure_not_there(invited.look(anonymous), anonymous)
    assert list_invitations(mina, board) == []
    assert len(mina.get(f"{board}/members").json["items"]) == 4


@pytest.mark.parametrize("of_board", [True, False])
def test_one_of_many_at_once_gets_the_last_use(mina: Client, board: str, anonymous: Client, of_board: Any) -> None:
    invited = invite(mina, board) if of_board else invite_to_installation(mina)
    with ThreadPoolExecutor(8) as threads:
        responses = [*threads.map(lambda number: invited.join(anonymous, f"User {number}"), range(8))]

    assert sorted(response.status for response in responses) == [200] + [404] * 7
    for response in responses:
        if response.status == 404:
            ensure_not_there(response, anonymous)
    assert len(mina.get(f"{board}/members").json["items"]) == (2 if of_board else 1)


def test_all_ends_of_an_invitation_look_the_same(
    mina: Client, omar: Client, board: str, anonymous: Client, clock: ManualClock
) -> None:
    revoked, expired, of_former_owner = (invite(mina, board) for _ in range(3))
    other_board = f"/boards/{mina.post('/boards', {'name': 'Old'}).json['id']}"
    of_deleted_board = invite(mina, other_board)
    mina.delete(other_board, If_Match="*")
    assert mina.delete(f"{board}/invitations/{revoked.id}").status == 204
    mina.put(f"{board}/members/omar", {"role": "owner"})
    of_omar = invite(omar, board)
    omar.put(f"{board}/members/omar", {"role": "editor"})
    wrong = invite(mina, board)
    wrong.secret = of_former_owner.secret

    for invited in (revoked, of_deleted_board, of_omar, wrong):
        ensure_not_there(invited.look(anonymous), anonymous)
        ensure_not_there(invited.join(anonymous), anonymous)
        ensure_not_there(invited.accept(omar), anonymous)
    assert of_former_owner.look(anonymous).status == 200
    mina.put(f"{board}/members/omar", {"role": "owner"})
    assert of_omar.look(anonymous).status == 200
    mina.delete(f"{board}/members/mina")
    ensure_not_there(of_former_owner.look(anonymous), anonymous)
    clock.advance(days=7)
    ensure_not_there(expired.look(anonymous), anonymous)
    ensure_not_there(of_omar.join(anonymous), anonymous)


def test_an_invitation_ends_for_good_when_its_creator_is_deactivated(
    mina: Client, omar: Client, board: str, anonymous: Client, clock: ManualClock
) -> None:
    mina.put(f"{board}/members/omar", {"role": "owner"})
    invited = invite(omar, board)
    clock.advance(seconds=1)
    assert mina.post("/users/omar/deactivate").status == 200

    ensure_not_there(invited.look(anonymous), anonymous)
    ensure_not_there(invited.join(anonymous), anonymous)
    assert mina.post("/users/omar/reactivate").status == 200
    ensure_not_there(invited.join(anonymous), anonymous)


@pytest.mark.parametrize("secret", ["", "ä" * 10, "\N{CYRILLIC SMALL LETTER A}" * 26, "x" * 65, 7, None])
def test_what_is_no_secret_is_a_400(mina: Client, board: str, anonymous: Client, secret: Any) -> None:
    invited = invite(mina, board)
    invited.secret = secret

    assert invited.accept(anonymous).json["code"] == "invalid_body"


def test_a_secret_is_sent_in_a_header_and_nowhere_else(mina: Client, board: str, anonymous: Client) -> None:
    invited = invite(mina, board)
    path = f"{INSTALLATION}/{invited.id}"

    assert anonymous.get(path).json["code"] == "invalid_header"
    assert anonymous.get(f"{path}?secret={invited.secret}").json["code"] == "invalid_parameter"
    too_long = anonymous.request("GET", path, headers={"Invitation-Secret": "x" * 1_000})
    assert (too_long.status, too_long.json["code"]) == (400, "invalid_header")
    assert anonymous.request("GET", path, headers={"Invitation-Secret": "x" * 100_000}).status == 431
    assert anonymous.post(f"{path}/accept", {"secret": "x" * 10_000_000}).status == 413


def test_a_token_and_a_user_to_create_do_not_go_together(mina: Client, omar: Client, board: str) -> None:
    invited = invite(mina, board)

    both = invited.accept(omar, user={"name": "Zoe"})
    neither = invited.accept(omar.with_token(None))

    assert (both.status, both.json["code"]) == (422, "already_signed_in")
    assert (neither.status, neither.json["code"]) == (401, "unauthenticated")
    assert invited.accept(omar.with_token("tkb_x")).status == 401
    assert invited.accept(omar, user=None, session_name=None).status == 200


@pytest.mark.parametrize(
    "user",
    [
        {"id": "Zoe", "name": "Zoe"},
        {"id": "z\N{CYRILLIC SMALL LETTER O}\N{CYRILLIC SMALL LETTER IE}", "name": "Zoe"},
        {"id": "me", "name": "x"},
        {"name": ""},
        {},
        {"name": "x", "admin": True},
    ],
)
def test_an_invalid_user_uses_nothing_up(mina: Client, board: str, anonymous: Client, user: Any) -> None:
    invited = invite(mina, board)

    assert invited.accept(anonymous, user=user).json["code"] == "invalid_body"
    assert invited.look(anonymous).status == 200


def test_an_id_that_is_taken_uses_nothing_up(mina: Client, board: str, anonymous: Client) -> None:
    for invited in (invite(mina, board), invite_to_installation(mina)):
        response = invited.accept(anonymous, user={"id": "mina", "name": "Another Mina"})

        assert (response.status, response.json["code"]) == (409, "id_taken")
        assert invited.look(anonymous).status == 200
    assert len(mina.get(f"{board}/members").json["items"]) == 1


def test_names_may_have_any_letters(mina: Client, board: str, anonymous: Client) -> None:
    invited = invite(mina, board, note="Für die Agentur 👩\u200d🚀 看板")

    accepted = invited.join(anonymous, "Zoë 看板 👩\u200d🚀", session_name="Zoës Händy")

    assert accepted.json["user"]["name"] == "Zoë 看板 👩\u200d🚀"
    assert accepted.json["session"]["name"] == "Zoës Händy"


def test_a_full_board_takes_nobody_and_uses_nothing_up(mina: Client, board: str, anonymous: Client) -> None:
    many = invite(mina, board, max_uses=100)
    for number in range(99):
        assert many.join(anonymous, f"User {number}").status == 200

    rejected = many.join(anonymous)

    assert (rejected.status, rejected.json["code"]) == (409, "too_many_members")
    assert list_invitations(mina, board)[0]["uses"] == 99


def test_a_board_has_fifty_invitations(mina: Client, board: str, clock: ManualClock) -> None:
    for _ in range(50):
        invite(mina, board)

    rejected = [mina.post(f"{board}/invitations", {"role": "viewer"}) for _ in range(3)]

    assert {(response.status, response.json["code"]) for response in rejected} == {(409, "too_many_invitations")}
    assert mina.get(board).json["seq"] == 51
    assert len(list_invitations(mina, board)) == 50
    clock.advance(days=7)
    assert list_invitations(mina, board) == []
    invite(mina, board)
    assert len(list_invitations(mina, board)) == 1


def test_the_installation_has_a_hundred_invitations(mina: Client) -> None:
    for _ in range(100):
        invite_to_installation(mina)

    assert mina.post(INSTALLATION, {}).json["code"] == "too_many_invitations"
    assert len(mina.get(INSTALLATION).json["items"]) == 100


@pytest.mark.parametrize(
    ("expires_at", "code"),
    [
        ("2026-11-20T13:59:59Z", "expires_in_past"),
        ("2026-11-20T14:00:00Z", "expires_in_past"),
        ("2026-12-20T14:00:01Z", "expires_too_late"),
        ("2026-12-20T14:00:00Z", None),
        ("2026-12-20T15:00:00+01:00", None),
    ],
)
def test_an_invitation_is_valid_for_30_days_at_most(
    mina: Client, board: str, expires_at: str, code: str | None
) -> None:
    for path, body in ((f"{board}/invitations", {"role": "viewer"}), (INSTALLATION, {})):
        response = mina.post(path, {**body, "expires_at": expires_at})
        assert (response.status, response.json.get("code")) == ((422, code) if code else (201, None))


@pytest.mark.parametrize(
    "body",
    [{}, {"role": "admin"}, {"role": "viewer", "max_uses": 0}, {"role": "viewer", "max_uses": 101}, {"role": None}],
)
def test_what_is_no_invitation_is_a_400(mina: Client, board: str, body: dict[str, Any]) -> None:
    assert mina.post(f"{board}/invitations", body).json["code"] == "invalid_body"


def test_an_editor_neither_invites_nor_sees_who_is_invited(mina: Client, omar: Client, board: str) -> None:
    mina.put(f"{board}/members/omar", {"role": "editor"})
    invited = invite(mina, board)

    for response in (
        omar.get(f"{board}/invitations"),
        omar.post(f"{board}/invitations", {"role": "viewer"}),
        omar.delete(f"{board}/invitations/{invited.id}"),
    ):
        assert (response.status, response.json["code"]) == (403, "role_too_low")


def test_invitations_of_other_boards_are_not_there(mina: Client, board: str) -> None:
    other = f"/boards/{mina.post('/boards', {'name': 'Shop'}).json['id']}"
    invited, of_installation = invite(mina, other), invite_to_installation(mina)

    for path in (
        f"{board}/invitations/{invited.id}",
        f"{board}/invitations/{of_installation.id}",
        f"{INSTALLATION}/{invited.id}",
        f"{INSTALLATION}/{NO_INVITATION}",
    ):
        response = mina.delete(path)
        assert (response.status, response.json["code"]) == (404, "invitation_not_found")
    assert len(list_invitations(mina, other)) == len(mina.get(INSTALLATION).json["items"]) == 1


# The installation


def test_the_owner_of_the_installation_lets_users_in(mina: Client, anonymous: Client) -> None:
    invited = invite_to_installation(mina, max_uses=2, note="The team")

    assert invited.look(anonymous).json["board_name"] is None
    accepted = invited.join(anonymous)

    assert (accepted.json["board"], accepted.json["role"]) == (None, None)
    assert anonymous.with_token(accepted.json["token"]).get("/boards").json["items"] == []
    assert mina.get(INSTALLATION).json["items"][0]["uses"] == 1
    assert mina.delete(f"{INSTALLATION}/{invited.id}").status == 204
    ensure_not_there(invited.join(anonymous), anonymous)


def test_a_user_needs_no_invitation_to_the_installation(mina: Client, omar: Client) -> None:
    invited = invite_to_installation(mina)

    accepted = invited.accept(omar)

    assert (accepted.status, accepted.json["user"]["id"], accepted.json["token"]) == (200, "omar", None)
    assert mina.get(INSTALLATION).json["items"][0]["uses"] == 0


def test_nobody_else_invites_to_the_installation(mina: Client, omar: Client) -> None:
    invited = invite_to_installation(mina)

    for response in (
        omar.get(INSTALLATION),
        omar.post(INSTALLATION, {}),
        omar.delete(f"{INSTALLATION}/{invited.id}"),
    ):
        assert (response.status, response.json["code"]) == (403, "installation_owner_only")


def test_a_narrowed_token_neither_accepts_nor_lets_users_in(mina: Client, omar: Client, board: str) -> None:
    narrow = {"name": "Narrow", "scopes": ALL, "max_role": "owner"}
    of_omar = omar.with_token(omar.post("/users/me/tokens", narrow).json["secret"])
    of_mina = mina.with_token(mina.post("/users/me/tokens", narrow).json["secret"])

    for response in (invite(mina, board).accept(of_omar), of_mina.post(INSTALLATION, {})):
        assert (response.status, response.json["code"]) == (403, "token_too_narrow")


def test_a_token_needs_the_scope_write_to_accept(mina: Client, omar: Client, board: str) -> None:
    reading = omar.with_token(omar.post("/users/me/tokens", {"name": "x", "scopes": ["read"]}).json["secret"])

    assert invite(mina, board).accept(reading).json["code"] == "scope_missing"


@pytest.fixture
def strict_server(store: Store, clock: ManualClock) -> Client:
    """Return a client without a token, of a server where only the owner of the installation lets users in."""
    return Client(create_app(store, clock=clock, invitations_make_users=False))


def test_where_members_let_no_users_in_the_owner_still_does(
    mina: Client, omar: Client, board: str, strict_server: Client
) -> None:
    mina.put(f"{board}/members/omar", {"role": "owner"})
    of_owner, of_member, to_installation = invite(mina, board), invite(omar, board), invite_to_installation(mina)

    rejected = of_member.join(strict_server)

    assert (rejected.status, rejected.json["code"]) == (403, "sign_in_first")
    assert of_member.look(strict_server).json["makes_users"] is False
    for invited in (of_owner, to_installation):
        assert invited.look(strict_server).json["makes_users"] is True
        assert invited.join(strict_server).status == 200
    assert of_member.accept(strict_server.with_token(omar.token)).status == 200


# Secrets


def test_a_secret_is_in_nothing_that_can_be_read(mina: Client, board: str) -> None:
    invited = invite(mina, board)
    readings = [
        mina.get(f"{board}/invitations"),
        mina.get(f"{board}/events"),
        mina.get(f"{board}/changes"),
        mina.get(f"{board}/export"),
        mina.get(board),
    ]

    assert all(invited.secret.encode() not in response.raw for response in readings)
    assert b"inv_" not in mina.post(f"{board}/copy", {}).raw


def test_no_response_is_repeated_by_a_key(mina: Client, board: str) -> None:
    first = mina.post(f"{board}/invitations", {"role": "viewer"}, Idempotency_Key="one").json["secret"]

    assert mina.post(f"{board}/invitations", {"role": "viewer"}, Idempotency_Key="one").json["secret"] != first


def test_wrong_secrets_are_limited_with_wrong_codes(mina: Client, board: str, store: Store, clock: ManualClock) -> None:
    # Other tests share the other server, which counts as well.
    anonymous = Client(create_app(store, clock=clock, unix_time=lambda: clock().timestamp()))
    invited = invite(mina, board)
    right, invited.secret = invited.secret, "x"
    statuses = {invited.look(anonymous).status for _ in range(300)}
    assert statuses == {404}

    invited.secret = right
    for response in (invited.look(anonymous), invited.join(anonymous)):
        assert (response.status, response.json["code"]) == (429, "too_many_requests")
    assert anonymous.post("/sessions", {"code": "x", "name": "y"}).status == 429


def test_a_dry_run_uses_nothing_up(mina: Client, board: str, anonymous: Client) -> None:
    invited = invite(mina, board)

    dry = anonymous.post(
        f"{INSTALLATION}/{invited.id}/accept",
        {"secret": invited.secret, "user": {"id": "zoe", "name": "Zoe"}},
        Prefer="dry-run",
    )

    assert (dry.status, dry.json["token"][:34]) == (200, "tkb_" + "0" * 30)
    assert mina.get("/users/zoe").status == 404
    assert invited.join(anonymous).status == 200
