"""A request that is sent many times at once with one Idempotency-Key is done once and gets equal responses."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from tests.api.client import Client, HttpResponse
from tests.soak.concurrency import PROCESSES, create_clients, run_concurrently
from tests.soak.conftest import IS_FULL, Engine

SENDERS, ROUNDS = (50, 100) if IS_FULL else (10, 5)

_HEADERS_THAT_DIFFER = {"x-request-id", "idempotency-replayed"}
"""The headers that may differ between two responses to one request."""


def test_a_request_sent_many_times_at_once_is_done_once(engine: Engine, report: Callable[[str], None]) -> None:
    clients = create_clients(engine.open())
    client = clients[0]
    board = f"/boards/{client.post('/boards', {'name': 'Website'}).json['id']}"
    _, doing, _ = (item["id"] for item in client.get(f"{board}/lists").json["items"])

    statuses: Counter[int] = Counter()
    for number in range(ROUNDS):
        card_id = client.post(f"{board}/cards", {"title": f"Card {number}"}).json["id"]
        requests: list[tuple[str, dict[str, Any] | None]] = [
            (f"{board}/cards", {"title": f"Round {number}"}),
            (f"{board}/cards/{card_id}/start", None),
            (f"{board}/cards/{card_id}/move", {"list_id": doing, "position": "top"}),
            (f"{board}/lists", {"name": f"Round {number}", "stage": "todo"}),
            ("/boards", {"name": f"Round {number}"}),
        ]
        path, body = requests[number % len(requests)]
        before = _count_writes(client, board)
        answers = run_concurrently(SENDERS, partial(_send, clients, path, body, f"round-{number}"))
        after = _count_writes(client, board)

        statuses.update(answer.status for answer in answers)
        done = [answer for answer in answers if answer.status != 503]
        assert after == before + 1, f"round {number}: {path}"
        assert {answer.status for answer in done} <= {200, 201}
        assert len({(answer.raw, *_stable_headers(answer)) for answer in done}) == 1
        assert sum("idempotency-replayed" not in answer.headers for answer in done) == 1

    counts = ", ".join(f"{number} times {status}" for status, number in sorted(statuses.items()))
    report(f"{ROUNDS} rounds of {SENDERS} requests with one key: {counts}; each done once, with equal responses")


def _send(clients: Sequence[Client], path: str, body: dict[str, Any] | None, key: str, index: int) -> HttpResponse:
    return clients[index % PROCESSES].post(path, body, Idempotency_Key=key)


def _count_writes(client: Client, board: str) -> int:
    """Return a number that every write to the board and every new board raises by one."""
    seq: int = client.get(board).json["seq"]
    return seq + len(client.get("/boards?limit=100").json["items"])


def _stable_headers(answer: HttpResponse) -> list[tuple[str, str]]:
    return sorted((name, text) for name, text in answer.headers.items() if name not in _HEADERS_THAT_DIFFER)
