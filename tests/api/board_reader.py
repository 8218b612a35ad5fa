"""Read a board whole with the listings of the API, to compare it with what `list_changes` makes of it."""

from typing import Any
from urllib.parse import urlencode

from tests.api.client import Client

_OF_RUNNING_CLOCKS = ("elapsed_seconds", "elapsed", "cost")

Things = dict[str, dict[str, Any]]


def read_board(client: Client, path: str) -> Things:
    """Return everything on a board by kind and id, with the board itself as `board`."""
    lists = [*read_items(client, f"{path}/lists"), *read_items(client, f"{path}/lists", archived="true")]
    cards = [
        card
        for list_ in lists
        for archived in ("false", "true")
        for card in read_items(client, f"{path}/cards", list_id=list_["id"], archived=archived, limit=100)
    ]
    checklists = [item for card in cards for item in read_items(client, f"{path}/cards/{card['id']}/checklists")]
    comments = [item for card in cards for item in read_items(client, f"{path}/cards/{card['id']}/comments", limit=100)]
    things = {
        "lists": lists,
        "labels": read_items(client, f"{path}/labels"),
        "members": read_items(client, f"{path}/members"),
        "cards": cards,
        "checklists": checklists,
        "comments": comments,
    }
    by_id: Things = {
        kind: {item.get("id") or item["user_id"]: item for item in items} for kind, items in things.items()
    }
    return mask_clocks(by_id | {"board": client.get(path).json})


def read_items(client: Client, path: str, **query: object) -> list[Any]:
    """Return the items of all pages of a listing."""
    items: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        page = client.get(f"{path}?{urlencode({**query, **cursor})}").json
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        cursor = {"cursor": page["next_cursor"]}


def mask_clocks(things: Things) -> Things:
    """Return a board without what running clocks show, which depends on the time at which it was read."""
    cards = {
        id_: {
            name: value for name, value in card.items() if name not in _OF_RUNNING_CLOCKS or not card["running_since"]
        }
        for id_, card in things["cards"].items()
    }
    return things | {"cards": cards}
