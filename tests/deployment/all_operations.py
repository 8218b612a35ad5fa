"""Call every operation of the document at least once, including rare cases."""

from collections.abc import Callable
from typing import Any

from tests.document.test_document import BUNDLE
from tests.oidc.scripted_provider import sign_in_at

REDIRECT_URI = "https://boards.example.test/"
"""Where the browser comes back to from a provider; the application must allow it."""

Send = Callable[..., Any]
"""Sends (method, target, body, **headers) as somebody; answers what came back as JSON, and its entity tag."""


def call_every_operation(send: Send) -> None:
    """Call every operation that takes a token."""
    call_user_operations(send)
    board = send("POST", "/v1/boards", {"name": "A"}, Idempotency_Key="one")[0]
    send("POST", "/v1/boards", {"name": "A"}, Idempotency_Key="one")
    send("GET", "/v1/boards")
    here = f"/v1/boards/{board['id']}"
    call_board_operations(send, here)
    call_list_operations(send, here)
    call_card_operations(send, here)
    call_card_part_operations(send, here)
    call_report_and_import_operations(send, here)
    call_webhook_operations(send, here)
    call_invitation_operations(send, here)
    copied = send("POST", f"{here}/copy", {"name": "Copy", "cards": True})[0]
    change(send, "DELETE", f"/v1/boards/{copied['id']}")
    send("POST", f"/v1/boards/{copied['id']}/restore")
    change(send, "DELETE", here)


def call_invitation_operations(send: Send, board_path: str) -> None:
    """Call the operations on invitations."""
    created = send("POST", f"{board_path}/invitations", {"role": "viewer", "max_uses": 2})[0]
    there = f"/v1/invitations/{created['invitation']['id']}"
    send("GET", f"{board_path}/invitations")
    send("GET", there, None, Invitation_Secret=created["secret"])
    send("POST", f"{there}/accept", {"secret": created["secret"]})
    send("DELETE", f"{board_path}/invitations/{created['invitation']['id']}")
    to_installation = send("POST", "/v1/invitations", {})[0]["invitation"]["id"]
    send("GET", "/v1/invitations")
    send("DELETE", f"/v1/invitations/{to_installation}")
    created = send("POST", "/v1/users", {"name": "Nina"})[0]
    nina = {"Authorization": f"Bearer {created['token']}"}
    for answer in ("accept", "decline"):
        send("PUT", f"{board_path}/members/{created['user']['id']}", {"role": "editor"})
        received = send("GET", "/v1/users/me/invitations", **nina)[0]["items"][0]["id"]
        if answer == "accept":
            send("POST", f"/v1/users/me/invitations/{received}/accept", **nina)
            send("DELETE", f"{board_path}/members/{created['user']['id']}")
        else:
            send("DELETE", f"/v1/users/me/invitations/{received}", **nina)


def change(send: Send, method: str, target: str, body: object = None) -> Any:
    """Change something that was just read."""
    return send(method, target, body, If_Match=send("GET", target)[1])[0]


def call_user_operations(send: Send) -> None:
    """Call the operations on users and tokens."""
    me = change(send, "PATCH", "/v1/users/me", {"name": "Mina B."})
    send("GET", f"/v1/users/{me['id']}")
    send("GET", "/v1/users?q=mina")
    send("GET", "/v1/users/me/export")
    omar = send("POST", "/v1/users", {"name": "Omar"})[0]["user"]["id"]
    for role in ("owner", "member"):
        change(send, "PATCH", f"/v1/users/{omar}", {"installation_role": role})
    send("POST", f"/v1/users/{omar}/deactivate", Idempotency_Key="three")
    send("POST", f"/v1/users/{omar}/transfer-boards", {"to_user_id": me["id"]})
    job = send("DELETE", f"/v1/users/{omar}", Idempotency_Key="four")[0]["id"]
    send("GET", "/v1/audit-entries")
    send("GET", "/v1/jobs")
    send("GET", f"/v1/jobs/{job}")
    send("POST", f"/v1/jobs/{job}/cancel", Idempotency_Key="five")
    send("POST", f"/v1/users/{omar}/reactivate")
    token = send("POST", "/v1/users/me/tokens", {"name": "x", "scopes": ["read"]})[0]["token"]
    send("GET", "/v1/users/me/tokens")
    send("POST", f"/v1/users/me/tokens/{token['id']}/rotate")
    send("DELETE", f"/v1/users/me/tokens/{token['id']}")
    call_bot_operations(send, omar)
    send("POST", f"/v1/users/{me['id']}/sign-in-codes")
    code = send("POST", "/v1/users/me/sign-in-codes")[0]["code"]
    session = send("POST", "/v1/sessions", {"code": code, "name": "Phone"})[0]["session"]
    send("GET", "/v1/users/me/sessions")
    send("DELETE", f"/v1/users/me/sessions/{session['id']}")
    call_sign_in_operations(send)


def call_bot_operations(send: Send, person_id: str) -> None:
    """Call the operations on bots, and hand one over to another person."""
    bot_id = send("POST", "/v1/users/me/bots", {"name": "Robot", "scopes": ["read"]})[0]["user"]["id"]
    send("GET", "/v1/users/me/bots")
    tokens = f"/v1/users/me/bots/{bot_id}/tokens"
    token = send("POST", tokens, {"name": "x", "scopes": ["read"]})[0]["token"]
    send("GET", tokens)
    send("DELETE", f"{tokens}/{token['id']}")
    change(send, "PATCH", f"/v1/users/{bot_id}", {"owner_id": person_id})


def call_sign_in_operations(send: Send) -> None:
    """Call the operations on identities. The application has a scripted provider, whose codes can be used again."""
    provider_id = send("GET", "/v1/sign-in")[0]["providers"][0]["id"]
    begun = send("POST", f"/v1/sign-in/{provider_id}/authorizations", {"redirect_uri": REDIRECT_URI})[0]
    body = {"attempt": begun["attempt"], **sign_in_at(begun["authorization_url"])}
    identity = send("POST", "/v1/users/me/identities", {"provider_id": provider_id, **body})[0]
    send("POST", f"/v1/sign-in/{provider_id}/sessions", {**body, "name": "Phone"})
    send("GET", "/v1/users/me/identities")
    send("DELETE", f"/v1/users/me/identities/{identity['id']}")


def call_board_operations(send: Send, board_path: str) -> None:
    """Call the operations on a board, its members and its labels."""
    change(send, "PATCH", board_path, {"name": "B", "hourly_rate_minor": 6000})
    send("GET", f"{board_path}?embed=lists,cards,labels,members")
    guest = send("POST", "/v1/users", {"name": "Omar"})[0]["user"]["id"]
    send("PUT", f"{board_path}/members/{guest}", {"role": "viewer"})
    send("PUT", f"{board_path}/members/{guest}", {"role": "editor"})
    send("GET", f"{board_path}/members")
    send("GET", f"{board_path}/members/{guest}")
    send("DELETE", f"{board_path}/members/{guest}")
    label = send("POST", f"{board_path}/labels", {"name": "Bug", "color": "red"})[0]["id"]
    change(send, "PATCH", f"{board_path}/labels/{label}", {"color": "orange"})
    send("GET", f"{board_path}/labels")
    change(send, "DELETE", f"{board_path}/labels/{label}")
    send("POST", f"{board_path}/archive")
    send("POST", f"{board_path}/unarchive")
    send("POST", f"{board_path}/undo", {"seq": send("GET", board_path)[0]["seq"]})
    send("POST", f"{board_path}/unarchive")


def call_webhook_operations(send: Send, board_path: str) -> None:
    """Call the operations on webhooks."""
    created = send("POST", f"{board_path}/webhooks", {"url": "https://example.com/in"})[0]["webhook"]
    there = f"{board_path}/webhooks/{created['id']}"
    send("GET", f"{board_path}/webhooks")
    for body in ({"state": "paused"}, {"state": "active", "types": ["card.moved"]}):
        change(send, "PATCH", there, body)
    send("POST", f"{there}/rotate")
    send("POST", f"{there}/test", None, Idempotency_Key="two")
    send("POST", f"{there}/replay", {"from_seq": 1})
    send("GET", f"{there}/deliveries")
    change(send, "DELETE", there)


def call_list_operations(send: Send, board_path: str) -> None:
    """Call the operations on lists and on all their cards."""
    one = send("POST", f"{board_path}/lists", {"name": "One", "stage": "todo", "external_id": "l"})[0]["id"]
    two = send("POST", f"{board_path}/lists", {"name": "Two", "stage": "todo"})[0]["id"]
    there = f"{board_path}/lists/{one}"
    change(send, "PATCH", there, {"name": "First", "external_id": "m"})
    send("POST", f"{there}/move", {"position": "top"})
    lists = [item["id"] for item in send("GET", f"{board_path}/lists")[0]["items"]]
    send("PUT", f"{board_path}/list-order", {"list_ids": lists[::-1]})
    cards = [create_card(send, board_path, list_id=one, external_id=str(number)) for number in range(5)]
    for number in range(20):
        send("POST", f"{board_path}/cards/{cards[number % 5]}/move", {"list_id": one, "before": cards[number % 5 - 1]})
    send("PUT", f"{there}/card-order", {"card_ids": cards})
    send("POST", f"{there}/sort", {"by": "title", "direction": "desc"})
    send("POST", f"{there}/move-cards", {"list_id": two})
    send("POST", f"{board_path}/lists/{two}/copy", {"name": "Copy"})
    for act in ("archive", "unarchive"):
        send("POST", f"{board_path}/lists/{two}/{act}")
    change(send, "DELETE", f"{board_path}/lists/{two}")
    send("POST", f"{board_path}/lists/{two}/restore")
    change(send, "DELETE", f"{board_path}/lists/{two}")


def create_card(send: Send, board_path: str, **fields: Any) -> str:
    """Create a card and return its id."""
    made: str = send("POST", f"{board_path}/cards", {"title": "Card", **fields})[0]["id"]
    return made


def call_card_operations(send: Send, board_path: str) -> None:
    """Call the operations on a card from its creation to its deletion, and the listings."""
    me = send("GET", "/v1/users/me")[0]["id"]
    label = send("POST", f"{board_path}/labels", {"name": "New", "color": "blue"})[0]["id"]
    moved = create_card(send, board_path, external_id="old", due_at="2026-12-01T00:00:00Z", assignee_ids=[me])
    card = f"{board_path}/cards/{moved}"
    change(send, "PATCH", card, {"title": "New", "external_id": "new"})
    for act in ("start", "resolve", "reopen", "copy", "archive", "unarchive"):
        send("POST", f"{card}/{act}", {} if act == "copy" else None)
    for relation in (f"{card}/labels/{label}", f"{card}/assignees/{me}"):
        send("DELETE", relation)
        send("PUT", relation)
    send("GET", f"{card}/time")
    send("GET", "/v1/cards")
    # More than one transaction holds goes ahead of its card to another board.
    for number in range(100):
        send("POST", f"{card}/comments", {"text": str(number)})
    for query in ("sort=-updated_at", "q=new", "limit=2", "sort=due_at", "archived=true", f"assignee_id={me}"):
        send("GET", f"{board_path}/cards?{query}")
    other = send("POST", "/v1/boards", {"name": "Other"})[0]["id"]
    send("POST", f"{card}/transfer", {"board_id": other})
    send("POST", f"/v1/boards/{other}/cards/{moved}/transfer", {"board_id": board_path.removeprefix("/v1/boards/")})
    change(send, "DELETE", card)
    send("POST", f"{card}/restore")
    change(send, "DELETE", card)


def call_card_part_operations(send: Send, board_path: str) -> None:
    """Checklists, comments and time entries."""
    card = f"{board_path}/cards/{create_card(send, board_path)}"
    checklist = f"{card}/checklists/{send('POST', f'{card}/checklists', {'name': 'Steps'})[0]['id']}"
    change(send, "PATCH", checklist, {"name": "All steps"})
    send("POST", f"{checklist}/move", {"position": "top"})
    send("GET", f"{card}/checklists")
    items = [f"{checklist}/items/{send('POST', f'{checklist}/items', {'text': str(n)})[0]['id']}" for n in range(3)]
    change(send, "PATCH", items[0], {"done": True})
    send("POST", f"{items[0]}/move", {"position": "bottom"})
    send("POST", f"{items[1]}/convert", {})
    change(send, "DELETE", items[2])
    change(send, "DELETE", checklist)
    comment = f"{card}/comments/{send('POST', f'{card}/comments', {'text': 'Hm.'})[0]['id']}"
    change(send, "PATCH", comment, {"text": "Good."})
    send("GET", f"{card}/comments")
    send("GET", f"{card}/events")
    change(send, "DELETE", comment)
    worked = {"started_at": "2026-11-20T10:00:00Z", "ended_at": "2026-11-20T11:30:00Z"}
    entry = f"{card}/time-entries/{send('POST', f'{card}/time-entries', worked)[0]['id']}"
    change(send, "PATCH", entry, {"ended_at": "2026-11-20T11:00:00Z"})
    change(send, "DELETE", entry)


def call_report_and_import_operations(send: Send, board_path: str) -> None:
    """Call the reports and exports of a board, and the imports."""
    send("GET", f"{board_path}/events?after=0&limit=2")
    send("GET", f"{board_path}/changes")
    send("GET", f"{board_path}/flow")
    send("GET", f"{board_path}/time-report")
    send("POST", "/v1/imports/tackboard", send("GET", f"{board_path}/export")[0])
    trello = BUNDLE["paths"]["/imports/trello"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    export = next(iter(trello.values()))
    send("POST", "/v1/imports/trello", resolve_reference(export)["value"])


def resolve_reference(node: dict[str, Any]) -> dict[str, Any]:
    """Return the node itself, or what its reference names."""
    while "$ref" in node:
        target: Any = BUNDLE
        for name in node["$ref"].removeprefix("#/").split("/"):
            target = target[name]
        node = target
    return node
