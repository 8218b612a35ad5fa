"""Signing up, the caller's user, and tokens."""

import pytest

from app.factory import create_app
from kanban.store import Store
from tests.api.client import Client
from tests.api.manual_clock import ManualClock


def test_signing_up_returns_the_user_and_the_first_token_once(anonymous: Client) -> None:
    created = anonymous.post("/users", {"id": "mina", "name": "Mina"})

    assert created.status == 201
    assert created.headers["location"] == "/v1/users/mina"
    assert created.json["user"]["id"] == "mina"
    assert anonymous.with_token(created.json["token"]).get("/users/me").json == created.json["user"]


def test_a_taken_user_id_is_rejected_and_changes_nothing(anonymous: Client, mina: Client) -> None:
    again = anonymous.post("/users", {"id": "mina", "name": "Someone else"})

    assert (again.status, again.json["code"]) == (409, "id_taken")
    assert mina.get("/users/me").json["name"] == "Mina"


def test_without_an_id_the_server_generates_one(anonymous: Client) -> None:
    created = anonymous.post("/users", {"name": "Mina"})

    assert created.json["user"]["id"].startswith("usr_")


@pytest.mark.parametrize("name", ["me", "Mina", "mi na", "ab", "-mina", "mina\n"])
def test_an_ambiguous_user_id_is_rejected(anonymous: Client, name: str) -> None:
    assert anonymous.post("/users", {"id": name, "name": "Mina"}).status == 400


@pytest.fixture
def closed_sign_up(store: Store, clock: ManualClock) -> Client:
    """Return a client without a token, of a server with closed sign-up."""
    return Client(create_app(store, clock=clock, open_signup=False))


def test_with_closed_sign_up_only_the_installation_owner_creates_users(
    closed_sign_up: Client, mina: Client, omar: Client
) -> None:
    created = closed_sign_up.with_token(mina.token).post("/users", {"id": "zoe", "name": "Zoe"})
    puppet = closed_sign_up.with_token(created.json["token"])

    assert created.status == 201
    assert puppet.get("/users/me").json["id"] == "zoe"
    for member in (closed_sign_up.with_token(omar.token), puppet):
        rejected = member.post("/users", {"id": "puppet", "name": "Puppet"})
        assert (rejected.status, rejected.json["code"]) == (403, "installation_owner_only")
        assert rejected.json["detail"] == "Sign-up is closed: only the owner of this installation can create users."
    assert mina.get("/users/puppet").status == 404


def test_with_closed_sign_up_a_stranger_creates_no_user(closed_sign_up: Client) -> None:
    rejected = closed_sign_up.post("/users", {"name": "Omar"})

    assert (rejected.status, rejected.json["code"]) == (401, "unauthenticated")
    assert rejected.headers["www-authenticate"] == 'Bearer realm="tackboard"'


@pytest.mark.parametrize("scopes", [["read"], ["write"], ["read", "write"], ["admin"]])
def test_creating_users_needs_the_admin_scope(closed_sign_up: Client, mina: Client, scopes: list[str]) -> None:
    token = mina.post("/users/me/tokens", {"name": "Some", "scopes": scopes}).json["secret"]

    response = closed_sign_up.with_token(token).post("/users", {"name": "Zoe"})

    if "admin" in scopes:
        assert response.status == 201
    else:
        assert (response.status, response.json["code"]) == (403, "scope_missing")


def test_with_open_sign_up_anyone_creates_users(omar: Client) -> None:
    assert omar.post("/users", {"name": "Zoe"}).status == 201


def test_an_invalid_token_is_rejected_even_if_none_is_needed(anonymous: Client) -> None:
    assert anonymous.with_token("tkb_nonsense").post("/users", {"name": "Omar"}).status == 401


def test_renaming_the_own_user_needs_if_match(mina: Client) -> None:
    read = mina.get("/users/me")

    unconditional = mina.patch("/users/me", {"name": "Mina Okafor"})
    renamed = mina.patch("/users/me", {"name": "Mina Okafor"}, If_Match=read.etag)
    stale = mina.patch("/users/me", {"name": "Somebody"}, If_Match=read.etag)

    assert (unconditional.status, unconditional.json["code"]) == (428, "precondition_required")
    assert (renamed.status, renamed.json["name"]) == (200, "Mina Okafor")
    assert (stale.status, stale.json["code"]) == (412, "precondition_failed")
    assert mina.get("/users/mina").json["name"] == "Mina Okafor"


def test_the_secret_of_a_token_is_shown_once(mina: Client) -> None:
    created = mina.post(
        "/users/me/tokens", {"name": "CI", "scopes": ["read"], "expires_at": "2026-12-01T02:00:00+02:00"}
    )

    listed = mina.get("/users/me/tokens")

    assert created.status == 201
    assert created.json["token"]["expires_at"] == "2026-12-01T00:00:00Z"
    assert [token["name"] for token in listed.json["items"]] == ["CI", "First token"]
    assert created.json["secret"].encode() not in listed.raw


def test_a_token_can_not_create_a_stronger_one(mina: Client) -> None:
    weaker = mina.post("/users/me/tokens", {"name": "Keeper", "scopes": ["admin"]}).json["secret"]

    rejected = mina.with_token(weaker).post("/users/me/tokens", {"name": "More", "scopes": ["admin", "write"]})

    assert (rejected.status, rejected.json["code"]) == (422, "scope_too_broad")


def test_a_token_that_is_already_expired_is_rejected(mina: Client) -> None:
    rejected = mina.post("/users/me/tokens", {"name": "CI", "scopes": ["read"], "expires_at": "2026-11-20T14:00:00Z"})

    assert (rejected.status, rejected.json["code"]) == (422, "expires_in_past")
    assert rejected.json["errors"][0]["pointer"] == "/expires_at"


def test_a_revoked_token_is_rejected_immediately(mina: Client) -> None:
    created = mina.post("/users/me/tokens", {"name": "CI", "scopes": ["read"]}).json
    client = mina.with_token(created["secret"])
    assert client.get("/boards").status == 200

    revoked = mina.delete(f"/users/me/tokens/{created['token']['id']}")

    assert revoked.status == 204
    assert client.get("/boards").status == 401
    assert mina.delete(f"/users/me/tokens/{created['token']['id']}").status == 404


def test_a_token_expires_at_the_exact_second(mina: Client, clock: ManualClock) -> None:
    created = mina.post(
        "/users/me/tokens", {"name": "CI", "scopes": ["read"], "expires_at": "2026-11-20T15:00:00Z"}
    ).json
    client = mina.with_token(created["secret"])

    clock.advance(minutes=59, seconds=59)
    before = client.get("/boards")
    clock.advance(seconds=1)
    after = client.get("/boards")

    assert (before.status, after.status) == (200, 401)


def test_tokens_of_other_users_are_invisible(mina: Client, omar: Client) -> None:
    token = mina.get("/users/me/tokens").json["items"][0]

    assert omar.delete(f"/users/me/tokens/{token['id']}").status == 404
    assert token["id"] not in str(omar.get("/users/me/tokens").json)


def test_the_missing_scope_is_named(mina: Client) -> None:
    reader = mina.with_token(mina.post("/users/me/tokens", {"name": "R", "scopes": ["read"]}).json["secret"])

    rejected = reader.post("/boards", {"name": "Website"})

    assert rejected.status == 403
    assert rejected.json["detail"] == "This needs a token with the scope write."
