"""Concurrent calls on one card are linearizable; and the test detects a store with which they are not."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any, cast

from kanban.changes import Change
from kanban.store import StaleRead, Store, StoredResponse
from kanban.values import Board, Entity, List
from tests.api.client import Client, HttpResponse
from tests.soak.concurrency import PROCESSES, create_clients, run_concurrently
from tests.soak.conftest import IS_FULL, Engine
from tests.soak.linearizability import Call, count_overlaps, format_history, is_linearizable
from tests.soak.randomness import seeded_random

CLIENTS = 4
CALLS = 5
LISTS = 5

Card = tuple[int, str, str]
"""Version, title, list."""


class HistoryRunner:
    """Runs histories of concurrent calls on a store."""

    def __init__(self, store: Store) -> None:
        self._clients = create_clients(store)

    def run(self, seed: int) -> tuple[Card, list[Call]]:
        """Let clients change a new card concurrently, as the seed says; return its first state and their calls."""
        lists = [{"name": f"List {number}", "stage": "todo"} for number in range(LISTS)]
        first_client = self._clients[0]
        board = f"/boards/{first_client.post('/boards', {'name': 'Website', 'lists': lists}).json['id']}"
        list_ids = [item["id"] for item in first_client.get(f"{board}/lists").json["items"]]
        created = first_client.post(f"{board}/cards", {"title": "New"})
        path = f"{board}/cards/{created.json['id']}"
        first_state = read_card_state(created)
        ticks = count()

        def client(index: int) -> list[Call]:
            rng = seeded_random("history", seed, index)
            known, calls = first_state, []
            for number in range(CALLS):
                operation = rng.choice(("read", "rename", "rename", "rename", "move"))
                arguments: Any = None
                if operation == "rename":
                    arguments = known[0], f"Client {index}, call {number}"
                elif operation == "move":
                    arguments = rng.choice(list_ids)
                began = next(ticks)
                answer = _call(self._clients[index % PROCESSES], path, operation, arguments)
                ended = next(ticks)
                if answer.status == 200:
                    known = read_card_state(answer)
                result = known if answer.status == 200 else answer.status
                calls.append(Call(index, operation, arguments, result, began, ended))
            return calls

        calls = [call for calls_of_client in run_concurrently(CLIENTS, client) for call in calls_of_client]
        # A read afterwards sees the final state.
        last = Call(CLIENTS, "read", None, read_card_state(first_client.get(path)), next(ticks), next(ticks))
        return first_state, [*calls, last]


def _call(client: Client, path: str, operation: str, arguments: Any) -> HttpResponse:
    if operation == "rename":
        version, title = arguments
        return client.patch(path, {"title": title}, If_Match=f'"{version}"')
    if operation == "move":
        return client.post(f"{path}/move", {"list_id": arguments})
    return client.get(path)


def read_card_state(answer: HttpResponse) -> Card:
    return int(answer.etag.strip('"').partition(".")[0]), answer.json["title"], answer.json["list_id"]


def card_specification(card: Card, call: Call) -> Card | None:
    """Return the state of a card after a call: a rename needs its present version, a move doesn't."""
    version, title, list_id = card
    if call.result == 503:
        return card
    if call.operation == "read":
        possible = [card]
    elif call.operation == "move":
        # A move to the present list may be written or not.
        possible = [(version + 1, title, call.arguments), *([card] if call.arguments == list_id else [])]
    else:
        known, new_title = call.arguments
        if known != version:
            return card if call.result == 412 else None
        possible = [(version + 1, new_title, list_id)]
    return call.result if call.result in possible else None


class CheckThenWriteStore:
    """A store with a planted bug: it checks the board's seq, then writes, whatever was written in between.

    `lost_checks` counts the writes that should have failed.
    """

    def __init__(self, store: Store) -> None:
        self.lost_checks = 0
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def commit(self, change: Change, remember: StoredResponse | None = None) -> None:
        """Write, if the seq was right shortly before."""
        event = change.event
        if event is None or event.seq == 1:
            self._store.commit(change, remember)
            return
        if self._read_seq(change) != event.seq - 1:
            raise StaleRead
        while True:
            seq = self._read_seq(change) + 1
            try:
                self._store.commit(_with_seq(change, seq), remember)
            except StaleRead:
                continue
            self.lost_checks += seq != event.seq
            return

    def _read_seq(self, change: Change) -> int:
        assert change.event
        view = self._store.read_board(change.event.board_id, change.event.actor_id)
        assert view
        return view.board.seq


def _with_seq(change: Change, seq: int) -> Change:
    """Return the change as if it had been made at another seq. Its counts are wrong then: that is the bug."""
    assert change.event
    updates: list[Entity] = []
    for value in change.updates:
        match value:
            case Board():
                updates.append(replace(value, seq=seq))
            case List():
                # The engine would reject a negative count.
                updates.append(replace(value, card_count=max(value.card_count, 0)))
            case _:
                updates.append(value)
    return replace(change, updates=tuple(updates), event=replace(change.event, seq=seq))


def test_every_history_of_a_card_is_linearizable(engine: Engine, report: Callable[[str], None]) -> None:
    stage = HistoryRunner(engine.open())
    seeds = engine.seeds(fast=50, full=1_000)

    pairs = refused = 0
    for seed in seeds:
        card, history = stage.run(seed)
        pairs += count_overlaps(history)
        refused += sum(call.result == 412 for call in history)
        assert is_linearizable(history, card, card_specification), (
            f"History {seed}, from {card}:\n{format_history(history)}"
        )

    assert pairs > len(seeds)
    assert refused
    report(f"{len(seeds)} histories linearizable; {pairs} pairs of calls overlapped, {refused} renames refused")


def test_a_planted_check_then_write_is_detected(engine: Engine, report: Callable[[str], None]) -> None:
    planted = CheckThenWriteStore(engine.open())
    stage = HistoryRunner(cast("Store", planted))

    suspects = detected = 0
    for seed in engine.seeds(fast=20, full=1_000):
        before = planted.lost_checks
        card, history = stage.run(seed)
        if planted.lost_checks > before:
            suspects += 1
            detected += not is_linearizable(history, card, card_specification)

    assert suspects
    assert detected >= (0.95 * suspects if IS_FULL else 1)
    report(f"planted check-then-write detected in {detected} of the {suspects} histories with a lost check")
