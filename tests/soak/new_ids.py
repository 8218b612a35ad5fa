"""Ids of things that the model created, but whose ids the API's responses didn't include."""

from collections.abc import Sequence
from typing import Any, Protocol
from urllib.parse import urlencode

from tests.api.client import Client
from tests.soak.state import Board, Card


class _HasId(Protocol):
    id: str


def fill_in_ids(board: Board, client: Client) -> None:
    """Read the ids that are missing on a board from the API. The client belongs to one of its owners."""
    path = f"/boards/{board.id}"
    for membership in board.memberships:
        if not membership.id:
            membership.id = client.get(f"{path}/members/{membership.user}").etag.strip('"').rpartition(".")[2]
    if _lacks_ids(board.labels):
        _copy_ids(board.labels, client.get(f"{path}/labels").json["items"])
    if _lacks_ids(board.columns):
        active_columns = [column for column in board.columns if not column.archived_at]
        _copy_ids(active_columns, client.get(f"{path}/lists").json["items"])
    for column in board.columns:
        if _lacks_ids(column.cards):
            query = urlencode({"list_id": column.id, "limit": 100})
            _copy_ids(column.active_cards, client.get(f"{path}/cards?{query}").json["items"])
    for card in board.cards:
        _fill_in_part_ids(card, f"{path}/cards/{card.id}", client)


def _fill_in_part_ids(card: Card, path: str, client: Client) -> None:
    if _lacks_ids(card.checklists):
        resources = client.get(f"{path}/checklists").json["items"]
        _copy_ids(card.checklists, resources)
        for checklist, resource in zip(card.checklists, resources, strict=True):
            _copy_ids(checklist.items, resource["items"])
    if _lacks_ids(card.time_entries):
        resources = client.get(f"{path}/time?limit=100").json["items"]
        known = {time_entry.id for time_entry in card.time_entries}
        _copy_ids(
            [entry for entry in card.time_entries if not entry.id],
            [resource for resource in resources if resource["id"] not in known],
        )


def _lacks_ids(things: Sequence[_HasId]) -> bool:
    return any(not thing.id for thing in things)


def _copy_ids(things: Sequence[_HasId], resources: Sequence[dict[str, Any]]) -> None:
    for thing, resource in zip(things, resources, strict=True):
        thing.id = resource["id"]
