"""Clients read a board while others write to it all the time: every read succeeds and sees one snapshot."""

from collections import Counter
from collections.abc import Callable
from threading import Event
from time import perf_counter

from tests.api.client import HttpResponse
from tests.soak.concurrency import create_client, run_concurrently
from tests.soak.conftest import FIRST_SEED, IS_FULL, Engine
from tests.soak.randomness import seeded_random

MOVERS, READERS, READS = (1, 3, 200) if IS_FULL else (1, 3, 8)
CARDS = 300 if IS_FULL else 60
STAGES = ("todo", "in_progress", "done")


def test_no_reader_starves_on_a_busy_board(engine: Engine, report: Callable[[str], None]) -> None:
    client = create_client(engine.open())
    lists = [{"name": f"List {number}", "stage": stage} for number, stage in enumerate(STAGES)]
    board = f"/boards/{client.post('/boards', {'name': 'Website', 'lists': lists}).json['id']}"
    list_ids = [item["id"] for item in client.get(f"{board}/lists").json["items"]]
    card_ids = [client.post(f"{board}/cards", {"title": f"Card {number}"}).json["id"] for number in range(CARDS)]
    is_over = Event()

    def mover(index: int) -> tuple[list[int], list[float]]:
        rng, statuses, seconds = seeded_random("reader", FIRST_SEED, index), [], []
        while not is_over.is_set():
            began = perf_counter()
            body = {"list_id": rng.choice(list_ids), "position": rng.choice(("top", "bottom"))}
            statuses.append(client.post(f"{board}/cards/{rng.choice(card_ids)}/move", body).status)
            seconds.append(perf_counter() - began)
        return statuses, seconds

    def reader(_: int) -> tuple[list[int], list[float]]:
        statuses, seconds = [], []
        for _ in range(READS):
            began = perf_counter()
            answer = client.get(f"{board}?embed=lists,cards")
            seconds.append(perf_counter() - began)
            statuses.append(answer.status)
            if answer.status == 200:
                _check_snapshot(answer, card_ids)
        return statuses, seconds

    def one(index: int) -> tuple[list[int], list[float]]:
        if index < MOVERS:
            return mover(index)
        try:
            return reader(index)
        finally:
            finished.append(index)
            if len(finished) == READERS:
                is_over.set()

    finished: list[int] = []
    results = run_concurrently(MOVERS + READERS, one)

    for name, part in (("moves", results[:MOVERS]), ("reads", results[MOVERS:])):
        statuses = Counter(status for thread_statuses, _ in part for status in thread_statuses)
        seconds = sorted(time for _, times in part for time in times)
        assert set(statuses) == {200}, (name, statuses)
        report(f"{len(seconds)} {name}: p50 {_percentile(seconds, 50)}, p99 {_percentile(seconds, 99)}")


def _check_snapshot(answer: HttpResponse, card_ids: list[str]) -> None:
    """Check that every card is there once, and that each list has as many cards as its count says."""
    body = answer.json
    counts = {list_["id"]: list_["card_count"] for list_ in body["lists"]}
    cards = body["cards"]["items"]

    assert sorted(card["id"] for card in cards) == sorted(card_ids)
    assert Counter(card["list_id"] for card in cards) == Counter({key: count for key, count in counts.items() if count})


def _percentile(seconds: list[float], percent: int) -> str:
    """Format the nearest-rank percentile in milliseconds."""
    rank = -(-percent * len(seconds) // 100)
    return f"{seconds[max(0, rank - 1)] * 1000:.0f} ms"
