"""Authorization: every operation on a board, with each role that the document declares.

`test_authorization_matrix.py` tries every operation with all kinds of callers, what is allowed in dry runs only.
"""

import json
from dataclasses import replace
from typing import Any

import pytest

from app.document import DOCUMENT_PATH
from kanban.changes import Change
from kanban.store import Store
from kanban.values import Event, Member, Role
from tests.api.client import Client, HttpResponse
from tests.api.manual_clock import ManualClock

BUNDLE: dict[str, Any] = json.loads(DOCUMENT_PATH.read_bytes())
BOARD_OPERATIONS = [
    pytest.param(path, method, operation, id=operation["operationId"])
    for path, item in BUNDLE["paths"].items()
    for method, operation in item.items()
    if path.startswith("/boards/{board_id}") and method != "parameters"
]
BODIES: dict[str, Any] = {
    "update_board": {"name": "Shop"},
    "create_list": {"name": "Review", "stage": "in_progress"},
    "update_list": {"name": "Backlog"},
    "move_list": {"position": "bottom"},
    "create_card": {"title": "Write the text"},
    "update_card": {"title": "Write the text"},
    "put_member": {"role": "viewer"},
    "create_label": {"name": "Idea", "color": "sky"},
    "update_label": {"color": "sky"},
    "create_checklist": {"name": "Steps"},
    "update_checklist": {"name": "Steps"},
    "move_checklist": {"position": "bottom"},
    "create_checklist_item": {"text": "Read it aloud"},
    "update_checklist_item": {"done": True},
    "move_checklist_item": {"position": "bottom"},
    "create_comment": {"text": "Looks good."},
    "update_comment": {"text": "Looks better."},
    "create_time_entry": {"started_at": "2026-01-05T09:00:00Z", "ended_at": "2026-01-05T10:00:00Z"},
    "update_time_entry": {"note": "On the train"},
    "sort_cards": {"by": "title"},
    "copy_card": {"title": "Write more copy"},
    "copy_list": {"name": "Later"},
    "copy_board": {"name": "Shop"},
    "undo_event": {"seq": 2},
    "create_webhook": {"url": "https://example.com/in"},
    "update_webhook": {"state": "paused"},
    "replay_webhook": {"from_seq": 1},
    "create_invitation": {"role": "viewer"},
}


class PreparedBoard:
    """Mina's board with a card, and the resources in the path of one operation."""

    def __init__(self, mina: Client, operation_id: str, path: str) -> None:
        board = mina.post("/boards", {"name": "Website"}).json["id"]
        lists = mina.get(f"/boards/{board}/lists").json["items"]
        card = mina.post(f"/boards/{board}/cards", {"title": "Write the copy"}).json["id"]
        for step in {"resolve_card": ["start"], "reopen_card": ["start", "resolve"]}.get(operation_id, []):
            mina.post(f"/boards/{board}/cards/{card}/{step}")
        self.ids = {"board_id": board, "list_id": lists[0]["id"], "card_id": card, "user_id": "mina"}
        if "{label_id}" in path:
            self.ids["label_id"] = mina.post(f"/boards/{board}/labels", {"name": "Bug", "color": "red"}).json["id"]
        if "{webhook_id}" in path:
            created = mina.post(f"/boards/{board}/webhooks", {"url": "https://example.com/in"})
            self.ids["webhook_id"] = created.json["webhook"]["id"]
        if "{invitation_id}" in path:
            created = mina.post(f"/boards/{board}/invitations", {"role": "viewer"})
            self.ids["invitation_id"] = created.json["invitation"]["id"]
        self.ids |= self.create_parts(mina, f"/boards/{board}/cards/{card}", path)
        if operation_id == "put_member":
            self.ids["user_id"] = mina.post("/users", {"id": "zoe", "name": "Zoe"}).json["user"]["id"]
        elif operation_id == "remove_member":
            # The caller removes themself, which every role may do. Other tests remove another member.
            self.ids["user_id"] = "omar"
        bodies = {
            "move_card": {"list_id": lists[1]["id"]},
            "move_cards": {"list_id": lists[1]["id"]},
            "order_cards": {"card_ids": [card]},
            "order_lists": {"list_ids": [list_["id"] for list_ in lists]},
        }
        self.body = bodies.get(operation_id) or BODIES.get(operation_id)
        if operation_id == "transfer_card":
            self.body = {"board_id": mina.post("/boards", {"name": "Shop"}).json["id"]}

    @staticmethod
    def create_parts(client: Client, card: str, path: str) -> dict[str, str]:
        """Create the parts of a card that a path names, and return their ids by parameter."""
        ids = {}
        if "{checklist_id}" in path:
            ids["checklist_id"] = client.post(f"{card}/checklists", {"name": "Steps"}).json["id"]
        if "{item_id}" in path:
            items = f"{card}/checklists/{ids['checklist_id']}/items"
            ids["item_id"] = client.post(items, {"text": "Try it"}).json["id"]
        if "{comment_id}" in path:
            ids["comment_id"] = client.post(f"{card}/comments", {"text": "Looks good."}).json["id"]
        if "{entry_id}" in path:
            interval = {"started_at": "2026-01-05T14:00:00Z", "ended_at": "2026-01-05T14:15:45Z"}
            ids["entry_id"] = client.post(f"{card}/time-entries", interval).json["id"]
        return ids

    def call(self, client: Client, path: str, method: str, **other_ids: str) -> HttpResponse:
        """Call the operation with a client."""
        headers = {"If-Match": "*"} if method in ("patch", "delete") else {}
        return client.request(method.upper(), path.format(**self.ids | other_ids), self.body, headers=headers)


def add_member(store: Store, board_id: str, user_id: str, role: Role, clock: ManualClock) -> None:
    """Add a user to a board in a role."""
    view = store.read_board(board_id, "mina")
    assert view is not None
    seq = view.board.seq + 1
    member = Member(f"mbr_{user_id}", board_id, user_id, role, 1, clock(), clock())
    event = Event(board_id, seq, "board.updated", clock(), "mina", data={"changed": ["name"]})
    store.commit(Change(creates=(member,), updates=(replace(view.board, seq=seq),), event=event))


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize(("path", "method", "operation"), BOARD_OPERATIONS)
def test_a_member_may_call_what_the_document_allows_their_role(
    mina: Client, omar: Client, store: Store, clock: ManualClock, path: str, method: str, operation: Any, role: Role
) -> None:
    prepared = PreparedBoard(mina, operation["operationId"], path)
    if "comment_id" in path:
        # A comment belongs to its author, whatever role the author has by now.
        mina.request("PUT", f"/boards/{prepared.ids['board_id']}/members/omar", {"role": "editor"})
        prepared.ids |= prepared.create_parts(omar, "/boards/{board_id}/cards/{card_id}".format(**prepared.ids), path)
        mina.request("PUT", f"/boards/{prepared.ids['board_id']}/members/omar", {"role": role})
    else:
        add_member(store, prepared.ids["board_id"], "omar", role, clock)
    if prepared.body and "board_id" in prepared.body:
        mina.put(f"/boards/{prepared.body['board_id']}/members/omar", {"role": "editor"})

    response = prepared.call(omar, path, method)

    if role.covers(Role(operation["x-tackboard-role"])):
        assert response.status < 300, response.raw
    else:
        assert (response.status, response.json["code"]) == (403, "role_too_low")
