"""The life of a card: from an empty board to a resolved card with its time and cost."""

from tests.api.client import Client
from tests.api.manual_clock import ManualClock


def test_a_card_moves_from_todo_to_done_with_its_time_and_cost(mina: Client, clock: ManualClock) -> None:
    board = mina.post("/boards", {"name": "Website", "currency": "USD", "hourly_rate_minor": 1000})
    path = f"/boards/{board.json['id']}"

    card = mina.post(f"{path}/cards", {"title": "Write the copy"})
    started = mina.post(f"{path}/cards/{card.json['id']}/start")
    clock.advance(minutes=15, seconds=45)
    resolved = mina.post(f"{path}/cards/{card.json['id']}/resolve")
    clock.advance(days=1)
    read = mina.get(f"{path}/cards/{card.json['id']}")

    assert (board.status, card.status, started.status, resolved.status) == (201, 201, 200, 200)
    assert card.json["status"] == "todo"
    assert started.json["status"] == "in_progress"
    assert started.json["started_at"] == "2026-11-20T14:00:00Z"
    assert resolved.json["status"] == "done"
    assert read.json == resolved.json
    assert read.json["elapsed_seconds"] == 945
    assert read.json["elapsed"] == "00:15:45"
    assert read.json["cost"] == {"amount_minor": 263, "currency": "USD", "formatted": "USD 2.63"}


def test_more_than_a_day_of_work_shows_hours_past_24(mina: Client, clock: ManualClock) -> None:
    board = mina.post("/boards", {"name": "Website", "hourly_rate_minor": 1000}).json
    card = mina.post(f"/boards/{board['id']}/cards", {"title": "Write the copy"}).json
    mina.post(f"/boards/{board['id']}/cards/{card['id']}/start")

    clock.advance(hours=24, minutes=15, seconds=45)
    time = mina.get(f"/boards/{board['id']}/cards/{card['id']}/time")

    assert time.json["elapsed"] == "24:15:45"
    assert time.json["cost"]["amount_minor"] == 24263
    assert [entry["ended_at"] for entry in time.json["items"]] == [None]


def test_every_write_creates_one_event(mina: Client) -> None:
    board = mina.post("/boards", {"name": "Website"}).json
    path = f"/boards/{board['id']}"
    card = mina.post(f"{path}/cards", {"title": "Write the copy"}).json
    mina.post(f"{path}/cards/{card['id']}/start")
    mina.patch(f"{path}/cards/{card['id']}", {"title": "Write the text"}, If_Match="*")
    mina.delete(f"{path}/cards/{card['id']}", If_Match="*")

    events = mina.get(f"{path}/events?after=0")

    assert [(event["seq"], event["type"]) for event in events.json["items"]] == [
        (1, "board.created"),
        (2, "card.created"),
        (3, "card.moved"),
        (4, "card.updated"),
        (5, "card.deleted"),
    ]
    assert {event["actor_id"] for event in events.json["items"]} == {"mina"}
    assert events.json["has_more"] is False
