"""The flow report: throughput, lead times and cumulative flow."""

from typing import Any

import pytest

from tests.api.client import Client
from tests.api.manual_clock import ManualClock
from usecases import flow_history


@pytest.fixture
def board(mina: Client) -> dict[str, Any]:
    created: dict[str, Any] = mina.post("/boards", {"name": "Website"}).json
    return created


def new_card(client: Client, board: dict[str, Any], title: str) -> str:
    path = f"/boards/{board['id']}/cards"
    return f"{path}/{client.post(path, {'title': title}).json['id']}"


def get_flow(client: Client, board: dict[str, Any], query: str = "") -> Any:
    response = client.get(f"/boards/{board['id']}/flow{query}")
    assert response.status == 200
    return response.json


def test_the_flow_report_of_an_empty_board_is_empty(mina: Client, board: dict[str, Any]) -> None:
    report = get_flow(mina, board)

    nothing = {"count": 0, "p50_seconds": None, "p85_seconds": None, "p95_seconds": None}
    assert (report["from"], report["to"], report["tz"], report["bucket"]) == ("2026-10-22", "2026-11-20", "UTC", "day")
    assert (report["lead_time"], report["cycle_time"], report["points"]) == (nothing, nothing, [])
    assert report["throughput"] == [{"from": "2026-11-20", "to": "2026-11-20", "finished": 0}]
    assert report["in_progress"] == {"count": 0, "items": []}
    assert report["cumulative_flow"]["days"] == ["2026-11-20"]


@pytest.mark.parametrize("query", ["?to=2026-11-19", "?from=2026-11-21", "?from=2999-01-01&to=2999-12-31"])
def test_days_before_the_board_and_after_today_have_no_counts(mina: Client, board: dict[str, Any], query: str) -> None:
    report = get_flow(mina, board, query)

    assert (report["throughput"], report["points"]) == ([], [])
    assert report["cumulative_flow"] == {"days": [], "todo": [], "in_progress": [], "done": [], "lists": []}


def test_the_flow_report_covers_a_week_of_work(mina: Client, board: dict[str, Any], clock: ManualClock) -> None:
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

    report = get_flow(mina, board, "?from=2026-11-20&to=2026-11-30&tz=Europe/Berlin")
    weekly = get_flow(mina, board, "?bucket=week")["throughput"]

    assert [(point["lead_seconds"], point["cycle_seconds"]) for point in report["points"]] == [
        (25 * 3600, 24 * 3600),
        (73 * 3600, 48 * 3600),
    ]
    assert report["lead_time"] == {"count": 2, "p50_seconds": 90000, "p85_seconds": 262800, "p95_seconds": 262800}
    assert report["cycle_time"] == {"count": 2, "p50_seconds": 86400, "p85_seconds": 172800, "p95_seconds": 172800}
    assert [period["finished"] for period in report["throughput"]] == [0, 1, 0, 1]
    assert [(week["from"], week["to"], week["finished"]) for week in weekly] == [
        ("2026-11-20", "2026-11-22", 1),
        ("2026-11-23", "2026-11-23", 1),
    ]
    (running,) = report["in_progress"]["items"]
    assert (report["in_progress"]["count"], running["title"], running["age_seconds"]) == (1, "Third", 300)
    cumulative_flow = report["cumulative_flow"]
    assert cumulative_flow["days"] == ["2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23"]
    assert (cumulative_flow["todo"], cumulative_flow["in_progress"], cumulative_flow["done"]) == (
        [2, 1, 1, 0],
        [1, 1, 1, 1],
        [0, 1, 1, 2],
    )
    assert [(list_["name"], list_["card_counts"]) for list_ in cumulative_flow["lists"]] == [
        ("To do", [2, 1, 1, 0]),
        ("Doing", [1, 1, 1, 1]),
        ("Done", [0, 1, 1, 2]),
    ]


def test_only_events_since_the_start_of_the_range_are_read(
    mina: Client, board: dict[str, Any], clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow_history, "_EVENTS_PER_READ", 3)
    monkeypatch.setattr(flow_history, "_MAX_LAG", 2)
    for day in range(12):
        card = new_card(mina, board, f"Card {day}")
        mina.post(f"{card}/start")
        clock.advance(hours=1)
        mina.post(f"{card}/resolve")
        clock.advance(hours=23)

    report = get_flow(mina, board, "?from=2026-11-28&to=2026-11-29")

    assert [period["finished"] for period in report["throughput"]] == [1, 1]
    assert report["cumulative_flow"]["done"] == [9, 10]
    monkeypatch.setattr(flow_history, "MAX_EVENTS", 5)
    rejected = mina.get(f"/boards/{board['id']}/flow?from=2026-11-28")
    assert (rejected.status, rejected.json["code"]) == (422, "too_much_in_range")


def test_the_event_of_a_completion_has_lead_and_cycle_time(
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
def test_an_invalid_range_is_rejected(
    mina: Client, board: dict[str, Any], query: str, status: int, code: str, pointer: str
) -> None:
    rejected = mina.get(f"/boards/{board['id']}/flow?{query}")

    assert (rejected.status, rejected.json["code"]) == (status, code)
    assert {error["pointer"] for error in rejected.json.get("errors", [])} == {pointer}


def test_a_stranger_gets_no_flow_report(omar: Client, board: dict[str, Any]) -> None:
    assert omar.get(f"/boards/{board['id']}/flow").json["code"] == "board_not_found"


def test_the_flow_report_of_a_trello_import_uses_its_actions(mina: Client) -> None:
    def build_move(at: str, origin: str, goal: str) -> dict[str, Any]:
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
        "actions": [
            build_move("2021-02-03T00:00:00.000Z", "l2", "l3"),
            build_move("2021-02-01T00:00:00.000Z", "l1", "l2"),
        ],
    }
    board = mina.post("/imports/trello", export).json["board"]

    report = get_flow(mina, board, "?from=2021-01-31&to=2021-02-04")

    assert [(point["lead_seconds"], point["cycle_seconds"]) for point in report["points"]] == [(1697664, 172800)]
    assert [period["finished"] for period in report["throughput"]] == [0, 0, 0, 1, 0]
    assert report["cumulative_flow"]["in_progress"] == [0, 1, 1, 0, 0]
    assert mina.get(f"/boards/{board['id']}/events?after=0").json["has_more"] is False


def test_the_cards_of_a_copied_done_list_count_as_completions(mina: Client, board: dict[str, Any]) -> None:
    path = f"/boards/{board['id']}"
    done = mina.get(f"{path}/lists").json["items"][2]["id"]
    mina.post(f"{path}/cards", {"title": "Done", "list_id": done})

    mina.post(f"{path}/lists/{done}/copy", {})

    assert [point["lead_seconds"] for point in get_flow(mina, board)["points"]] == [0, 0]


def test_a_completion_counts_after_its_card_moved_to_another_board_and_its_list_is_deleted(
    mina: Client, board: dict[str, Any]
) -> None:
    path, other = f"/boards/{board['id']}", mina.post("/boards", {"name": "Other"}).json["id"]
    done = mina.get(f"{path}/lists").json["items"][2]["id"]
    card = mina.post(f"{path}/cards", {"title": "Done", "list_id": done}).json["id"]
    mina.post(f"{path}/cards/{card}/transfer", {"board_id": other})

    mina.delete(f"{path}/lists/{done}", If_Match="*")

    assert [point["card_id"] for point in get_flow(mina, board)["points"]] == [card]


def test_a_card_restored_into_a_list_that_became_done_is_completed_then(
    mina: Client, board: dict[str, Any], clock: ManualClock
) -> None:
    path = f"/boards/{board['id']}"
    todo = mina.get(f"{path}/lists").json["items"][0]["id"]
    card = new_card(mina, board, "Back")
    mina.delete(card, If_Match="*")
    mina.patch(f"{path}/lists/{todo}", {"stage": "done"}, If_Match="*")
    clock.advance(hours=1)

    restored = mina.post(f"{card}/restore").json

    (point,) = get_flow(mina, board)["points"]
    assert (point["resolved_at"], point["lead_seconds"]) == (restored["resolved_at"], 3600)
