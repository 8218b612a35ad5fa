"""Requests of every operation, made from the document: on things of the caller, of somebody else, and of nobody."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from tests.api import test_imports
from tests.api.authorization_operations import ID_SUFFIXES, NEIGHBOURS, DeclaredOperation
from tests.api.authorization_world import OTHER, OWN, Caller, World
from tests.api.client import HttpResponse
from tests.api.test_authorization import BODIES

NONE = "nonexistent"

PATH_IDS: dict[str, dict[str, str]] = {
    "resolve_card": {"card_id": "running_card_id"},
    "reopen_card": {"card_id": "done_card_id"},
    "revoke_bot_token": {"token_id": "bot_token_id"},
}
"""Operations on a card in another stage than the first card, and on a token of a bot."""

USERS = {
    "put_member": "zoe",
    "update_user": "zoe",
    "deactivate_user": "zoe",
    "create_sign_in_code_of_user": "zoe",
    "reactivate_user": "gone",
    "delete_user": "gone",
    "transfer_boards": "gone",
}
"""Operations on somebody who is no member of the board, or deactivated."""

RECEIVED_INVITATIONS = ("accept_received_invitation", "decline_invitation")
"""Operations on an invitation that is for one user."""

KINDS_OF_NEIGHBOURS = {
    "move_card": "second_card_id",
    "move_list": "second_list_id",
    "move_checklist": "checklist_id",
    "move_checklist_item": "item_id",
}
"""What `before` and `after` are ids of."""


@dataclass(frozen=True)
class Request:
    """A request of an operation, without a caller."""

    operation: DeclaredOperation
    path: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def send(self, caller: Caller, *, is_dry_run: bool = False) -> HttpResponse:
        """Send the request."""
        headers = {**self.headers, **({"Prefer": "dry-run"} if is_dry_run else {})}
        return caller.client.request(self.operation.method.upper(), self.path, self.body, headers=headers)


def build_missing_id(existing_id: str) -> str:
    """Return an id of the kind of an existing one that nothing has."""
    return re.sub(r"^([a-z]{3}_)[0-9a-z]{26}$", rf"\g<1>{'0' * 26}", existing_id) if "_" in existing_id else "nobody"


def list_targets(operation: DeclaredOperation) -> tuple[str, ...]:
    """Return whose things an operation can be on, as far as that can be told by its path."""
    return (OWN, OTHER, NONE) if operation.list_names("path") else (OWN,)


def build_request(world: World, caller: Caller, operation: DeclaredOperation, target: str) -> Request:
    """Return a request that would succeed if the caller might do it and the target was there."""
    ids = find_ids(world, caller, operation)
    if target == OTHER:
        ids |= find_ids_of_others(world, operation)
    elif target == NONE:
        names = ["board_id"] if operation.is_on_board else operation.list_names("path")
        ids |= {name: build_missing_id(ids[name]) for name in names}
    return Request(
        operation, operation.path.format(**ids), build_body(world, caller, operation), build_headers(world, operation)
    )


def find_ids(world: World, caller: Caller, operation: DeclaredOperation) -> dict[str, str]:
    """Return the ids of what is on the board, and of what is the caller's own, by the names of parameters."""
    ids = {**world.ids[OWN], **world.callers["owner of the board"].ids, **caller.ids}
    ids |= {name: ids[key] for name, key in PATH_IDS.get(operation.id, {}).items()}
    ids["comment_id"] = ids.get(f"comment_id of {caller.user_id}", ids["comment_id"])
    ids["user_id"] = USERS.get(operation.id, ids["user_id"])
    if operation.id == "remove_member":
        # Everybody may remove themself.
        ids["user_id"] = caller.user_id
    if operation.id in RECEIVED_INVITATIONS:
        ids["invitation_id"] = ids["received_invitation_id"]
    elif not operation.is_on_board:
        ids["invitation_id"] = world.installation_invitation
    return ids


def find_ids_of_others(world: World, operation: DeclaredOperation) -> dict[str, str]:
    """Return the ids of what is on a board of which few are members, and of what another user has."""
    if operation.is_on_board:
        # Whom a request is about is the same, so that only the board differs.
        return {name: id_ for name, id_ in world.ids[OTHER].items() if name != "user_id"}
    ids = {**world.ids_of_olga, "user_id": USERS.get(operation.id, "edith")}
    is_received = operation.id in RECEIVED_INVITATIONS
    return {**ids, "invitation_id": ids["received_invitation_id"] if is_received else world.ids[OWN]["invitation_id"]}


def build_headers(world: World, operation: DeclaredOperation) -> dict[str, str]:
    """Return the headers that the operation requires."""
    values = {"If-Match": "*", "Invitation-Secret": world.secret}
    return {name: value for name, value in values.items() if name in operation.list_names("header")}


def build_body(world: World, caller: Caller, operation: DeclaredOperation) -> Any:
    """Return a valid body: that of the other tests of authorization, or the first example of the document."""
    own = world.ids[OWN]
    bodies: dict[str, Any] = {
        **BODIES,
        "move_card": {"list_id": own["second_list_id"]},
        "move_cards": {"list_id": own["second_list_id"]},
        "order_cards": {"card_ids": [own["card_id"], own["second_card_id"]]},
        "order_lists": {"list_ids": world.list_ids},
        "transfer_card": {"board_id": world.board_of_nia},
        "undo_event": {"seq": world.undoable_seq},
        "create_user": {"name": "Ada"},
        "update_user": {"installation_role": "member"},
        "create_bot": {"name": "Robot", "scopes": ["read"]},
        "create_bot_token": {"name": "New", "scopes": ["read"]},
        "create_token": {"name": "New", "scopes": sorted(caller.credentials.scopes)},
        "transfer_boards": {"to_user_id": "zoe"},
        "accept_invitation": {"secret": world.secret}
        | ({} if caller.credentials.is_sent else {"user": {"name": "Ada"}}),
        "create_session": {"code": world.code, "name": "Phone"},
        "import_trello": test_imports.export(),
        "import_tackboard": world.exported,
    }
    return bodies.get(operation.id, operation.example)


# Ids of things that are not on the board


@dataclass(frozen=True)
class ForeignReference:
    """Two requests on a board that differ in one id: that of something elsewhere, and one that nothing has."""

    name: str
    foreign: Request
    missing: Request


def list_foreign_references(world: World, caller: Caller, operation: DeclaredOperation) -> Iterator[ForeignReference]:
    """Yield requests for each id in path, query and body that is to be of something on the board."""
    request = build_request(world, caller, operation, OWN)
    ids = find_ids(world, caller, operation)
    for name in operation.list_names("path"):
        if operation.is_on_board and name not in ("board_id", "user_id"):
            paths = [operation.path.format(**ids | {name: id_}) for id_ in _list_foreign_ids(world, name)]
            yield ForeignReference(f"{name} in the path", *(replace(request, path=path) for path in paths))
    for name in operation.list_query_ids():
        if name == "user_id" and not operation.is_on_board:
            # It names any user.
            continue
        paths = [f"{request.path}?{urlencode({name: id_})}" for id_ in _list_foreign_ids(world, name)]
        yield ForeignReference(f"{name} in the query", *(replace(request, path=path) for path in paths))
    for name in operation.list_body_ids():
        if name in ("to_user_id", "owner_id"):
            # It names any user.
            continue
        key = KINDS_OF_NEIGHBOURS[operation.id] if name in NEIGHBOURS else name
        bodies = [_set(request.body, name, id_) for id_ in _list_foreign_ids(world, key)]
        yield ForeignReference(f"{name} in the body", *(replace(request, body=body) for body in bodies))


def _list_foreign_ids(world: World, name: str) -> tuple[str, str]:
    """Return the id of something elsewhere, and one that nothing has."""
    singular = re.sub("_ids$", "_id", name)
    key = singular if singular in world.ids[OTHER] else "user_id"
    foreign = "olga" if key == "user_id" else world.ids[OTHER][key]
    return foreign, build_missing_id(foreign)


def _set(body: Any, name: str, value: str) -> Any:
    # A position says where one thing is to be, in one way.
    kept = {key: old for key, old in (body or {}).items() if name not in NEIGHBOURS or key != "position"}
    return {**kept, name: [value] if name.endswith(ID_SUFFIXES[1]) else value}
