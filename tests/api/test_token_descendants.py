"""Tokens created with tokens: limits on expiry, scopes and revocation; rotation of secrets."""

from typing import Any

import pytest

from kanban import tokens
from kanban.changes import ActionContext
from kanban.ids import IdGenerator
from kanban.store import Store
from kanban.values import Token
from tests.api.client import Client, HttpResponse
from tests.api.manual_clock import ManualClock

TOKENS = "/users/me/tokens"
ALL = ["read", "write", "admin"]


class TokenFamily:
    """Tokens of one user, as clients, named by their relation to the token `self`."""

    def __init__(self, first: Client) -> None:
        self.clients = {"mother": first}
        self.ids = {"mother": first.get(TOKENS).json["items"][0]["id"]}
        for name, maker in (("self", "mother"), ("sister", "mother"), ("child", "self"), ("grandchild", "child")):
            self.add(name, maker)

    def add(self, name: str, maker: str, scopes: list[str] | None = None, **fields: Any) -> HttpResponse:
        """Create a token with another one."""
        created = self.clients[maker].post(TOKENS, {"name": name, "scopes": scopes or ALL, **fields})
        assert created.status == 201, created.raw
        self.clients[name] = self.clients[maker].with_token(created.json["secret"])
        self.ids[name] = created.json["token"]["id"]
        return created

    def revoke(self, name: str, by: str) -> HttpResponse:
        """Revoke a token with another one."""
        return self.clients[by].delete(f"{TOKENS}/{self.ids[name]}")

    def rotate(self, name: str, by: str) -> HttpResponse:
        """Rotate a token with another one."""
        return self.clients[by].post(f"{TOKENS}/{self.ids[name]}/rotate")

    def live(self) -> set[str]:
        """Return the names of the tokens that are valid."""
        return {name for name, client in self.clients.items() if client.get("/users/me").status == 200}


@pytest.fixture
def family(mina: Client) -> TokenFamily:
    return TokenFamily(mina)


def test_a_token_names_its_parent(mina: Client, family: TokenFamily) -> None:
    parents = {token["name"]: token["parent_id"] for token in mina.get(TOKENS).json["items"]}

    assert parents == {
        "First token": None,
        "self": family.ids["mother"],
        "sister": family.ids["mother"],
        "child": family.ids["self"],
        "grandchild": family.ids["child"],
    }


# Expiry


@pytest.mark.parametrize(
    ("expires_at", "expected"),
    [
        ({}, "2026-11-20T14:01:00Z"),
        ({"expires_at": "2026-11-20T14:00:30Z"}, "2026-11-20T14:00:30Z"),
        ({"expires_at": "2026-11-20T14:01:00Z"}, "2026-11-20T14:01:00Z"),
        ({"expires_at": "2026-11-20T15:01:00+01:00"}, "2026-11-20T14:01:00Z"),
    ],
)
def test_a_child_of_an_expiring_token_expires_with_it(
    family: TokenFamily, clock: ManualClock, expires_at: dict[str, Any], expected: str
) -> None:
    family.add("short", "self", expires_at="2026-11-20T14:01:00Z")

    created = family.add("below", "short", **expires_at)
    clock.advance(seconds=60)

    assert created.json["token"]["expires_at"] == expected
    assert not {"short", "below"} & family.live()


@pytest.mark.parametrize("later", ["2026-11-20T14:01:01Z", "2999-12-31T23:59:59Z"])
def test_a_child_that_would_outlive_its_parent_is_rejected(family: TokenFamily, later: str) -> None:
    family.add("short", "self", expires_at="2026-11-20T14:01:00Z")

    rejected = family.clients["short"].post(TOKENS, {"name": "Forever", "scopes": ["read"], "expires_at": later})

    assert (rejected.status, rejected.json["code"]) == (422, "expires_after_parent")
    assert rejected.json["errors"][0]["pointer"] == "/expires_at"
    assert rejected.json["detail"].endswith("which expires at 2026-11-20T14:01:00Z.")


def test_a_chain_of_tokens_has_a_maximum_length(family: TokenFamily) -> None:
    name = "grandchild"
    for number in range(7):
        family.add(f"below {number}", name)
        name = f"below {number}"

    rejected = family.clients[name].post(TOKENS, {"name": "One more", "scopes": ["read"]})

    assert (rejected.status, rejected.json["code"]) == (409, "too_many_generations")
    assert family.live() == {*family.ids}


# Revocation with the parent

REVOKED_WITH = {
    "sister": {"sister"},
    "grandchild": {"grandchild"},
    "child": {"child", "grandchild"},
    "self": {"self", "child", "grandchild"},
}


@pytest.mark.parametrize("name", REVOKED_WITH)
def test_revoking_a_token_revokes_all_its_descendants(family: TokenFamily, name: str) -> None:
    assert family.revoke(name, by="mother").status == 204

    revoked = REVOKED_WITH[name]
    assert family.live() == {*family.ids} - revoked
    listed = {token["id"] for token in family.clients["mother"].get(TOKENS).json["items"]}
    assert listed == {family.ids[other] for other in {*family.ids} - revoked}
    for other in revoked:
        for response in (family.revoke(other, by="mother"), family.rotate(other, by="mother")):
            assert (response.status, response.json["code"]) == (404, "token_not_found")


def test_a_token_created_during_the_revocation_of_its_parent_is_invalid(
    family: TokenFamily, store: Store, monkeypatch: pytest.MonkeyPatch, clock: ManualClock
) -> None:
    def revoked_now(token: Token) -> None:
        _, change = tokens.revoke(token, context_of_mina(clock), caller_token=token)
        assert change is not None
        store.commit(change)

    run_before_commit(store, monkeypatch, revoked_now)

    created = family.clients["self"].post(TOKENS, {"name": "Late", "scopes": ["read"]})

    assert created.status == 201
    assert family.clients["self"].with_token(created.json["secret"]).get("/users/me").status == 401


# Rights


def test_a_token_may_revoke_tokens_with_no_more_rights(mina: Client, family: TokenFamily) -> None:
    first = family.ids["mother"]
    expected = {
        ("self", "mother"): 403,
        ("child", "mother"): 403,
        ("child", "self"): 403,
        ("sister", "child"): 204,
        ("self", "sister"): 204,
        ("grandchild", "grandchild"): 401,
    }

    statuses = {(by, name): family.revoke(name, by).status for by, name in expected}

    assert statuses == expected
    assert mina.get(TOKENS).json["items"][-1]["id"] == first


@pytest.mark.parametrize("held", [["admin"], ["read", "admin"], ["write", "admin"]])
def test_an_admin_token_can_not_revoke_or_rotate_a_stronger_one(family: TokenFamily, held: list[str]) -> None:
    family.add("keeper", "self", held)
    family.add("weaker", "self", ["admin"])

    rejected = family.revoke("sister", by="keeper")
    rotated = family.rotate("sister", by="keeper")
    revoked = family.revoke("weaker", by="keeper")

    assert (rejected.status, rejected.json["code"]) == (403, "token_out_of_reach")
    assert "which yours does not have" in rejected.json["detail"]
    assert (rotated.status, rotated.json["code"]) == (403, "token_out_of_reach")
    assert revoked.status == 204
    assert "sister" in family.live()


@pytest.mark.parametrize("scopes", [["read"], ["write"], ["read", "write"]])
def test_rotation_needs_the_admin_scope(family: TokenFamily, scopes: list[str]) -> None:
    family.add("weak", "self", scopes)

    for response in (family.rotate("weak", by="weak"), family.revoke("weak", by="weak")):
        assert (response.status, response.json["code"]) == (403, "scope_missing")


# Rotation


@pytest.mark.parametrize("by", ["self", "mother"])
def test_rotation_changes_only_the_secret(family: TokenFamily, by: str) -> None:
    before = next(token for token in family.clients["mother"].get(TOKENS).json["items"] if token["name"] == "self")
    old = family.clients["self"]

    rotated = family.rotate("self", by)

    assert rotated.status == 200
    assert {**rotated.json["token"], "last_used_at": None} == {**before, "last_used_at": None}
    assert old.get("/users/me").status == 401
    family.clients["self"] = old.with_token(rotated.json["secret"])
    assert family.live() == {*family.ids}


def test_rotation_keeps_the_expiry_of_a_token(family: TokenFamily, clock: ManualClock) -> None:
    family.add("short", "self", ["admin"], expires_at="2026-11-20T14:01:00Z")

    rotated = family.rotate("short", by="short")
    family.clients["short"] = family.clients["short"].with_token(rotated.json["secret"])
    again = family.rotate("short", by="short")
    family.clients["short"] = family.clients["short"].with_token(again.json["secret"])
    clock.advance(seconds=60)
    commit_late = family.rotate("short", by="short")
    expired = family.rotate("short", by="self")

    assert rotated.json["token"]["expires_at"] == "2026-11-20T14:01:00Z"
    assert rotated.json["token"]["scopes"] == ["admin"]
    assert again.status == 200
    assert commit_late.status == 401
    assert (expired.status, expired.json["code"]) == (409, "token_expired")


@pytest.mark.parametrize(("by", "name"), [("self", "mother"), ("self", "sister"), ("child", "self")])
def test_a_token_can_not_rotate_one_that_outlives_it(family: TokenFamily, by: str, name: str) -> None:
    rejected = family.rotate(name, by)

    assert (rejected.status, rejected.json["code"]) == (403, "token_out_of_reach")
    assert family.live() == {*family.ids}


def test_tokens_of_other_users_can_not_be_rotated(mina: Client, omar: Client) -> None:
    token = mina.get(TOKENS).json["items"][0]

    rejected = omar.post(f"{TOKENS}/{token['id']}/rotate")

    assert (rejected.status, rejected.json["code"]) == (404, "token_not_found")


def test_a_new_secret_is_in_no_other_response_and_is_not_replayed(family: TokenFamily) -> None:
    rotated = family.rotate("child", by="self")
    with_key = family.clients["self"].post(f"{TOKENS}/{family.ids['child']}/rotate", Idempotency_Key="once")

    assert rotated.json["secret"].encode() not in family.clients["self"].get(TOKENS).raw
    assert "idempotency-replayed" not in with_key.headers
    assert with_key.json["secret"] != rotated.json["secret"]


def test_a_concurrent_request_with_the_old_secret_can_not_rotate(
    family: TokenFamily, store: Store, monkeypatch: pytest.MonkeyPatch, clock: ManualClock
) -> None:
    secrets: list[str] = []

    def rotated_now(token: Token) -> None:
        _, text, change = tokens.rotate(
            token, context_of_mina(clock), lambda count: b"\x07" * count, caller_token=token
        )
        store.commit(change)
        secrets.append(text)

    run_before_commit(store, monkeypatch, rotated_now)

    commit_late = family.rotate("self", by="self")

    assert (commit_late.status, commit_late.json["code"]) == (401, "unauthenticated")
    assert family.clients["self"].with_token(secrets[0]).get("/users/me").status == 200


@pytest.mark.parametrize("act", ["revoke", "rotate", "delete"])
def test_a_token_that_ends_between_authentication_and_reading_can_not_act(
    family: TokenFamily, store: Store, monkeypatch: pytest.MonkeyPatch, clock: ManualClock, act: str
) -> None:
    read_holder, read_token = store.read_token_by_digest, store.read_token

    def read_all_but_calling_token(user_id: str, token_id: str) -> Token | None:
        return None if token_id == family.ids["self"] else read_token(user_id, token_id)

    def read_holder_and_end_token(digest: str) -> Any:
        holder = read_holder(digest)
        assert holder is not None
        if act == "delete":
            patch.setattr(store, "read_token", read_all_but_calling_token)
            return holder
        if act == "revoke":
            _, change = tokens.revoke(holder[0], context_of_mina(clock), caller_token=holder[0])
        else:
            _, _, change = tokens.rotate(
                holder[0], context_of_mina(clock), lambda count: b"\x07" * count, caller_token=holder[0]
            )
        assert change is not None
        store.commit(change)
        return holder

    with monkeypatch.context() as patch:
        patch.setattr(store, "read_token_by_digest", read_holder_and_end_token)
        response = family.revoke("sister", by="self")

    assert (response.status, response.json["code"]) == (401, "unauthenticated")
    assert "sister" in family.live()


def context_of_mina(clock: ManualClock) -> ActionContext:
    """Return the context of an action by Mina."""
    return ActionContext("mina", clock(), IdGenerator(clock, bytes))


def run_before_commit(store: Store, monkeypatch: pytest.MonkeyPatch, interrupt: Any) -> None:
    """Run a function on the token of the next request, between its authentication and its commit."""
    commit, pending = store.commit, [interrupt]
    holders: list[Token] = []
    token_holder = store.read_token_by_digest

    def record_holder(digest: str) -> Any:
        holder = token_holder(digest)
        if holder is not None:
            holders.append(holder[0])
        return holder

    def commit_late(*arguments: Any, **named: Any) -> None:
        if pending:
            monkeypatch.setattr(store, "commit", commit)
            pending.pop()(holders[-1])
        commit(*arguments, **named)

    monkeypatch.setattr(store, "read_token_by_digest", record_holder)
    monkeypatch.setattr(store, "commit", commit_late)
