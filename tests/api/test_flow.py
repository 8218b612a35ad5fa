"""How work flows, as a client meets it."""

from typing import Any

import pytest

from handlers import reports
from tests.api.client import Client
from tests.api.manual_clock import ManualClock


@pytest.fixture
def board(mina: Client) -> dict[str, Any]:
    made: dict[str, Any] = mina.post("/boards", {"name": "Website"}).json
    return made


def new_card(client: Client, board: dict[str, Any], title: str) -> str:
    path = f"/boards/{board['id']}/cards"
    return f"{path}/{client.post(path, {'title': title}).json['id']}"


def flow_of(client: Client, board: dict[str, Any], query: str = "") -> Any:
    answer = client.get(f"/boards/{board['id']}/flow{query}")
    assert answer.status == 200
    return answer.json


def test_an_empty_board_does_not_flow(mina: Client, board: dict[str, Any]) -> None:
    found = flow_of(mina, board)

    nothing = {"count": 0, "p50_seconds": None, "p85_seconds": None, "p95_seconds": None}
    assert (found["from"], found["to"], found["tz"], found["bucket"]) == ("2026-10-22", "2026-11-20", "UTC", "day")
    assert (found["lead_time"], found["cycle_time"], found["points"]) == (nothing, nothing, [])
    assert found["throughput"] == [{"from": "2026-11-20", "to": "2026-11-20", "finished": 0}]
    assert found["in_progress"] == {"count": 0, "items": []}
    assert found["cumulative_flow"]["days"] == ["2026-11-20"]


@pytest.mark.parametrize("query", ["?to=2026-11-19", "?from=2026-11-21", "?from=2999-01-01&to=2999-12-31"])
def test_before_the_board_and_after_today_there_is_nothing(mina: Client, board: dict[str, Any], query: str) -> None:
    found = flow_of(mina, board, query)

    assert (found["throughput"], found["points"]) == ([], [])
    assert found["cumulative_flow"] == {"days": [], "todo": [], "in_progress": [], "done": [], "lists": []}


def test_a_week_of_work_is_measured(mina: Client, board: dict[str, Any], clock: ManualClock) -> None:
    first, second, third = (new_card(mina, board, title) for title in ("First", "Second", "Third"))
    clock.advance(hours=1)
    mina.post(f"{first}/start")
    clock.advance(days=1)
    mina.post(f"{first}/resolve")
    mina.post(f"{second}/start")
    clock.advance(days=2)
    mina.post(f"{second}/resolve")
    mina.post(f"{third}/start")
    clock.advance(minutes=5)

    found = flow_of(mina, board, "?from=2026-11-20&to=2026-11-30&tz=Europe/Berlin")
    weekly = flow_of(mina, board, "?bucket=week")["throughput"]

    assert [(each["lead_seconds"], each["cycle_seconds"]) for each in found["points"]] == [
        (25 * 3600, 24 * 3600),
        (73 * 3600, 48 * 3600),
    ]
    assert found["lead_time"] == {"count": 2, "p50_seconds": 90000, "p85_seconds": 262800, "p95_seconds": 262800}
    assert found["cycle_time"] == {"count": 2, "p50_seconds": 86400, "p85_seconds": 172800, "p95_seconds": 172800}
    assert [each["finished"] for each in found["throughput"]] == [0, 1, 0, 1]
    assert [(each["from"], each["to"], each["finished"]) for each in weekly] == [
        ("2026-11-20", "2026-11-22", 1),
        ("2026-11-23", "2026-11-23", 1),
    ]
    (running,) = found["in_progress"]["items"]
    assert (found["in_progress"]["count"], running["title"], running["age_seconds"]) == (1, "Third", 300)
    told = found["cumulative_flow"]
    assert told["days"] == ["2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23"]
    assert (told["todo"], told["in_progress"], told["done"]) == ([2, 1, 1, 0], [1, 1, 1, 1], [0, 1, 1, 2])
    assert [(each["name"], each["card_counts"]) for each in told["lists"]] == [
        ("To do", [2, 1, 1, 0]),
        ("Doing", [1, 1, 1, 1]),
        ("Done", [0, 1, 1, 2]),
    ]


def test_a_long_history_is_read_from_where_the_range_begins(
    mina: Client, board: dict[str, Any], clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "_EVENTS_PER_READ", 3)
    for day in range(12):
        card = new_card(mina, board, f"Card {day}")
        mina.post(f"{card}/start")
        clock.advance(hours=1)
        mina.post(f"{card}/resolve")
        clock.advance(hours=23)

    found = flow_of(mina, board, "?from=2026-11-28&to=2026-11-29")

    assert [each["finished"] for each in found["throughput"]] == [1, 1]
    assert found["cumulative_flow"]["done"] == [9, 10]
    monkeypatch.setattr("kanban.flow.flow_report.MAX_EVENTS", 5)
    refused = mina.get(f"/boards/{board['id']}/flow?from=2026-11-28")
    assert (refused.status, refused.json["code"]) == (422, "too_much_in_range")


def test_a_finished_card_says_in_its_event_what_it_took(
    mina: Client, board: dict[str, Any], clock: ManualClock
) -> None:
    card = new_card(mina, board, "Copy")
    clock.advance(hours=1)
    mina.post(f"{card}/start")
    clock.advance(hours=1)
    mina.post(f"{card}/resolve")

    event = mina.get(f"/boards/{board['id']}/events?after=3").json["items"][0]

    assert event["data"]["created_at"] == "2026-11-20T14:00:00Z"
    assert event["data"]["started_at"] == "2026-11-20T15:00:00Z"


@pytest.mark.parametrize(
    ("query", "status", "code", "pointer"),
    [
        ("from=2026-11-20&to=2026-11-19", 422, "ends_before_start", "/query/to"),
        ("from=2025-11-19&to=2026-11-20", 422, "range_too_long", "/query/to"),
        ("tz=Mars/Olympus", 422, "unknown_time_zone", "/query/tz"),
        ("tz=Europe/%00", 400, "invalid_parameter", "/query"),
        ("from=2026-02-30", 400, "invalid_parameter", "/query/from"),
        ("bucket=month", 400, "invalid_parameter", "/query/bucket"),
        ("to=today", 400, "invalid_parameter", "/query/to"),
    ],
)
def test_a_range_that_cannot_be_is_refused(
    mina: Client, board: dict[str, Any], query: str, status: int, code: str, pointer: str
) -> None:
    refused = mina.get(f"/boards/{board['id']}/flow?{query}")

    assert (refused.status, refused.json["code"]) == (status, code)
    assert {each["pointer"] for each in refused.json.get("errors", [])} == {pointer}


def test_a_stranger_sees_no_flow(omar: Client, board: dict[str, Any]) -> None:
    assert omar.get(f"/boards/{board['id']}/flow").json["code"] == "board_not_found"


def test_a_board_from_trello_flows_as_far_as_its_actions_tell(mina: Client) -> None:
    def moved(at: str, origin: str, goal: str) -> dict[str, Any]:
        data = {"card": {"id": "60000000" + "0" * 16}, "listBefore": {"id": origin}, "listAfter": {"id": goal}}
        return {"type": "updateCard", "date": at, "data": data}

    export = {
        "id": "5f000000" + "0" * 16,
        "name": "Website",
        "lists": [{"id": "l1", "name": "To do"}, {"id": "l2", "name": "Doing"}, {"id": "l3", "name": "Done"}],
        "cards": [
            {"id": "60000000" + "0" * 16, "name": "Copy", "idList": "l3"},
            {"id": "60000001" + "0" * 16, "name": "Put away", "idList": "l1", "closed": True},
        ],
        "actions": [moved("2021-02-03T00:00:00.000Z", "l2", "l3"), moved("2021-02-01T00:00:00.000Z", "l1", "l2")],
    }
    board = mina.post("/imports/trello", export).json["board"]

    found = flow_of(mina, board, "?from=2021-01-31&to=2021-02-04")

    assert [(each["lead_seconds"], each["cycle_seconds"]) for each in found["points"]] == [(1697664, 172800)]
    assert [each["finished"] for each in found["throughput"]] == [0, 0, 0, 1, 0]
    assert found["cumulative_flow"]["in_progress"] == [0, 1, 1, 0, 0]
    assert mina.get(f"/boards/{board['id']}/events?after=0").json["has_more"] is False


def test_the_copy_of_a_done_list_is_finished_work(mina: Client, board: dict[str, Any]) -> None:
    path = f"/boards/{board['id']}"
    done = mina.get(f"{path}/lists").json["items"][2]["id"]
    mina.post(f"{path}/cards", {"title": "Done", "list_id": done})

    mina.post(f"{path}/lists/{done}/copy", {})

    assert [each["lead_seconds"] for each in flow_of(mina, board)["points"]] == [0, 0]


def test_finished_work_that_left_for_another_board_counts_although_its_list_is_deleted(
    mina: Client, board: dict[str, Any]
) -> None:
    path, other = f"/boards/{board['id']}", mina.post("/boards", {"name": "Other"}).json["id"]
    done = mina.get(f"{path}/lists").json["items"][2]["id"]
    card = mina.post(f"{path}/cards", {"title": "Done", "list_id": done}).json["id"]
    mina.post(f"{path}/cards/{card}/transfer", {"board_id": other})

    mina.delete(f"{path}/lists/{done}", If_Match="*")

    assert [each["card_id"] for each in flow_of(mina, board)["points"]] == [card]


def test_a_card_that_comes_back_into_what_has_become_a_done_list_is_finished_then(
    mina: Client, board: dict[str, Any], clock: ManualClock
) -> None:
    path = f"/boards/{board['id']}"
    todo = mina.get(f"{path}/lists").json["items"][0]["id"]
    card = new_card(mina, board, "Back")
    mina.delete(card, If_Match="*")
    mina.patch(f"{path}/lists/{todo}", {"stage": "done"}, If_Match="*")
    clock.advance(hours=1)

    back = mina.post(f"{card}/restore").json

    (point,) = flow_of(mina, board)["points"]
    assert (point["resolved_at"], point["lead_seconds"]) == (back["resolved_at"], 3600)
