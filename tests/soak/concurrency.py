"""Clients that call applications over one store at the same time."""

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, TypeVar

from app.factory import create_app
from contract.responses import ContractBreach
from kanban.store import Store
from tests.api.client import Client

Result = TypeVar("Result")

PROCESSES = 4
"""How many applications share a store. Requests to one application take turns, so only these meet in the store."""

_SWITCH_INTERVAL = 0.000_05
"""Seconds after which Python lets another thread run: a hundredth of the usual, so that threads meet everywhere."""


def run_concurrently(number: int, action: Callable[[int], Result]) -> list[Result]:
    """Run an action in several threads that start at the same moment; return their results."""
    gate = Barrier(number)
    usual = sys.getswitchinterval()

    def entrant(index: int) -> Result:
        gate.wait()
        return action(index)

    sys.setswitchinterval(_SWITCH_INTERVAL)
    try:
        with ThreadPoolExecutor(number) as pool:
            return list(pool.map(entrant, range(number)))
    finally:
        sys.setswitchinterval(usual)


def create_client(store: Store) -> Client:
    """Return a client with a token of a new application over the store, with real time, pauses and randomness."""
    application = create_app(store, open_signup=True, on_breach=_raise_on_breach)
    anonymous = Client(application)
    return anonymous.with_token(anonymous.post("/users", {"name": "Mina"}).json["token"])


def create_clients(store: Store) -> list[Client]:
    """Return clients of one user, each with an application of its own over the store, as in several processes."""
    first = create_client(store)
    return [first, *(create_client(store).with_token(first.token) for _ in range(PROCESSES - 1))]


def list_cards(client: Client, board: str) -> list[dict[str, Any]]:
    """Return all cards of the board at a path in their order, page by page."""
    cards: list[dict[str, Any]] = []
    query = ""
    while True:
        page = client.get(f"{board}/cards?limit=100{query}").json
        cards += page["items"]
        if page["next_cursor"] is None:
            return cards
        query = f"&cursor={page['next_cursor']}"


def list_events(client: Client, board: str, after: int = 0) -> list[dict[str, Any]]:
    """Return all events of the board at a path after a seq. Raises AssertionError if one is missing."""
    events: list[dict[str, Any]] = []
    while True:
        page = client.get(f"{board}/events?limit=100&after={after + len(events)}").json
        events += page["items"]
        if not page["has_more"]:
            assert [event["seq"] for event in events] == list(range(after + 1, after + len(events) + 1))
            return events


def _raise_on_breach(breach: ContractBreach) -> None:
    raise AssertionError(breach)
