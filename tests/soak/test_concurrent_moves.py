"""Many clients move the same cards at once. No card is lost or duplicated, and every write has one event."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from kanban.store import CardQuery, Store
from kanban.values import Card
from kanban.views import BoardView, Page, PageKey
from tests.api.client import Client, HttpResponse
from tests.soak.concurrency import PROCESSES, create_clients, list_cards, list_events, run_concurrently
from tests.soak.conftest import FIRST_SEED, IS_FULL, Engine
from tests.soak.randomness import seeded_random

MOVERS, MOVES = (32, 200) if IS_FULL else (8, 20)
CARDS = 50
STAGES = ("todo", "in_progress", "in_progress", "done")


def test_concurrent_movers_lose_no_card_and_no_write(engine: Engine, report: Callable[[str], None]) -> None:
    store = engine.open()
    clients = create_clients(store)
    client = clients[0]
    lists = [{"name": f"List {number}", "stage": stage} for number, stage in enumerate(STAGES)]
    board = f"/boards/{client.post('/boards', {'name': 'Website', 'lists': lists}).json['id']}"
    list_ids = [item["id"] for item in client.get(f"{board}/lists").json["items"]]
    created = [client.post(f"{board}/cards", {"title": f"Card {number}"}).json for number in range(CARDS)]
    last_seen = {card["id"]: card["list_id"] for card in created}

    def mover(index: int) -> list[HttpResponse]:
        rng = seeded_random("mover", FIRST_SEED, index)
        answers = []
        for _ in range(MOVES):
            card, neighbour = rng.sample(sorted(last_seen), 2)
            position = rng.choice(({"before": neighbour}, {"after": neighbour}, {"position": "top"}, {}))
            target = rng.choice(list_ids) if neighbour not in position.values() else last_seen[neighbour]
            answer = clients[index % PROCESSES].post(f"{board}/cards/{card}/move", {"list_id": target, **position})
            if answer.status == 200:
                last_seen[card] = answer.json["list_id"]
            answers.append(answer)
        return answers

    answers = [answer for answers_of_mover in run_concurrently(MOVERS, mover) for answer in answers_of_mover]

    statuses = Counter(answer.status for answer in answers)
    # A neighbour may have left the list (422), or too many clients may write (503): then nothing was written.
    assert set(statuses) <= {200, 422, 503}
    _check_board(client, board, created)
    _check_writes(client, board, created, answers)
    _check_ranks(store, client, board)
    counts = ", ".join(f"{number} times {status}" for status, number in sorted(statuses.items()))
    report(f"{MOVERS} movers, {MOVES} moves each: {counts}; no card lost, none duplicated, one event for every write")


def _check_board(client: Client, board: str, created: list[dict[str, Any]]) -> None:
    cards = list_cards(client, board)

    assert Counter(card["id"] for card in cards) == Counter(card["id"] for card in created)
    assert {card["title"] for card in cards} == {card["title"] for card in created}
    counts = Counter(card["list_id"] for card in cards)
    lists = client.get(f"{board}/lists").json["items"]
    assert {list_["id"]: list_["card_count"] for list_ in lists} == {
        list_["id"]: counts[list_["id"]] for list_ in lists
    }


def _check_writes(client: Client, board: str, created: list[dict[str, Any]], answers: list[HttpResponse]) -> None:
    """Check that each write raised the version of its card by one, was acknowledged once, and has one event."""
    written = {(answer.json["id"], _version(answer)): answer.json for answer in answers if answer.status == 200}
    # A move to the present position returns the present version, which is 1 at first.
    written = {key: card for key, card in written.items() if key[1] > 1}
    events = list_events(client, board)
    list_by_version: dict[tuple[str, int], str] = {}
    where: dict[str, tuple[int, str]] = {card["id"]: (1, card["list_id"]) for card in created}
    for event in events[1 + len(created) :]:
        assert event["type"] == "card.moved"
        version, list_id = where[event["card_id"]]
        assert event["data"]["from_list_id"] == list_id
        where[event["card_id"]] = version + 1, event["list_id"]
        list_by_version[event["card_id"], version + 1] = event["list_id"]

    assert list_by_version == {key: card["list_id"] for key, card in written.items()}
    assert client.get(board).json["seq"] == len(events) == 1 + len(created) + len(written)
    for card_id, (version, list_id) in where.items():
        answer = client.get(f"{board}/cards/{card_id}")
        assert (_version(answer), answer.json["list_id"]) == (version, list_id)


def _check_ranks(store: Store, client: Client, board: str) -> None:
    user_id, board_id = client.get("/users/me").json["id"], board.removeprefix("/boards/")

    def page(after: PageKey | None) -> tuple[BoardView, Page[Card]]:
        result = store.page_cards(board_id, user_id, CardQuery(), 100, after)
        assert result
        return result

    view, current = page(None)
    cards = list(current.items)
    while current.next_key:
        _, current = page(current.next_key)
        cards += current.items
    for list_ in view.lists:
        ranks = [card.rank for card in cards if card.list_id == list_.id]
        assert ranks == sorted(set(ranks))
        assert all(list_.first_rank <= rank <= list_.last_rank for rank in ranks)


def _version(answer: HttpResponse) -> int:
    return int(answer.etag.strip('"').partition(".")[0])
