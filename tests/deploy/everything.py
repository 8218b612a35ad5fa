"""One call, at least, of every operation of the document, and all that happens rarely."""

from collections.abc import Callable
from typing import Any

from tests.document.test_document import BUNDLE

Ask = Callable[..., Any]
"""Sends (method, target, body, **headers) as somebody; answers what came back as JSON, and its entity tag."""


def use_everything(ask: Ask) -> None:
    """Call every operation that takes a token."""
    use_users(ask)
    board = ask("POST", "/v1/boards", {"name": "A"}, Idempotency_Key="one")[0]
    ask("POST", "/v1/boards", {"name": "A"}, Idempotency_Key="one")
    ask("GET", "/v1/boards")
    here = f"/v1/boards/{board['id']}"
    use_board(ask, here)
    use_lists(ask, here)
    use_cards(ask, here)
    use_parts_of_a_card(ask, here)
    use_reports_and_imports(ask, here)
    copied = ask("POST", f"{here}/copy", {"name": "Copy", "cards": True})[0]
    changed(ask, "DELETE", f"/v1/boards/{copied['id']}")
    ask("POST", f"/v1/boards/{copied['id']}/restore")
    changed(ask, "DELETE", here)


def changed(ask: Ask, method: str, target: str, body: object = None) -> Any:
    """Change something that was just read."""
    return ask(method, target, body, If_Match=ask("GET", target)[1])[0]


def use_users(ask: Ask) -> None:
    """Users and tokens."""
    me = changed(ask, "PATCH", "/v1/users/me", {"name": "Mina B."})
    ask("GET", f"/v1/users/{me['id']}")
    token = ask("POST", "/v1/users/me/tokens", {"name": "x", "scopes": ["read"]})[0]["token"]
    ask("GET", "/v1/users/me/tokens")
    ask("POST", f"/v1/users/me/tokens/{token['id']}/rotate")
    ask("DELETE", f"/v1/users/me/tokens/{token['id']}")


def use_board(ask: Ask, here: str) -> None:
    """A board, its members and its labels."""
    changed(ask, "PATCH", here, {"name": "B", "hourly_rate_minor": 6000})
    ask("GET", f"{here}?embed=lists,cards,labels,members")
    guest = ask("POST", "/v1/users", {"name": "Omar"})[0]["user"]["id"]
    ask("PUT", f"{here}/members/{guest}", {"role": "viewer"})
    ask("PUT", f"{here}/members/{guest}", {"role": "editor"})
    ask("GET", f"{here}/members")
    ask("GET", f"{here}/members/{guest}")
    ask("DELETE", f"{here}/members/{guest}")
    label = ask("POST", f"{here}/labels", {"name": "Bug", "color": "red"})[0]["id"]
    changed(ask, "PATCH", f"{here}/labels/{label}", {"color": "orange"})
    ask("GET", f"{here}/labels")
    changed(ask, "DELETE", f"{here}/labels/{label}")
    ask("POST", f"{here}/archive")
    ask("POST", f"{here}/unarchive")


def use_lists(ask: Ask, here: str) -> None:
    """Lists, alone and with all their cards."""
    one = ask("POST", f"{here}/lists", {"name": "One", "stage": "todo", "external_id": "l"})[0]["id"]
    two = ask("POST", f"{here}/lists", {"name": "Two", "stage": "todo"})[0]["id"]
    there = f"{here}/lists/{one}"
    changed(ask, "PATCH", there, {"name": "First", "external_id": "m"})
    ask("POST", f"{there}/move", {"position": "top"})
    lists = [each["id"] for each in ask("GET", f"{here}/lists")[0]["items"]]
    ask("PUT", f"{here}/list-order", {"list_ids": lists[::-1]})
    cards = [add(ask, here, list_id=one, external_id=str(number)) for number in range(5)]
    for number in range(20):
        ask("POST", f"{here}/cards/{cards[number % 5]}/move", {"list_id": one, "before": cards[number % 5 - 1]})
    ask("PUT", f"{there}/card-order", {"card_ids": cards})
    ask("POST", f"{there}/sort", {"by": "title", "direction": "desc"})
    ask("POST", f"{there}/move-cards", {"list_id": two})
    ask("POST", f"{here}/lists/{two}/copy", {"name": "Copy"})
    for act in ("archive", "unarchive"):
        ask("POST", f"{here}/lists/{two}/{act}")
    changed(ask, "DELETE", f"{here}/lists/{two}")
    ask("POST", f"{here}/lists/{two}/restore")
    changed(ask, "DELETE", f"{here}/lists/{two}")


def add(ask: Ask, here: str, **wishes: Any) -> str:
    """A new card's id."""
    made: str = ask("POST", f"{here}/cards", {"title": "Card", **wishes})[0]["id"]
    return made


def use_cards(ask: Ask, here: str) -> None:
    """A card's life, and the listings."""
    me = ask("GET", "/v1/users/me")[0]["id"]
    label = ask("POST", f"{here}/labels", {"name": "New", "color": "blue"})[0]["id"]
    moved = add(ask, here, external_id="old", due_at="2026-12-01T00:00:00Z", assignee_ids=[me])
    card = f"{here}/cards/{moved}"
    changed(ask, "PATCH", card, {"title": "New", "external_id": "new"})
    for act in ("start", "resolve", "reopen", "copy", "archive", "unarchive"):
        ask("POST", f"{card}/{act}", {} if act == "copy" else None)
    for relation in (f"{card}/labels/{label}", f"{card}/assignees/{me}"):
        ask("DELETE", relation)
        ask("PUT", relation)
    ask("GET", f"{card}/time")
    ask("GET", "/v1/cards")
    # More than one transaction holds goes ahead of its card to another board.
    for number in range(100):
        ask("POST", f"{card}/comments", {"text": str(number)})
    for query in ("sort=-updated_at", "q=new", "limit=2", "sort=due_at", "archived=true", f"assignee_id={me}"):
        ask("GET", f"{here}/cards?{query}")
    other = ask("POST", "/v1/boards", {"name": "Other"})[0]["id"]
    ask("POST", f"{card}/transfer", {"board_id": other})
    ask("POST", f"/v1/boards/{other}/cards/{moved}/transfer", {"board_id": here.removeprefix("/v1/boards/")})
    changed(ask, "DELETE", card)
    ask("POST", f"{card}/restore")
    changed(ask, "DELETE", card)


def use_parts_of_a_card(ask: Ask, here: str) -> None:
    """Checklists, comments and time entries."""
    card = f"{here}/cards/{add(ask, here)}"
    checklist = f"{card}/checklists/{ask('POST', f'{card}/checklists', {'name': 'Steps'})[0]['id']}"
    changed(ask, "PATCH", checklist, {"name": "All steps"})
    ask("POST", f"{checklist}/move", {"position": "top"})
    ask("GET", f"{card}/checklists")
    items = [f"{checklist}/items/{ask('POST', f'{checklist}/items', {'text': str(n)})[0]['id']}" for n in range(3)]
    changed(ask, "PATCH", items[0], {"done": True})
    ask("POST", f"{items[0]}/move", {"position": "bottom"})
    ask("POST", f"{items[1]}/convert", {})
    changed(ask, "DELETE", items[2])
    changed(ask, "DELETE", checklist)
    comment = f"{card}/comments/{ask('POST', f'{card}/comments', {'text': 'Hm.'})[0]['id']}"
    changed(ask, "PATCH", comment, {"text": "Good."})
    ask("GET", f"{card}/comments")
    changed(ask, "DELETE", comment)
    worked = {"started_at": "2026-11-20T10:00:00Z", "ended_at": "2026-11-20T11:30:00Z"}
    entry = f"{card}/time-entries/{ask('POST', f'{card}/time-entries', worked)[0]['id']}"
    changed(ask, "PATCH", entry, {"ended_at": "2026-11-20T11:00:00Z"})
    changed(ask, "DELETE", entry)


def use_reports_and_imports(ask: Ask, here: str) -> None:
    """What is read from the whole board, and what comes from elsewhere."""
    ask("GET", f"{here}/events?after=0&limit=2")
    ask("GET", f"{here}/flow")
    ask("GET", f"{here}/time-report")
    ask("POST", "/v1/imports/tackboard", ask("GET", f"{here}/export")[0])
    trello = BUNDLE["paths"]["/imports/trello"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    export = next(iter(trello.values()))
    ask("POST", "/v1/imports/trello", resolved(export)["value"])


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    """What a reference of the document means."""
    while "$ref" in node:
        found: Any = BUNDLE
        for name in node["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        node = found
    return node
