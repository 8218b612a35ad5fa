"""The time report of a board."""

import csv
import io
from typing import Any

import pytest

from tests.api.client import Client


@pytest.fixture
def board(mina: Client) -> dict[str, Any]:
    created: dict[str, Any] = mina.post("/boards", {"name": "Website", "hourly_rate_minor": 1000}).json
    return created


def work(client: Client, board: dict[str, Any], card_id: str, start: str, end: str, **fields: Any) -> None:
    entry = {"started_at": start, "ended_at": end, **fields}
    assert client.post(f"/boards/{board['id']}/cards/{card_id}/time-entries", entry).status == 201


def new_card(client: Client, board: dict[str, Any], **fields: Any) -> str:
    created: str = client.post(f"/boards/{board['id']}/cards", {"title": "Write the copy", **fields}).json["id"]
    return created


def test_an_empty_board_has_an_empty_time_report(mina: Client, board: dict[str, Any]) -> None:
    report = mina.get(f"/boards/{board['id']}/time-report").json

    assert (report["from"], report["to"], report["tz"], report["bucket"]) == ("2026-10-22", "2026-11-20", "UTC", "day")
    assert report["total"]["cost"] == {"amount_minor": 0, "currency": "USD", "formatted": "USD 0.00"}
    assert (report["by_list"], report["by_label"], report["by_member"]) == ([], [], [])
    assert len(report["by_period"]) == 30


def test_time_is_reported_by_list_label_member_and_period(mina: Client, omar: Client, board: dict[str, Any]) -> None:
    del omar
    mina.request("PUT", f"/boards/{board['id']}/members/omar", {"role": "viewer"})
    label = mina.post(f"/boards/{board['id']}/labels", {"name": "Bug", "color": "red"}).json["id"]
    one, other = new_card(mina, board, label_ids=[label]), new_card(mina, board)
    work(mina, board, one, "2026-11-19T23:00:00Z", "2026-11-20T00:30:00Z")
    work(mina, board, other, "2026-11-19T23:00:00Z", "2026-11-20T00:30:00Z", user_id="omar", hourly_rate_minor=1)

    report = mina.get(f"/boards/{board['id']}/time-report?from=2026-11-19&to=2026-11-20&tz=Europe/Berlin").json
    later = mina.get(f"/boards/{board['id']}/time-report?from=2026-11-20&to=2026-11-20").json

    assert report["total"]["elapsed"] == "03:00:00"
    assert report["total"]["cost"]["amount_minor"] == 1502
    assert [(total["name"], total["elapsed_seconds"]) for total in report["by_list"]] == [("To do", 10800)]
    assert [(total["name"], total["cost"]["amount_minor"]) for total in report["by_label"]] == [
        ("Bug", 1500),
        (None, 2),
    ]
    assert [(total["user_id"], total["name"]) for total in report["by_member"]] == [("mina", "Mina"), ("omar", "Omar")]
    assert [(total["from"], total["elapsed_seconds"]) for total in report["by_period"]] == [
        ("2026-11-19", 0),
        ("2026-11-20", 10800),
    ]
    assert later["total"]["elapsed_seconds"] == 3600


def test_the_csv_has_the_same_figures_and_escapes_names(mina: Client, board: dict[str, Any]) -> None:
    todo = mina.post(f"/boards/{board['id']}/lists", {"name": '=HYPERLINK("x", "y"),€', "stage": "todo"}).json["id"]
    work(mina, board, new_card(mina, board, list_id=todo), "2026-11-20T09:00:00Z", "2026-11-20T09:15:45Z")

    response = mina.get(f"/boards/{board['id']}/time-report?from=2026-11-20", Accept="text/csv")

    rows = list(csv.reader(io.StringIO(response.raw.decode(), newline="")))
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.raw.endswith(b"\r\n")
    assert rows == [
        ["by", "id", "name", "from", "to", "elapsed_seconds", "elapsed", "cost", "currency"],
        ["total", "", "", "2026-11-20", "2026-11-20", "945", "00:15:45", "2.63", "USD"],
        ["list", todo, '\'=HYPERLINK("x", "y"),€', "2026-11-20", "2026-11-20", "945", "00:15:45", "2.63", "USD"],
        ["label", "", "", "2026-11-20", "2026-11-20", "945", "00:15:45", "2.63", "USD"],
        ["member", "mina", "Mina", "2026-11-20", "2026-11-20", "945", "00:15:45", "2.63", "USD"],
        ["period", "", "", "2026-11-20", "2026-11-20", "945", "00:15:45", "2.63", "USD"],
    ]


@pytest.mark.parametrize(
    ("query", "status", "code", "pointer"),
    [
        ("from=2026-11-20&to=2026-11-19", 422, "ends_before_start", "/query/to"),
        ("from=2025-11-19&to=2026-11-20", 422, "range_too_long", "/query/to"),
        ("tz=Mars/Olympus", 422, "unknown_time_zone", "/query/tz"),
        ("tz=../../etc/passwd", 400, "invalid_parameter", "/query/tz"),
        ("tz=localtime", 400, "invalid_parameter", "/query/tz"),
        ("from=2026-02-30", 400, "invalid_parameter", "/query/from"),
        ("from=20.11.2026", 400, "invalid_parameter", "/query/from"),
        ("to=1999-12-31", 400, "invalid_parameter", "/query/to"),
        ("bucket=hour", 400, "invalid_parameter", "/query/bucket"),
        ("from_=2026-11-20", 400, "invalid_parameter", "/query"),
    ],
)
def test_an_invalid_range_is_rejected(
    mina: Client, board: dict[str, Any], query: str, status: int, code: str, pointer: str
) -> None:
    rejected = mina.get(f"/boards/{board['id']}/time-report?{query}")

    assert (rejected.status, rejected.json["code"]) == (status, code)
    assert {error["pointer"] for error in rejected.json.get("errors", [])} == {pointer}


def test_entries_on_several_pages_are_all_counted(mina: Client, board: dict[str, Any]) -> None:
    card = new_card(mina, board)
    for minute in range(40):
        work(mina, board, card, f"2026-11-20T09:{minute:02d}:00Z", f"2026-11-20T09:{minute:02d}:30Z")

    assert mina.get(f"/boards/{board['id']}/time-report").json["total"]["elapsed_seconds"] == 40 * 30


def test_work_on_deleted_cards_does_not_count(mina: Client, board: dict[str, Any]) -> None:
    card = new_card(mina, board)
    work(mina, board, card, "2026-11-20T09:00:00Z", "2026-11-20T10:00:00Z")
    assert mina.delete(f"/boards/{board['id']}/cards/{card}", If_Match="*").status == 204

    assert mina.get(f"/boards/{board['id']}/time-report").json["total"]["elapsed_seconds"] == 0


def test_a_stranger_gets_no_time_report(omar: Client, board: dict[str, Any]) -> None:
    assert omar.get(f"/boards/{board['id']}/time-report").json["code"] == "board_not_found"
