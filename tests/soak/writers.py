"""Clients that write to a server until it is killed. Each records its acknowledged writes, and the one in flight."""

from collections import Counter
from itertools import count
from random import Random
from threading import Semaphore
from typing import Any, NamedTuple

from tests.api.client import Client, HttpResponse
from tests.soak.concurrency import list_cards, list_events
from tests.soak.socket_client import CONNECTION_ERRORS

_STEPS = {"todo": "start", "in_progress": "resolve", "done": "reopen"}
_MAX_CARDS = 8
_CLOCK_PROPERTIES = ("elapsed_seconds", "elapsed", "cost")


class Write(NamedTuple):
    """A request that always writes, and once. `card` is the path of the card, '' for a new one."""

    card: str
    method: str
    path: str
    body: dict[str, Any] | None
    headers: dict[str, str]


class Writer:
    """Writes to its own cards on one board, chosen at random, until the server is killed.

    `cards` has the last acknowledged response for each card, None for a deleted one; `acknowledged` counts the writes.
    """

    def __init__(self, name: str, board: str, rng: Random) -> None:
        self.acknowledged = 0
        self.cards: dict[str, HttpResponse | None] = {}
        self.in_flight: Write | None = None
        self._name = name
        self._board = board
        self._rng = rng
        self._numbers = count(1)

    def write(self, client: Client, acknowledgements: Semaphore) -> None:
        """Write until the connection breaks."""
        try:
            while True:
                self.in_flight = self._next_write()
                answer = _send(self.in_flight, client)
                if answer.status != 503:
                    self._record(self.in_flight, answer)
                    self.acknowledged += 1
                    acknowledgements.release()
                self.in_flight = None
        except CONNECTION_ERRORS:
            return

    def check_cards(self, client: Client) -> None:
        """Check that every card is as it was acknowledged, or one write further if one was in flight."""
        for path, answer in self.cards.items():
            current = client.get(path)
            if self.in_flight is None or self.in_flight.card != path:
                _ensure_unchanged(path, answer, current)
            elif current.status == 404:
                assert self.in_flight.method == "DELETE", path
            elif answer is not None and _version(current) == _version(answer) + 1:
                assert self.in_flight.method != "DELETE", path
            else:
                _ensure_unchanged(path, answer, current)

    def resend(self, client: Client) -> bool:
        """Send the write in flight again, so that it is done once; return whether it had been done before."""
        write = self.in_flight
        if write is None:
            return False
        self.in_flight = None
        answer = _send(write, client)
        self.acknowledged += 1
        was_done = answer.status in (404, 412) or "idempotency-replayed" in answer.headers
        if answer.status == 412:
            answer = client.get(write.card)
            assert write.body is not None
            assert answer.json["title"] == write.body["title"]
        elif answer.status == 404:
            assert write.method == "DELETE", write
        before = self.cards.get(write.card)
        self._record(write, answer)
        after = self.cards.get(write.card)
        if before is not None and after is not None:
            assert _version(after) == _version(before) + 1, write
        return was_done

    def _next_write(self) -> Write:
        number = next(self._numbers)
        live = [path for path, answer in self.cards.items() if answer is not None]
        key = {"Idempotency-Key": f"{self._board}/{self._name}/{number}"}
        title = f"{self._name} {number}"
        if not live or (len(live) < _MAX_CARDS and self._rng.random() < 0.3):
            return Write("", "POST", f"{self._board}/cards", {"title": title}, key)
        card = self._rng.choice(live)
        answer = self.cards[card]
        assert answer is not None
        kind = self._rng.random()
        if kind < 0.4:
            return Write(card, "PATCH", card, {"title": title}, {"If-Match": answer.etag})
        if kind < 0.5:
            return Write(card, "DELETE", card, None, {"If-Match": answer.etag})
        return Write(card, "POST", f"{card}/{_STEPS[answer.json['status']]}", None, key)

    def _record(self, write: Write, answer: HttpResponse) -> None:
        if write.method == "DELETE":
            assert answer.status in (204, 404), answer
            self.cards[write.card] = None
            return
        assert answer.status in (200, 201), answer
        self.cards[write.card or f"{self._board}/cards/{answer.json['id']}"] = answer


def check_board(client: Client, board: str) -> int:
    """Check that events, cards, counts and clocks of a board agree; return the number of events."""
    events = list_events(client, board)
    write_counts = Counter(event["card_id"] for event in events if "card_id" in event)
    deleted_ids = {event["card_id"] for event in events if event["type"] == "card.deleted"}
    list_by_card = {
        event["card_id"]: event["list_id"] for event in events if event["type"] in ("card.created", "card.moved")
    }
    cards = list_cards(client, board)
    lists = client.get(f"{board}/lists").json["items"]

    assert client.get(board).json["seq"] == len(events)
    assert {card["id"]: card["list_id"] for card in cards} == {
        id_: list_id for id_, list_id in list_by_card.items() if id_ not in deleted_ids
    }
    assert len({card["id"] for card in cards}) == len(cards)
    counts = Counter(card["list_id"] for card in cards)
    assert {list_["id"]: list_["card_count"] for list_ in lists} == {
        list_["id"]: counts[list_["id"]] for list_ in lists
    }
    stages = {list_["id"]: list_["stage"] for list_ in lists}
    for card in cards:
        path = f"{board}/cards/{card['id']}"
        entries = client.get(f"{path}/time").json["items"]
        assert _version(client.get(path)) == write_counts[card["id"]]
        assert card["status"] == stages[card["list_id"]]
        assert sum(entry["ended_at"] is None for entry in entries) == (card["status"] == "in_progress")
    return len(events)


def without_clock(card: dict[str, Any]) -> dict[str, Any]:
    """Return the card without the properties of its clock, which change with time."""
    return {name: value for name, value in card.items() if name not in _CLOCK_PROPERTIES}


def _send(write: Write, client: Client) -> HttpResponse:
    return client.request(write.method, write.path, write.body, headers=write.headers)


def _ensure_unchanged(path: str, answer: HttpResponse | None, current: HttpResponse) -> None:
    if answer is None:
        assert current.status == 404, path
    else:
        assert (_version(current), without_clock(current.json)) == (_version(answer), without_clock(answer.json)), path


def _version(answer: HttpResponse) -> int:
    return int(answer.etag.strip('"').partition(".")[0])
