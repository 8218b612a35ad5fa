"""The ids of what the model made without being told them: only the API knows these."""

from collections.abc import Sequence
from typing import Any, Protocol
from urllib.parse import urlencode

from tests.api.client import Client
from tests.soak.state import Board, Card


class _Named(Protocol):
    id: str


def learn_ids(board: Board, client: Client) -> None:
    """Ask for the ids that are missing on the board. The client is one of its owners'."""
    path = f"/boards/{board.id}"
    for place in board.places:
        if not place.id:
            place.id = client.get(f"{path}/members/{place.user}").etag.strip('"').rpartition(".")[2]
    if _unknown(board.labels):
        _name(board.labels, client.get(f"{path}/labels").json["items"])
    if _unknown(board.columns):
        shown = [each for each in board.columns if not each.archived]
        _name(shown, client.get(f"{path}/lists").json["items"])
    for column in board.columns:
        if _unknown(column.cards):
            query = urlencode({"list_id": column.id, "limit": 100})
            _name(column.in_use, client.get(f"{path}/cards?{query}").json["items"])
    for card in board.cards:
        _learn_parts(card, f"{path}/cards/{card.id}", client)


def _learn_parts(card: Card, path: str, client: Client) -> None:
    if _unknown(card.checklists):
        found = client.get(f"{path}/checklists").json["items"]
        _name(card.checklists, found)
        for checklist, shape in zip(card.checklists, found, strict=True):
            _name(checklist.items, shape["items"])
    if _unknown(card.stretches):
        found = client.get(f"{path}/time?limit=100").json["items"]
        known = {stretch.id for stretch in card.stretches}
        _name([each for each in card.stretches if not each.id], [each for each in found if each["id"] not in known])


def _unknown(things: Sequence[_Named]) -> bool:
    return any(not each.id for each in things)


def _name(things: Sequence[_Named], shapes: Sequence[dict[str, Any]]) -> None:
    for thing, shape in zip(things, shapes, strict=True):
        thing.id = shape["id"]
