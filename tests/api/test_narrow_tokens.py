"""Narrowed tokens: of certain boards, with a low role, or of few resources.

`test_authorization_matrix.py` tries which operations they are denied.
"""

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.needed_resources import NeededResources
from contract.operations import list_operations
from kanban.values import Role
from tests.api import test_imports
from tests.api.client import Client, HttpResponse
from tests.api.manual_clock import ManualClock
from tests.api.test_authorization import BOARD_OPERATIONS, BUNDLE, PreparedBoard

pytestmark = pytest.mark.sweep

TOKENS = "/users/me/tokens"
RECEIVED = "/users/me/invitations"
NO_BOARD = "brd_" + "0" * 26
ALL = ["read", "write", "admin"]
RESOURCES: list[str] = BUNDLE["components"]["schemas"]["TokenResource"]["x-tackboard-known"]
OPERATIONS: dict[str, Any] = {
    operation["operationId"]: operation
    for _, _, operation in list_operations(BUNDLE)
    if operation.get("security", BUNDLE["security"])
}
NEEDS = NeededResources(BUNDLE)
CREATES_BOARDS = {"create_board", "copy_board", "import_trello", "import_tackboard"}
EMBEDDED = ["lists", "cards", "labels", "members"]


def narrow(client: Client, **limits: Any) -> Client:
    """Return a client with a new token of the same user that has these limits, which has been used once."""
    created = client.post(TOKENS, {"name": "Narrow", "scopes": ALL, **limits})
    assert created.status == 201, created.raw
    narrowed = client.with_token(created.json["secret"])
    # The first use is recorded, which changes the store.
    assert narrowed.get("/boards").status in (200, 403)
    return narrowed


@pytest.fixture
def compute_digest(tmp_path: Path) -> Callable[[], str]:
    """Return a function that returns a digest of everything that is stored."""

    def compute() -> str:
        with closing(sqlite3.connect(tmp_path / "tackboard.db")) as connection:
            return hashlib.sha256("\n".join(connection.iterdump()).encode()).hexdigest()

    return compute


def find_roles(node: object) -> Iterator[str]:
    """Yield the roles of the caller that a response shows: those of boards."""
    if isinstance(node, dict):
        if "history" in node and "role" in node:
            yield node["role"]
        for value in node.values():
            yield from find_roles(value)
    elif isinstance(node, list):
        for value in node:
            yield from find_roles(value)


# Operations on a board


@pytest.fixture
def other_board(mina: Client) -> str:
    """Create another board of Mina and return its id."""
    return str(mina.post("/boards", {"name": "Private"}).json["id"])


@pytest.mark.parametrize(("path", "method", "operation"), BOARD_OPERATIONS)
def test_a_token_of_a_board_may_do_there_what_its_user_may(
    mina: Client, other_board: str, path: str, method: str, operation: Any
) -> None:
    prepared = PreparedBoard(mina, operation["operationId"], path)
    board_ids = [prepared.ids["board_id"], other_board]
    if operation["operationId"] == "transfer_card":
        assert prepared.body
        board_ids.append(prepared.body["board_id"])
    if operation["operationId"] == "remove_member":
        prepared.ids["user_id"] = mina.post("/users", {"id": "zoe", "name": "Zoe"}).json["user"]["id"]
        mina.put(f"/boards/{prepared.ids['board_id']}/members/zoe", {"role": "viewer"})

    response = prepared.call(narrow(mina, board_ids=board_ids), path, method)

    if operation["operationId"] in CREATES_BOARDS:
        assert (response.status, response.json["code"]) == (403, "token_too_narrow")
    else:
        assert response.status < 300, response.raw


# Resources


@dataclass
class UserRequest:
    """A request of an operation that names no board."""

    method: str
    path: str
    body: object = None


def list_bot_requests(mina: Client) -> Mapping[str, UserRequest]:
    """Return a valid request for each operation on bots."""
    new_bot = {"name": "Robot", "scopes": ["read"]}
    bot = mina.post("/users/me/bots", new_bot).json
    tokens = f"/users/me/bots/{bot['user']['id']}/tokens"
    return {
        "list_bots": UserRequest("GET", "/users/me/bots"),
        "create_bot": UserRequest("POST", "/users/me/bots", new_bot),
        "list_bot_tokens": UserRequest("GET", tokens),
        "create_bot_token": UserRequest("POST", tokens, {"name": "New", "scopes": ["read"]}),
        "revoke_bot_token": UserRequest("DELETE", f"{tokens}/{bot['token']['id']}"),
    }


def list_user_requests(mina: Client) -> Mapping[str, UserRequest]:
    """Return a valid request for each operation that names no board."""
    token_id = mina.post(TOKENS, {"name": "Old", "scopes": ["read"]}).json["token"]["id"]
    board = mina.post("/boards", {"name": "Exported"}).json["id"]
    for user_id in ("leaving", "gone", "deleted"):
        mina.post("/users", {"id": user_id, "name": "Old"})
    for user_id in ("gone", "deleted"):
        mina.post(f"/users/{user_id}/deactivate")
    job_id = mina.delete("/users/deleted").json["id"]
    code = mina.post("/users/me/sign-in-codes").json["code"]
    invited = mina.post("/invitations", {}).json
    invitation = f"/invitations/{invited['invitation']['id']}"
    session_id = mina.post("/sessions", {"code": code, "name": "Phone"}).json["session"]["id"]
    return {
        **list_bot_requests(mina),
        "create_user": UserRequest("POST", "/users", {"name": "Omar"}),
        "get_me": UserRequest("GET", "/users/me"),
        "update_me": UserRequest("PATCH", "/users/me", {"name": "Mina B."}),
        "get_user": UserRequest("GET", "/users/mina"),
        "list_users": UserRequest("GET", "/users?q=mina"),
        "deactivate_user": UserRequest("POST", "/users/leaving/deactivate"),
        "reactivate_user": UserRequest("POST", "/users/gone/reactivate"),
        "transfer_boards": UserRequest("POST", "/users/gone/transfer-boards", {"to_user_id": "mina"}),
        "export_me": UserRequest("GET", "/users/me/export"),
        "delete_user": UserRequest("DELETE", "/users/gone"),
        "list_jobs": UserRequest("GET", "/jobs"),
        "get_job": UserRequest("GET", f"/jobs/{job_id}"),
        "cancel_job": UserRequest("POST", f"/jobs/{job_id}/cancel"),
        "update_user": UserRequest("PATCH", "/users/mina", {"installation_role": "owner"}),
        "list_audit_entries": UserRequest("GET", "/audit-entries"),
        "list_tokens": UserRequest("GET", TOKENS),
        "create_token": UserRequest("POST", TOKENS, {"name": "New", "scopes": ["read"]}),
        "revoke_token": UserRequest("DELETE", f"{TOKENS}/{token_id}"),
        "rotate_token": UserRequest("POST", f"{TOKENS}/{token_id}/rotate"),
        "list_sessions": UserRequest("GET", "/users/me/sessions"),
        "end_session": UserRequest("DELETE", f"/users/me/sessions/{session_id}"),
        "create_sign_in_code": UserRequest("POST", "/users/me/sign-in-codes"),
        "create_sign_in_code_of_user": UserRequest("POST", "/users/mina/sign-in-codes"),
        "list_installation_invitations": UserRequest("GET", "/invitations"),
        "create_installation_invitation": UserRequest("POST", "/invitations", {}),
        "revoke_installation_invitation": UserRequest("DELETE", invitation),
        "list_received_invitations": UserRequest("GET", RECEIVED),
        "accept_received_invitation": UserRequest("POST", f"{RECEIVED}/inv_{'0' * 26}/accept"),
        "decline_invitation": UserRequest("DELETE", f"{RECEIVED}/inv_{'0' * 26}"),
        "list_identities": UserRequest("GET", "/users/me/identities"),
        "create_identity": UserRequest(
            "POST",
            "/users/me/identities",
            {"provider_id": "keycloak", "attempt": "a" * 64, "state": "s" * 43, "code": "c"},
        ),
        "delete_identity": UserRequest("DELETE", "/users/me/identities/idn_" + "0" * 26),
        "accept_invitation": UserRequest("POST", f"{invitation}/accept", {"secret": invited["secret"]}),
        "list_boards": UserRequest("GET", "/boards"),
        "create_board": UserRequest("POST", "/boards", {"name": "New"}),
        "list_assigned_cards": UserRequest("GET", "/cards"),
        "import_trello": UserRequest("POST", "/imports/trello", test_imports.export()),
        "import_tackboard": UserRequest(
            "POST", "/imports/tackboard", json.loads(mina.get(f"/boards/{board}/export").raw)
        ),
    }


Send = Callable[[Client], HttpResponse]
PATHS = {operation["operationId"]: (path, method) for path, method, operation in list_operations(BUNDLE)}


def prepare(mina: Client, operation_id: str) -> Send:
    """Return a function that sends a request of the operation with a client."""
    path, method = PATHS[operation_id]
    if not path.startswith("/boards/{board_id}"):
        request = list_user_requests(mina)[operation_id]
        headers = {"If-Match": "*"} if method == "patch" else {}
        return lambda client: client.request(request.method, request.path, request.body, headers=headers)
    prepared = PreparedBoard(mina, operation_id, path)
    if operation_id == "remove_member":
        prepared.ids["user_id"] = mina.post("/users", {"id": "zoe", "name": "Zoe"}).json["user"]["id"]
        mina.put(f"/boards/{prepared.ids['board_id']}/members/zoe", {"role": "viewer"})
    return lambda client: prepared.call(client, path, method)


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_a_token_with_the_resources_of_an_operation_may_call_it(mina: Client, operation_id: str) -> None:
    send = prepare(mina, operation_id)

    response = send(narrow(mina, resources=sorted(NEEDS.get_needs(operation_id).resources)))

    managed = ("create_user", "update_user", "deactivate_user", "reactivate_user", "transfer_boards", "delete_user")
    of_bots = ("create_bot", "create_bot_token", "revoke_bot_token")
    others = ("list_audit_entries", "accept_invitation", "accept_received_invitation", "export_me", "list_bot_tokens")
    if operation_id in (*managed, *others) or "installation_invitation" in operation_id:
        assert (response.status, response.json["code"]) == (403, "token_too_narrow")
    elif operation_id == "decline_invitation":
        assert (response.status, response.json["code"]) == (404, "invitation_not_found")
    elif operation_id.startswith("create_sign_in_code") or operation_id in (
        *of_bots,
        "create_identity",
        "delete_identity",
    ):
        assert (response.status, response.json["code"]) == (403, "full_token_required")
    elif operation_id in ("revoke_token", "rotate_token", "end_session"):
        # It may neither revoke what is wider, nor rotate what doesn't come from it.
        assert (response.status, response.json["code"]) == (403, "token_out_of_reach")
    else:
        assert response.status < 300, response.raw


@pytest.mark.parametrize("embedded", EMBEDDED)
def test_a_token_needs_each_resource_that_is_embedded_in_a_board(mina: Client, embedded: str) -> None:
    board = mina.post("/boards", {"name": "Website"}).json["id"]
    path = f"/boards/{board}?embed="

    rejected = narrow(mina, resources=[name for name in RESOURCES if name != embedded]).get(path + ",".join(EMBEDDED))
    accepted = narrow(mina, resources=["boards", embedded]).get(path + embedded)

    assert (rejected.status, rejected.json["code"]) == (403, "resource_missing")
    assert rejected.json["detail"] == f"This needs a token with the resource {embedded}."
    assert accepted.status == 200
    assert set(EMBEDDED) & accepted.json.keys() == {embedded}


@pytest.mark.parametrize("missing", ["lists", "labels"])
def test_a_table_of_cards_needs_the_resources_whose_names_it_holds(mina: Client, missing: str) -> None:
    board = mina.post("/boards", {"name": "Website"}).json["id"]
    token = narrow(mina, resources=[name for name in RESOURCES if name != missing])

    table = token.get(f"/boards/{board}/cards", Accept="text/csv")

    assert (table.status, table.json["code"]) == (403, "resource_missing")
    assert token.get(f"/boards/{board}/cards").status == 200
    assert (
        narrow(mina, resources=["cards", "lists", "labels"]).get(f"/boards/{board}/cards", Accept="text/csv").status
        == 200
    )


def test_a_missing_scope_is_reported_before_a_missing_resource(mina: Client) -> None:
    created = mina.post(TOKENS, {"name": "x", "scopes": ["write"], "resources": ["cards"]})

    rejected = mina.with_token(created.json["secret"]).get("/boards")

    assert rejected.json["code"] == "scope_missing"


def test_every_operation_with_a_token_is_tested(mina: Client) -> None:
    of_boards = {name for name, (path, _) in PATHS.items() if path.startswith("/boards/{board_id}")}

    assert OPERATIONS.keys() - of_boards == list_user_requests(mina).keys()


# Boards in bodies and listings


def test_a_card_is_not_moved_to_a_board_out_of_reach(mina: Client, compute_digest: Callable[[], str]) -> None:
    source, target = (mina.post("/boards", {"name": name}).json["id"] for name in ("Source", "Target"))
    card = mina.post(f"/boards/{source}/cards", {"title": "Secret"}).json["id"]
    path = f"/boards/{source}/cards/{card}/transfer"
    token, of_target = narrow(mina, board_ids=[source]), narrow(mina, board_ids=[target])
    of_both = narrow(mina, board_ids=[source, target])
    before = compute_digest()

    rejected = token.post(path, {"board_id": target})
    none = token.post(path, {"board_id": NO_BOARD})

    assert (rejected.status, rejected.json["code"]) == (422, "unknown_reference")
    assert (rejected.status, rejected.raw) == (none.status, none.raw)
    assert of_target.post(path, {"board_id": target}).status == 404
    assert compute_digest() == before
    assert of_both.post(path, {"board_id": target}).status == 200


def read_pages(client: Client, path: str) -> list[Any]:
    """Return the items of a listing, and check that each page but the last is full."""
    items: list[Any] = []
    page = client.get(path)
    while page.json["next_cursor"] is not None:
        assert len(page.json["items"]) == 2
        items += page.json["items"]
        page = client.get(f"{path}&cursor={page.json['next_cursor']}")
    return items + list(page.json["items"])


@pytest.fixture
def boards(mina: Client, clock: ManualClock) -> list[str]:
    """Create seven boards of Mina, the newest first: two archived, two deleted."""
    ids = []
    for number in range(9):
        ids.append(mina.post("/boards", {"name": f"Board {number}"}).json["id"])
        clock.advance(seconds=1)
    for board_id in ids[3:5]:
        mina.post(f"/boards/{board_id}/archive")
    for board_id in ids[6:8]:
        mina.delete(f"/boards/{board_id}", If_Match="*")
    return ids[::-1]


@pytest.mark.parametrize("query", ["limit=2", "limit=2&archived=true", "limit=2&deleted=true"])
@pytest.mark.parametrize("reached", [[], [0, 2, 4, 6], [1, 3, 5, 7], [*range(9)]])
def test_listings_of_boards_leave_out_those_out_of_reach(
    mina: Client, boards: list[str], query: str, reached: list[int]
) -> None:
    board_ids = [boards[index] for index in reached] or [mina.post("/boards", {"name": "Other"}).json["id"]]
    # A deleted board can't be named any more: the tokens are older.
    for board_id in board_ids:
        mina.post(f"/boards/{board_id}/restore")
    token = narrow(mina, board_ids=board_ids)
    for board_id in {*board_ids} & {*boards[1:3]}:
        mina.delete(f"/boards/{board_id}", If_Match="*")
    everything = read_pages(mina, f"/boards?{query}")

    assert read_pages(token, f"/boards?{query}") == [board for board in everything if board["id"] in board_ids]


@pytest.mark.parametrize("max_role", list(Role))
@pytest.mark.parametrize("with_boards", [False, True])
def test_listings_of_boards_show_the_role_of_the_token(
    mina: Client, boards: list[str], max_role: Role, with_boards: bool
) -> None:
    limits = {"board_ids": [boards[0], boards[-1]]} if with_boards else {}
    token = narrow(mina, max_role=max_role, **limits)

    assert {board["role"] for board in token.get("/boards").json["items"]} == {max_role}
    # Only an owner can restore a board.
    deleted = token.get("/boards?deleted=true").json["items"]
    assert bool(deleted) == (max_role is Role.OWNER and not with_boards)


@pytest.mark.parametrize(
    "query", ["", "&status=todo", "&status=done", "&overdue=true", "&due_until=2099-01-01T00:00:00Z"]
)
@pytest.mark.parametrize("reached", [[0], [0, 2], [1, 2, 3], [0, 1, 2, 3]])
def test_assigned_cards_are_those_of_boards_in_reach(mina: Client, query: str, reached: list[int]) -> None:
    board_ids = []
    for number in range(4):
        board_id = mina.post("/boards", {"name": f"Board {number}"}).json["id"]
        board_ids.append(board_id)
        for title in range(number + 2):
            body = {"title": f"Card {title}", "assignee_ids": ["mina"] if title % 4 != 3 else []}
            if title % 2:
                body["due_at"] = "2026-01-01T00:00:00Z"
            card = mina.post(f"/boards/{board_id}/cards", body).json["id"]
            if title == 2:
                mina.post(f"/boards/{board_id}/cards/{card}/start")
                mina.post(f"/boards/{board_id}/cards/{card}/resolve")
    mina.post(f"/boards/{board_ids[2]}/archive")
    mina.delete(f"/boards/{board_ids[3]}", If_Match="*") if 3 not in reached else None
    token = narrow(mina, board_ids=[board_ids[index] for index in reached])
    path = f"/cards?limit=2{query}"
    everything = [*mina.get(path.replace("limit=2", "limit=100")).json["items"]]

    listed = []
    page = token.get(path)
    while True:
        listed += page.json["items"]
        if page.json["next_cursor"] is None:
            break
        assert page.json["items"]
        page = token.get(f"{path}&cursor={page.json['next_cursor']}")

    assert listed == [card for card in everything if card["board_id"] in {board_ids[index] for index in reached}]
    assert token.get("/cards?limit=100" + query).json["items"] == listed


def test_a_cursor_of_a_wider_token_is_of_another_listing(mina: Client, boards: list[str]) -> None:
    cursor = mina.get("/boards?limit=2").json["next_cursor"]

    rejected = narrow(mina, board_ids=[boards[0]]).get(f"/boards?limit=2&cursor={cursor}")

    assert (rejected.status, rejected.json["code"]) == (400, "invalid_cursor")


# Boards, users and tokens that a narrowed token makes


@pytest.mark.parametrize("operation_id", sorted(CREATES_BOARDS))
def test_a_token_of_certain_boards_creates_none(
    mina: Client, other_board: str, compute_digest: Callable[[], str], operation_id: str
) -> None:
    send = prepare(mina, operation_id)
    imported_before = send(mina)
    assert imported_before.status == 201
    token = narrow(mina, board_ids=[other_board])
    before = compute_digest()

    rejected = send(token)

    assert (rejected.status, rejected.json["code"]) == (403, "token_too_narrow")
    assert compute_digest() == before


@pytest.mark.parametrize("operation_id", sorted(CREATES_BOARDS))
def test_a_new_board_shows_the_role_of_the_token(mina: Client, operation_id: str) -> None:
    send = prepare(mina, operation_id)
    token = narrow(mina, max_role="viewer")

    first, again = send(token), send(token)

    assert first.status == 201
    assert {*find_roles(first.json)} == {*find_roles(again.json)} == {"viewer"}


def test_a_narrowed_token_creates_no_users(mina: Client, other_board: str, compute_digest: Callable[[], str]) -> None:
    for limits in ({"board_ids": [other_board]}, {"max_role": "owner"}, {"resources": ["users"]}):
        token = narrow(mina, **limits)
        before = compute_digest()

        rejected = token.post("/users", {"name": "Omar"})

        assert (rejected.status, rejected.json["code"]) == (403, "token_too_narrow")
        assert compute_digest() == before


@pytest.mark.parametrize("name", ["foreign", "missing", "deleted"])
def test_a_token_names_boards_of_its_user_only(
    mina: Client, omar: Client, other_board: str, compute_digest: Callable[[], str], name: str
) -> None:
    board_ids = {
        "foreign": omar.post("/boards", {"name": "Omar's"}).json["id"],
        "missing": NO_BOARD,
        "deleted": mina.post("/boards", {"name": "Old"}).json["id"],
    }
    mina.delete(f"/boards/{board_ids['deleted']}", If_Match="*")
    before = compute_digest()

    rejected = mina.post(TOKENS, {"name": "x", "scopes": ["read"], "board_ids": [other_board, board_ids[name]]})

    assert (rejected.status, rejected.json["code"]) == (422, "unknown_reference")
    assert rejected.json["errors"][0]["pointer"] == "/board_ids"
    assert compute_digest() == before


def test_a_child_is_as_narrow_as_its_parent_or_narrower(mina: Client, boards: list[str]) -> None:
    limits = {"board_ids": sorted(boards[5:7]), "max_role": "editor", "resources": ["boards", "cards", "tokens"]}
    parent = narrow(mina, **limits)
    new = {"name": "Child", "scopes": ["read"]}

    same = parent.post(TOKENS, new)
    narrower = parent.post(TOKENS, {**new, "board_ids": [boards[5]], "max_role": "viewer", "resources": ["cards"]})
    wider = [
        parent.post(TOKENS, new | limit)
        for limit in ({"board_ids": [boards[8]]}, {"max_role": "owner"}, {"resources": ["cards", "members"]})
    ]

    assert {name: same.json["token"][name] for name in limits} == limits
    assert [narrower.json["token"][name] for name in limits] == [[boards[5]], "viewer", ["cards"]]
    assert [(response.status, response.json["code"], response.json["errors"][0]["pointer"]) for response in wider] == [
        (422, "unknown_reference", "/board_ids"),
        (422, "role_too_high", "/max_role"),
        (422, "resource_too_broad", "/resources"),
    ]


def test_null_does_not_widen_a_child(mina: Client, other_board: str) -> None:
    parent = narrow(mina, board_ids=[other_board], max_role="viewer", resources=["tokens", "boards"])

    child = parent.post(
        TOKENS, {"name": "x", "scopes": ["read"], "board_ids": None, "max_role": None, "resources": None}
    )

    assert child.json["token"]["board_ids"] == [other_board]
    assert child.json["token"]["max_role"] == "viewer"
    assert child.json["token"]["resources"] == ["boards", "tokens"]


def test_a_narrowed_token_neither_sees_nor_reaches_a_wider_one(mina: Client, other_board: str) -> None:
    first_id = mina.get(TOKENS).json["items"][-1]["id"]
    sibling = mina.post(TOKENS, {"name": "Sibling", "scopes": ALL, "board_ids": [other_board], "max_role": "viewer"})
    wider = mina.post(TOKENS, {"name": "Wider", "scopes": ALL, "max_role": "editor"}).json["token"]["id"]
    token = narrow(mina, board_ids=[other_board], max_role="editor")
    child = token.post(TOKENS, {"name": "Child", "scopes": ["read"]}).json["token"]["id"]

    assert [item["name"] for item in token.get(TOKENS).json["items"]] == ["Child", "Narrow", "Sibling"]
    for token_id in (first_id, wider):
        for response in (token.delete(f"{TOKENS}/{token_id}"), token.post(f"{TOKENS}/{token_id}/rotate")):
            assert (response.status, response.json["code"]) == (403, "token_out_of_reach")
    assert token.post(f"{TOKENS}/{sibling.json['token']['id']}/rotate").status == 403
    assert token.post(f"{TOKENS}/{child}/rotate").status == 200
    assert token.delete(f"{TOKENS}/{sibling.json['token']['id']}").status == 204
    rotated = token.post(f"{TOKENS}/{token.get(TOKENS).json['items'][1]['id']}/rotate")
    assert rotated.json["token"]["board_ids"] == [other_board]
    assert rotated.json["token"]["max_role"] == "editor"
    itself = mina.with_token(rotated.json["secret"])
    assert {board["id"] for board in itself.get("/boards").json["items"]} == {other_board}
    assert itself.delete(f"{TOKENS}/{rotated.json['token']['id']}").status == 204


@pytest.mark.parametrize(
    ("limits", "pointer"),
    [
        ({"board_ids": []}, "/board_ids"),
        ({"board_ids": [NO_BOARD, NO_BOARD]}, "/board_ids"),
        ({"board_ids": [f"brd_{number:026}" for number in range(21)]}, "/board_ids"),
        ({"board_ids": ["brd_1"]}, "/board_ids/0"),
        ({"max_role": "admin"}, "/max_role"),
        ({"resources": []}, "/resources"),
        ({"resources": ["cards", "cards"]}, "/resources"),
        ({"resources": ["health"]}, "/resources/0"),
        ({"resources": ["time-entries"]}, "/resources/0"),
    ],
)
def test_limits_that_the_document_does_not_know_are_rejected(mina: Client, limits: Any, pointer: str) -> None:
    rejected = mina.post(TOKENS, {"name": "x", "scopes": ["read"], **limits})

    assert (rejected.status, rejected.json["code"]) == (400, "invalid_body")
    assert rejected.json["errors"][0]["pointer"] == pointer


def test_twenty_boards_can_be_named(mina: Client) -> None:
    board_ids = sorted(mina.post("/boards", {"name": str(number)}).json["id"] for number in range(20))

    token = narrow(mina, board_ids=board_ids[::-1])

    assert sorted(board["id"] for board in token.get("/boards?limit=100").json["items"]) == board_ids
    assert token.get(TOKENS).json["items"][0]["board_ids"] == board_ids


# Stored responses

KEYED = [
    operation_id
    for operation_id, operation in OPERATIONS.items()
    if any(parameter.get("$ref", "").endswith("/IdempotencyKey") for parameter in operation.get("parameters", ()))
]


def with_key(client: Client, *, is_dry_run: bool) -> Client:
    """Return the client with an idempotency key, which asks for a dry run or not."""
    headers = {"Idempotency-Key": "one"} | ({"Prefer": "dry-run"} if is_dry_run else {})
    return Client(client.application, client.token, headers)


@pytest.mark.parametrize("is_dry_run", [False, True])
@pytest.mark.parametrize("operation_id", KEYED)
def test_a_stored_response_reaches_no_token_that_may_not_make_the_request(
    mina: Client, other_board: str, operation_id: str, is_dry_run: bool
) -> None:
    send = prepare(mina, operation_id)
    first = send(with_key(mina, is_dry_run=False))
    assert first.status < 300, first.raw
    needs = NEEDS.get_needs(operation_id).resources
    limits: list[dict[str, Any]] = [
        {"resources": [name for name in RESOURCES if name not in needs]},
        {"board_ids": [other_board]},
    ]
    if OPERATIONS[operation_id].get("x-tackboard-role", "viewer") != "viewer":
        limits.append({"max_role": "viewer"})

    for limit in limits:
        rejected = send(with_key(narrow(mina, **limit), is_dry_run=is_dry_run))

        assert rejected.status in (403, 404, 422), (limit, rejected.raw)
        assert rejected.json["code"] in (
            *("resource_missing", "token_too_narrow", "role_too_low"),
            *("board_not_found", "idempotency_key_reused"),
        )
        assert "idempotency-replayed" not in rejected.headers


def test_the_response_to_a_card_that_left_for_a_board_out_of_reach_is_not_replayed(mina: Client) -> None:
    source, target = (mina.post("/boards", {"name": name}).json["id"] for name in ("Source", "Target"))
    card = mina.post(f"/boards/{source}/cards", {"title": "Secret"}).json["id"]
    path, body = f"/boards/{source}/cards/{card}/transfer", {"board_id": target}
    assert mina.post(path, body, Idempotency_Key="one").status == 200
    token = narrow(mina, board_ids=[source])

    for headers in ({}, {"Prefer": "dry-run"}):
        rejected = token.post(path, body, Idempotency_Key="one", **headers)

        assert (rejected.status, rejected.json["code"]) == (422, "unknown_reference")
    again = mina.post(path, body, Idempotency_Key="one")
    assert (again.status, again.headers["idempotency-replayed"]) == (200, "true")


def test_a_stored_response_belongs_to_tokens_with_the_same_limits(mina: Client, other_board: str) -> None:
    path, body = f"/boards/{other_board}/cards", {"title": "Once"}
    limits = {"board_ids": [other_board], "max_role": "editor"}
    first = narrow(mina, **limits).post(path, body, Idempotency_Key="one")

    same = narrow(mina, **limits).post(path, body, Idempotency_Key="one")
    others = [client.post(path, body, Idempotency_Key="one") for client in (mina, narrow(mina, max_role="editor"))]

    assert (same.status, same.raw, same.headers["idempotency-replayed"]) == (201, first.raw, "true")
    assert [(other.status, other.json["code"]) for other in others] == [(422, "idempotency_key_reused")] * 2
    assert len(mina.get(path).json["items"]) == 1


def test_a_stored_board_is_not_shown_with_a_higher_role(mina: Client) -> None:
    first = mina.post("/boards", {"name": "Website"}, Idempotency_Key="one")
    assert first.json["role"] == "owner"

    again = narrow(mina, max_role="viewer").post("/boards", {"name": "Website"}, Idempotency_Key="one")

    assert (again.status, again.json["code"]) == (422, "idempotency_key_reused")
