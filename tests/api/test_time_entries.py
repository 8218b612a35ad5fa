"""Time entries of a card."""

from typing import Any

import pytest

from tests.api.client import Client
from tests.api.manual_clock import ManualClock


@pytest.fixture
def card(mina: Client) -> dict[str, Any]:
    board = mina.post("/boards", {"name": "Website", "hourly_rate_minor": 1000}).json
    created: dict[str, Any] = mina.post(f"/boards/{board['id']}/cards", {"title": "Write the copy"}).json
    return created


@pytest.fixture
def entries(card: dict[str, Any]) -> str:
    return f"/boards/{card['board_id']}/cards/{card['id']}/time-entries"


MORNING = {"started_at": "2026-11-20T10:00:00+01:00", "ended_at": "2026-11-20T10:30:00.5Z", "note": "On paper"}


def test_a_time_entry_is_created_read_updated_and_deleted(mina: Client, card: dict[str, Any], entries: str) -> None:
    created = mina.post(entries, MORNING)
    path = f"{entries}/{created.json['id']}"

    assert created.status == 201
    assert created.headers["location"] == f"/v1{path}"
    assert created.json == {
        "id": created.json["id"],
        "board_id": card["board_id"],
        "card_id": card["id"],
        "user_id": "mina",
        "started_at": "2026-11-20T09:00:00Z",
        "ended_at": "2026-11-20T10:30:00Z",
        "elapsed_seconds": 5400,
        "hourly_rate_minor": 1000,
        "note": "On paper",
        "recorded_by": "mina",
        "version": 1,
    }
    assert mina.get(path).json == created.json
    assert mina.get(path, If_None_Match=created.etag).status == 304

    changed = mina.patch(path, {"ended_at": "2026-11-20T10:00:00Z", "note": None}, If_Match=created.etag)
    time = mina.get(entries.replace("time-entries", "time")).json
    assert changed.json["note"] == ""
    assert time["items"] == [changed.json]
    assert (time["elapsed"], time["cost"]["amount_minor"]) == ("01:00:00", 1000)

    deleted = mina.delete(path, If_Match=changed.etag)
    assert deleted.status == 204
    assert mina.get(path).json["code"] == "time_entry_not_found"
    after = mina.get(f"/boards/{card['board_id']}/cards/{card['id']}").json
    assert (after["elapsed_seconds"], after["cost"]["amount_minor"]) == (0, 0)
    events = mina.get(f"/boards/{card['board_id']}/events?after=2").json["items"]
    assert [event["type"] for event in events] == ["time_entry.created", "time_entry.updated", "time_entry.deleted"]
    assert {event["data"]["time_entry_id"] for event in events} == {created.json["id"]}


def test_updating_a_time_entry_needs_if_match(mina: Client, entries: str) -> None:
    created = mina.post(entries, MORNING)
    path = f"{entries}/{created.json['id']}"
    mina.patch(path, {"note": "Mine"}, If_Match=created.etag)

    assert mina.patch(path, {"note": "Yours"}).status == 428
    assert mina.patch(path, {"note": "Yours"}, If_Match=created.etag).status == 412
    assert mina.delete(path).status == 428
    assert mina.delete(path, If_Match=created.etag).status == 412
    assert mina.get(path).json["note"] == "Mine"


@pytest.mark.parametrize(
    ("fields", "status", "code", "pointer"),
    [
        ({"ended_at": "2026-11-20T08:59:59Z"}, 422, "ends_before_start", "/ended_at"),
        ({"ended_at": "2999-01-01T00:00:00Z"}, 422, "in_future", "/ended_at"),
        ({"started_at": "2999-01-01T00:00:00Z", "ended_at": "2999-01-02T00:00:00Z"}, 422, "in_future", "/started_at"),
        ({"started_at": "2019-01-01T00:00:00Z"}, 422, "time_entry_too_long", "/started_at"),
        ({"user_id": "omar"}, 422, "unknown_reference", "/user_id"),
        ({"started_at": "2026-11-20T09:29:59Z", "ended_at": "2026-11-20T11:00:00Z"}, 409, "time_entry_overlaps", None),
        ({"started_at": "2026-11-20T09:00:00"}, 400, "invalid_body", "/started_at"),
        ({"started_at": "2026-02-30T09:00:00Z"}, 400, "invalid_body", "/started_at"),
        ({"ended_at": None}, 400, "invalid_body", "/ended_at"),
        ({"hourly_rate_minor": -1}, 400, "invalid_body", "/hourly_rate_minor"),
        ({"hourly_rate_minor": True}, 400, "invalid_body", "/hourly_rate_minor"),
        ({"note": "\u0000"}, 400, "invalid_body", "/note"),
        ({"id": "ten_01m7wm3hr0wh1jqamgg6daxx8x"}, 400, "invalid_body", ""),
    ],
)
def test_an_impossible_time_entry_is_rejected_and_changes_nothing(
    mina: Client,
    omar: Client,
    card: dict[str, Any],
    entries: str,
    fields: dict[str, Any],
    status: int,
    code: str,
    pointer: str | None,
) -> None:
    del omar
    mina.post(entries, MORNING)
    before = mina.get(f"/boards/{card['board_id']}").raw

    rejected = mina.post(entries, {"started_at": "2026-11-20T09:00:00Z", "ended_at": "2026-11-20T10:00:00Z", **fields})

    assert (rejected.status, rejected.json["code"]) == (status, code)
    assert {error["pointer"] for error in rejected.json.get("errors", [])} == ({pointer} - {None})
    assert mina.get(f"/boards/{card['board_id']}").raw == before


def test_the_open_entry_of_a_clock_can_start_earlier_and_be_deleted(
    mina: Client, card: dict[str, Any], entries: str, clock: ManualClock
) -> None:
    started = f"/boards/{card['board_id']}/cards/{card['id']}"
    mina.post(f"{started}/start")
    running = mina.get(f"{started}/time").json["items"][0]
    path = f"{entries}/{running['id']}"
    clock.advance(minutes=10)

    tag = mina.get(path).etag
    ended = mina.patch(path, {"ended_at": "2026-11-20T09:00:00Z"}, If_Match=tag)
    earlier = mina.patch(path, {"started_at": "2026-11-20T09:00:00Z"}, If_Match=tag)

    assert (ended.status, ended.json["code"]) == (409, "time_entry_running")
    assert earlier.json["ended_at"] is None
    assert mina.get(started).json["elapsed_seconds"] == earlier.json["elapsed_seconds"] > 600
    assert mina.delete(path, If_Match=tag).status == 412
    assert mina.delete(path, If_Match=earlier.etag).status == 204
    assert mina.get(started).json["elapsed_seconds"] == 0
    assert mina.post(f"{started}/resolve").json["elapsed_seconds"] == 0


def test_a_repeated_key_creates_one_time_entry(mina: Client, entries: str) -> None:
    first = mina.post(entries, MORNING, Idempotency_Key="k1")
    again = mina.post(entries, MORNING, Idempotency_Key="k1")

    assert (again.status, again.json) == (201, first.json)
    assert again.headers["idempotency-replayed"] == "true"


def test_a_time_entry_is_found_on_its_own_card_only(mina: Client, card: dict[str, Any], entries: str) -> None:
    created = mina.post(entries, MORNING).json
    other = mina.post(f"/boards/{card['board_id']}/cards", {"title": "Another"}).json

    elsewhere = f"/boards/{card['board_id']}/cards/{other['id']}/time-entries/{created['id']}"

    assert mina.get(elsewhere).json["code"] == "time_entry_not_found"
    assert mina.patch(elsewhere, {"note": "?"}, If_Match="*").json["code"] == "time_entry_not_found"
    assert mina.delete(elsewhere, If_Match="*").json["code"] == "time_entry_not_found"
    assert mina.post(f"/boards/{card['board_id']}/cards/{card['id']}x/time-entries", MORNING).status in (400, 404)


def test_a_viewer_can_not_create_time_entries(mina: Client, omar: Client, card: dict[str, Any], entries: str) -> None:
    mina.request("PUT", f"/boards/{card['board_id']}/members/omar", {"role": "viewer"})
    created = mina.post(entries, {**MORNING, "user_id": "omar"})
    path = f"{entries}/{created.json['id']}"

    assert created.json["user_id"] == "omar"
    assert omar.get(path).status == 200
    assert omar.post(entries, MORNING).json["code"] == "role_too_low"
    assert omar.patch(path, {"note": "?"}, If_Match="*").json["code"] == "role_too_low"
    assert omar.delete(path, If_Match="*").json["code"] == "role_too_low"
