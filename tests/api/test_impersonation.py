"""No request can act in the name of another user.

The actor is the user of the token, never a user that a body names. USER_PROPERTIES lists every property of a body that
names a user. A new one fails here until its meaning is decided.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from kanban.interchange import export_document
from tests.api.client import Client, HttpResponse
from tests.api.test_exports import export_board
from tests.document.test_document import BUNDLE, SCHEMAS, list_operations

USER_ID = BUNDLE["components"]["schemas"]["UserId"]["pattern"]

EXPORT = frozenset(
    (
        "board.imported_by",
        "cards[].assignee_ids[]",
        "checklists[].items[].assignee_id",
        "comments[].author_id",
        "exported_by",
        "members[].user_id",
        "time_entries[].recorded_by",
        "time_entries[].user_id",
    )
)

USER_PROPERTIES: Mapping[str, frozenset[str]] = {
    "create_user": frozenset(("id",)),
    "create_bot": frozenset(("id",)),
    # The person to whom a bot is handed over, by its person or by an owner of the installation.
    "update_user": frozenset(("owner_id",)),
    # The id of a new user, which must be free.
    "accept_invitation": frozenset(("user.id",)),
    "create_card": frozenset(("assignee_ids[]",)),
    "update_card": frozenset(("assignee_ids[]",)),
    "create_checklist_item": frozenset(("assignee_id",)),
    "update_checklist_item": frozenset(("assignee_id",)),
    # A member may record the work of another member. The event names the caller as its actor.
    "create_time_entry": frozenset(("user_id",)),
    "update_time_entry": frozenset(("user_id",)),
    # By an owner of the installation. The events name the caller as their actor.
    "transfer_boards": frozenset(("to_user_id",)),
    "import_tackboard": EXPORT,
}
"""By operation: the properties of its body that name users."""


def named_users(schema: Mapping[str, Any], at: str = "") -> Iterator[str]:
    """Yield the properties of a schema that have a user id."""
    schema = SCHEMAS.resolve(schema)
    if schema.get("pattern") == USER_ID:
        yield at
    for part in (*schema.get("allOf", ()), *schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from named_users(part, at)
    for name, property_ in schema.get("properties", {}).items():
        yield from named_users(property_, f"{at}.{name}".removeprefix("."))
    if "items" in schema:
        yield from named_users(schema["items"], f"{at}[]")


def test_every_property_that_names_a_user_is_listed() -> None:
    properties = {
        operation["operationId"]: {
            at for content in operation["requestBody"]["content"].values() for at in named_users(content["schema"])
        }
        for _, _, operation in list_operations()
        if "requestBody" in operation
    }

    assert {operation_id: at for operation_id, at in properties.items() if at} == USER_PROPERTIES


@pytest.fixture
def board(mina: Client, omar: Client) -> str:
    """Create a board of Omar with Mina as an editor and return its path."""
    del mina
    path = f"/boards/{omar.post('/boards', {'name': 'Company'}).json['id']}"
    omar.put(f"{path}/members/mina", {"role": "editor"})
    return path


def build_forged_export(mina: Client) -> dict[str, Any]:
    """Return an export by Mina, changed so that Omar is a member, comments and works."""
    path = f"/boards/{mina.post('/boards', {'name': 'Own'}).json['id']}"
    card = f"{path}/cards/{mina.post(f'{path}/cards', {'title': 'Budget'}).json['id']}"
    mina.post(f"{card}/comments", {"text": "I approve 1,000,000 EUR"})
    worked = {"started_at": "2026-01-05T09:00:00Z", "ended_at": "2026-01-05T19:00:00Z", "hourly_rate_minor": 100_000}
    mina.post(f"{card}/time-entries", worked)
    mina.post(f"{card}/checklists", {"name": "Steps"})
    document = export_board(mina, path)
    document["comments"][0] |= {"author_id": "omar", "author_name": "Omar", "created_at": "2025-01-01T00:00:00Z"}
    document["time_entries"][0] |= {"user_id": "omar", "user_name": "Omar", "recorded_by": "omar"}
    document["members"] = [{"user_id": "omar", "name": "Omar", "role": "owner"}]
    document["cards"][0]["assignee_ids"] = ["omar"]
    document["board"]["imported_by"] = "omar"
    document |= {"exported_by": "omar", "exported_by_name": "Omar"}
    return document | {"digest": export_document.compute_digest(document)}


def test_an_import_creates_nothing_in_the_name_of_another_user(mina: Client, omar: Client) -> None:
    response = mina.post("/imports/tackboard", build_forged_export(mina))

    assert response.status == 201
    path = f"/boards/{response.json['board']['id']}"
    document = export_board(mina, path)
    assert [(comment["author_id"], comment["text"]) for comment in document["comments"]] == [
        ("mina", "Omar:\n\nI approve 1,000,000 EUR")
    ]
    assert [(entry["user_id"], entry["recorded_by"], entry["note"]) for entry in document["time_entries"]] == [
        ("mina", "mina", "Omar:")
    ]
    assert [(member["user_id"], member["role"]) for member in document["members"]] == [("mina", "owner")]
    assert document["cards"][0]["assignee_ids"] == []
    assert {event["actor_id"] for event in mina.get(f"{path}/events?after=0").json["items"]} == {"mina"}
    assert omar.get(path).status == 404
    assert omar.get("/cards").json["items"] == []


def test_a_transfer_brings_no_forged_author_to_a_shared_board(mina: Client, omar: Client, board: str) -> None:
    imported = f"/boards/{mina.post('/imports/tackboard', build_forged_export(mina)).json['board']['id']}"
    [card] = mina.get(f"{imported}/cards").json["items"]

    moved = mina.post(f"{imported}/cards/{card['id']}/transfer", {"board_id": board.removeprefix("/boards/")})

    assert moved.status == 200
    document = export_board(omar, board)
    assert [comment["author_id"] for comment in document["comments"]] == ["mina"]
    assert [entry["user_id"] for entry in document["time_entries"]] == ["mina"]


def test_an_import_does_not_reveal_which_users_exist(mina: Client, omar: Client) -> None:
    del omar
    document = build_forged_export(mina)
    responses: list[HttpResponse] = []
    for user_id in ("omar", "nobody"):
        text = {"author_id": user_id, "author_name": "Somebody"}
        document["comments"][0] |= text
        document["time_entries"][0] |= {"user_id": user_id, "user_name": "Somebody", "recorded_by": user_id}
        document["members"] = [{"user_id": user_id, "name": "Somebody", "role": "owner"}]
        document["cards"][0]["assignee_ids"] = [user_id]
        document["board"] |= {"id": f"{document['board']['id'][:-1]}{len(responses)}", "imported_by": user_id}
        responses.append(mina.post("/imports/tackboard", document | {"digest": None}))

    assert [response.status for response in responses] == [201, 201]
    assert responses[0].json["report"] == responses[1].json["report"]


TRELLO: Mapping[str, Any] = {
    "id": "5f3c2a1b9d8e7f6a5b4c3d2e",
    "name": "Website",
    "idMemberCreator": "omar",
    "members": [{"id": "omar", "fullName": "Omar", "username": "omar"}],
    "memberships": [{"idMember": "omar", "memberType": "admin"}],
    "lists": [{"id": "5f3c2a1b0000000000000001", "name": "Doing"}],
    "cards": [
        {
            "id": "5f3c2a1b0000000000000002",
            "idList": "5f3c2a1b0000000000000001",
            "name": "Copy",
            "idMembers": ["omar"],
            "idMemberCreator": "omar",
        }
    ],
    "actions": [
        {
            "type": "commentCard",
            "date": "2025-01-01T00:00:00Z",
            "idMemberCreator": "omar",
            "memberCreator": {"id": "omar", "fullName": "Omar", "username": "omar"},
            "data": {"text": "I approve.", "card": {"id": "5f3c2a1b0000000000000002"}},
        }
    ],
}


def test_an_import_from_trello_makes_everything_in_the_importers_name(mina: Client, omar: Client) -> None:
    path = f"/boards/{mina.post('/imports/trello', TRELLO).json['board']['id']}"

    document = export_board(mina, path)

    assert [(comment["author_id"], comment["text"]) for comment in document["comments"]] == [
        ("mina", "Omar:\n\nI approve.")
    ]
    assert [entry["user_id"] for entry in document["time_entries"]] == ["mina"]
    assert [member["user_id"] for member in document["members"]] == ["mina"]
    assert document["cards"][0]["assignee_ids"] == []
    assert {event["actor_id"] for event in mina.get(f"{path}/events?after=0").json["items"]} == {"mina"}
    assert omar.get(path).status == 404


def test_the_actor_is_the_caller_and_never_a_user_in_the_body(mina: Client, omar: Client, board: str) -> None:
    todo, doing, _ = (list_["id"] for list_ in mina.get(f"{board}/lists").json["items"])
    card = f"{board}/cards/{mina.post(f'{board}/cards', {'title': 'Copy', 'assignee_ids': ['omar']}).json['id']}"
    checklist = f"{card}/checklists/{mina.post(f'{card}/checklists', {'name': 'Steps'}).json['id']}"
    item = mina.post(f"{checklist}/items", {"text": "Try it", "assignee_id": "omar"}).json["id"]
    mina.post(f"{checklist}/items/{item}/convert", {"list_id": doing})
    mina.patch(card, {"assignee_ids": ["mina", "omar"]}, If_Match="*")
    mina.put(f"{card}/assignees/omar")
    worked = {"started_at": "2026-01-05T09:00:00Z", "ended_at": "2026-01-05T10:00:00Z"}
    entry = f"{card}/time-entries/{mina.post(f'{card}/time-entries', worked).json['id']}"
    mina.post(f"{card}/comments", {"text": "I approve."})
    mina.post(f"{card}/start")
    mina.post(f"{board}/lists/{todo}/copy", {})
    copied = f"/boards/{mina.post(f'{board}/copy', {}).json['id']}"
    before = mina.get(board).json["seq"]
    mina.patch(entry, {"user_id": "omar"}, If_Match="*")

    document = export_board(mina, board)
    assert {comment["author_id"] for comment in document["comments"]} == {"mina"}
    recorders = [(entry["user_id"], entry["recorded_by"]) for entry in document["time_entries"]]
    assert sorted(recorders, key=str) == [("mina", None), ("mina", None), ("omar", "mina")]
    events = mina.get(f"{board}/events?after=2&limit=100").json["items"]
    assert {event["actor_id"] for event in events} == {"mina"}
    assert [(event["type"], event["actor_id"]) for event in events if event["seq"] > before] == [
        ("time_entry.updated", "mina")
    ]
    assert [member["user_id"] for member in mina.get(f"{copied}/members").json["items"]] == ["mina"]
    assert omar.get(copied).status == 404
