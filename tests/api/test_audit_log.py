"""The audit log: what is in it after each operation that lets somebody in, and who may read it."""

import json
from typing import Any

import pytest

from kanban.audit_log import ENTRY_LIFETIME
from tests.api.client import Client
from tests.api.manual_clock import ManualClock
from tools.openapi.bundle import Bundle
from tools.openapi.findings import BUNDLE
from usecases.audit_log import MAX_ENTRIES_LOOKED_AT

ALL = ["read", "write", "admin"]

ENTRIES = {
    "create_user": ("token.created", "user.created"),
    "create_token": ("token.created",),
    "rotate_token": ("token.rotated",),
    "revoke_token": ("token.revoked",),
    "create_sign_in_code": ("sign_in_code.created",),
    "create_sign_in_code_of_user": ("sign_in_code.created",),
    "create_session": ("session.created",),
    "end_session": ("session.ended",),
    "update_user": ("user.role_changed",),
    "deactivate_user": ("user.deactivated", "user.role_changed"),
    "reactivate_user": ("user.reactivated",),
    "create_invitation": ("invitation.created",),
    "revoke_invitation": ("invitation.revoked",),
    "create_installation_invitation": ("invitation.created",),
    "revoke_installation_invitation": ("invitation.revoked",),
    "accept_invitation": ("invitation.accepted", "session.created", "user.created"),
    "update_me": (),
    "transfer_boards": (),
    "create_bot": ("bot.created", "token.created"),
    "create_bot_token": ("token.created",),
    "revoke_bot_token": ("token.revoked",),
    "create_authorization": (),
}
"""The types of the entries that each operation adds. Names are nobody's business, and boards have their events."""

TESTED_ELSEWHERE = {
    *("create_provider_session", "create_identity", "delete_identity", "delete_user"),
    *("accept_received_invitation", "decline_invitation"),
}
"""Operations that need a provider, tests/api/test_provider_sign_in.py; a job, tests/stores/test_user_deletion.py; or
consent to join, tests/api/test_joining.py."""


class Log:
    """The audit log as Mina reads it, who owns the installation."""

    def __init__(self, mina: Client) -> None:
        self.mina = mina
        self.known: set[str] = {entry["id"] for entry in self.list_entries()}

    def list_entries(self, query: str = "") -> list[dict[str, Any]]:
        """Return the newest entries."""
        items: list[dict[str, Any]] = self.mina.get(f"/audit-entries?limit=100{query}").json["items"]
        return items

    def list_new_types(self) -> tuple[str, ...]:
        """Return the sorted types of the entries since the last call."""
        new = [entry for entry in self.list_entries() if entry["id"] not in self.known]
        self.known |= {entry["id"] for entry in new}
        return tuple(sorted(entry["type"] for entry in new))


def test_every_operation_that_lets_somebody_in_is_recorded(mina: Client) -> None:
    log = Log(mina)
    added: dict[str, tuple[str, ...]] = {}

    def do(operation_id: str, method: str, path: str, body: object = None, client: Client = mina) -> Any:
        headers = {"If-Match": "*"} if method == "PATCH" else {}
        response = client.request(method, path, body, headers=headers)
        assert response.status < 300, response.raw
        added[operation_id] = log.list_new_types()
        return response.json if response.raw else None

    omar = do("create_user", "POST", "/users", {"id": "omar", "name": "Omar"})
    token_id = do("create_token", "POST", "/users/me/tokens", {"name": "Bot", "scopes": ["read"]})["token"]["id"]
    do("rotate_token", "POST", f"/users/me/tokens/{token_id}/rotate")
    do("revoke_token", "DELETE", f"/users/me/tokens/{token_id}")
    code = do("create_sign_in_code", "POST", "/users/me/sign-in-codes")["code"]
    session_id = do("create_session", "POST", "/sessions", {"code": code, "name": "Phone"})["session"]["id"]
    do("end_session", "DELETE", f"/users/me/sessions/{session_id}")
    do("create_sign_in_code_of_user", "POST", "/users/omar/sign-in-codes")
    board_id = mina.post("/boards", {"name": "Website"}).json["id"]
    invitations = f"/boards/{board_id}/invitations"
    made = do("create_invitation", "POST", invitations, {"role": "editor"})
    do("revoke_invitation", "DELETE", f"{invitations}/{made['invitation']['id']}")
    made = do("create_installation_invitation", "POST", "/invitations", {})
    do("revoke_installation_invitation", "DELETE", f"/invitations/{made['invitation']['id']}")
    made = mina.post("/invitations", {}).json
    log.list_new_types()
    body = {"secret": made["secret"], "user": {"name": "Zoe"}}
    do("accept_invitation", "POST", f"/invitations/{made['invitation']['id']}/accept", body, mina.with_token(None))
    do("update_user", "PATCH", "/users/omar", {"installation_role": "owner"})
    do("update_me", "PATCH", "/users/me", {"name": "Omar H."}, mina.with_token(omar["token"]))
    do("deactivate_user", "POST", "/users/omar/deactivate")
    do("transfer_boards", "POST", "/users/omar/transfer-boards", {"to_user_id": "mina"})
    do("reactivate_user", "POST", "/users/omar/reactivate")
    do("create_bot", "POST", "/users/me/bots", {"id": "robot", "name": "Robot", "scopes": ["read"]})
    bot_tokens = "/users/me/bots/robot/tokens"
    token_id = do("create_bot_token", "POST", bot_tokens, {"name": "More", "scopes": ["read"]})["token"]["id"]
    do("revoke_bot_token", "DELETE", f"{bot_tokens}/{token_id}")
    added["create_authorization"] = ()

    assert added == ENTRIES


def test_no_operation_is_forgotten() -> None:
    bundle = Bundle(json.loads(BUNDLE.read_bytes()))
    tags = {"users", "tokens", "bots", "sessions", "identities", "invitations"}
    writes = {
        operation.id
        for operation in bundle.operations
        if operation.method != "get" and tags & {*operation.node["tags"]}
    }

    assert writes == {*ENTRIES} | TESTED_ELSEWHERE


def test_an_entry_says_who_did_what_to_whom(mina: Client, omar: Client) -> None:
    del omar
    token_id = mina.get("/users/me/tokens").json["items"][0]["id"]

    changed = mina.patch("/users/omar", {"installation_role": "owner"}, **{"If-Match": "*"})

    (entry,) = mina.get("/audit-entries?limit=1").json["items"]
    assert entry == {
        "id": entry["id"],
        "type": "user.role_changed",
        "created_at": "2026-11-20T14:00:00Z",
        "actor_id": "mina",
        "token_id": token_id,
        "request_id": changed.headers["x-request-id"],
        "user_id": "omar",
        "data": {"role": "owner"},
    }


@pytest.mark.usefixtures("mina", "omar")
def test_entries_are_found_by_user_and_type(mina: Client) -> None:
    for _ in range(3):
        mina.post("/users/me/tokens", {"name": "Bot", "scopes": ["read"]})

    def find(query: str) -> list[tuple[str, str]]:
        items = mina.get(f"/audit-entries?{query}").json["items"]
        return [(entry["type"], entry["user_id"]) for entry in items]

    assert find("user_id=omar") == [("token.created", "omar"), ("user.created", "omar")]
    assert find("type=token.created") == [("token.created", "mina")] * 3 + [
        ("token.created", "omar"),
        ("token.created", "mina"),
    ]
    assert find("type=user.created&user_id=mina") == [("user.created", "mina")]
    assert find("user_id=nobody") == find("type=no.such") == []


def test_pages_follow_one_another(mina: Client) -> None:
    for _ in range(4):
        mina.post("/users/me/tokens", {"name": "Bot", "scopes": ["read"]})
    whole = mina.get("/audit-entries").json["items"]

    paged: list[Any] = []
    path = "/audit-entries?limit=2"
    while path:
        page = mina.get(path).json
        paged += page["items"]
        path = f"/audit-entries?limit=2&cursor={page['next_cursor']}" if page["next_cursor"] else ""

    assert paged == whole
    assert len(whole) == 6


def test_a_page_looks_at_a_limited_number_of_entries(mina: Client) -> None:
    for _ in range(MAX_ENTRIES_LOOKED_AT):
        mina.post("/users/me/tokens", {"name": "Bot", "scopes": ["read"]})

    page = mina.get("/audit-entries?type=user.created").json
    last = mina.get(f"/audit-entries?type=user.created&cursor={page['next_cursor']}").json

    assert page["items"] == []
    assert [entry["user_id"] for entry in last["items"]] == ["mina"]
    assert last["next_cursor"] is None


def test_entries_are_gone_after_their_time(mina: Client, clock: ManualClock) -> None:
    clock.advance(days=ENTRY_LIFETIME.days)

    assert mina.get("/audit-entries").json["items"] == []


def test_only_owners_of_the_installation_read_it(mina: Client, omar: Client) -> None:
    narrowed = mina.post("/users/me/tokens", {"name": "Narrow", "scopes": ALL, "resources": ["users"]}).json["secret"]
    reading = mina.post("/users/me/tokens", {"name": "Reading", "scopes": ["read", "write"]}).json["secret"]

    codes = [
        client.get("/audit-entries").json["code"]
        for client in (omar, mina.with_token(narrowed), mina.with_token(reading), mina.with_token(None))
    ]

    assert codes == ["installation_owner_only", "token_too_narrow", "scope_missing", "unauthenticated"]


def test_a_dry_run_and_a_failure_leave_no_entry(mina: Client) -> None:
    before = mina.get("/audit-entries").json

    mina.post("/users", {"id": "zoe", "name": "Zoe"}, Prefer="dry-run")
    assert mina.post("/users", {"id": "mina", "name": "Mina"}).status == 409

    assert mina.get("/audit-entries").json == before
