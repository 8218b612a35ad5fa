"""One request for each status that the edge and the contract answer by themselves, at every operation.

schemathesis never sends a body of 300 KB or a header of 40 KB, it has no token that may only read, and it seldom
finds a board with a past. BOARD_HISTORY gives it one: add the requests of a new operation there, so that its events
and its answers are seen.
"""

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, TextIO

from tests.api.client import Client, HttpResponse
from tests.fuzz.existing_data import REDIRECT_URI, UNREACHABLE_URL
from tests.live_server import LiveServer
from tests.oidc.scripted_provider import sign_in_at
from tests.soak.socket_client import CONNECTION_ERRORS, connect_client
from tools.openapi.bundle import Bundle, Node, Operation
from tools.openapi.findings import BUNDLE

PROVIDER_ID = "scripted"
RETURNED = {"attempt": "{attempt}", "state": "{state}", "code": "{code}"}

BOARD_HISTORY: tuple[tuple[str, str, Any], ...] = (
    ("POST", "/boards/{board_id}/cards/{card_id}/start", None),
    ("POST", "/boards/{board_id}/undo", {"seq": 3}),
    ("POST", "/boards/{board_id}/cards/{card_id}/start", None),
    ("POST", "/boards/{board_id}/cards/{card_id}/start", None),
    ("GET", "/boards/{board_id}/flow", None),
    ("POST", "/boards/{board_id}/cards/{card_id}/resolve", None),
    ("GET", "/boards/{board_id}/flow", None),
    ("POST", "/boards/{board_id}/cards/{card_id}/reopen", None),
    ("POST", "/boards/{board_id}/cards/{card_id}/move", {"list_id": "{list_id}", "position": "top"}),
    ("PATCH", "/boards/{board_id}/cards/{card_id}", {"title": "Another", "external_id": "A-1"}),
    ("PATCH", "/boards/{board_id}/cards/{card_id}", {"external_id": None}),
    ("GET", "/boards/{board_id}/cards/{card_id}/time", None),
    ("PATCH", "/boards/{board_id}", {"name": "Another", "hourly_rate_minor": 100}),
    ("PATCH", "/boards/{board_id}/lists/{list_id}", {"name": "Another", "wip_limit": 3}),
    ("POST", "/boards/{board_id}/lists", {"name": "Review", "stage": "in_progress"}),
    ("POST", "/boards/{board_id}/lists/{list_id}/move", {"position": "bottom"}),
    ("POST", "/boards/{board_id}/labels", {"name": "Urgent", "color": "red"}),
    ("PUT", "/boards/{board_id}/cards/{card_id}/labels/{label_id}", None),
    ("PATCH", "/boards/{board_id}/cards/{card_id}", {"links": [{"url": "https://example.com/", "title": "A page"}]}),
    ("POST", "/boards/{board_id}/cards/{card_id}/checklists", {"name": "Steps"}),
    (
        "POST",
        "/boards/{board_id}/cards/{card_id}/checklists/{checklist_id}/items",
        {"text": "Look", "assignee_id": "{user_id}", "due_at": "2026-03-01T00:00:00Z"},
    ),
    ("POST", "/boards/{board_id}/cards/{card_id}/comments", {"text": "Soon."}),
    (
        "POST",
        "/boards/{board_id}/cards/{card_id}/time-entries",
        {"started_at": "2026-03-02T14:00:00Z", "ended_at": "2026-03-02T15:00:00Z"},
    ),
    ("PATCH", "/boards/{board_id}/cards/{card_id}/time-entries/{entry_id}", {"note": "On the train"}),
    ("GET", "/boards/{board_id}?embed=lists,cards,labels,members", None),
    ("GET", "/users?q=a", None),
    ("PATCH", "/users/{user_id}", {"installation_role": "owner"}),
    ("POST", "/users/{user_id}/reactivate", None),
    ("POST", "/users/{user_id}/deactivate", None),
    ("POST", "/users/{user_id}/transfer-boards", {"to_user_id": "{user_id}"}),
    ("DELETE", "/users/{user_id}", None),
    ("GET", "/jobs", None),
    ("GET", "/users/me/export", None),
    ("GET", "/boards/{board_id}/cards?limit=1", None),
    ("POST", "/boards/{board_id}/cards", {"title": "An earlier one"}),
    ("POST", "/boards/{board_id}/lists/{list_id}/sort", {"by": "title", "direction": "desc"}),
    ("POST", "/boards/{board_id}/lists/{list_id}/sort", {"by": "title", "direction": "asc"}),
    ("DELETE", "/boards/{board_id}/cards/{card_id}", None),
    ("GET", "/boards/{board_id}/cards?deleted=true", None),
    ("POST", "/boards/{board_id}/cards/{card_id}/restore", None),
    ("POST", "/boards/{board_id}/lists/{list_id}/archive", None),
    ("POST", "/boards/{board_id}/lists/{list_id}/unarchive", None),
    ("DELETE", "/boards/{board_id}/lists/{list_id}", None),
    ("GET", "/boards/{board_id}/lists?deleted=true", None),
    ("POST", "/boards/{board_id}/lists/{list_id}/restore", None),
    ("POST", "/boards/{board_id}/cards/{card_id}/start", None),
    ("POST", "/boards/{board_id}/archive", None),
    ("POST", "/boards/{board_id}/unarchive", None),
    ("POST", "/boards/{board_id}/cards/{card_id}/start", None),
    ("DELETE", "/boards/{board_id}", None),
    ("GET", "/boards?deleted=true", None),
    ("POST", "/boards/{board_id}/restore", None),
    ("POST", "/imports/trello", ...),
    ("POST", "/imports/trello", ...),
    ("GET", "/boards/{board_id}/export", None),
    ("POST", "/imports/tackboard", ...),
    ("POST", "/imports/tackboard", ...),
    ("POST", "/boards/{board_id}/webhooks", {"url": UNREACHABLE_URL, "types": ["card.moved"]}),
    ("GET", "/boards/{board_id}/webhooks", None),
    ("PATCH", "/boards/{board_id}/webhooks/{webhook_id}", {"state": "active", "description": "Chat"}),
    ("POST", "/boards/{board_id}/webhooks/{webhook_id}/rotate", None),
    ("POST", "/boards/{board_id}/webhooks/{webhook_id}/test", None),
    ("POST", "/boards/{board_id}/webhooks/{webhook_id}/replay", {"from_seq": 1}),
    ("GET", "/boards/{board_id}/webhooks/{webhook_id}/deliveries", None),
    ("PATCH", "/boards/{board_id}/webhooks/{webhook_id}", {"state": "paused"}),
    ("POST", "/boards/{board_id}/webhooks/{webhook_id}/test", None),
    ("DELETE", "/boards/{board_id}/webhooks/{webhook_id}", None),
    ("POST", "/boards/{board_id}/invitations", {"role": "viewer", "max_uses": 2, "note": "For a friend"}),
    ("GET", "/boards/{board_id}/invitations", None),
    ("POST", "/invitations/{invitation_id}/accept", {"secret": "{secret}"}),
    ("DELETE", "/boards/{board_id}/invitations/{invitation_id}", None),
    ("POST", "/invitations", {"max_uses": 2, "note": "For a team"}),
    ("GET", "/invitations", None),
    ("POST", "/invitations/{invitation_id}/accept", {"secret": "{secret}"}),
    ("DELETE", "/invitations/{invitation_id}", None),
    ("GET", "/users/me/invitations", None),
    ("GET", "/boards/{board_id}/events?limit=100", None),
    ("GET", "/boards/{board_id}/events?after=900&wait=1", None),
    ("GET", "/boards/{board_id}/cards/{card_id}/events?limit=100", None),
    ("GET", "/boards/{board_id}/changes", None),
    ("POST", "/users/me/tokens", {"name": "Child", "scopes": ["read"]}),
    ("POST", "/users/me/tokens/{token_id}/rotate", None),
    ("GET", "/users/me/tokens", None),
    ("POST", "/users/me/bots", {"name": "Robot", "scopes": ["read"]}),
    ("GET", "/users/me/bots", None),
    ("POST", "/users/me/bots/{bot_id}/tokens", {"name": "More", "scopes": ["read"]}),
    ("GET", "/users/me/bots/{bot_id}/tokens", None),
    ("DELETE", "/users/me/bots/{bot_id}/tokens/{token_id}", None),
    ("POST", "/users/{user_id}/sign-in-codes", None),
    ("POST", "/users/me/sign-in-codes", None),
    ("POST", "/sessions", {"code": "{code}", "name": "Phone"}),
    ("GET", "/users/me/sessions", None),
    ("DELETE", "/users/me/sessions/{session_id}", None),
    ("GET", "/audit-entries", None),
    ("GET", "/sign-in", None),
    ("POST", "/sign-in/{provider_id}/authorizations", {"redirect_uri": REDIRECT_URI}),
    ("POST", "/users/me/identities", {"provider_id": "{provider_id}", **RETURNED}),
    ("GET", "/users/me/identities", None),
    ("POST", "/sign-in/{provider_id}/authorizations", {"redirect_uri": REDIRECT_URI}),
    ("POST", "/sign-in/{provider_id}/sessions", {**RETURNED, "name": "Phone"}),
    ("POST", "/sign-in/{provider_id}/sessions", {**RETURNED, "name": "Phone"}),
    ("POST", "/sign-in/{provider_id}/authorizations", {"redirect_uri": "https://elsewhere.example.test/"}),
    ("DELETE", "/users/me/identities/{identity_id}", None),
    ("POST", "/sign-in/{provider_id}/authorizations", {"redirect_uri": REDIRECT_URI}),
    ("POST", "/sign-in/{provider_id}/sessions", {**RETURNED, "name": "Phone"}),
)
"""What happens to a board with one card: method, path and body, where ... is the document's own example.

What a request makes is meant by its id from then on.
"""

_ID_PARAMETERS = {"lbl": "label_id", "chk": "checklist_id", "itm": "item_id", "cmt": "comment_id", "ten": "entry_id"}
"""Parameters, by the first letters of the ids of what they mean."""

_LARGE_BODY_BYTES = 300_000
_LONG_TARGET_BYTES = 9_000
_LARGE_HEADER_BYTES = 40_000


@dataclass(frozen=True)
class Attempt:
    """A request that shall end in one status."""

    headers: dict[str, str] = field(default_factory=dict)
    query: str = ""
    raw_body: bytes | None = None
    with_token: str | None = None
    on_another_resource: bool = False
    """The same request about another thing: a key that was used is used again."""


def request_every_status(server: LiveServer, token: str, traffic: Path) -> None:
    """Send every attempt at every operation, as somebody with a board, and add what came back to the traffic."""
    bundle = Bundle(json.loads(BUNDLE.read_bytes()))
    client = connect_client(server, token)
    weak = {
        scope: client.post("/users/me/tokens", {"name": "Weak", "scopes": [other]}).json["secret"]
        for scope, other in (("read", "write"), ("write", "read"), ("admin", "read"))
    }
    with traffic.open("a") as file:
        _replay_board_history(bundle, client, server, file)
        for operation in bundle.operations:
            path = _build_path(bundle, operation, client)
            for attempt in _list_attempts(bundle, operation, weak):
                target = _build_path(bundle, operation, client) if attempt.on_another_resource else path
                answer = send_attempt(client, operation, target, attempt)
                if answer is not None:
                    file.write(json.dumps(build_exchange(operation, server, target, attempt, answer)) + "\n")


def exceed_rate_limit(server: LiveServer, token: str, traffic: Path) -> None:
    """Ask for every operation once more than the server lets a user ask in a minute, which is once."""
    bundle = Bundle(json.loads(BUNDLE.read_bytes()))
    client = connect_client(server, token)
    client.get("/users/me")
    with traffic.open("a") as file:
        for operation in bundle.operations:
            path = operation.path
            for _, parameter in bundle.parameters(operation):
                if parameter["in"] == "path":
                    path = path.replace(f"{{{parameter['name']}}}", _create_plausible_value(bundle, parameter))
            answer = client.request(operation.method.upper(), path)
            file.write(json.dumps(build_exchange(operation, server, path, Attempt(), answer)) + "\n")


def _build_path(bundle: Bundle, operation: Operation, client: Client) -> str:
    """Create what the path of an operation names, and return the path with the ids."""
    there, path = _create_resources(client), operation.path
    for _, parameter in bundle.parameters(operation):
        if parameter["in"] == "path":
            # Another kind of thing isn't there, and its id is one that could be: 403 comes before 404.
            thing = there.get(parameter["name"], _create_plausible_value(bundle, parameter))
            path = path.replace(f"{{{parameter['name']}}}", thing)
    return path


def _create_plausible_value(bundle: Bundle, parameter: Node) -> str:
    return str(bundle.resolve(parameter["schema"]).get("example", "nothing"))


def _replay_board_history(bundle: Bundle, client: Client, server: LiveServer, file: TextIO) -> None:
    there = _create_resources(client)
    by_path = {(operation.method.upper(), operation.path): operation for operation in bundle.operations}
    for method, template, body in BOARD_HISTORY:
        operation = by_path[method, template.partition("?")[0]]
        path = template.format(**there)
        attempt = Attempt(
            {"If-Match": "*"}, raw_body=_get_example(bundle, operation) if body is ... else _fill_in_ids(body, there)
        )
        answer = send_attempt(client, operation, path, attempt)
        if answer is not None:
            file.write(json.dumps(build_exchange(operation, server, path, attempt, answer)) + "\n")
            there |= _read_created_ids(answer)


def _read_created_ids(answer: HttpResponse) -> dict[str, str]:
    """Return the ids of created things by the name of their parameter, and the code of a sign-in code."""
    body = answer.json if answer.status in (HTTPStatus.OK, HTTPStatus.CREATED) else {}
    if "code" in body:
        return {"code": body["code"]}
    if "attempt" in body:
        return {"attempt": body["attempt"], **sign_in_at(body["authorization_url"])}
    if "subject" in body:
        return {"identity_id": body["id"]}
    if "user" in body and isinstance(body.get("token"), dict):
        return {"bot_id": body["user"]["id"], "token_id": body["token"]["id"]}
    for kind in ("session", "invitation"):
        if body.get(kind):
            return {f"{kind}_id": body[kind]["id"], "secret": body.get("secret", "")}
    made = str(body.get("id", "")) if answer.status == HTTPStatus.CREATED else ""
    parameter = _ID_PARAMETERS.get(made.partition("_")[0])
    return {parameter: made} if parameter else {}


def _fill_in_ids(body: object, there: dict[str, str]) -> bytes | None:
    """Return a body as JSON with its ids filled in."""
    text = json.dumps(body)
    for name, value in there.items():
        text = text.replace(f"{{{name}}}", value)
    return text.encode() if body is not None else None


def _create_resources(client: Client) -> dict[str, str]:
    board = client.post("/boards", {"name": "Provocation"}).json["id"]
    card = client.post(f"/boards/{board}/cards", {"title": "Card"}).json
    user = client.get("/users/me").json["id"]
    token = client.post("/users/me/tokens", {"name": "Spare", "scopes": ["read"]}).json["token"]["id"]
    # A person may have few, and this is called for every operation.
    present = client.get("/users/me/bots").json["items"]
    bot = present[0] if present else client.post("/users/me/bots", {"name": "Robot", "scopes": ["read"]}).json["user"]
    webhook = client.post(f"/boards/{board}/webhooks", {"url": UNREACHABLE_URL}).json["webhook"]["id"]
    return {
        "board_id": board,
        "bot_id": bot["id"],
        "webhook_id": webhook,
        "card_id": card["id"],
        "list_id": card["list_id"],
        "user_id": user,
        "token_id": token,
        "provider_id": PROVIDER_ID,
    }


def _list_attempts(bundle: Bundle, operation: Operation, limited_tokens: dict[str, str]) -> Iterator[Attempt]:
    names = {parameter["name"] for _, parameter in bundle.parameters(operation)}
    body = _get_example(bundle, operation)
    matching = {"If-Match": "*"} if "If-Match" in names else {}
    yield Attempt(raw_body=b" " * _LARGE_BODY_BYTES, headers=matching)
    yield Attempt(query="?x=" + "x" * _LONG_TARGET_BYTES)
    yield Attempt(headers={f"X-Filler-{n}": "x" * 4_000 for n in range(_LARGE_HEADER_BYTES // 4_000)})
    yield Attempt(headers={"Accept": "image/png", **matching}, raw_body=body)
    yield Attempt(query="?nonsense=1", headers=matching, raw_body=body)
    yield Attempt(with_token="")
    yield Attempt(
        with_token=limited_tokens.get(operation.node.get("x-tackboard-scope", ""), ""), headers=matching, raw_body=body
    )
    if body is not None:
        yield Attempt(raw_body=b"x", headers={"Content-Type": "text/plain", **matching})
    if "If-Match" in names:
        yield Attempt(raw_body=body)
        yield Attempt(raw_body=body, headers={"If-Match": '"0"'})
    if "If-None-Match" in names:
        yield Attempt(headers={"If-None-Match": "*"})
    if "Idempotency-Key" in names:
        yield Attempt(headers={"Idempotency-Key": "provoked"}, raw_body=body)
        yield Attempt(headers={"Idempotency-Key": "provoked"}, raw_body=body, on_another_resource=True)


def _get_example(bundle: Bundle, operation: Operation) -> bytes | None:
    content = operation.node.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return None
    examples = [bundle.resolve(node)["value"] for node in content.get("examples", {}).values()]
    return json.dumps(examples[0] if examples else content.get("example", {})).encode()


def send_attempt(client: Client, operation: Operation, path: str, attempt: Attempt) -> HttpResponse | None:
    """Send a request. Return the response, or None if the server closed the connection of a far too large one."""
    sender = client if attempt.with_token is None else client.with_token(attempt.with_token or None)
    try:
        return sender.request(
            operation.method.upper(), path + attempt.query, raw=attempt.raw_body, headers=attempt.headers
        )
    except CONNECTION_ERRORS:
        return None


def read_everything(server: LiveServer, token: str, traffic: Path) -> None:
    """Read everything that the fuzzer has made: each board with its events, where every kind of change shows."""
    bundle = Bundle(json.loads(BUNDLE.read_bytes()))
    client = connect_client(server, token)
    by_path = {(operation.method, operation.path): operation for operation in bundle.operations}
    get_board = by_path["get", "/boards/{board_id}"]
    list_cards = by_path["get", "/boards/{board_id}/cards"]
    list_card_events = by_path["get", "/boards/{board_id}/cards/{card_id}/events"]
    list_events = by_path["get", "/boards/{board_id}/events"]
    with traffic.open("a") as file:
        for board in _list_boards(client):
            path = f"/boards/{board}"
            _record(file, client, server, get_board, f"{path}?embed=lists,cards,labels,members")
            after = 0
            while (page := _record(file, client, server, list_events, f"{path}/events?after={after}&limit=100")).get(
                "has_more"
            ):
                after = page["last_seq"]
            cards = _record(file, client, server, list_cards, f"{path}/cards?limit=20")["items"]
            for card in cards:
                target = f"{path}/cards/{card['id']}/events?sort=-seq&limit=100"
                _record(file, client, server, list_card_events, target)


def _list_boards(client: Client) -> Iterator[str]:
    cursor = ""
    while True:
        page = client.get(f"/boards?limit=100{cursor}").json
        yield from (board["id"] for board in page["items"])
        if page["next_cursor"] is None:
            return
        cursor = f"&cursor={page['next_cursor']}"


def _record(file: TextIO, client: Client, server: LiveServer, operation: Operation, path: str) -> dict[str, Any]:
    answer = client.get(path)
    file.write(json.dumps(build_exchange(operation, server, path, Attempt(), answer)) + "\n")
    body: dict[str, Any] = answer.json
    return body


def _read_headers(attempt: Attempt) -> dict[str, str]:
    """Return the headers that were sent, without the token."""
    headers = {} if attempt.with_token == "" else {"Authorization": "Bearer not-kept"}
    return headers | ({"Content-Type": "application/json"} if attempt.raw_body is not None else {}) | attempt.headers


def build_exchange(
    operation: Operation, server: LiveServer, path: str, attempt: Attempt, answer: HttpResponse
) -> dict[str, Any]:
    """Return an exchange in the form in which checks.py records it."""
    return {
        "operation": operation.id,
        "method": operation.method.upper(),
        "url": f"{server.url}v1{path}{attempt.query}",
        "sent": base64.b64encode(attempt.raw_body or b"").decode(),
        "request_headers": _read_headers(attempt),
        "status": answer.status,
        "headers": dict(answer.headers),
        "body": base64.b64encode(answer.raw).decode(),
        "parameters": sorted({*attempt.headers, *re.findall(r"[?&](\w+)=", path)}),
    }
